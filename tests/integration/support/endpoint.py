"""tests/support/invoke_endpoint.py, a Lambda Invoke API, as a child process."""

import http.client
import json
import subprocess
import sys

from .gateway import ROOT
from .process import PATIENCE, Process


class InvokeEndpoint:
    """Functions behind an endpoint, that say what the token or the path of a request tells them."""

    def __init__(self):
        script = ROOT / "tests" / "support" / "invoke_endpoint.py"
        self.process = Process([sys.executable, script], stdin=subprocess.PIPE)
        port = self.process.stdout.wait(r"\A(\d+)\Z")
        if not port:
            raise AssertionError("the endpoint did not say its port\n" + self.process.tail())
        self.authority = f"127.0.0.1:{port.group(1)}"

    @property
    def url(self):
        return f"http://{self.authority}"

    def calls(self):
        """Path, headers and event of each call that came."""
        connection = http.client.HTTPConnection(self.authority, timeout=PATIENCE)
        try:
            connection.request("GET", "/")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def close(self):
        self.process.kill()
