"""System calls per request, by strace on a run of its own: what is traced is slow, and not timed."""

import counts
import gatehouse
import haproxy
import nginx
import rounds
import rows
from cases.case import Case
from proxy import Missing


def system_calls(bench, case):
    found = rows.Found()
    makers = {"gatehouse": gatehouse.cached, "nginx": nginx.plain, "haproxy": haproxy.plain}
    with rounds.running(bench, makers) as (proxies, missing):
        for name, proxy in proxies.items():
            bench.progress(f"{case.name}: {name}")
            try:
                calls = counts.system_calls(bench, proxy, 1000, 5000 if bench.quick else 11000)
            except Missing as why:
                return rows.Found([rows.skipped(case.name, name, str(why))])
            found.raw[name] = calls
            note = ", ".join(f"{call} {value:.2f}" for call, value in list(calls.items())[:6])
            found.rows.append(rows.most(case.name, f"{name}: system calls per request", 4.2 if name == "gatehouse" else None, sum(calls.values()), note=note))
    found.rows += [rows.skipped(case.name, name, why) for name, why in missing.items()]
    found.bars["System calls per request"] = {name: sum(calls.values()) for name, calls in found.raw.items()}
    return found


def two_workers(bench, case):
    """A lock that two workers wait for is a futex call: without any there was no contention."""
    found = rows.Found()
    with rounds.running(bench, {"gatehouse-2": gatehouse.two_workers}) as (proxies, _):
        try:
            calls = counts.system_calls(bench, proxies["gatehouse-2"], 1000, 5000 if bench.quick else 11000)
        except Missing as why:
            return rows.Found([rows.skipped(case.name, "2 workers", str(why))])
    found.raw = calls
    found.rows.append(rows.most(case.name, "2 workers: futex calls per request", 0.01, calls.get("futex", 0.0)))
    found.rows.append(rows.skipped(case.name, "2 workers / 1: requests/s >= 1.8", "needs three cores and more; the count above stands for it"))
    return found


CASES = [
    Case("system-calls", "system calls per request", system_calls),
    Case("workers", "2 workers: no contended lock, by counts", two_workers),
]
