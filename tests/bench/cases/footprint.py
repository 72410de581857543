"""What a gateway needs: memory at start, per idle connection, while a large body passes; time to its first answer."""

import statistics
import threading

import gatehouse
import haproxy
import load
import machine
import nginx
import rounds
import rows
from cases.case import Case
from proxy import Missing

IDLE = 10000
SPARE_FILES = 200  # descriptors of a proxy or the load program beside its idle connections


def idle_memory(bench, case):
    """Private memory, since what is shared is there once however many connections there are. Each has served a request before."""
    found = rows.Found()
    count = min(IDLE, (bench.files - SPARE_FILES) // (2 if bench.files < 2 * IDLE else 1))
    makers = {"gatehouse": gatehouse.cached, "nginx": nginx.plain, "haproxy": haproxy.plain}
    per_connection = {}
    with rounds.running(bench, makers) as (proxies, missing):
        for name, proxy in proxies.items():
            bench.progress(f"{case.name}: {name}")
            load.run(bench, proxy, seconds=bench.seconds / 2, warm_up=0)
            before = machine.private_kib(proxy.program.pid)
            held = load.Held(bench, proxy, count)
            per_connection[name] = (machine.private_kib(proxy.program.pid) - before) / held.count
            held.close()
    for name, value in per_connection.items():
        limit = 0.6 if name == "gatehouse" else None
        found.rows.append(rows.most(case.name, f"{name}: per idle connection, {count} of them", limit, value, "KiB"))
    if count < IDLE:
        found.rows.append(rows.skipped(case.name, f"{IDLE} connections", f"only {bench.files} descriptors may be had (ulimit -Hn)"))
    found.rows += [rows.skipped(case.name, name, why) for name, why in missing.items()]
    found.raw = per_connection
    found.bars["Private memory per idle connection, KiB"] = per_connection
    return found


def resident(bench, case):
    """VmRSS counts libraries that others have mapped too; the note has each page's share instead."""
    found = rows.Found()
    makers = {"gatehouse": gatehouse.cached, "nginx": nginx.plain, "haproxy": haproxy.plain}
    with rounds.running(bench, makers) as (proxies, missing):
        for name, proxy in proxies.items():
            all_of_it, share = (kib(proxy.program.pid) / 1024 for kib in (machine.resident_kib, machine.proportional_kib))
            limit = 9 if name == "gatehouse" else None
            found.raw[name] = {"resident_mib": all_of_it, "proportional_mib": share}
            found.rows.append(rows.most(case.name, f"{name}: resident once it serves", limit, all_of_it, "MiB", f"{share:.1f} MiB proportional"))
    found.rows += [rows.skipped(case.name, name, why) for name, why in missing.items()]
    return found


class _Peak:
    """The most that a process had resident while it was watched, in KiB."""

    def __init__(self, pid):
        self.first = self.most = machine.resident_kib(pid)
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._ended.wait(0.01):
            self.most = max(self.most, machine.resident_kib(self._pid))

    def growth(self):
        self._ended.set()
        self._thread.join()
        return (self.most - self.first) / 1024


def large_body(bench, case):
    """Flat: no more than 1 MiB beyond what passing a body of 1 MB has taken."""
    found = rows.Found()
    size = (1 << 30) if not bench.quick else (1 << 28)
    for direction in ("down", "up"):
        body, post = (size, 0) if direction == "down" else (1024, size)
        with rounds.running(bench, {"gatehouse": gatehouse.cached}) as (proxies, _):
            proxy = proxies["gatehouse"]
            warm = {"body": 1 << 20} if direction == "down" else {"post": 1 << 20}
            load.run(bench, proxy, connections=1, requests=20, **warm)
            bench.progress(f"{case.name}: {size >> 20} MiB {direction}")
            peak = _Peak(proxy.program.pid)
            result = load.run(bench, proxy, connections=1, requests=1, body=body, **({"post": post} if post else {}))
            growth = peak.growth()
        found.raw[direction] = result | {"growth_mib": growth}
        note = f"{size / result['seconds'] / 1e9:.1f} GB/s"
        found.rows.append(rows.most(case.name, f"{size >> 20} MiB {direction}: resident grows by", 1, growth, "MiB", note))
    return found


def starts(bench, case):
    """From before fork() to the first 200 of a request with a token, keys from a file. Every start is a new process."""
    found = rows.Found()
    count = 5 if bench.quick else 15
    for name, make, limit in (("gatehouse", gatehouse.cached, 10), ("nginx", nginx.plain, None), ("haproxy", haproxy.plain, None)):
        try:
            proxy = make(bench)
        except Missing as why:
            found.rows.append(rows.skipped(case.name, name, str(why)))
            continue
        bench.progress(f"{case.name}: {name}")
        times = load.start_times(bench, proxy, count)
        found.raw[name] = times
        value = statistics.median(times) if times else None
        found.rows.append(rows.most(case.name, f"{name}: start to first answer, median of {count}", limit, value, "ms"))
    return found


CASES = [
    Case("idle-memory", f"private memory per idle connection, {IDLE} of them", idle_memory),
    Case("resident", "resident memory at start", resident),
    Case("large-body", "1 GB in each direction, memory flat", large_body),
    Case("start", "start to first answer", starts),
]
