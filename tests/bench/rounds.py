"""Rounds: short, and each proxy once in each, so that drift of the machine hits all alike."""

import contextlib
import statistics

import load
import machine
from proxy import Missing


@contextlib.contextmanager
def running(bench, makers, body=1024, ports=()):
    """What can be had of the proxies, started and asked, by name; and {name: why} of those that are missing. Stopped at the end."""
    proxies, missing = {}, {}
    try:
        with load.Upstream(bench, body, ports):
            for name, make in makers.items():
                bench.progress(f"starting {name}")
                try:
                    proxy = make(bench)
                except Missing as why:
                    missing[name] = str(why)
                    continue
                proxies[name] = proxy
                with open(bench.out / f"{proxy.name}.log", "wb") as log:
                    proxy.start(log)
                try:
                    proxy.wait_ready(body)
                except RuntimeError as fault:
                    raise RuntimeError(f"{fault}; its log is {bench.out}/{proxy.name}.log") from None
        yield proxies, missing
    finally:
        for proxy in proxies.values():
            proxy.stop()


def measure(bench, proxies, case, rounds=None, seconds=None, **options):
    """{name: [a result a round, or {"void": why}]}. The order turns from round to round: nobody always follows the same one."""
    results = {name: [] for name in proxies}
    names = list(proxies)
    rounds = rounds or bench.rounds
    for turn in range(rounds):
        bench.progress(f"{case}: round {turn + 1} of {rounds}")
        for step in range(len(names)):
            name = names[(turn + step) % len(names)]
            results[name].append(_one(bench, proxies[name], seconds or bench.seconds, options))
    return results


def _one(bench, proxy, seconds, options):
    try:
        result = load.run(bench, proxy, seconds=seconds, warm_up=bench.warm_up, **options)
    except load.Void as why:
        bench.say(f"void round: {why}")
        return {"void": str(why)}
    result["memory_kib"] = machine.proportional_kib(proxy.program.pid)
    return result


def median(results, name, key):
    """The median of a proxy's rounds; None when it has none."""
    values = [row[key] for row in results.get(name, []) if key in row]
    return statistics.median(values) if values else None


def ratio(results, ours, others, key, better=min):
    """The median over rounds of ours / the better of the others. None when fewer than half of the rounds count."""
    rows = list(zip(results.get(ours, []), *(results.get(other, []) for other in others)))
    ratios = [
        row[0][key] / better(each[key] for each in row[1:]) for row in rows if all(key in each for each in row) and row[0][key]
    ]
    return statistics.median(ratios) if rows and len(ratios) * 2 > len(rows) else None
