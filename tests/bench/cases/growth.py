"""How cost grows with what is configured or cached: flat, or logarithmic with the curve shown."""

import math
import subprocess

import gatehouse
import load
import machine
import rounds
import rows
from cases.case import Case
from proxy import write_json

FLAT = 1.10  # the largest over the smallest, at most, to be called flat


def judge(points):
    """"flat", "logarithmic" or "neither" for [(x, y)]: logarithmic is when the last step costs no more than twice the dearest before it, per decade."""
    first, last = points[0][1], points[-1][1]
    if last <= first * FLAT:
        return "flat"
    steps = [(after[1] - before[1]) / math.log10(after[0] / before[0]) for before, after in zip(points, points[1:])]
    allowed = 2 * max([0.02 * first, *steps[:-1]])
    return "logarithmic" if len(steps) > 1 and steps[-1] <= allowed else "neither"


def curve(bench, case, what, makers, body=1024, ports=(), fill=False, **options):
    """@param makers  {x: maker}, ascending; @param fill  each number once before it is measured, so that all are cached"""
    found = rows.Found()
    with rounds.running(bench, {str(x): make for x, make in makers.items()}, body, ports) as (proxies, _):
        for name, proxy in proxies.items() if fill else ():
            bench.progress(f"{case.name}: filling {name}")
            load.run(bench, proxy, requests=max(int(name), 64), connections=min(64, int(name)))
        before = {name: gatehouse.misses(proxy) for name, proxy in proxies.items()} if fill else {}
        results = rounds.measure(bench, proxies, case.name, random=True, **options)
        for name, misses in before.items():
            missed = gatehouse.misses(proxies[name]) - misses
            served = sum(row.get("requests", 0) for row in results[name])
            found.rows.append(rows.most(case.name, f"{name} cached: misses among measured requests", 0.01, missed / max(1, served)))
    points = [(x, rounds.median(results, str(x), "cpu_us")) for x in makers]
    points = [point for point in points if point[1] is not None]
    first, last = str(min(makers)), str(max(makers))
    value = rounds.ratio(results, last, (first,), "cpu_us")
    shape = judge(points) if len(points) == len(makers) else "void rounds"
    text = ", ".join(f"{x}: {y:.2f}" for x, y in points)
    row = rows.Row(case.name, f"{what} {first} -> {last}: CPU", "flat or log", value, "x", shape in ("flat", "logarithmic"), f"{shape}; µs at {text}")
    found.rows.insert(0, row)
    found.raw = results
    found.curves[f"CPU per request by {what}"] = points
    return found


def routes(bench, case):
    makers = {count: lambda b, n=count: gatehouse.with_routes(b, n) for count in (10, 100, 1000, 10000)}
    return curve(bench, case, "routes", makers)


def statements(bench, case):
    makers = {count: lambda b, n=count: gatehouse.with_statements(b, n) for count in (1, 10, 100, 1000)}
    return curve(bench, case, "statements", makers)


def tokens(bench, case):
    """A million takes most of a minute to fill, and is left to whole runs."""
    sizes = (100, 1000, 10000) if bench.quick else (100, 1000, 10000, 100000, 1000000)
    found = curve(bench, case, "cached tokens", {n: lambda b, n=n: gatehouse.with_cached(b, n) for n in sizes}, fill=True)
    if bench.quick:
        found.rows.append(rows.skipped(case.name, "100 000 and 1 000 000 cached", "only without --quick"))
    return found


def targets(bench, case):
    ports = machine.free_ports(100)
    sample = gatehouse.configuration(bench, gatehouse.by_jwt(bench), [gatehouse.route(bench, uri="http://backend/items")])
    sample["upstreams"] = {"backend": {"targets": [f"http://127.0.0.1:{ports[0]}"]}}
    file = write_json(bench.folder / "targets.json", sample)
    check = subprocess.run([bench.gatehouse, "check", file], capture_output=True, text=True)
    if check.returncode != 0:
        why = next((line for line in (check.stdout + check.stderr).splitlines() if "upstreams" in line), check.stderr.strip()[:200])
        return rows.Found([rows.skipped(case.name, "upstream targets 1 -> 100", "this Gatehouse refuses the key upstreams: " + why.split(": ", 1)[-1])])
    makers = {count: lambda b, n=count: gatehouse.with_targets(b, ports[:n]) for count in (1, 10, 100)}
    return curve(bench, case, "upstream targets", makers, ports=ports, upstream=",".join(map(str, (bench.upstream, *ports))))


CASES = [
    Case("growth-routes", "CPU by routes, 10 to 10 000", routes),
    Case("growth-statements", "CPU by statements, 1 to 1 000", statements),
    Case("growth-tokens", "CPU by cached tokens, 100 to 1 000 000", tokens),
    Case("growth-targets", "CPU by upstream targets, 1 to 100", targets),
]
