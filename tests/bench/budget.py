"""The budget of instructions per request, by compiler: another one makes other code."""

import json
import mmap
import pathlib
import re

import counts
import gatehouse
import machine

FILE = pathlib.Path(__file__).resolve().parent / "budget.json"
ROOM = 0.05


def compiler(program):
    """"GCC 12.2.0", as the program itself says."""
    with open(program, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = re.search(rb"GCC: \([^)\0]*\) ([0-9.]+)", data)
        return "GCC " + found.group(1).decode() if found else "unknown"


def load():
    return json.loads(FILE.read_text())


def judge(value, recorded):
    """None when all is well, else what is wrong."""
    if value <= recorded * (1 + ROOM):
        return None
    return (
        f"{value:.0f} instructions per request; the budget is {recorded} and {ROOM:.0%} more. "
        "Make it cheaper, or say in the commit why it is worth it and run ./dev bench --record"
    )


def record(bench):
    """./dev bench --record"""
    bench.out.mkdir(parents=True, exist_ok=True)
    value = counts.instructions(bench, gatehouse.cached)
    budget = load() if FILE.exists() else {}
    budget[compiler(bench.gatehouse)] = {"instructions_per_request": round(value), "recorded_on": machine.facts()["processor"]}
    FILE.write_text(json.dumps(budget, indent=2) + "\n")
    print(f"{FILE}: {round(value)} instructions per request with {compiler(bench.gatehouse)}")
    return 0
