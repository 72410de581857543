"""Beside serverless-offline with a JavaScript TOKEN authorizer: what a developer would run otherwise."""

import os
import pathlib
import shutil
import statistics
import subprocess

import gatehouse
import load
import machine
import rounds
import rows
from cases.case import Case
from proxy import Missing, Proxy

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "serverless"
CONNECTIONS = 16


def install(bench):
    """Its packages at the versions of the lock file; Missing where npm cannot."""
    if not shutil.which("npm"):
        raise Missing("npm is not installed")
    if (FOLDER / "node_modules" / "serverless-offline").exists():
        return
    bench.progress("serverless: npm ci")
    with open(bench.out / "npm.log", "wb") as log:
        try:
            words = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(words, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=300)
        except subprocess.TimeoutExpired:
            raise Missing("npm ci took more than 5 minutes") from None
    if done.returncode != 0:
        raise Missing(f"npm ci failed, see {bench.out}/npm.log")


def serverless(bench):
    install(bench)
    port, functions, sockets, balancer = machine.free_ports(4)
    command = ["node", "node_modules/serverless/bin/serverless.js", "offline", "start", "--noPrependStageInUrl", "--host", "127.0.0.1"]
    command += ["--httpPort", port, "--lambdaPort", functions, "--websocketPort", sockets, "--albPort", balancer]
    quiet = {"SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "SLS_INTERACTIVE_SETUP_ENABLE": "0", "CI": "1"}
    env = os.environ | quiet | {"BENCH_JWKS": str(bench.folder / "jwks.json")}
    token, forged = (f"Authorization: Bearer {text}" for text in (bench.token, bench.issuer.forged()))
    refusals = [((), None, 401), ([forged], None, 401)]
    return Proxy("serverless", command, port, [token], cwd=FOLDER, env=env, patience=120, refusals=refusals)


def start_ms(bench, proxy, count):
    times = load.start_times(bench, proxy, count)
    return statistics.median(times) if times else None


def beside(bench, case):
    found = rows.Found()
    makers = {"gatehouse": gatehouse.cached, "serverless": serverless}
    with rounds.running(bench, makers) as (proxies, missing):
        if missing:
            return rows.Found([rows.skipped(case.name, "serverless-offline", "; ".join(missing.values()))])
        results = rounds.measure(bench, proxies, case.name, rounds=2 if bench.quick else 5, seconds=max(1, bench.seconds), connections=CONNECTIONS)
    bench.progress("serverless: starts")
    count = 1 if bench.quick else 3
    theirs, ours = start_ms(bench, serverless(bench), count), start_ms(bench, gatehouse.cached(bench), 5)
    found.raw = {"rounds": results, "start_ms": {"gatehouse": ours, "serverless": theirs}}
    found.rows.append(rows.least(case.name, f"requests/s at {CONNECTIONS} connections", 100, rounds.ratio(results, "gatehouse", ("serverless",), "rps"), "x"))
    memory = rounds.ratio(results, "gatehouse", ("serverless",), "memory_kib")
    found.rows.append(rows.most(case.name, "memory, proportional", 1 / 20, memory, "x"))
    found.rows.append(rows.most(case.name, "start to first answer", 1 / 150, ours / theirs if ours and theirs else None, "x"))
    for name in results:
        rps, kib = rounds.median(results, name, "rps"), rounds.median(results, name, "memory_kib")
        note = f"{kib or 0:.0f} KiB, start {found.raw['start_ms'][name] or 0:.0f} ms"
        found.rows.append(rows.fact(case.name, name, rps, "requests/s", note))
    return found


CASES = [Case("serverless", "beside serverless-offline", beside)]
