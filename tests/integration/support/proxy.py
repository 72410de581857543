"""Other people's proxies in front of an upstream, each run with the very file of config/examples/decision, its ports replaced."""

import os
import pathlib
import shutil
import socket
import tempfile

from .gateway import ROOT
from .process import Process, wait_for
from .wire import Client

EXAMPLES = ROOT / "config" / "examples" / "decision"


def example(name, ports):
    """The text of an example; `ports` says what becomes of the ones written there."""
    text = (EXAMPLES / name).read_text()
    for written, used in ports.items():
        if written not in text:
            raise AssertionError(f"{name} does not have {written}")
        text = text.replace(written, used)
    return text


class Proxy:
    """What both kinds have in common. Answers at `port`."""

    port = 0

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-proxy-"))
        self.process = None

    def connect(self):
        return Client(("127.0.0.1", self.port))

    def request(self, method, target, headers=None, body=None, **options):
        with self.connect() as client:
            return client.exchange(method, target, headers, body, **options)

    def get(self, target, token=None, headers=None, **options):
        pairs = list(headers or [])
        if token is not None:
            pairs.append(("Authorization", f"Bearer {token}"))
        return self.request("GET", target, pairs, **options)

    def _listens(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def close(self):
        if self.process:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class NginxProxy(Proxy):
    """nginx with auth_request, on a socket that is bound for it."""

    def __init__(self, upstream, decision):
        super().__init__()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._socket.set_inheritable(True)
        self.port = self._socket.getsockname()[1]
        text = example(
            "nginx.conf",
            {
                "127.0.0.1:8000": f"127.0.0.1:{self.port}",
                "127.0.0.1:8181": f"127.0.0.1:{decision}",
                "127.0.0.1:3000": f"127.0.0.1:{upstream}",
            },
        )
        folders = "".join(
            f"    {kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = self.folder / "nginx.conf"
        config.write_text(text.replace("http {\n", "http {\n    access_log off;\n" + folders, 1))
        user = "user root; " if os.geteuid() == 0 else ""
        self.process = Process(
            [
                shutil.which("nginx") or "/usr/sbin/nginx",
                *("-p", self.folder, "-e", "stderr", "-c", config),
                *("-g", f"daemon off; worker_processes 1; {user}pid {self.folder}/nginx.pid; error_log stderr warn;"),
            ],
            env=dict(os.environ, NGINX=f"{self._socket.fileno()};"),
            pass_fds=(self._socket.fileno(),),
        )
        # The socket takes connections before nginx does: a worker that answers is one that has started.
        try:
            wait_for(self._answers, "nginx to answer")
        except AssertionError as error:
            error.add_note(self.process.tail())
            self.close()
            raise

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("nginx ended")
        return self.request("GET", "/_decision").status == 404  # internal

    def close(self):
        super().close()
        self._socket.close()


class CaddyProxy(Proxy):
    """Caddy with forward_auth. It takes no socket from others, so a free port is looked for, again if somebody was quicker."""

    def __init__(self, upstream, decision):
        super().__init__()
        environment = dict(os.environ, HOME=str(self.folder), XDG_DATA_HOME=str(self.folder))
        for last in (False, False, True):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            config = self.folder / "Caddyfile"
            config.write_text(
                example(
                    "Caddyfile",
                    {
                        "http://:8000": f"http://:{self.port}",
                        "127.0.0.1:8181": f"127.0.0.1:{decision}",
                        "127.0.0.1:3000": f"127.0.0.1:{upstream}",
                    },
                )
            )
            self.process = Process(
                ["caddy", "run", "--config", config, "--adapter", "caddyfile"], env=environment, cwd=self.folder
            )
            wait_for(lambda: self.process.poll() is not None or self._listens(), "caddy to listen")
            if self.process.poll() is None:
                return
            report = self.process.tail()
            self.process.kill()
            if last:
                self.close()
                raise AssertionError("caddy ended\n" + report)
