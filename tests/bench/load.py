"""The load program: one process that is clients and upstream, on the core that the proxy does not have."""

import json
import time

import machine
from program import Program


class Void(Exception):
    """A round whose figures would mean nothing; the text says why."""


def arguments(bench, proxy, **options):
    """Words for gatehouse_load. True is a flag, a list a repeated option."""
    words = [bench.load, "--upstream", options.pop("upstream", bench.upstream), "--target", proxy.port, "--path", proxy.path, "--numbers", proxy.numbers]
    for header in proxy.headers if "tokens" not in options else []:
        words += ["--header", header]
    if proxy.tls:
        words.append("--tls")
    if proxy.expect:
        words += ["--expect", proxy.expect]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
    return words


def run(bench, proxy, **options):
    """One run: what gatehouse_load reports, with `cpu_us` of the proxy per request and `rps`."""
    watched = ",".join(str(pid) for pid in proxy.program.family())
    program = Program(arguments(bench, proxy, watch=watched, **options), machine.core(machine.LOAD_CORE), reads=True)
    try:
        line = program.popen.stdout.readline()
        program.popen.wait(60)
    finally:
        program.stop()
    if not line.strip():
        raise Void(f"{proxy.name}: the load program ended with status {program.popen.returncode}")
    result = json.loads(line)
    if result["errors"] or result["upstream_errors"] or not result["requests"]:
        what = result["why"] or ("the upstream got what it should not" if result["upstream_errors"] else "no answer")
        raise Void(f"{proxy.name}: {result['errors']} errors in {result['requests']} requests: {what}")
    if not proxy.program.is_running():
        raise Void(f"{proxy.name}: the proxy has ended")
    result["cpu_us"] = result.pop("cpu_ns") / 1000 / result["requests"]
    result["rps"] = result["requests"] / result["seconds"]
    return result


class Held:
    """Connections that are held open, each after one request."""

    def __init__(self, bench, proxy, count):
        self._program = Program(
            arguments(bench, proxy, idle=True, connections=count), machine.core(machine.LOAD_CORE), reads=True, writes=True
        )
        line = self._program.popen.stdout.readline()
        if not line.strip():
            self.close()
            raise Void(f"{proxy.name}: the load program could not open {count} connections")
        result = json.loads(line)
        self.count = result["held"]
        if result["errors"] or self.count != count:
            self.close()
            raise Void(f"{proxy.name}: {self.count} of {count} connections: {result['why']}")

    def close(self):
        self._program.stop()


def start_times(bench, proxy, count):
    """Milliseconds from before fork() to the first 200 of a request, of so many starts. Empty when one of them failed."""
    words = [bench.load, "--target", proxy.port, "--path", proxy.path, "--starts", count, "--core", machine.core(machine.PROXY_CORE)]
    for header in proxy.headers:
        words += ["--header", header]
    with Upstream(bench):
        program = Program([*words, "--", *proxy.command], machine.core(machine.LOAD_CORE), cwd=proxy.cwd, env=proxy.env, reads=True)
        line = program.popen.stdout.readline()
        program.stop()
    return json.loads(line)["starts_ms"] if line.strip() else []


class Upstream:
    """The upstream alone, while proxies are started and asked."""

    def __init__(self, bench, body=1024, ports=()):
        listed = ",".join(str(port) for port in (bench.upstream, *ports))
        self._program = Program([bench.load, "--upstream", listed, "--body", body], machine.core(machine.LOAD_CORE))
        time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._program.stop()
