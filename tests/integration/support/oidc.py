"""The real OpenID provider (oidc_provider.mjs) as a child process."""

import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

from .process import Process

_FOLDER = pathlib.Path(__file__).resolve().parent


class OidcProvider:
    """Signs with the first key of each algorithm, RS256 unless `token` names another of them."""

    def __init__(self, *algorithms):
        if not (_FOLDER.parent / "node_modules" / "oidc-provider").is_dir():
            raise AssertionError(
                "the OpenID provider is not installed: run `npm ci --ignore-scripts` in tests/integration"
            )
        environment = dict(os.environ, NODE_NO_WARNINGS="1")
        argv = ["node", _FOLDER / "oidc_provider.mjs", *algorithms]
        self.process = Process(argv, env=environment, stdin=subprocess.PIPE)
        self._told = 0
        self.issuer = None
        self.kids = []
        self._listen("ready")

    def _listen(self, what):
        if not self.process.stdout.wait(rf'"what":"{what}"', start=self._told):
            raise AssertionError("the OpenID provider did not say it is " + what + "\n" + self.process.tail())
        lines = self.process.stdout.all()
        self._told = len(lines)
        state = json.loads(lines[-1])
        self.issuer, self.kids = state["issuer"], state["kids"]

    def _command(self, what):
        self.process.stdin.write(what.encode() + b"\n")
        self.process.stdin.flush()
        self._listen(what)

    def rotate(self):
        """A new signing key comes first; the old ones stay published."""
        self._command("rotate")

    def retire(self):
        """Only the newest key (of each algorithm) stays."""
        self._command("retire")

    def _post(self, path, **form):
        form = {"client_id": "machine", "client_secret": "not-a-secret-of-anybody"} | form
        with urllib.request.urlopen(self.issuer + path, urllib.parse.urlencode(form).encode(), timeout=20) as reply:
            return json.loads(reply.read() or b"null")

    def token(self, scope="items:read", resource="api://users", algorithm=None):
        if algorithm:
            resource += "/" + algorithm
        answer = self._post("/token", grant_type="client_credentials", resource=resource, scope=scope)
        return answer["access_token"]

    def opaque_token(self, scope="items:read"):
        return self.token(scope, "api://opaque")

    def revoke(self, token):
        self._post("/token/revocation", token=token)

    def close(self):
        self.process.kill()
