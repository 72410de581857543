"""System calls per request, by strace on a run of its own: what is traced is slow, and not timed."""

import counts
import gatehouse
import haproxy
import nginx
import rows
from cases.case import Case
from proxy import Missing


CONTENDED = 0.02  # futex calls per request; starting takes some tens, not always as many


def many(bench):
    return 5000 if bench.quick else counts.MANY


def system_calls(bench, case):
    found = rows.Found()
    makers = {"gatehouse": gatehouse.cached, "nginx": nginx.plain, "haproxy": haproxy.plain}
    for name, make in makers.items():
        bench.progress(f"{case.name}: {name}")
        try:
            calls = counts.system_calls(bench, make, many=many(bench))
        except Missing as why:
            found.rows.append(rows.skipped(case.name, name, str(why)))
            continue
        found.raw[name] = calls
        note = ", ".join(f"{call} {value:.2f}" for call, value in list(calls.items())[:6])
        limit = 4.2 if name == "gatehouse" else None
        found.rows.append(rows.most(case.name, f"{name}: system calls per request", limit, sum(calls.values()), note=note))
    found.bars["System calls per request"] = {name: sum(calls.values()) for name, calls in found.raw.items()}
    return found


def two_workers(bench, case):
    """A lock that two workers wait for is a futex call: without any there was no contention."""
    try:
        calls = counts.system_calls(bench, gatehouse.two_workers, many=many(bench))
    except Missing as why:
        return rows.Found([rows.skipped(case.name, "2 workers", str(why))])
    found = rows.Found(raw=calls)
    found.rows.append(rows.most(case.name, "2 workers: futex calls per request", CONTENDED, calls.get("futex", 0.0)))
    found.rows.append(rows.skipped(case.name, "2 workers / 1: requests/s >= 1.8", "needs three cores and more; the count above stands for it"))
    return found


CASES = [
    Case("system-calls", "system calls per request", system_calls),
    Case("workers", "2 workers: no contended lock, by counts", two_workers),
]
