"""API keys, usage plans, throttles, and the signed override of an authorizer, over the wire."""

import base64
import concurrent.futures
import hashlib
import hmac
import json
import sys
import time
import unittest

from support.case import FORBIDDEN, GatewayCase
from support.gateway import ROOT, Folder, api, command, config, mock, route
from support.tokens import mint

THROTTLED = b'{"message":"Too Many Requests"}'
EXCEEDED = b'{"message":"Limit Exceeded"}'
FIRST = "value-of-the-first-key"
SECOND = "value-of-the-second-key"
SECRET = "0123456789abcdef0123456789abcdef"
RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")

# The token is the usageIdentifierKey; "-" is none.
HANDLER = """
def authorize(event, headers):
    key = event["authorizationToken"]
    policy = {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}]}
    return {"principalId": "user", "policyDocument": policy, "usageIdentifierKey": None if key == "-" else key}
"""


def keyed(target, authorizer="jwt", **changes):
    return target | {"authorizer": authorizer, "apiKeyRequired": True} | changes


def plan(**changes):
    return {"id": "gold", "keys": ["k1", "k2"], "apiStages": [{"apiId": "local", "stage": "prod"}]} | changes


KEYS = [
    {"id": "k1", "value": FIRST},
    {"id": "k2", "value": SECOND},
    {"id": "off", "value": "value-of-a-disabled-key", "enabled": False},
    {"id": "loose", "value": "value-of-a-key-without-plan"},
]


class UsageCase(GatewayCase):
    def gate(self, routes=None, plans=None, **changes):
        self.backend = self.upstream()
        top = {name: changes.pop(name) for name in ("throttle", "functions", "accessLog") if name in changes}
        routes = routes or [keyed(route("GET /keyed", f"{self.backend.url}/keyed"))]
        return self.start(
            config(api(routes, **changes), apiKeys=KEYS, usagePlans=[plan()] if plans is None else plans, **top),
            files={"handler.py": HANDLER},
        )

    def ask(self, gateway, path="/keyed", key=FIRST, token=True):
        headers = {} if key is None else {"x-api-key": key}
        return gateway.get(path, mint() if token else None, headers)

    def assert_forbidden(self, response):
        self.assert_error(response, 403, FORBIDDEN, "ForbiddenException")

    def assert_throttled(self, response):
        self.assert_error(response, 429, THROTTLED, "TooManyRequestsException")

    def assert_exceeded(self, response):
        self.assert_error(response, 429, EXCEEDED, "LimitExceededException")


class ApiKeys(UsageCase):
    def test_every_outcome_to_the_byte_and_the_key_nowhere(self):
        gateway = self.gate(
            plans=[plan(keys=["k1", "k2", "off"])],
            accessLog={"format": "$context.requestId $context.identity.apiKey $context.identity.apiKeyId"},
        )
        for name, key in (
            ("none", None),
            ("empty", ""),
            ("unknown", "value-of-nobody-at-all"),
            ("short", "x"),
            ("long", "x" * 5000),
            ("an id", "k1"),
            ("disabled", "value-of-a-disabled-key"),
            ("without a plan", "value-of-a-key-without-plan"),
        ):
            with self.subTest(name):
                self.backend.clear()
                response = self.ask(gateway, key=key)
                self.assert_forbidden(response)
                self.assert_untouched(self.backend)
        for key in (FIRST, SECOND):
            self.backend.clear()
            self.assert_status(self.ask(gateway, key=key), 200)
            self.assertEqual([key], self.backend.one().all("x-api-key"), "the service passes the header on")
        with self.subTest("the authorizer comes first"):
            self.assert_unauthorized(self.ask(gateway, key=None, token=False))
            self.assert_unauthorized(self.ask(gateway, key=FIRST, token=False))
        response = self.ask(gateway)
        trace = gateway.trace(response)
        self.assertIn({"step": "apiKey", "source": "HEADER", "result": "valid", "id": "k1", "usagePlan": "gold"}, trace["steps"])
        shown = json.dumps(trace) + gateway.log() + gateway.metrics().text
        for path in ("/usage", "/report", "/traces", "/cache"):
            shown += gateway.admin("GET", path).body.decode()
        gateway.process.stop()
        log = gateway.access_log()
        log = log if isinstance(log, str) else "\n".join(log)
        self.assertIn(hashlib.sha256(FIRST.encode()).hexdigest()[:8] + " k1", log)
        for secret in (FIRST, SECOND, "value-of-"):
            self.assertNotIn(secret, shown + log)

    def test_the_authorizer_names_the_key(self):
        self.backend = self.upstream()
        gateway = self.gate(
            [keyed(mock("GET /keyed"), "fn")],
            plans=[plan(quota={"limit": 2, "period": "MONTH"})],
            authorizers={"fn": {"type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:1:function:authz"}},
            apiKeySource="AUTHORIZER",
            functions={
                "authz": {"command": ["/usr/bin/python3", RUNTIME, "handler.authorize"], "directory": ".", "timeoutInMillis": 5000}
            },
        )

        def ask(token):
            return gateway.get("/keyed", headers={"Authorization": token, "x-api-key": SECOND})

        self.assert_forbidden(ask("-"))
        self.assert_forbidden(ask("value-of-nobody-at-all"))
        self.assert_status(ask(FIRST), 200)
        self.assert_status(ask(FIRST), 200)
        self.assert_exceeded(ask(FIRST))
        self.assert_status(ask(SECOND), 200)


class Limits(UsageCase):
    def test_a_throttle_is_shared_by_workers_and_connections(self):
        gateway = self.gate(plans=[plan(throttle={"rateLimit": 0, "burstLimit": 20})])
        token = mint()

        def send(number):
            return gateway.get("/keyed", token, {"x-api-key": (FIRST, SECOND)[number % 2]}).status

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(send, range(80)))
        self.assertEqual({200: 40, 429: 40}, {status: statuses.count(status) for status in set(statuses)})
        self.assert_throttled(self.ask(gateway))
        usage = gateway.admin("GET", "/usage").json()["usagePlans"][0]
        self.assertEqual([20, 20], [key["admitted"] for key in usage["keys"]])
        self.assertEqual([21, 20], [key["throttled"] for key in usage["keys"]])
        metrics = gateway.metrics()
        self.assertEqual(40, metrics.total("gatehouse_usage_plan_requests_total", plan="gold", result="admitted"))
        self.assertEqual(41, metrics.total("gatehouse_usage_plan_requests_total", plan="gold", result="throttled"))
        self.assertEqual(41, metrics.total("gatehouse_requests_total", reason="throttled"))

    def test_a_bucket_fills_again(self):
        gateway = self.gate(plans=[plan(throttle={"rateLimit": 4, "burstLimit": 1})])
        self.assert_status(self.ask(gateway), 200)
        deadline = time.monotonic() + 20
        while self.ask(gateway).status == 429:
            self.assertLess(time.monotonic(), deadline, "it never fills")

    def test_quotas_are_each_keys_own_and_of_all_routes(self):
        backend = self.upstream()
        routes = [keyed(route(f"GET /{name}", f"{backend.url}/{name}")) for name in ("a", "b")]
        gateway = self.gate(routes, plans=[plan(quota={"limit": 3, "period": "WEEK", "offset": 1})])
        for path in ("/a", "/b", "/a"):
            self.assert_status(self.ask(gateway, path), 200)
        self.assert_exceeded(self.ask(gateway, "/b"))
        self.assert_status(self.ask(gateway, "/b", SECOND), 200)
        usage = gateway.admin("GET", "/usage").json()["usagePlans"][0]["keys"]
        self.assertEqual([(3, 0), (1, 2)], [(key["quota"]["used"], key["quota"]["remaining"]) for key in usage])
        self.assertRegex(usage[0]["quota"]["resets"], r"\A\d{4}-\d\d-\d\dT00:00:00Z\Z")

    def test_routes_apis_and_all_of_them_are_throttled_without_keys(self):
        once = {"rateLimit": 0, "burstLimit": 1}
        for name, changes, paths in (
            ("route", {"routes": [mock("GET /a") | {"throttle": once}, mock("GET /b")]}, (("/a", 429), ("/b", 200))),
            ("API", {"routes": [mock("GET /a"), mock("GET /b")], "throttle_api": once}, (("/a", 429), ("/b", 429))),
            ("all", {"routes": [mock("GET /a"), mock("GET /b")], "throttle": once}, (("/a", 429), ("/b", 429))),
        ):
            with self.subTest(name):
                own = {"throttle": changes["throttle_api"]} if "throttle_api" in changes else {}
                top = {"throttle": changes["throttle"]} if "throttle" in changes else {}
                gateway = self.start(config(api(changes["routes"], authorizers={}, **own), **top))
                self.assert_status(gateway.get("/a"), 200)
                for path, status in paths:
                    response = gateway.get(path)
                    if status == 429:
                        self.assert_throttled(response)
                    else:
                        self.assert_status(response, status)


def override(secret=SECRET, header=None, **changes):
    """Made without Gatehouse: any JWT library could."""
    claims = {"effect": "Allow", "principalId": "dev", "exp": time.time() + 60} | changes
    parts = [header or {"alg": "HS256", "typ": "JWT"}, {k: v for k, v in claims.items() if v is not None}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts]
    text = b".".join(encoded)
    signature = base64.urlsafe_b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()).rstrip(b"=")
    return (text + b"." + signature).decode()


class Overrides(GatewayCase):
    def gate(self, dev=True, configured=True):
        self.backend = self.upstream()
        routes = [
            route("GET /a", f"{self.backend.url}/a"),
            route("GET /open", f"{self.backend.url}/open", "NONE"),
        ]
        top = {"devOverride": {"secret": SECRET}} if configured else {}
        return self.start(config(api(routes), **top), args=["--dev"] if dev else [])

    def send(self, gateway, value, path="/a", token=None, name="x-gatehouse-override"):
        self.backend.clear()
        return gateway.get(path, token, {name: value})

    def test_one_request_is_somebody_elses(self):
        gateway = self.gate()
        response = self.send(gateway, override(context={"tenantId": "acme"}))
        self.assert_status(response, 200)
        received = self.backend.one()
        self.assertEqual(["dev"], received.all("X-Authorizer-Principal-Id"))
        self.assertEqual(["acme"], received.all("X-Authorizer-tenantId"))
        self.assertFalse(self.backend.seen("verride"))
        steps = {step["step"]: step for step in gateway.trace(response)["steps"]}
        self.assertEqual("in place of the authorizer", steps["override"]["result"])
        self.assertEqual([], gateway.cache_entries())
        with self.subTest("and the next one is nobody's"):
            self.assert_status(gateway.get("/a"), 401)
        with self.subTest("a deny beats a good token"):
            self.assert_status(self.send(gateway, override(effect="Deny"), token=mint()), 403)
            self.assert_untouched(self.backend)
        with self.subTest("the program's own"):
            env = {"GATEHOUSE_OVERRIDE_SECRET": SECRET}
            value = command("token", "--override", "Allow", "--sub", "me", "--claim", "n=1", env=env).stdout.strip()
            self.assert_status(self.send(gateway, value), 200)
            self.assertEqual(["me"], self.backend.one().all("X-Authorizer-Principal-Id"))
            self.assertEqual(["1"], self.backend.one().all("X-Authorizer-n"))
            expired = command("token", "--override", "Allow", "--expires-in=-1m", env=env).stdout.strip()
            self.assert_status(self.send(gateway, expired, token=mint()), 401)

    def test_on_every_kind_of_route(self):
        backend = self.upstream()
        function = "arn:aws:lambda:us-east-1:123456789012:function:echo"
        proxy = {"type": "AWS_PROXY", "uri": function}
        rest = [
            {"routeKey": "GET /open/proxy", "authorizer": "NONE", "integration": {"type": "HTTP_PROXY", "uri": backend.url}},
            {"routeKey": "GET /open/mock", "authorizer": "NONE", "integration": {"type": "MOCK"}},
            {"routeKey": "GET /open/function", "authorizer": "NONE", "integration": proxy},
            {"routeKey": "GET /jwt/function", "authorizer": "native", "integration": proxy},
        ]
        native = {"type": "JWT", "identitySource": "method.request.header.Authorization",
                  "jwtConfiguration": {"defaultAlgorithms": ["RS256"], "issuers": [
                      {"issuer": "https://i.example/", "audiences": ["a"], "jwksUri": "file:jwks.json"}]}}
        http_jwt = {"type": "JWT", "identitySource": ["$request.header.Authorization"],
                    "jwtConfiguration": {"issuer": "https://i.example/", "audience": ["a"], "jwksUri": "file:jwks.json"}}
        http = [
            {"routeKey": "GET /open/proxy", "authorizer": "NONE", "integration": {"type": "HTTP_PROXY", "uri": backend.url}},
            {"routeKey": "GET /open/function", "authorizer": "NONE", "integration": proxy | {"payloadFormatVersion": "2.0"}},
            {"routeKey": "GET /jwt/function", "authorizer": "native", "integration": proxy | {"payloadFormatVersion": "2.0"}},
        ]
        document = config(
            api(rest, authorizers={"native": native}),
            api(http, authorizers={"native": http_jwt}, name="h", protocolType="HTTP", basePath="/h", stageName="$default"),
            devOverride={"secret": SECRET},
            functions={"echo": {"command": [sys.executable, RUNTIME, "handler.echo"], "directory": ".", "timeoutInMillis": 5000}},
        )
        handler = "import json\ndef echo(event, headers):\n    return {'statusCode': 200, 'body': json.dumps(event['requestContext'].get('authorizer'))}\n"
        gateway = self.start(document, args=["--dev"], files={"handler.py": handler})
        value = override(principalId="zed", context={"tenantId": "acme"})
        for path, wanted in (
            ("/open/proxy", None),
            ("/open/mock", None),
            ("/h/open/proxy", None),
            ("/open/function", {"principalId": "zed", "tenantId": "acme"}),
            ("/h/open/function", {"lambda": {"tenantId": "acme"}}),
            ("/jwt/function", {"claims": {"sub": "zed", "tenantId": "acme"}}),
            ("/h/jwt/function", {"jwt": {"claims": {"sub": "zed", "tenantId": "acme"}, "scopes": None}}),
        ):
            with self.subTest(path):
                response = gateway.get(path, headers={"x-gatehouse-override": value})
                self.assert_status(response, 200)
                if wanted:
                    shown = json.loads(response.body)
                    shown.pop("integrationLatency", None)
                    self.assertEqual(wanted, shown)
                denied = gateway.get(path, headers={"x-gatehouse-override": override(effect="Deny")})
                self.assert_status(denied, 403)

    def test_a_bad_one_is_401_and_not_ignored(self):
        gateway = self.gate()
        good = override()
        for name, value in (
            ("empty", ""),
            ("nonsense", "nonsense"),
            ("another secret", override("x" * 32)),
            ("changed", good[:-2] + ("AA" if not good.endswith("AA") else "BB")),
            ("alg none", override(header={"alg": "none"})),
            ("expired", override(exp=time.time() - 1)),
            ("for days", override(exp=time.time() + 86400)),
            ("without exp", override(exp=None)),
            ("without effect", override(effect=None)),
            ("twice the scheme", "Bearer " + good),
        ):
            for path in ("/a", "/open"):
                with self.subTest(name + " " + path):
                    response = self.send(gateway, value, path, mint())
                    self.assert_status(response, 401)
                    self.assertEqual(b'{"message":"Unauthorized"}', response.body)
                    self.assert_untouched(self.backend)
        shown = gateway.log() + gateway.admin("GET", "/traces").body.decode()
        self.assertNotIn(SECRET, shown)
        self.assertNotIn(good, shown)

    def test_the_header_never_leaves(self):
        for dev, configured in ((True, False), (False, False)):
            gateway = self.gate(dev, configured)
            for name in ("x-gatehouse-override", "X-GATEHOUSE-OVERRIDE", "x_gatehouse_override", "X-Gatehouse_Override"):
                for path in ("/a", "/open"):
                    with self.subTest(f"{name} {path} {dev}"):
                        self.assert_status(self.send(gateway, override(), path, mint(), name), 200)
                        self.assertFalse(self.backend.seen("verride"))
                        self.assertFalse(self.backend.seen("VERRIDE"))

    def test_without_dev_the_file_is_refused(self):
        folder = Folder(config(api([mock("GET /a")], authorizers={}), devOverride={"secret": SECRET}))
        self.addCleanup(folder.close)
        done = command("serve", "-c", folder.config)
        self.assertEqual(2, done.status, done)
        self.assertIn("/devOverride", done.stderr)
        self.assertIn("--dev", done.stderr)
        self.assertNotIn(SECRET, done.output)
        done = command("check", folder.config)
        self.assertEqual(0, done.status, done)
        self.assertIn("--dev", done.stderr)
        with self.subTest("a mapping cannot carry the header on"):
            target = route("GET /a", "http://127.0.0.1:9/", "NONE")
            for parameters in (
                {"integration.request.header.X-Other": "method.request.header.x-gatehouse-override"},
                {"integration.request.header.X-Gatehouse-Override": "'x'"},
            ):
                target["integration"]["requestParameters"] = parameters
                other = Folder(config(api([target], authorizers={})))
                self.addCleanup(other.close)
                self.assertEqual(2, command("check", other.config).status)


if __name__ == "__main__":
    unittest.main()
