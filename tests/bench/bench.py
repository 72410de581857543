#!/usr/bin/env python3
"""Compares Gatehouse with nginx and HAProxy on one machine in one run.

Each proxy runs alone on the first core; the load generator and the upstream, one process, run on the second. Rounds are short and interleaved, so
that drift of the machine hits all alike; what counts is the median of the ratios within a round. CPU time per request is the proxy's own, from the
scheduler's accounting (/proc/PID/task/*/schedstat). Authorization is on in Gatehouse: an RS256 token, verified once and then judged from the policy
cache on every request, the authorizer's context injected. "gatehouse fn" is the same with a Lambda authorizer, a Python function that Gatehouse runs: it is
asked once, before the first round, so that what is measured is hits.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
OUT = ROOT / "build" / "bench"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def pin(core):
    cores = sorted(os.sched_getaffinity(0))
    chosen = cores[min(core, len(cores) - 1)]
    return lambda: os.sched_setaffinity(0, {chosen})


def children(pid):
    """The process and all its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += children(int(child))
    return found


def cpu_ns(pid):
    total = 0
    for process in children(pid):
        for task in pathlib.Path(f"/proc/{process}/task").glob("*"):
            with contextlib.suppress(OSError):
                total += int((task / "schedstat").read_text().split()[0])
    return total


def memory_kib(pid):
    total = 0
    for process in children(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total


class Proxy:
    """A proxy under test: how it is started, and where it listens."""

    def __init__(self, name, command, port, headers=()):
        self.name, self.command, self.port, self.headers = name, command, port, list(headers)
        self.process = None

    def start(self, log):
        self.process = subprocess.Popen(self.command, stdout=log, stderr=log, preexec_fn=pin(0), start_new_session=True)

    def wait_ready(self):
        """Asks until the proxy itself answers; any answer counts, since the upstream may not be there yet."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/items", headers=dict(h.split(": ", 1) for h in self.headers))
        for _ in range(200):
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} did not start: see {OUT}/{self.name}.log")
            try:
                urllib.request.urlopen(request, timeout=2).read()
                return
            except urllib.error.HTTPError as answer:
                if answer.code not in (502, 503, 504):
                    raise SystemExit(f"{self.name} answers {answer.code} instead of 200: {answer.read()!r}")
                time.sleep(0.05)
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{self.name} never answered 200")

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


def nginx(folder, upstream):
    port = free_port()
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream backend {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}
""")
    return Proxy("nginx", ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port)


def haproxy(folder, upstream):
    port = free_port()
    (folder / "haproxy.cfg").write_text(f"""
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend in
  bind 127.0.0.1:{port}
  default_backend out
backend out
  server one 127.0.0.1:{upstream} maxconn 4096 pool-max-conn 4096
""")
    return Proxy("haproxy", ["haproxy", "-W", "-f", str(folder / "haproxy.cfg")], port)


def by_jwt(folder, jwks):
    """Settings with gatehouse:jwt as the authorizer."""
    (folder / "jwks.json").write_text(json.dumps(jwks))
    return {}, {"type": "TOKEN", "authorizerUri": "gatehouse:jwt", "jwt": {
        "issuer": "https://issuer.example/", "audience": ["bench"], "jwksUri": f"file:{folder}/jwks.json"}}


def by_function():
    """Settings with a Lambda authorizer that says the same."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "lambda_runtime.py"), "authorizer.handler"]
    return ({"authorizer": {"command": command, "directory": str(ROOT / "tests" / "bench"), "environment": {"PYTHONDONTWRITEBYTECODE": "1"}}},
            {"type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:authorizer", "authorizerResultTtlInSeconds": 3600})


def gatehouse(name, folder, upstream, token, settings):
    port, admin = free_port(), free_port()
    functions, authorizer = settings
    file = folder / (name.replace(" ", "-") + ".json")
    file.write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1", "port": port}],
        "admin": {"address": "127.0.0.1", "port": admin},
        "threads": 1,
        "accessLog": {"format": "off"},
        "functions": functions,
        "apis": [{
            "name": "bench",
            "authorizers": {"a": authorizer},
            "routes": [{"routeKey": "GET /items", "authorizer": "a",
                        "integration": {"type": "HTTP_PROXY", "uri": f"http://127.0.0.1:{upstream}/items"}}],
        }],
    }))
    return Proxy(name, [str(BUILD / "gatehouse"), "serve", "-c", str(file)], port, [f"Authorization: Bearer {token}"])


def mint_token(folder):
    """A 2048-bit RSA key as JWK files, and a token of ordinary size made by `gatehouse token`."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives import serialization
    import base64
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = folder / "key.pem"
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    numbers = key.public_key().public_numbers()
    b64 = lambda n: base64.urlsafe_b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).rstrip(b"=").decode()
    jwks = {"keys": [{"kty": "RSA", "kid": "bench", "alg": "RS256", "use": "sig", "n": b64(numbers.n), "e": b64(numbers.e)}]}
    claims = ["--claim", 'iss="https://issuer.example/"', "--claim", 'aud="bench"', "--claim", 'tenant_id="acme"',
              "--claim", 'roles=["admin","user"]', "--claim", f'note="{"n" * 120}"']
    token = subprocess.run([str(BUILD / "gatehouse"), "token", "--key", str(pem), "--kid", "bench", "--sub", "auth0|user123", *claims],
                           check=True, capture_output=True, text=True).stdout.strip()
    return token, jwks


def measure(proxy, upstream, connections, seconds):
    """One round of one proxy: the load process is the upstream too."""
    command = [str(BUILD / "tests" / "gatehouse_load"), "--upstream", str(upstream), "--target", str(proxy.port), "--connections",
               str(connections), "--seconds", str(seconds), "--body", "1024"]
    for header in proxy.headers:
        command += ["--header", header]
    load = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin(1))
    assert load.stdout.readline().strip() == "begin"
    before = cpu_ns(proxy.process.pid)
    result = json.loads(load.stdout.readline())
    used = cpu_ns(proxy.process.pid) - before
    load.wait()
    if result["errors"]:
        raise SystemExit(f"{proxy.name}: {result['errors']} errors in a round: the figures would mean nothing")
    result["cpu_us"] = used / 1000 / result["requests"]
    result["rps"] = result["requests"] / result["seconds"]
    result["memory_kib"] = memory_kib(proxy.process.pid)
    return result


def serve_upstream(port):
    return subprocess.Popen([str(BUILD / "tests" / "gatehouse_load"), "--upstream", str(port)], preexec_fn=pin(1))


def median(values):
    return statistics.median(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds")
    parser.add_argument("--rounds", type=int, help="rounds of each proxy")
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    rounds = options.rounds or (5 if options.quick else 11)
    seconds = 1.0 if options.quick else 2.0
    if len(os.sched_getaffinity(0)) < 2:
        print("bench: one core only: proxy and load share it, so the ratios say little", file=sys.stderr)
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as name:
        folder = pathlib.Path(name)
        upstream = free_port()
        token, jwks = mint_token(folder)
        proxies = [gatehouse("gatehouse", folder, upstream, token, by_jwt(folder, jwks)),
                   gatehouse("gatehouse fn", folder, upstream, token, by_function()),
                   nginx(folder, upstream), haproxy(folder, upstream)]
        results = {proxy.name: [] for proxy in proxies}
        try:
            server = serve_upstream(upstream)
            for proxy in proxies:
                with open(OUT / f"{proxy.name}.log", "wb") as log:
                    proxy.start(log)
                proxy.wait_ready()
            server.kill()
            server.wait()
            for turn in range(rounds):
                print(f"round {turn + 1} of {rounds}", end="\r", flush=True, file=sys.stderr)
                for proxy in proxies:
                    results[proxy.name].append(measure(proxy, upstream, options.connections, seconds))
            print(" " * 30, end="\r", file=sys.stderr)
        finally:
            for proxy in proxies:
                proxy.stop()
    report(results, rounds, options.connections)


def report(results, rounds, connections):
    print(f"GET, 1 KB answer, {connections} keep-alive connections, {rounds} interleaved rounds, medians")
    print(f"{'':14}{'CPU us/req':>12}{'req/s':>10}{'p50 us':>10}{'p99 us':>10}{'memory KiB':>12}{'CPU: gatehouse /':>18}")
    ours = results["gatehouse"]
    ratios = {}
    for name, rows in results.items():
        ratios[name] = median([a["cpu_us"] / b["cpu_us"] for a, b in zip(ours, rows)])
        print(f"{name:14}{median([r['cpu_us'] for r in rows]):12.2f}{median([r['rps'] for r in rows]):10.0f}"
              f"{median([r['p50'] for r in rows]):10.0f}{median([r['p99'] for r in rows]):10.0f}"
              f"{median([r['memory_kib'] for r in rows]):12.0f}{ratios[name]:18.2f}")
    (OUT / "results.json").write_text(json.dumps({"rounds": results, "cpu_ratio": ratios}, indent=1))
    print(f"gatehouse authorizes every request (RS256 token, cached policy; fn: by a function); nginx and haproxy only proxy. Raw figures: {OUT}/results.json")


if __name__ == "__main__":
    main()
