"""Opaque tokens: gatehouse:introspection with a real authorization server, and with one that misbehaves (RFC 7662)."""

import base64
import concurrent.futures
import contextlib
import json
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from support.case import GatewayCase, as_text
from support.gateway import api, command, config, route
from support.oidc import OidcProvider
from support.process import PATIENCE

CLIENT, SECRET = "gate:way", "p%20ss: +&/w"


def authorizer(endpoint, secret=SECRET, ttl=None, **settings):
    block = {"endpoint": endpoint, "clientId": CLIENT, "clientSecret": secret} | settings
    result = {"type": "TOKEN", "authorizerUri": "gatehouse:introspection", "introspection": block}
    return result if ttl is None else result | {"authorizerResultTtlInSeconds": ttl}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        pass  # clients that give up are part of the tests


class Endpoint:
    """An introspection endpoint: `answer` is what it says of every token; `mode` how. Keeps what it was asked."""

    def __init__(self):
        self.answer = {"active": True, "sub": "user-1", "scope": "items:read"}
        self.mode = "ok"
        self.asked = []
        self.released = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.asked.append((dict(self.headers), urllib.parse.parse_qs(body.decode(), strict_parsing=True)))
                owner.serve(self)

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/introspect"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, request):
        if self.mode in ("stall", "hold"):
            self.released.wait(PATIENCE)
        body, status, kind = json.dumps(self.answer).encode(), 200, "application/json"
        if self.mode == "error":
            status = 500
        elif self.mode == "stranger":
            status = 401
        elif self.mode == "redirect":
            status = 302
        elif self.mode == "html":
            kind = "text/html"
        elif self.mode == "garbage":
            body = body[:-1]
        elif self.mode == "huge":
            body = json.dumps(self.answer | {"padding": "x" * 100000}).encode()
        elif self.mode == "text":
            body = json.dumps(self.answer | {"active": "true"}).encode()
        with contextlib.suppress(OSError):
            request.send_response(status)
            request.send_header("Content-Type", kind)
            request.send_header("Content-Length", str(len(body)))
            if status == 302:
                request.send_header("Location", self.url)
            request.end_headers()
            request.wfile.write(body)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class RealProvider(GatewayCase):
    def test_opaque_tokens_of_a_real_authorization_server(self):
        provider = self.using(OidcProvider())
        backend = self.upstream()
        document = config(
            api(
                [
                    route("GET /items", f"{backend.url}/items", "opaque"),
                    route("GET /read", f"{backend.url}/read", "opaque", scopes=["items:read"]),
                    route("GET /write", f"{backend.url}/write", "opaque", scopes=["items:write"]),
                ],
                authorizers={
                    "opaque": authorizer(
                        provider.issuer + "/token/introspection",
                        issuer=provider.issuer,
                        audience=["api://opaque"],
                        requireExpiration=True,
                        requireSubject=False,
                        context={
                            "client": {"claim": "client_id"},
                            "tenantId": {"claim": "tenant_id"},
                            "roles": {"claim": "roles"},
                        },
                    )
                },
            )
        )
        gateway = self.start(document)
        token = provider.opaque_token()
        self.assertNotIn(".", token, "an opaque token, not a JWT")
        self.assert_status(gateway.get("/items", token), 200)
        request = backend.one()
        self.assertEqual(
            (["machine"], ["acme"], ["admin,user"], ["machine"]),
            tuple(request.all("X-Authorizer-" + name) for name in ("client", "tenantId", "roles", "Principal-Id")),
        )
        self.assert_status(gateway.get("/read", token), 200)
        self.assert_denied(gateway.get("/write", token))
        self.assert_status(gateway.get("/write", provider.opaque_token("items:write")), 200)
        # A token for another API, and none of this server's.
        self.assert_unauthorized(gateway.get("/items", provider.token()))
        unknown = gateway.get("/items", "nobody-gave-this-out")
        self.assert_unauthorized(unknown)
        self.assertEqual("token_inactive", gateway.trace(unknown)["reason"])

        # Revoked: good while it is cached, and not a moment longer.
        provider.revoke(token)
        self.assert_status(gateway.get("/items", token), 200)
        self.assert_status(gateway.admin("DELETE", "/restapis/local/stages/prod/cache/authorizers"), 202)
        refused = gateway.get("/items", token)
        self.assert_unauthorized(refused)
        shown = gateway.log() + "\n".join(gateway.access_log()) + as_text(gateway.trace(refused))
        self.assertNotIn(token, shown)
        self.assertNotIn(SECRET, shown)
        self.assertNotIn(base64.b64encode(b"gate%3Away")[:12].decode(), shown)

        # The command that explains asks too.
        fresh = provider.opaque_token()
        for credential, status, words in ((fresh, 0, "active"), ("nonsense", 3, "token_inactive")):
            arguments = ["explain", "-c", gateway.folder.config, "-H", f"Authorization: Bearer {credential}"]
            done = command(*arguments, "GET", "/items")
            self.assertEqual(status, done.status, done)
            self.assertIn(words, done.stdout)
            self.assertNotIn(fresh, done.stdout + done.stderr)


class ScriptedEndpoint(GatewayCase):
    def gate(self, **settings):
        self.endpoint = self.using(Endpoint())
        self.backend = self.upstream()
        routes = [route("GET /x", self.backend.url, "opaque"), route("GET /open", self.backend.url, "NONE")]
        opaque = authorizer(self.endpoint.url, **settings)
        return self.start(config(api(routes, authorizers={"opaque": opaque})))

    def test_the_question_is_a_form_and_both_ways_to_authenticate(self):
        for method in ("client_secret_basic", "client_secret_post"):
            with self.subTest(method):
                gateway = self.gate(authMethod=method)
                self.assert_status(gateway.get("/x", "abc-._~+/=="), 200)
                ((headers, form),) = self.endpoint.asked
                self.assertEqual("application/x-www-form-urlencoded", headers["Content-Type"])
                self.assertEqual("application/json", headers["Accept"])
                self.assertEqual((["abc-._~+/=="], ["access_token"]), (form["token"], form["token_type_hint"]))
                if method == "client_secret_post":
                    self.assertNotIn("Authorization", headers)
                    self.assertEqual(([CLIENT], [SECRET]), (form["client_id"], form["client_secret"]))
                else:
                    self.assertEqual({"token", "token_type_hint"}, set(form))
                    scheme, pair = headers["Authorization"].split(" ")
                    parts = base64.b64decode(pair).decode().split(":")
                    self.assertEqual(("Basic", [CLIENT, SECRET]), (scheme, list(map(urllib.parse.unquote, parts))))

    def test_a_hundred_first_requests_are_one_question(self):
        gateway = self.gate()
        self.endpoint.mode = "hold"
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            requests = [pool.submit(gateway.get, "/x", "the-same-token") for _ in range(100)]
            while not self.endpoint.asked:
                concurrent.futures.wait(requests, timeout=0.01)
            self.endpoint.released.set()
            for request in requests:
                self.assert_status(request.result(), 200)
        self.assertEqual(1, len(self.endpoint.asked))

    def test_an_endpoint_that_misbehaves_is_503_and_never_remembered(self):
        gateway = self.gate(timeoutInMillis=500)
        for mode in ("error", "stranger", "redirect", "html", "garbage", "huge", "text", "stall"):
            with self.subTest(mode):
                self.endpoint.mode = mode
                self.endpoint.released.clear()
                answer = gateway.get("/x", "secret-token-of-" + mode)
                self.assert_unavailable(answer)
                self.assertEqual(["AuthorizerFailureException"], answer.all("x-amzn-ErrorType"))
                trace = gateway.trace(answer)
                self.assertIn(trace["reason"], ("introspection_failed", "introspection_invalid"))
                self.assertNotIn("secret-token-of", as_text(trace))
                self.assert_status(gateway.get("/open"), 200)
                self.endpoint.mode = "ok"
                self.endpoint.released.set()
                self.assert_status(gateway.get("/x", "secret-token-of-" + mode), 200)
        self.assertNotIn("secret-token-of", gateway.log())
        gateway.wait_log("introspection failed: .*answered 500")
        gateway.wait_log("answers again")

    def test_an_endpoint_that_is_away(self):
        gateway = self.gate()
        self.assert_status(gateway.get("/x", "known"), 200)
        self.endpoint.close()
        self.assert_unavailable(gateway.get("/x", "unknown"))
        self.assert_status(gateway.get("/x", "known"), 200)

    def test_inactive_tokens_are_remembered_for_a_moment(self):
        gateway = self.gate()
        self.endpoint.answer = {"active": False}
        for _ in range(20):
            self.assert_unauthorized(gateway.get("/x", "gone"))
        self.assertLess(len(self.endpoint.asked), 5)
        self.backend.clear()
        self.assert_untouched(self.backend)


if __name__ == "__main__":
    unittest.main()
