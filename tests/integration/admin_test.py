"""The admin API, and what the gateway writes down: reports, traces, metrics, access log; never a token."""

import hashlib
import json
import re
import unittest

from support.case import GatewayCase, as_text
from support.gateway import Gateway, api, command, config, jwt_authorizer, mock, route
from support.issuer import Issuer
from support.process import wait_for
from support.tokens import bearer, ec_key, mint
from support.upstream import ClosedPort, Upstream
from support.wire import build

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class AdminCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream())
        cls.closed = cls.share(ClosedPort())
        deny = {
            "statements": [
                {"Sid": "Everything", "Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*"},
                {"Sid": "NoDoor", "Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "${stageArn}/GET/door"},
            ]
        }
        cls.routes = [
            route("GET /items/{id}", f"{cls.backend.url}/items"),
            route("POST /items/{id}", f"{cls.backend.url}/items"),
            route("GET /door", f"{cls.backend.url}/door", "deny"),
            mock("GET /health"),
            route("GET /down", f"http://{cls.closed.authority}/", "NONE"),
        ]
        cls.gateway = cls.share_gateway(
            config(api(cls.routes, authorizers={"jwt": jwt_authorizer(), "deny": jwt_authorizer(deny)}))
        )

    def get(self, path, **options):
        response = self.gateway.admin("GET", path, **options)
        self.assert_status(response, 200)
        return response


class Health(AdminCase):
    def test_live_and_ready(self):
        for path in ("/health/live", "/health/ready"):
            with self.subTest(path):
                response = self.get(path)
                self.assertIn("json", response.get("Content-Type"))
                response.json()
                self.assertEqual(
                    200, self.gateway.admin("GET", path, host="10.0.0.7:9901").status, "probes use addresses"
                )

    def test_not_ready_says_why(self):
        issuer = self.using(Issuer(ec_key(), listening=False))
        jwt = {
            "issuer": issuer.issuer,
            "jwksUri": issuer.jwks_uri,
            "algorithms": ["ES256"],
            "jwks": {"cooldownInSeconds": 1},
        }
        gateway = self.start(
            config(api([route("GET /x", self.backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})), ready=False
        )
        response = gateway.admin("GET", "/health/ready")
        self.assert_status(response, 503)
        self.assertIn(issuer.issuer, as_text(response.json()))
        self.assertEqual(200, gateway.admin("GET", "/health/live").status)
        self.assertEqual(1, command("health", "--admin", gateway.admin_url).status)
        issuer.up()
        gateway.wait_ready()
        self.assertEqual(0, command("health", "--admin", gateway.admin_url).status)


class Reports(AdminCase):
    def test_the_report_names_every_route(self):
        # A3
        report = self.get("/report").json()
        text = as_text(report)
        for item in ("/items/{id}", "/door", "/health", "/down", "jwt", "deny", "NONE", "TOKEN", "HTTP_PROXY", "MOCK"):
            self.assertIn(item, text)
        routes = report["routes"] if isinstance(report, dict) else report
        self.assertEqual(len(self.routes), len(routes))
        for entry in routes:
            self.assertTrue(entry["authorizer"], "never blank")

    def test_the_cache_shows_digests_and_no_tokens(self):
        # F6
        token = mint()
        self.assert_status(self.gateway.get("/items/1", token), 200)
        response = self.get("/cache")
        digest = hashlib.sha256(f"Bearer {token}".encode()).hexdigest()
        self.assertIn(digest, response.text())
        self.assert_no_token(response.text(), token, "GET /cache")
        entry = [entry for entry in self.gateway.cache_entries() if digest in as_text(entry)][0]
        text = as_text(entry)
        for item in ("local", "prod", "jwt", "arn:aws:execute-api:us-east-1:123456789012:local/prod/*"):
            self.assertIn(item, text)
        self.assertRegex(text.lower(), r'"age\w*":')
        self.assertRegex(text.lower(), r'"\w*(remaining|left|ttl)\w*":')

    def test_metrics(self):
        # H12: labels come from the configuration, never from clients
        token = mint()
        for path in ("/items/1", "/items/2", "/unknown/1"):
            self.gateway.get(path, token)
        before = self.gateway.metrics()
        for number in range(300):
            self.gateway.get(f"/items/{number}-other", token)
            self.gateway.get(f"/nowhere/{number}?q={number}")
            self.gateway.request("GET", f"/items/{number}", {"Host": f"host{number}.example"}, host=None)
        after = self.gateway.metrics()
        self.assertLessEqual(len(after.series() - before.series()), 3, sorted(after.series() - before.series()))
        self.assertNotIn("nowhere", after.text)
        self.assertNotIn("host1", after.text)
        self.assert_no_token(after.text, token, "/metrics")
        total = "gatehouse_requests_total"
        self.assertEqual(900, after.total(total) - before.total(total))
        self.assertEqual(300, after.total(total, status="200") - before.total(total, status="200"))
        for name, kind in after.types.items():
            self.assertTrue(name.startswith("gatehouse_") or name.startswith("process_"), name)
            self.assertIn(kind, ("counter", "gauge", "histogram"))
            if kind == "counter":
                self.assertTrue(name.endswith("_total"), name)
        self.assertIn("text/plain", self.get("/metrics").get("Content-Type"))
        for name, kind in after.types.items():
            if kind == "histogram":
                buckets = [value for sample, _, value in after.samples if sample == name + "_bucket"]
                self.assertTrue(buckets)


class Traces(AdminCase):
    def test_a_trace_explains_each_decision(self):
        # F2, F3, F5, G11
        token = mint()
        for name, path, headers, status, reason, wanted in (
            ("allowed", "/items/7", bearer(token), 200, "allowed", ["GET /items/{id}", "jwt", "local/prod/*"]),
            ("no token", "/items/7", {}, 401, "identity_missing", ["UNAUTHORIZED", "Authorization"]),
            (
                "other issuer",
                "/items/7",
                bearer(mint(iss="https://evil.example/")),
                401,
                "token_issuer_unknown",
                ["https://evil.example/", "https://issuer.example/"],
            ),
            (
                "other audience",
                "/items/7",
                bearer(mint(aud="api://other")),
                401,
                "token_audience_refused",
                ["api://other", "api://users"],
            ),
            ("expired", "/items/7", bearer(mint(exp=1000000000)), 401, "token_expired", ["2001-09-09"]),
            ("unknown key", "/items/7", bearer(mint(header={"kid": "nobody"})), 401, "token_key_unknown", ["nobody"]),
            (
                "denied",
                "/door",
                bearer(mint()),
                403,
                "explicit_deny",
                ["NoDoor", "ACCESS_DENIED", "local/prod/GET/door"],
            ),
            ("no route", "/nowhere", {}, 403, "route_unmatched", ["MISSING_AUTHENTICATION_TOKEN"]),
            ("upstream refused", "/down", {}, 502, "upstream_refused", ["INTEGRATION_FAILURE"]),
            ("bad path", "/items/%zz", {}, 400, "target_percent", []),
        ):
            with self.subTest(name):
                response = self.gateway.request("GET", path, headers)
                self.assert_status(response, status)
                trace = self.gateway.trace(response)
                self.assertEqual(
                    (response.get("x-amzn-RequestId"), status, reason),
                    (trace["requestId"], trace["status"], trace["reason"]),
                )
                text = as_text(trace)
                for item in wanted:
                    self.assertIn(item, text)
                self.assertEqual("allow" if status == 200 else trace["verdict"], trace["verdict"])
                if "Authorization" in headers:
                    self.assert_no_token(text, headers["Authorization"].split(" ")[1], "the trace")
                    self.assertIn(
                        hashlib.sha256(headers["Authorization"].encode()).hexdigest()[:8],
                        text,
                        "joined by the digest's first 8 digits",
                    )

    def test_traces_can_be_filtered(self):
        denied = [self.gateway.get("/door", mint()).get("x-amzn-RequestId") for _ in range(3)]
        missing = [self.gateway.get("/items/1").get("x-amzn-RequestId") for _ in range(3)]
        allowed = self.gateway.get("/items/1", mint()).get("x-amzn-RequestId")

        def ids(query):
            document = self.get("/traces" + query).json()
            return [entry["requestId"] for entry in (document["traces"] if isinstance(document, dict) else document)]

        wait_for(lambda: allowed in ids("?limit=1000"), "the traces to be there")
        self.assertEqual(set(denied), set(ids("?status=403&reason=explicit_deny&limit=3")))
        self.assertEqual(set(missing), set(ids("?reason=identity_missing&limit=3")))
        self.assertEqual(1, len(ids("?limit=1")))
        found = ids("?route=GET%20/items/%7Bid%7D&status=200&limit=1000")
        self.assertIn(allowed, found)
        self.assertFalse(set(found) & set(denied + missing))
        self.assertEqual([], ids("?status=418"))
        self.assertEqual([], ids("?route=GET%20/nothing"))
        for query in ("?status=abc", "?limit=-1", "?limit=x"):
            with self.subTest(query):
                self.assert_status(self.gateway.admin("GET", "/traces" + query), 400)
        self.assert_status(self.gateway.admin("GET", "/traces/00000000-0000-4000-8000-000000000000"), 404)
        self.assertIn(self.gateway.admin("GET", "/traces/nonsense").status, (400, 404))

    def test_no_part_takes_longer_than_the_whole(self):
        gone = self.gateway.get("/items/1", mint(exp=1))
        self.assert_status(gone, 401)
        timings = self.gateway.trace(gone)["timings"]
        self.assertGreater(timings["authorizerMicros"], 0, "the signature was checked")
        self.assertGreaterEqual(timings["totalMicros"], timings["authorizerMicros"])

    def test_explain_asks_a_running_gateway(self):
        response = self.gateway.get("/door", mint())
        done = command("explain", "--trace", response.get("x-amzn-RequestId"), "--admin", self.gateway.admin_url)
        self.assertIn("explicit_deny", done.stdout, done)
        self.assertEqual(3, done.status, done)
        response = self.gateway.get("/items/1", mint())
        done = command("explain", "--trace", response.get("x-amzn-RequestId"), "--admin", self.gateway.admin_url)
        self.assertEqual(0, done.status, done)

    def test_the_dev_header_appears_only_when_asked_for(self):
        self.assertEqual([], self.gateway.get("/items/1").all("x-gatehouse-trace"))


class Access(AdminCase):
    def test_unknown_calls(self):
        for method, path, status in (
            ("GET", "/", 404),
            ("GET", "/nothing", 404),
            ("GET", "/items/1", 404),
            ("POST", "/report", 405),
            ("DELETE", "/cache", 405),
            ("GET", "/traces/", 404),
            ("PUT", "/metrics", 405),
            ("GET", "/../report", 400),
            ("GET", "/health", 404),
        ):
            with self.subTest(method + " " + path):
                response = self.gateway.admin(method, path)
                self.assertIn(response.status, (status, 404, 400) if status != 405 else (405,))

    def test_the_admin_api_is_not_on_the_data_port_nor_the_other_way_round(self):
        for path in (
            "/metrics",
            "/report",
            "/cache",
            "/traces",
            "/health/ready",
            "/restapis/local/stages/prod/cache/authorizers",
        ):
            with self.subTest(path):
                self.assert_status(self.gateway.get(path), 403)
        self.assert_status(self.gateway.admin("GET", "/items/1", bearer(mint())), 404)

    def test_foreign_hosts_are_refused(self):
        # DNS rebinding
        port = self.gateway.admin_address[1]
        for host in (
            "evil.example",
            f"evil.example:{port}",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.7",
            f"192.168.1.1:{port}",
        ):
            for path in ("/report", "/metrics", "/cache", "/traces"):
                with self.subTest(host=host, path=path):
                    self.assertIn(self.gateway.admin("GET", path, host=host).status, (400, 403, 421))
        self.assertIn(
            self.gateway.admin("DELETE", "/restapis/local/stages/prod/cache/authorizers", host="evil.example").status,
            (400, 403, 421),
        )
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", "localhost", "LOCALHOST", f"[::1]:{port}"):
            with self.subTest(host=host):
                self.assert_status(self.gateway.admin("GET", "/report", host=host), 200)

    def test_other_sites_are_refused(self):
        port = self.gateway.admin_address[1]
        flush = "/restapis/local/stages/prod/cache/authorizers"
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": f"http://evil.example:{port}"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "http://127.0.0.1:1"},
        ):
            for method, path in (("GET", "/report"), ("DELETE", flush)):
                with self.subTest(f"{method} {headers}"):
                    response = self.gateway.admin(method, path, headers)
                    self.assert_status(response, 403)
                    self.assertEqual(
                        [], [name for name in response.names() if name.lower().startswith("access-control")]
                    )
        for headers in (
            {"Sec-Fetch-Site": "none"},
            {"Sec-Fetch-Site": "same-origin"},
            {"Origin": f"http://127.0.0.1:{port}"},
        ):
            with self.subTest(f"{headers}"):
                response = self.gateway.admin("GET", "/report", headers)
                self.assert_status(response, 200)
                self.assertEqual([], [name for name in response.names() if name.lower().startswith("access-control")])

    def test_broken_requests_are_refused(self):
        from support.wire import Client

        for name, data in (
            ("garbage", b"\x00\x01\x02\r\n\r\n"),
            (
                "length and chunks",
                b"GET /report HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            ),
            ("no Host", b"GET /report HTTP/1.1\r\n\r\n"),
            ("head too large", build("GET", "/report", {"X-A": "a" * 100000}, host="localhost")),
        ):
            with self.subTest(name):
                with Client(self.gateway.admin_address) as client:
                    client.send(data)
                    response = client.read()
                    if response is not None:
                        self.assertGreaterEqual(response.status, 400)
                    self.assertTrue(client.at_end())
        self.assert_status(self.gateway.admin("GET", "/health/live"), 200)

    def test_a_token_guards_everything_but_health(self):
        gateway = self.start(
            config(
                api(self.routes, authorizers={"jwt": jwt_authorizer(), "deny": jwt_authorizer()}),
                admin={"token": "${GATEHOUSE_ADMIN_TOKEN:-}"},
            ),
            env={"GATEHOUSE_ADMIN_TOKEN": "correct-horse-battery"},
        )
        paths = ("/report", "/metrics", "/cache", "/traces", "/traces/00000000-0000-4000-8000-000000000000", "/nothing")
        for headers in (
            {},
            bearer("wrong"),
            bearer("correct-horse-batter"),
            bearer("correct-horse-battery2"),
            {"Authorization": "correct-horse-battery"},
            {"Authorization": "Basic correct-horse-battery"},
            {"X-Token": "correct-horse-battery"},
            {"Cookie": "token=correct-horse-battery"},
        ):
            for path in paths:
                with self.subTest(f"{path} {headers}"):
                    self.assert_status(gateway.admin("GET", path, headers), 401)
        self.assert_status(gateway.admin("GET", "/report?token=correct-horse-battery"), 401)
        self.assert_status(gateway.admin("DELETE", "/restapis/local/stages/prod/cache/authorizers"), 401)
        for path in ("/report", "/metrics", "/cache", "/traces"):
            self.assert_status(gateway.admin("GET", path, bearer("correct-horse-battery")), 200)
        self.assert_status(
            gateway.admin("DELETE", "/restapis/local/stages/prod/cache/authorizers", bearer("correct-horse-battery")),
            202,
        )
        for path in ("/health/live", "/health/ready"):
            self.assert_status(gateway.admin("GET", path), 200)
        self.assertNotIn(
            "correct-horse",
            gateway.log()
            + "\n".join(gateway.access_log())
            + gateway.admin("GET", "/report", bearer("correct-horse-battery")).text(),
        )

    def test_beyond_loopback_only_with_a_token(self):
        from support.gateway import Folder

        for address, token, starts in (
            ("0.0.0.0", "", False),
            ("::", "", False),
            ("0.0.0.0", "a-long-enough-token", True),
        ):
            with self.subTest(f"{address} {token}"):
                configuration = config(
                    api([mock("GET /x")], authorizers={}), admin={"address": address, "token": token}
                )
                if starts:
                    gateway = Gateway(configuration)
                    self.addCleanup(gateway.stop)
                else:
                    folder = self.using(Folder(configuration))
                    done = command("serve", "-c", folder.config)
                    self.assertEqual(2, done.status, done)
                    self.assertIn("token", done.stderr)


class Logs(GatewayCase):
    def gate(self, **changes):
        self.backend = self.upstream()
        return self.start(config(api([route("GET /items/{id}", f"{self.backend.url}/items")]), **changes))

    def lines(self, gateway, count):
        return wait_for(
            lambda: len(gateway.access_log()) >= count and gateway.access_log(), f"{count} lines of access log", 10
        )

    def test_json_lines(self):
        gateway = self.gate()
        allowed = gateway.get("/items/7?secret=hunter2", mint(), {"User-Agent": "test/1"})
        refused = gateway.get("/items/7")
        lines = self.lines(gateway, 2)
        self.assertEqual(2, len(lines), lines)
        # Two connections, perhaps of two workers, whose lines are written in no order.
        entries = {json.loads(line)["requestId"]: json.loads(line) for line in lines}
        for response in (allowed, refused):
            entry = entries[response.get("x-amzn-RequestId")]
            text = as_text(entry)
            self.assertEqual(str(response.status), str(entry["status"]))
            self.assertEqual(("GET", "/items/{id}"), (entry["httpMethod"], entry["resourcePath"]))
            self.assertIn("127.0.0.1", text)
            self.assertNotIn("hunter2", text, "query values are redacted")
        self.assertEqual("identity_missing", entries[refused.get("x-amzn-RequestId")]["reason"])

    def test_common_log_format(self):
        gateway = self.gate(accessLog={"format": "clf"})
        response = gateway.get("/items/7", mint())
        line = self.lines(gateway, 1)[0]
        self.assertRegex(
            line,
            r'\A127\.0\.0\.1 - (-|auth0\|user123) \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+]0000\] "GET /items/(\{id\}|7) HTTP/1\.1" 200 2 '
            + re.escape(response.get("x-amzn-RequestId")),
        )

    def test_templates(self):
        gateway = self.gate(
            accessLog={
                "format": "$context.requestId|$context.status|$context.httpMethod $context.resourcePath|$context.authorizer.principalId|"
                "$context.error.responseType|$context.identity.sourceIp|$context.identity.user"
            }
        )
        allowed, refused = gateway.get("/items/7", mint(sub="me")), gateway.get("/items/7")
        self.assertCountEqual(
            [
                f"{allowed.get('x-amzn-RequestId')}|200|GET /items/{{id}}|me|-|127.0.0.1|-",
                f"{refused.get('x-amzn-RequestId')}|401|GET /items/{{id}}|-|UNAUTHORIZED|127.0.0.1|-",
            ],
            self.lines(gateway, 2),
        )

    def test_off_and_to_a_file(self):
        gateway = self.gate(accessLog={"format": "off"})
        gateway.get("/items/7", mint())
        gateway.process.stop()
        self.assertEqual([], gateway.access_log())
        from support.gateway import Folder

        folder = self.using(Folder(None))
        target = folder.path / "access.log"
        gateway = self.gate(accessLog={"format": "json", "path": str(target)})
        response = gateway.get("/items/7", mint())
        wait_for(
            lambda: target.exists() and response.get("x-amzn-RequestId") in target.read_text(),
            "the line in the file",
            10,
        )
        self.assertEqual([], gateway.access_log())

    def test_one_line_per_request_whatever_clients_send(self):
        for form in ("json", "clf", "$context.requestId $context.path $context.identity.userAgent $context.httpMethod"):
            with self.subTest(form):
                gateway = self.gate(accessLog={"format": form})
                for headers in (
                    {"User-Agent": 'quote " backslash \\ brace }'},
                    {"User-Agent": "\x1b[31mred"},
                    {"User-Agent": "é"},
                ):
                    gateway.get("/items/a%22b%5b%7d", mint(), headers)
                gateway.get("/items/%0aevil")
                lines = self.lines(gateway, 4)
                self.assertEqual(4, len(lines), lines)
                for line in lines:
                    self.assertNotRegex(line, r"[\x00-\x1f\x7f]")
                    if form == "json":
                        json.loads(line)

    def test_no_token_is_written_anywhere(self):
        # F6: at the most talkative level, through every kind of refusal
        self.backend = self.upstream()
        gateway = self.start(
            config(
                api([route("GET /items/{id}", f"{self.backend.url}/items"), route("GET /down", "http://127.0.0.1:9/")])
            ),
            args=["--log-level", "trace", "--dev"],
        )
        used = [
            mint(),
            mint(exp=1),
            mint(iss="https://evil.example/"),
            mint(header={"kid": "nobody"}),
            mint(ec_key()),
            mint(roles={"a": 1}),
            mint(tenant_id="a\nb"),
            mint()[:-5] + "AAAAA",
            mint(exp=None),
        ]
        responses = []
        for token in used:
            for path, headers in (
                ("/items/1", {"Authorization": f"Bearer {token}"}),
                ("/items/1", {"Authorization": token}),
                ("/unknown", {"Authorization": f"Bearer {token}"}),
                ("/down", {"Authorization": f"Bearer {token}"}),
                ("/items/1", {"Authorization": f"Bearer {token} {token}"}),
                (f"/items/1?access_token={token}", {}),
                ("/items/1", {"Cookie": f"token={token}"}),
                ("/items/1", {"Authorization": f"Bearer {token}\x01"}),
            ):
                responses.append(gateway.request("GET", path, headers))
        outputs = [repr(response.head) + response.text() for response in responses]
        for path in ("/traces?limit=1000", "/cache", "/metrics", "/report"):
            outputs.append(gateway.admin("GET", path).text())
        for response in responses:
            if response.get("x-amzn-RequestId"):
                outputs.append(gateway.admin("GET", "/traces/" + response.get("x-amzn-RequestId")).text())
        gateway.process.stop()
        outputs += [gateway.log(), "\n".join(gateway.access_log())]
        for output in outputs:
            for token in used:
                self.assert_no_token(output, token, "what the gateway wrote")

    def test_no_secret_is_written_anywhere(self):
        # Cookies, query values, keys, the admin token, constants and what the environment filled in.
        self.backend = self.upstream()
        secrets = {
            name: f"sentinel-{name}-0123456789"
            for name in ("cookie", "query", "apikey", "admin", "constant", "uri", "proxy", "body", "flush")
        }
        admin = bearer(secrets["admin"])
        constant = {"integration.request.header.X-Backend-Key": "'${CONSTANT}'"}
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /items/{id}", self.backend.url + "/items?code=${URI}", requestParameters=constant),
                        route("GET /down", "http://127.0.0.1:9/?code=${URI}", "NONE"),
                        route("POST /items/{id}", self.backend.url + "/items", "NONE"),
                    ]
                )
            ),
            args=["--log-level", "trace", "--dev"],
            env={
                "GATEHOUSE_ADMIN_TOKEN": secrets["admin"],
                "CONSTANT": secrets["constant"],
                "URI": secrets["uri"],
            },
        )
        outputs = []
        for path in ("/items/7", "/down", "/nothing", "/items/../x", "/items/%zz"):
            for token in (mint(), None):
                response = gateway.get(
                    f"{path}?key={secrets['query']}",
                    token,
                    {
                        "Cookie": f"session={secrets['cookie']}",
                        "X-Api-Key": secrets["apikey"],
                        "Proxy-Authorization": f"Basic {secrets['proxy']}",
                    },
                )
                if response.status != 200:
                    outputs.append(repr(response.head) + response.text())
        gateway.request("POST", "/items/7", {"Content-Type": "text/plain"}, secrets["body"].encode())
        self.assertIn(secrets["uri"], self.backend.requests[0].target, "the upstream has it")
        gateway.admin("DELETE", f"/restapis/local/stages/prod/cache/authorizers?identity={secrets['flush']}", admin)
        gateway.admin("GET", "/report", bearer(secrets["admin"][:-1]))
        for path in ("/traces?limit=1000", "/cache", "/metrics", "/report"):
            response = gateway.admin("GET", path, admin)
            self.assert_status(response, 200)
            outputs.append(response.text())
        gateway.process.stop()
        outputs += [gateway.log(), "\n".join(gateway.access_log())]
        self.assertGreater(len(outputs[-1]), 1000)
        for output in outputs:
            for name, secret in secrets.items():
                self.assertNotIn(secret, output, f"the {name} in what the gateway wrote")


if __name__ == "__main__":
    unittest.main()
