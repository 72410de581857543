"""A key-set and discovery server that counts what is fetched and misbehaves on demand."""

import contextlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .process import PATIENCE
from .tokens import jwks


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients that give up are part of the tests


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.owner.serve(self)


class Issuer:
    """`mode` says how the key set is answered: ok, error, garbage, html, empty, redirect, huge, stall, cut. Starts up; `down()` makes
    the port refuse connections, `up()` serves again on the same port."""

    def __init__(self, *keys, listening=True, jwks_path="/keys/current.json", issuer=None):
        self.keys = list(keys)
        self.mode = "ok"
        self.jwks_path = jwks_path
        self.fetches = Counter()
        self.seen_headers = []
        self.redirect_to = None
        self.discovery_changes = {}
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = None
        self._bind(0)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.issuer = issuer or f"{self.url}/"
        if listening:
            self.up()

    @property
    def jwks_uri(self):
        return self.url + self.jwks_path

    @property
    def jwks_fetches(self):
        return self.fetches[self.jwks_path]

    def _bind(self, port):
        self._server = _Server(("127.0.0.1", port), _Handler, bind_and_activate=False)
        self._server.owner = self
        self._server.server_bind()  # bound and not listening: connections are refused, and nobody else gets the port
        self._up = False

    def up(self):
        self._server.server_activate()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self._up = True

    def down(self):
        if self._up:
            self._server.shutdown()
        self._server.server_close()
        self._bind(self.port)

    def close(self):
        self.released.set()
        if self._up:
            self._server.shutdown()
        self._server.server_close()

    def serve(self, request):
        with self._lock:
            self.fetches[request.path] += 1
            self.seen_headers.append(dict(request.headers))
        if request.path == "/.well-known/openid-configuration":
            document = {"issuer": self.issuer, "jwks_uri": self.jwks_uri} | self.discovery_changes
            self._send(request, 200, json.dumps(document).encode())
        elif request.path == self.jwks_path:
            self._send_keys(request)
        else:
            self._send(request, 404, b"{}")

    def _send_keys(self, request):
        mode = self.mode
        if mode == "stall":
            self.released.wait(PATIENCE)
        body = json.dumps(jwks(*self.keys)).encode()
        if mode == "error":
            self._send(request, 500, body)
        elif mode == "garbage":
            self._send(request, 200, b'{"keys": [')
        elif mode == "html":
            self._send(request, 200, b"<html>log in</html>", kind="text/html")
        elif mode == "empty":
            self._send(request, 200, b'{"keys": []}')
        elif mode == "redirect":
            self._send(request, 302, b"", location=self.redirect_to)
        elif mode == "huge":
            self._send(request, 200, json.dumps(jwks(*self.keys) | {"padding": "x" * (3 << 20)}).encode())
        elif mode == "cut":
            self._send(request, 200, body, length=len(body) + 10)
        else:
            self._send(request, 200, body)

    def _send(self, request, status, body, kind="application/json", location=None, length=None):
        with contextlib.suppress(OSError):
            request.send_response(status)
            request.send_header("Content-Type", kind)
            request.send_header("Content-Length", str(len(body) if length is None else length))
            if location:
                request.send_header("Location", location)
            if length is not None:
                request.close_connection = True
                request.send_header("Connection", "close")
            request.end_headers()
            request.wfile.write(body)
