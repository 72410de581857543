"""The decision service: nginx and Caddy in front of a real upstream, run with the files of config/examples/decision; Traefik's and
Envoy's questions as they look on the wire."""

import json
import re
import socket
import unittest

from support.case import IMPLICIT_DENY, UNAUTHORIZED, GatewayCase
from support.gateway import api, command, config, jwt_authorizer, mock
from support.process import wait_for
from support.proxy import EXAMPLES, CaddyProxy, NginxProxy
from support.tokens import AUDIENCE, SUBJECT, mint
from support.wire import Client

CONTEXT = {
    "x-authorizer-principal-id": SUBJECT,
    "x-authorizer-userid": SUBJECT,
    "x-authorizer-tenantid": "default",
    "x-authorizer-roles": "user",
}
PATH_TRICKS = [
    "/x/../items",
    "/x/%2e%2e/items",
    "/x/%2E./items",
    "/x/..%2fitems",
    "/x/..%2Fitems",
    "/./items",
    "//items",
    "/x//items",
    "/x\\..\\items",
    "/x%5c..%5citems",
    "/items%00",
]


class DecisionCase(GatewayCase):
    def decisions(self, form, upstream):
        """The example's gateway, and where it takes questions."""
        gateway = self.start(
            (EXAMPLES / "gatehouse.json").read_text(),
            env={
                "PORT": "0",
                "ADMIN_PORT": "0",
                "DECISION_PORT": "0",
                "DECISION_FORM": form,
                "EXPECTED_AUDIENCE": AUDIENCE,
                "APP": upstream.authority,
            },
        )
        return gateway, self.port_of(gateway)

    def port_of(self, gateway):
        return int(gateway.wait_log(r"decisions on http://127\.0\.0\.1:([0-9]+)").group(1))

    def assert_context(self, request, wanted=CONTEXT):
        """Of everything that could be taken for the context, exactly this."""
        found = {
            name.lower(): value
            for name, value in request.fields
            if re.sub("_", "-", name.lower()).startswith("x-authorizer-") and value
        }
        self.assertEqual(wanted, found)
        names = [name.lower() for name in request.names()]
        for name in wanted:
            self.assertEqual(1, names.count(name))


class InFront:
    """The same behind nginx and behind Caddy. What differs is in the two classes."""

    form = proxy_class = None
    bad_request = 0  # what the client of a 400 gets

    def setUp(self):
        super().setUp()
        self.origin = self.upstream()
        self.gateway, port = self.decisions(self.form, self.origin)
        self.proxy = self.using(self.proxy_class(self.origin.port, port))

    def test_a_good_token_passes_with_its_context(self):
        response = self.proxy.get("/items?a=1&b=%2F..%2F", mint())
        self.assert_status(response, 200)
        self.assertEqual(b"ok", response.body)
        request = self.origin.one()
        self.assertEqual("/items?a=1&b=%2F..%2F", request.target)
        self.assert_context(request)
        trace = self.gateway.admin("GET", f"/traces/{request.get('X-Amzn-RequestId')}").json()
        self.assertEqual(
            ["GET", "/items", True, "allow"], [trace[key] for key in ("method", "path", "decision", "verdict")]
        )

    def test_the_content_goes_to_the_upstream_and_not_to_the_decision(self):
        token = mint(roles=["admin"])
        body = b"x" * 300000
        response = self.proxy.request("POST", "/items", {"Authorization": f"Bearer {token}"}, body)
        self.assert_status(response, 200)
        self.assertEqual(body, self.origin.one().body)

    def test_no_token_is_refused_with_the_gateways_answer(self):
        response = self.proxy.get("/items")
        self.assert_status(response, 401)
        self.assertEqual(UNAUTHORIZED, response.body)
        self.assertEqual("UnauthorizedException", response.get("x-amzn-ErrorType"))
        self.assert_untouched(self.origin)

    def test_a_forged_token_is_refused(self):
        token = mint()
        self.assert_status(self.proxy.get("/items", token[:-8] + "AAAAAAAA"), 401)
        self.assert_status(self.proxy.get("/items", mint(exp=1)), 401)
        self.assert_status(self.proxy.get("/items", mint(aud="api://other")), 401)
        self.assert_untouched(self.origin)

    def test_the_method_is_judged(self):
        token, admin = mint(), mint(roles=["admin", "user"])
        for method in ("DELETE", "POST", "PUT", "PATCH"):
            with self.subTest(method):
                response = self.proxy.request(method, "/items/7", {"Authorization": f"Bearer {token}"})
                self.assert_status(response, 403)
                self.assertEqual(IMPLICIT_DENY, response.body)
                self.assert_untouched(self.origin)
        self.assert_status(self.proxy.request("DELETE", "/items/7", {"Authorization": f"Bearer {admin}"}), 200)
        self.assertEqual("DELETE", self.origin.one().method)

    def test_names_of_a_client_change_nothing(self):
        token = mint()
        for name, value in (
            ("X-Original-Method", "GET"),
            ("X-Original-URI", "/health"),
            ("X-Original-Host", "other.example"),
            ("X-Forwarded-Method", "GET"),
            ("X-Forwarded-Uri", "/health"),
            ("X-Forwarded-Host", "other.example"),
            ("X-HTTP-Method-Override", "GET"),
        ):
            with self.subTest(name):
                for _ in range(2):  # once, then from the cache
                    response = self.proxy.request(
                        "DELETE", "/items/7", [(name, value), ("Authorization", f"Bearer {token}")]
                    )
                    self.assert_status(response, 403)
                self.assertEqual(401, self.proxy.request("GET", "/items", [(name, value)]).status)
        self.assert_untouched(self.origin)

    def test_connection_does_not_name_the_proxys_words_away(self):
        admin, names = mint(roles=["admin"]), ("Method", "Uri", "URI", "Host", "Proto", "For")
        taken = ", ".join([f"X-{kind}-{name}" for kind in ("Forwarded", "Original") for name in names] + ["X-Real-IP"])
        for token, path, statuses in ((mint(), "/items/7", (403, 500)), (admin, "/x/../items", (400, 500))):
            pairs = [("Connection", taken), ("Authorization", f"Bearer {token}")]
            self.assertIn(self.proxy.request("DELETE", path, pairs).status, statuses)
        self.assert_untouched(self.origin)

    def test_path_tricks_are_judged_as_the_client_sent_them(self):
        admin = mint(roles=["admin"])
        for path in PATH_TRICKS:
            with self.subTest(path):
                response = self.proxy.get(path, admin)
                self.assertIn(response.status, (400, self.bad_request), repr(response))
                self.assert_untouched(self.origin)

    def test_an_encoded_slash_goes_on_as_it_was_judged(self):
        self.assert_status(self.proxy.get("/files/a%2Fb", mint()), 200)
        self.assertEqual("/files/a%2Fb", self.origin.one().target)

    def test_an_open_route_carries_nobodys_context(self):
        response = self.proxy.get("/health")
        self.assert_status(response, 200)
        self.assert_context(self.origin.one(), {})

    def test_one_call_of_the_authorizer_for_one_token(self):
        token = mint()
        for _ in range(20):
            self.assert_status(self.proxy.get("/items", token), 200)
        metrics = self.gateway.metrics()
        self.assertEqual(1, metrics.total("gatehouse_authorizer_calls_total"))
        self.assertEqual(19, metrics.total("gatehouse_cache_hits_total"))
        self.assertEqual(20, metrics.total("gatehouse_decisions_total", result="allowed"))
        self.assertEqual(20, len(self.origin.requests))

    def test_nobody_passes_while_the_gateway_is_away(self):
        token = mint()
        self.assert_status(self.proxy.get("/items", token), 200)
        self.origin.clear()
        self.assertEqual(0, self.gateway.process.stop())
        response = self.proxy.get("/items", token)
        self.assertIn(response.status, (500, 502), repr(response))
        self.assert_status(self.proxy.get("/health"), response.status)
        self.assert_untouched(self.origin)


class Nginx(InFront, DecisionCase):
    form = "nginx"
    proxy_class = NginxProxy
    bad_request = 500  # auth_request knows 401 and 403 alone

    def test_a_clients_copies_of_the_context_do_not_reach_the_upstream(self):
        for name in ("X-Authorizer-userId", "x-authorizer-principal-id", "X-Authorizer-admin"):
            for path, token in (("/items", mint()), ("/health", None)):
                with self.subTest(f"{name} {path}"):
                    self.assert_status(self.proxy.get(path, token, [(name, "root")]), 500)
                    self.assert_untouched(self.origin)
        # nginx drops this one, as every name with an underscore.
        self.assert_status(self.proxy.get("/items", mint(), [("X_Authorizer_userId", "root")]), 200)
        self.assert_context(self.origin.one())

    def test_the_refusal_is_asked_for_with_the_clients_method(self):
        # As GET it would be allowed, and the answer an empty one.
        response = self.proxy.request("DELETE", "/items/7?a=1", {"Authorization": f"Bearer {mint()}"})
        self.assert_status(response, 403)
        self.assertEqual(IMPLICIT_DENY, response.body)

    def test_the_question_cannot_be_asked_from_outside(self):
        self.assert_status(self.proxy.get("/_decision", mint()), 404)
        self.assert_untouched(self.origin)


class Caddy(InFront, DecisionCase):
    form = "forwarded"
    proxy_class = CaddyProxy
    bad_request = 400

    def test_a_clients_copies_of_the_context_do_not_reach_the_upstream(self):
        for name in ("X-Authorizer-userId", "x-authorizer-principal-id", "X-Authorizer-admin"):
            with self.subTest(name):
                self.origin.clear()
                self.assert_status(self.proxy.get("/items", mint(), [(name, "root")]), 200)
                self.assert_context(self.origin.one())
                self.origin.clear()
                self.assert_status(self.proxy.get("/health", None, [(name, "root")]), 200)
                self.assert_context(self.origin.one(), {})
        self.origin.clear()
        # Caddy lets a name with an underscore be, so Gatehouse refuses it.
        response = self.proxy.get("/items", mint(), [("X_Authorizer_userId", "root")])
        self.assert_status(response, 400)
        self.assert_untouched(self.origin)


class OnTheWire(DecisionCase):
    """What Traefik and Envoy send, by their documents."""

    def setUp(self):
        super().setUp()
        self.origin = self.upstream()

    def ask(self, port, method, target, headers, body=None, host="127.0.0.1:8181"):
        with Client(("127.0.0.1", port)) as client:
            return client.exchange(method, target, headers, body, host=host)

    def traefik(self, port, method, uri, token=None, more=(), **changes):
        """A client's headers go first, then Traefik's own."""
        fields = {
            "X-Forwarded-For": "203.0.113.9",
            "X-Forwarded-Host": "app.example",
            "X-Forwarded-Method": method,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Uri": uri,
        } | changes
        pairs = [*more, ("Accept-Encoding", "gzip"), *((n, v) for n, v in fields.items() if v is not None)]
        if token:
            pairs.append(("Authorization", f"Bearer {token}"))
        return self.ask(port, "GET", "/decision", pairs)

    def envoy(self, port, method, uri, token=None, more=(), body=None):
        pairs = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), *more]
        if token:
            pairs.append(("authorization", f"Bearer {token}"))
        return self.ask(port, method, uri, [*pairs, ("content-length", str(len(body or b"")))], body, "app.example")

    def assert_allowed(self, response, context=CONTEXT):
        self.assert_status(response, 200)
        self.assertEqual(b"", response.body)
        self.assertEqual(["0"], response.all("Content-Length"))
        found = {name.lower(): value for name, value in response.fields if name.lower().startswith("x-authorizer-")}
        # Every name that is known, so that no proxy leaves a client's.
        self.assertEqual({name: "" for name in CONTEXT} | context, found)
        self.assertRegex(response.get("x-amzn-RequestId"), r"\A[0-9a-f-]{36}\Z")

    def test_traefik(self):
        gateway, port = self.decisions("forwarded", self.origin)
        token = mint()
        self.assert_allowed(self.traefik(port, "GET", "/items?a=1", token))
        self.assert_allowed(self.traefik(port, "GET", "/health"), {})
        self.assert_unauthorized(self.traefik(port, "GET", "/items"))
        self.assert_denied(self.traefik(port, "DELETE", "/items/7", token))
        for name, value in (
            ("X-Original-URI", "/health"),
            ("X-Original-Method", "GET"),
            ("X-Forwarded-Server", "x"),
            ("X-Forwarded-Prefix", "/health"),
            ("X-Forwarded-Port", "1"),
            ("X-Real-Ip", "127.0.0.1"),
        ):
            with self.subTest(name):
                self.assert_denied(self.traefik(port, "DELETE", "/items/7", token, [(name, value)]))
        for path in PATH_TRICKS:
            with self.subTest(path):
                self.assert_status(self.traefik(port, "GET", path, token), 400)
        self.assert_status(self.traefik(port, "GET", "/items", token, [("X-Authorizer-userId", "root")]), 400)
        self.assert_untouched(self.origin)
        self.assertEqual(0, gateway.metrics().total("gatehouse_upstream_connects_total"))

    def test_a_question_that_does_not_name_the_request_is_refused(self):
        gateway, port = self.decisions("forwarded", self.origin)
        token = mint(roles=["admin"])
        for name in ("For", "Host", "Method", "Proto", "Uri"):
            with self.subTest(name):
                response = self.traefik(port, "GET", "/items", token, **{f"X-Forwarded-{name}": None})
                self.assert_status(response, 500)
                trace = gateway.trace(response)
                self.assertEqual("decision_unreadable", trace["reason"])
                self.assertEqual(f"X-Forwarded-{name} is missing", trace["detail"])
        repeated = self.traefik(port, "GET", "/health", None, [("X-Forwarded-Uri", "/items")])
        self.assertEqual("X-Forwarded-Uri is repeated", gateway.trace(repeated)["detail"])
        for method, target in (("GET", "/items"), ("GET", "/health"), ("DELETE", "/decision"), ("GET", "/")):
            with self.subTest(f"{method} {target}"):
                self.assert_status(self.ask(port, method, target, {"Authorization": f"Bearer {token}"}), 500)
        # nginx's names are no names here.
        names = {"Method": "GET", "URI": "/health", "Host": "app.example", "Proto": "http"}
        pairs = [(f"X-Original-{name}", value) for name, value in names.items()] + [("X-Real-IP", "192.0.2.7")]
        self.assert_status(self.ask(port, "GET", "/decision", pairs), 500)

    def test_envoy(self):
        gateway, port = self.decisions("envoy", self.origin)
        token = mint()
        self.assert_allowed(self.envoy(port, "GET", "/items?a=1", token))
        self.assert_allowed(self.envoy(port, "GET", "/health"), {})
        self.assert_unauthorized(self.envoy(port, "GET", "/items"))
        self.assert_denied(self.envoy(port, "DELETE", "/items/7", token))
        for name, value in (
            ("x-original-method", "GET"),
            ("x-forwarded-method", "GET"),
            ("x-forwarded-uri", "/health"),
            ("x-envoy-original-path", "/health"),
            ("x-http-method-override", "GET"),
        ):
            with self.subTest(name):
                self.assert_denied(self.envoy(port, "DELETE", "/items/7", token, [(name, value)]))
        self.assert_status(self.envoy(port, "GET", "/items", token, [("x-authorizer-userid", "root")]), 400)
        admin = mint(roles=["admin"])
        with_content = self.envoy(port, "POST", "/items", admin, body=b'{"a":1}')
        self.assert_allowed(with_content, CONTEXT | {"x-authorizer-roles": "admin"})
        # HEAD has no content, whatever the answer.
        with Client(("127.0.0.1", port)) as client:
            pairs = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https"), ("content-length", "0")]
            self.assertEqual(401, client.exchange("HEAD", "/items", pairs).status)
            self.assertEqual(401, client.exchange("HEAD", "/items", pairs).status)
        self.assert_untouched(self.origin)
        log = wait_for(lambda: [line for line in gateway.access_log() if '"DELETE"' in line], "the access log")
        entry = json.loads(log[0])
        self.assertEqual(
            ["203.0.113.9", "/items/7", "true", "implicit_deny"],
            [entry[key] for key in ("ip", "path", "decision", "reason")],
        )

    def test_the_clients_address_is_judged(self):
        statements = [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "${stageArn}/*",
                "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:SecureTransport": "true"}},
            }
        ]
        authorizer = jwt_authorizer({"statements": statements})
        gateway = self.start(
            config(
                api([mock("GET /items", "jwt")], authorizers={"jwt": authorizer}),
                decision={"port": 0, "form": "forwarded"},
            )
        )
        port, token = self.port_of(gateway), mint()
        self.assert_status(self.traefik(port, "GET", "/items", token), 200)
        for changes in (
            {"X-Forwarded-For": "198.51.100.1"},
            {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"},
            {"X-Forwarded-Proto": "http"},
        ):
            with self.subTest(changes):
                self.assert_status(self.traefik(port, "GET", "/items", token, **changes), 403)
        listed = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9"}
        self.assert_status(self.traefik(port, "GET", "/items", token, **listed), 200)

    def test_the_service_has_a_listener_of_its_own(self):
        gateway, port = self.decisions("forwarded", self.origin)
        token = mint(roles=["admin"])
        # On a normal listener the names mean nothing, and the path is a path.
        pairs = [("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/health"), ("X-Forwarded-Host", "app.example")]
        self.assert_unauthorized(gateway.request("GET", "/decision", pairs))
        self.assert_status(gateway.get("/decision", token), 200)
        self.assertEqual("/decision", self.origin.one().target)
        self.assertNotIn("decision", gateway.trace(gateway.get("/decision", token)))
        self.assertNotEqual(gateway.port, port)

    def test_one_connection_carries_many_questions(self):
        _, port = self.decisions("envoy", self.origin)
        good, bad = ("Authorization", f"Bearer {mint()}"), ("Authorization", "Bearer x")
        named = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")]
        with Client(("127.0.0.1", port)) as client:
            for target, who, status in (
                ("/items", good, 200),
                ("/items", bad, 401),
                ("/x/../items", good, 400),
                ("/items", ("Accept", "*/*"), 401),
                ("/health", ("Accept", "*/*"), 200),
                ("/items", good, 200),
            ):
                self.assert_status(client.exchange("GET", target, [*named, who]), status)

    def test_a_key_set_that_is_away_is_503(self):
        gateway = self.start(
            config(
                api(
                    [mock("GET /items", "jwt")],
                    authorizers={"jwt": jwt_authorizer({"jwksUri": "http://127.0.0.1:1/jwks.json"})},
                ),
                decision={"port": 0, "form": "envoy"},
            ),
            ready=False,
        )
        self.assert_unavailable(self.envoy(self.port_of(gateway), "GET", "/items", mint()))

    def test_explain_tells_what_was_decided(self):
        gateway, port = self.decisions("forwarded", self.origin)
        response = self.traefik(port, "DELETE", "/items/7", mint())
        gateway.trace(response)
        told = command("explain", "--trace", response.get("x-amzn-RequestId"), "--admin", gateway.admin_url)
        self.assertEqual(3, told.status, repr(told))
        self.assertIn("DELETE /items/7 -> 403", told.stdout)
        self.assertIn("for another proxy", told.stdout)
        self.assertNotIn("/decision", told.stdout)

    def test_check_says_where_it_listens(self):
        told = command("check", EXAMPLES / "gatehouse.json", env={"DECISION_FORM": "nginx"})
        self.assertEqual(0, told.status, repr(told))
        self.assertIn(
            "decisions for other proxies on 127.0.0.1:8181, form nginx, asked at /decision\n", told.stdout
        )

    def test_a_port_that_is_taken_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            folder_config = config(api([mock("GET /a")]), decision={"port": port, "form": "envoy"})
            with self.assertRaises(AssertionError) as failed:
                self.start(folder_config)
            self.assertIn(f"cannot listen on 127.0.0.1:{port}", "\n".join(failed.exception.__notes__))


class Examples(unittest.TestCase):
    """Traefik and Envoy are not here to read their files, so what matters in them is looked at."""

    def read(self, name):
        return re.sub(r"#.*", "", (EXAMPLES / name).read_text())

    def test_traefik(self):
        text = self.read("traefik.yaml")
        self.assertIn("trustForwardHeader: false", text)
        self.assertNotIn("authRequestHeaders:", text)
        self.assertIn('address: "http://127.0.0.1:8181/decision"', text)

    def test_envoy(self):
        text = self.read("envoy.yaml")
        self.assertIn("use_remote_address: true", text)
        self.assertIn("failure_mode_allow: false", text)
        for name in ("path_prefix:", "path_override:", "method_override:"):
            self.assertNotIn(name, text)

    def test_yaml(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("python3-yaml is not here")
        for name in ("traefik.yaml", "envoy.yaml"):
            self.assertIsInstance(yaml.safe_load((EXAMPLES / name).read_text()), dict)
