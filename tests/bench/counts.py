"""What does not depend on the machine's mood: system calls and instructions per request, each the difference of two runs of different length,
so that start, connecting and shutting down fall out."""

import json
import os
import re
import shutil
import signal

import load
import machine
from program import Program, wait_for
from proxy import Missing

FEW, MANY = 1000, 9000


def traced(bench, make, requests, check=None, **options):
    """{name: calls} of a proxy's whole life with so many requests, by strace. It is strace's child: to attach to one that runs needs rights
    that not every user has. @param check  (proxy), before the end"""
    if not shutil.which("strace"):
        raise Missing("strace is not installed")
    proxy = make(bench)
    out = bench.folder / f"strace-{proxy.name}-{requests}"
    proxy.command = ["strace", "-f", "-c", "-q", "-o", out, *proxy.command]
    proxy.patience = 60
    try:
        with open(bench.out / "strace.log", "wb") as log:
            proxy.start(log)
        with load.Upstream(bench):
            proxy.wait_ready(1024)
        load.run(bench, proxy, requests=requests, **options)
        if check:
            check(proxy)
        os.kill(proxy.program.family()[1], signal.SIGTERM)
        proxy.program.popen.wait(30)
    finally:
        proxy.stop()
    return parse_summary(out.read_text())


def parse_summary(text):
    """The table of `strace -c`: its fourth column is calls, its last the name."""
    calls = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and re.fullmatch(r"[0-9.]+", words[0]) and words[-1] != "total":
            calls[words[-1]] = int(words[3])
    return calls


def system_calls(bench, make, few=FEW, many=MANY, **options):
    """{name: calls per request}, the dearest first"""
    first, second = traced(bench, make, few, **options), traced(bench, make, many, **options)
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


def shared_lines(bench, make, library, connections=32):
    """The lines of memory that one thread writes and another touches while cached hits are served, as lines/lines.cpp tells them, those with most
    writes first. The program is one that was compiled for ThreadSanitizer; no connection is opened or closed meanwhile.
    @param library  folder of what lines.cpp is built as"""
    proxy = make(bench)
    out = bench.folder / f"lines-{proxy.name}"
    proxy.env = os.environ | {"LD_LIBRARY_PATH": str(library), "GATEHOUSE_LINES": str(out)}
    proxy.patience = 60
    load_program = None
    try:
        with open(bench.out / "lines.log", "wb") as log:
            proxy.start(log)
        with load.Upstream(bench):
            proxy.wait_ready(1024)
        words = load.arguments(bench, proxy, connections=connections, seconds=600)
        load_program = Program(words, machine.core(machine.LOAD_CORE))
        wait_for(lambda: proxy.metric("gatehouse_cache_hits_total") > 50 * connections, "hits", proxy.patience, proxy.program)
        os.kill(proxy.program.pid, signal.SIGUSR2)
        wait_for(out.exists, f"{library} to tell what was written", 120, proxy.program)
    finally:
        if load_program:
            load_program.stop()
        proxy.stop()
    return sorted(map(json.loads, out.read_text().splitlines()), key=lambda line: -line["writes"])
