"""Gatehouse as a child process: configuration in, ports, log, access log, admin API and metrics out."""

import json
import os
import pathlib
import re
import shutil
import tempfile

from . import tokens
from .process import PATIENCE, Process, run, wait_for
from .wire import Client, WireError

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATA_LINE = r"listening on https?://(\[[^\]]+\]|[0-9.]+):([0-9]+)"
ADMIN_LINE = r"admin on http://(\[[^\]]+\]|[0-9.]+):([0-9]+)"
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


def binary():
    """The program under test: $GATEHOUSE, else the release build."""
    path = pathlib.Path(os.environ.get("GATEHOUSE") or ROOT / "build" / "release" / "gatehouse")
    if not path.is_file():
        raise AssertionError(f"no program at {path}: build it, or name it in GATEHOUSE")
    return path


def environment(changes=None):
    """The environment without anything that Gatehouse reads, plus `changes`."""
    modes = {"UPSTREAM_URL", "EXPECTED_ISSUER", "EXPECTED_AUDIENCE", "JWKS_URL"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE") and name not in modes}
    return kept | (changes or {})


def jwt_authorizer(jwt=None, **changes):
    """A TOKEN authorizer that trusts the test key through a key file beside the configuration."""
    settings = {"issuer": tokens.ISSUER, "audience": [tokens.AUDIENCE], "jwksUri": "file:jwks.json"} | (jwt or {})
    return {
        "type": "TOKEN",
        "authorizerUri": "gatehouse:jwt",
        "jwt": {k: v for k, v in settings.items() if v is not None},
    } | changes


def route(key, uri, authorizer="jwt", scopes=None, **integration):
    result = {
        "routeKey": key,
        "authorizer": authorizer,
        "integration": {"type": "HTTP_PROXY", "uri": uri} | integration,
    }
    if scopes is not None:
        result["authorizationScopes"] = scopes
    return result


def mock(key, authorizer="NONE", body='{"ok":true}'):
    return {
        "routeKey": key,
        "authorizer": authorizer,
        "integration": {"type": "MOCK", "responseTemplates": {"application/json": body}},
    }


def api(routes, name="users", authorizers=None, **changes):
    return {
        "name": name,
        "authorizers": {"jwt": jwt_authorizer()} if authorizers is None else authorizers,
        "routes": routes,
    } | changes


def config(*apis, **changes):
    """A configuration on free ports. Two threads, so that what workers share is shared; a short drain, so that stopping is quick."""
    result = {
        "listeners": [{"address": "127.0.0.1", "port": 0}],
        "admin": {"address": "127.0.0.1", "port": 0},
        "threads": 2,
        "timeouts": {"drainInMillis": 2000},
        "apis": list(apis),
    }
    for name, value in changes.items():
        result[name] = result[name] | value if isinstance(value, dict) and isinstance(result.get(name), dict) else value
    return result


class Folder:
    """A temporary folder with a configuration and what belongs beside it."""

    def __init__(self, configuration, files=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-test-"))
        self.config = self.path / "gatehouse.json"
        self.write("jwks.json", tokens.jwks(tokens.rsa_key(), tokens.ec_key()))
        for name, content in (files or {}).items():
            self.write(name, content)
        if configuration is not None:
            self.write("gatehouse.json", configuration)

    def write(self, name, content):
        """Replaces a file in one step, as an operator's tools would."""
        if not isinstance(content, (bytes, str)):
            content = json.dumps(content, indent=2)
        if isinstance(content, str):
            content = content.encode()
        target = self.path / name
        temporary = target.with_name(target.name + ".new")
        temporary.write_bytes(content)
        temporary.replace(target)
        return target

    def close(self):
        shutil.rmtree(self.path, ignore_errors=True)


class Metrics:
    """A scrape of /metrics, read strictly."""

    _SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+0-9.eE]+|NaN|[-+]Inf)")
    _LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)')

    def __init__(self, text):
        self.text = text
        self.samples = []  # (name, labels, value)
        self.types = {}
        if not text.endswith("\n"):
            raise WireError("metrics do not end with a line feed")
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif line and not line.startswith("#"):
                self._add(line)

    def _add(self, line):
        match = self._SAMPLE.fullmatch(line)
        if not match:
            raise WireError(f"not a metrics line: {line!r}")
        labels, rest = {}, match.group(2) or ""
        while rest:
            label = self._LABEL.match(rest)
            if not label:
                raise WireError(f"labels are malformed: {line!r}")
            labels[label.group(1)] = label.group(2)
            rest = rest[label.end() :]
        self.samples.append((match.group(1), labels, float(match.group(3))))

    def total(self, pattern, **labels):
        """The sum of all samples whose name matches; an error when there is none."""
        found = [
            value
            for name, have, value in self.samples
            if re.fullmatch(pattern, name) and all(have.get(label) == wanted for label, wanted in labels.items())
        ]
        if not found:
            raise AssertionError(f"no metric {pattern} with {labels} in\n{self.text}")
        return sum(found)

    def series(self):
        return {(name, tuple(sorted(labels.items()))) for name, labels, _ in self.samples}


class Gateway:
    """A running gateway. `configuration` None with `env`: the environment mode."""

    def __init__(self, configuration, args=(), env=None, files=None, ready=True):
        self.folder = Folder(configuration, files)
        self.last = None
        argv = [binary(), "serve"]
        if configuration is not None:
            argv += ["-c", self.folder.config]
        self.process = Process([*argv, *args], env=environment(env), cwd=self.folder.path)
        try:
            self.address = self._listen(DATA_LINE)
            self.admin_address = self._listen(ADMIN_LINE)
            if ready:
                self.wait_ready()
        except AssertionError as error:
            self.process.kill()
            self.folder.close()
            error.add_note(self.report())
            raise

    def _listen(self, pattern):
        match = self.process.stderr.wait(pattern)
        if not match:
            raise AssertionError(f"the gateway did not say where it is listening ({pattern})")
        return match.group(1).strip("[]"), int(match.group(2))

    @property
    def port(self):
        return self.address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin_url(self):
        return f"http://127.0.0.1:{self.admin_address[1]}"

    def log(self):
        return self.process.stderr.text()

    def access_log(self):
        return self.process.stdout.all()

    def _remember(self, response):
        self.last = response

    def connect(self, timeout=PATIENCE):
        return Client(self.address, timeout, self._remember)

    def request(self, method, target, headers=None, body=None, **options):
        """One request on a connection of its own."""
        with self.connect() as client:
            return client.exchange(method, target, headers, body, **options)

    def get(self, target, token=None, headers=None, **options):
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
        if token is not None:
            pairs.append(("Authorization", f"Bearer {token}"))
        return self.request("GET", target, pairs, **options)

    def admin(self, method, target, headers=None, body=None, **options):
        with Client(self.admin_address, remember=self._remember) as client:
            return client.exchange(
                method, target, headers, body, host=options.pop("host", f"127.0.0.1:{self.admin_address[1]}"), **options
            )

    def metrics(self):
        return Metrics(self.admin("GET", "/metrics").body.decode())

    def cache_entries(self):
        document = self.admin("GET", "/cache").json()
        return document["entries"] if isinstance(document, dict) else document

    def trace(self, response):
        """The trace of an answered request."""
        path = "/traces/" + response.get("x-amzn-RequestId")

        def find():
            reply = self.admin("GET", path)
            return reply.json() if reply.status == 200 else None

        return wait_for(find, path)

    def ready(self):
        return self.admin("GET", "/health/ready").status == 200

    def wait_ready(self, timeout=PATIENCE):
        wait_for(self.ready, "the gateway to be ready", timeout)

    def wait_log(self, pattern, timeout=PATIENCE):
        match = self.process.stderr.wait(pattern, timeout)
        if not match:
            raise AssertionError(f"no log line {pattern!r}")
        return match

    def report(self):
        """What a failure message shows."""
        return f"last answer:\n{self.last!r}\n--- log of {' '.join(self.process.argv)}\n{self.process.tail()}"

    def stop(self):
        """Ends it and says what was wrong with that: an exit status other than 0, or a sanitizer's report."""
        if self.process.poll() is None:
            status = self.process.stop()
        else:
            status = self.process.wait()
        log = self.log()
        self.folder.close()
        if SANITIZER.search(log):
            raise AssertionError("a sanitizer spoke\n" + log[-20000:])
        if status != 0:
            raise AssertionError(f"the gateway ended with status {status}\n" + self.process.tail())


def command(*args, env=None, cwd=None, timeout=PATIENCE, stdin=b""):
    """Runs one of the program's other calls to its end."""
    return run([binary(), *args], env=environment(env), cwd=cwd or tempfile.gettempdir(), timeout=timeout, stdin=stdin)
