"""What does not depend on the machine's mood: system calls and instructions per request, each the difference of two runs of different length,
so that start, connecting and shutting down fall out."""

import pathlib
import re
import shutil
import signal
import tempfile

import load
import machine
from program import Program, wait_for
from proxy import Missing

FEW, MANY = 2000, 12000


def traced(bench, proxy, requests, **options):
    """{name: calls} of a proxy's processes while so many requests pass, by strace."""
    if not shutil.which("strace"):
        raise Missing("strace is not installed")
    with tempfile.NamedTemporaryFile("r", dir=bench.folder, prefix="strace-") as summary:
        words = ["strace", "-f", "-c", "-q", "-o", summary.name]
        for pid in proxy.program.family():
            words += ["-p", pid]
        with open(bench.out / "strace.log", "wb") as log:
            tracer = Program(words, machine.core(machine.PROXY_CORE), log)
        try:
            wait_for(lambda: all(_is_traced(pid) for pid in proxy.program.family()), "strace to attach", 20, tracer)
            load.run(bench, proxy, requests=requests, **options)
            tracer.popen.send_signal(signal.SIGINT)
            tracer.popen.wait(20)
        finally:
            tracer.stop()
        return parse_summary(summary.read())


def _is_traced(pid):
    """Every thread of it."""
    tasks = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    return all(re.search(r"^TracerPid:\s+[1-9]", (task / "status").read_text(), re.M) for task in tasks)


def parse_summary(text):
    """The table of `strace -c`: its fourth column is calls, its last the name."""
    calls = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and re.fullmatch(r"[0-9.]+", words[0]) and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def system_calls(bench, proxy, few=FEW, many=MANY, **options):
    """{name: calls per request}"""
    first, second = traced(bench, proxy, few, **options), traced(bench, proxy, many, **options)
    per_request = {name: (second.get(name, 0) - first.get(name, 0)) / (many - few) for name in {*first, *second}}
    return {name: value for name, value in sorted(per_request.items(), key=lambda item: -item[1]) if abs(value) >= 0.0005}


def instructions(bench, make, few=500, many=3500):
    """User-space instructions per request, one at a time on one connection, by callgrind."""
    if not shutil.which("valgrind"):
        raise Missing("valgrind is not installed")
    return (executed(bench, make, many) - executed(bench, make, few)) / (many - few)


def executed(bench, make, requests):
    """All instructions of one life: start, so many requests, end."""
    proxy = make(bench)
    out = bench.folder / f"callgrind-{requests}"
    proxy.command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *proxy.command]
    proxy.patience = 120
    try:
        with open(bench.out / "callgrind.log", "wb") as log:
            proxy.start(log)
        with load.Upstream(bench):
            proxy.wait_ready(1024)
        load.run(bench, proxy, requests=requests, connections=1)
    finally:
        proxy.stop()
    total = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)
    return int(total.group(1))
