#!/usr/bin/env python3
"""Measures Gatehouse beside nginx, HAProxy and others on one machine in one run; tests/bench/README.md says how and why that is fair."""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import cases
import machine
import plot
import program
import report
import rows
from issuer import Issuer

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUSY = 0.7  # load average of the last minute beyond which figures mean little


class Bench:
    """What all cases share: folders, programs, keys, how long to measure."""

    def __init__(self, options, folder):
        self.root, self.folder, self.quick = ROOT, pathlib.Path(folder), options.quick
        self.build = pathlib.Path(os.environ.get("GATEHOUSE_BUILD") or ROOT / "build" / ("pgo" if options.pgo else "release"))
        self.gatehouse = pathlib.Path(os.environ.get("GATEHOUSE") or self.build / "gatehouse")
        self.load = self.build / "tests" / "gatehouse_load"
        self.out = pathlib.Path(options.out)
        self.rounds = options.rounds or (3 if options.quick else 7)
        self.seconds, self.warm_up = (0.2, 0.05) if options.quick else (0.8, 0.2)
        self.files = machine.raise_file_limit()
        self.upstream = machine.free_port()
        self.issuer = Issuer(self.folder)
        self.token = self.issuer.mint()
        self._shown = 0

    def progress(self, text):
        """One line on a terminal, that the next one takes the place of."""
        if sys.stderr.isatty():
            print(f"\r{text:{self._shown}}", end="", file=sys.stderr, flush=True)
            self._shown = len(text)

    def say(self, text):
        self.progress("")
        print(text, file=sys.stderr, flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        epilog="Exit status: 0 measured, whatever goals were met; 1 a case failed or something is not built; 2 bad usage; 130 interrupted.",
    )
    parser.add_argument("--quick", action="store_true", help="2 minutes instead of 15: fewer and shorter rounds, smaller sizes")
    parser.add_argument("--case", action="append", metavar="NAME", help="this case alone; may be repeated")
    parser.add_argument("--list", action="store_true", help="names of the cases")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each proxy (7; --quick: 3); six times as many at a fixed rate")
    parser.add_argument("--pgo", action="store_true", help="measure build/pgo/gatehouse: after profile-guided optimisation")
    parser.add_argument("--micro", action="store_true", help="the micro-benchmarks alone")
    parser.add_argument("--record", action="store_true", help="record what a request costs in instructions as tests/bench/budget.json")
    parser.add_argument("--train", action="store_true", help="measure nothing: the work that ./dev build --pgo learns from")
    parser.add_argument("--out", metavar="FOLDER", help="where results go (build/bench; --pgo: build/bench-pgo)")
    options = parser.parse_args(arguments)
    if options.micro:
        options.case = ["micro"]
    names = [case.name for case in cases.ALL]
    for name in options.case or ():
        if name not in names:
            parser.error(f"there is no case {name}; there are: {', '.join(names)}")
    if options.pgo and options.record:
        parser.error("the budget is the release build's: --record without --pgo")
    options.out = options.out or ROOT / "build" / ("bench-pgo" if options.pgo else "bench")
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    return options


def run(bench, chosen):
    """Case by case; one that fails says so and leaves the others their turn."""
    found = {}
    for case in chosen:
        begin = time.monotonic()
        try:
            found[case] = case.run(bench, case)
        except Exception as fault:  # a proxy that does not start must not take the other cases with it
            found[case] = rows.Found([rows.skipped(case.name, case.title, f"failed: {fault}")], failed=True)
        bench.say(f"{case.name}: {time.monotonic() - begin:.0f} s")
    return found


def main():
    options = parse(sys.argv[1:])
    if options.list:
        print("\n".join(f"{case.name:20} {case.title}" for case in cases.ALL))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        bench = Bench(options, folder)
        for needed in (bench.gatehouse, bench.load):
            if not needed.exists():
                raise SystemExit(f"bench: {needed} is not built: run ./dev bench")
        if options.record:
            from budget import record

            return record(bench)
        if options.train:
            from train import train

            train(bench)
            return 0
        shutil.rmtree(bench.out, ignore_errors=True)
        bench.out.mkdir(parents=True)
        if len(machine.cores()) < 2:
            bench.say("bench: one core only: proxy and load share it, so that the ratios say little")
        facts = machine.facts() | {"gatehouse": str(bench.gatehouse)}
        if facts["load_average"][0] > BUSY:
            bench.say(f"bench: the machine is busy (load average {facts['load_average'][0]:.1f}): the figures will say little")
        with machine.awake() as awake:
            facts["awake"] = awake
            if not awake:
                bench.say("bench: cores may sleep (no right to /dev/cpu_dma_latency): waking them is in each figure, most with few connections")
            try:
                found = run(bench, [case for case in cases.ALL if not options.case or case.name in options.case])
            finally:
                program.stop_all()
    print(report.table(found))
    print(report.summary(found))
    report.save(bench.out / "results.json", found, facts, {"quick": bench.quick, "rounds": bench.rounds, "seconds": bench.seconds})
    plot.save(bench.out, found)
    print(f"{time.monotonic() - begin:.0f} s with {os.path.relpath(bench.gatehouse)}. Raw rounds and plots: {bench.out}")
    return 1 if any(outcome.failed for outcome in found.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nbench: stopped", file=sys.stderr)
        program.stop_all()
        sys.exit(130)
