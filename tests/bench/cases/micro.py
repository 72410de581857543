"""Micro-benchmarks (Google Benchmark), and what follows from them: a trace against a whole request."""

import json
import statistics
import subprocess

import gatehouse
import machine
import rounds
import rows
from cases.case import Case
from program import in_child


def run(bench, filters=".", seconds=0.1, repetitions=3):
    """{name: ns} by gatehouse_micro, medians; None when it is not built."""
    program = bench.build / "tests" / "gatehouse_micro"
    if not program.exists():
        return None
    words = [program, f"--benchmark_filter={filters}", "--benchmark_format=json", f"--benchmark_min_time={seconds}", f"--benchmark_repetitions={repetitions}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, preexec_fn=in_child(machine.core(machine.PROXY_CORE)))
    times = {}
    for row in json.loads(done.stdout)["benchmarks"]:
        if row.get("error_occurred"):
            raise RuntimeError(f"{row['name']}: {row['error_message']}")
        if row["run_type"] == "iteration":
            times.setdefault(row["run_name"], []).append(row["cpu_time"])
    return {name: statistics.median(values) for name, values in times.items()}


NOT_BUILT = "gatehouse_micro is not built: it needs Google Benchmark (libbenchmark-dev)"


def all_of_them(bench, case):
    bench.progress(case.name)
    times = run(bench, seconds=0.02, repetitions=1) if bench.quick else run(bench)
    if times is None:
        return rows.Found([rows.skipped(case.name, "micro-benchmarks", NOT_BUILT)])
    found = rows.Found([rows.fact(case.name, name, value, "ns") for name, value in times.items()], times)
    by_size = {}
    for name, value in times.items():
        what, _, size = name.rpartition("/")
        if size.isdigit():
            by_size.setdefault(what, []).append((int(size), value))
    found.curves = {f"{what}, ns": points for what, points in by_size.items() if len(points) > 1}
    return found


def traces(bench, case):
    """Traces cannot be turned off: what one costs is measured alone, and set against a request's CPU time."""
    times = run(bench, "^trace_record$", 0.02)
    if not times:
        return rows.Found([rows.skipped(case.name, "traces on / off", NOT_BUILT)])
    with rounds.running(bench, {"gatehouse": gatehouse.cached}) as (proxies, _):
        results = rounds.measure(bench, proxies, case.name, rounds=3)
    whole, one = rounds.median(results, "gatehouse", "cpu_us"), times["trace_record"] / 1000
    value = whole / (whole - one) if whole else None
    note = f"{one * 1000:.0f} ns of {whole:.2f} µs" if whole else "void rounds"
    return rows.Found([rows.most(case.name, "CPU: with traces / without", 1.02, value, "x", note)], {"rounds": results, "trace_ns": one * 1000})


CASES = [
    Case("traces", "traces on against off", traces),
    Case("micro", "micro-benchmarks", all_of_them),
]
