"""A proxy under test: how it is started, where it listens, whom it must refuse."""

import http.client
import json
import ssl

import machine
from program import Program, wait_for


class Missing(Exception):
    """Something that this machine does not have; the text says what."""


class Proxy:
    """`headers` are sent with each request. `refusals` are (headers, path, status) that must come out so before anything is measured."""

    def __init__(self, name, command, port, headers=(), path="/items", refusals=(), tls=False, expect="", admin=None, cwd=None, env=None, patience=20):
        self.name, self.command, self.port = name, command, port
        self.headers, self.path, self.refusals = list(headers), path, list(refusals)
        self.tls, self.expect, self.admin = tls, expect, admin
        self.cwd, self.env, self.patience = cwd, env, patience
        self.numbers = 1  # what "{n}" in path and headers counts to
        self.program = None

    def start(self, log):
        self.program = Program(self.command, machine.core(machine.PROXY_CORE), log, self.cwd, self.env)

    def stop(self):
        if self.program:
            self.program.stop()

    def ask(self, headers, path=None):
        """The status of one request, and the length of the answer; (0, 0) when there was none."""
        if self.tls:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=5, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path or self.path.replace("{n}", "0"), headers=dict(h.split(": ", 1) for h in headers))
            answer = connection.getresponse()
            return answer.status, len(answer.read())
        except OSError:
            return 0, 0
        except http.client.HTTPException:
            return 0, 0
        finally:
            connection.close()

    def wait_ready(self, body):
        """Asks until the answer is whole: 200 with so many bytes. What must be refused is refused."""
        headers = [header.replace("{n}", "0") for header in self.headers]
        wait_for(lambda: self.ask(headers) == (200, body), f"{self.name} to answer 200 with {body} bytes", self.patience, self.program)
        for refused, path, status in self.refusals:
            got = self.ask(refused, path)[0]
            if got != status:
                what = f"{path or self.path} with {[header[:40] for header in refused]}"
                raise RuntimeError(f"{self.name} answers {got} instead of {status} to {what}: it does not authorize as it should")

    def admin_get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=10)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def metric(self, name, **labels):
        """The sum of a metric's samples that have these labels."""
        total = 0.0
        for line in self.admin_get("/metrics").splitlines():
            if line.startswith(name) and all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        return total


def write_json(path, value):
    path.write_text(json.dumps(value))
    return path
