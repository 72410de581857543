"""The policy cache: what is reused, for whom, for how long, and how it is dropped.

Hits are told from misses from outside: with limitToExpiration off a token that has expired meanwhile passes only out of the cache."""

import hashlib
import os
import shutil
import threading
import time
import unittest

from support import tokens
from support.case import IMPLICIT_DENY, GatewayCase, as_text
from support.gateway import api, config, jwt_authorizer, route
from support.issuer import Issuer
from support.process import run, wait_for
from support.tokens import bearer, ec_key, mint, rsa_key
from support.upstream import Upstream

LIFE = 3.0  # seconds: long enough to be used once on a slow machine, short enough to wait for


def authorizer(jwt=None, **changes):
    """One whose entries outlive the token."""
    return jwt_authorizer(jwt, **({"limitToExpiration": False} | changes))


def cache_use(trace):
    """How the cache took part in a traced decision: hit, miss, joined, off, …"""
    for step in trace["steps"]:
        if step["step"] == "cache":
            return step["result"]
    return None


def identity(token):
    return hashlib.sha256(f"Bearer {token}".encode()).hexdigest()


class Hits(GatewayCase):
    """Every token is used once while it is good, and again when it has expired."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream())
        to = cls.backend.url
        narrow = {
            "statements": [
                {
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": ["${stageArn}/GET/a", "${stageArn}/POST/a"],
                }
            ]
        }
        routes = [
            route("ANY /a", f"{to}/a"),
            route("GET /b", f"{to}/b"),
            route("GET /scoped", f"{to}/scoped", scopes=["read"]),
            route("GET /narrow/a", f"{to}/n", "narrow"),
            route("GET /a/other", f"{to}/o", "other"),
        ]
        apis = [
            api(routes, authorizers={"jwt": authorizer(), "other": authorizer(), "narrow": authorizer(narrow)}),
            api(
                [route("GET /a", f"{to}/a")],
                name="two",
                basePath="/two",
                stageName="dev",
                authorizers={"jwt": authorizer()},
            ),
            api(
                [route("GET /a", f"{to}/a")],
                name="three",
                basePath="/three",
                apiId="third",
                authorizers={"jwt": authorizer()},
            ),
            api(
                [route("ANY /a", f"{to}/a", "narrow"), route("GET /b", f"{to}/b", "narrow")],
                name="narrow",
                basePath="/narrow",
                apiId="narrow",
                authorizers={"narrow": authorizer(narrow)},
            ),
            api(
                [
                    route("GET /bound", f"{to}/x", "bound"),
                    route("GET /off", f"{to}/x", "off"),
                    route("GET /short", f"{to}/x", "short"),
                ],
                name="times",
                basePath="/times",
                apiId="times",
                authorizers={
                    "bound": jwt_authorizer(),
                    "off": authorizer(authorizerResultTtlInSeconds=0),
                    "short": authorizer(authorizerResultTtlInSeconds=1),
                },
            ),
            api(
                [route("GET /a", f"{to}/a"), route("GET /b", f"{to}/b", "second")],
                name="flushed",
                basePath="/flushed",
                apiId="flushed",
                authorizers={"jwt": authorizer(), "second": authorizer()},
            ),
            api(
                [route("GET /a", f"{to}/a")],
                name="flushed-dev",
                basePath="/flushed-dev",
                apiId="flushed",
                stageName="dev",
                authorizers={"jwt": authorizer()},
            ),
        ]
        cls.gateway = cls.share_gateway(config(*apis))
        cls.tokens = {}
        cls.first_headers = {}
        cls.end = time.time() + LIFE
        for name, path in (
            ("c1", "/a"),
            ("c1-method", "/narrow/a"),
            ("c2", "/a"),
            ("c6", "/a"),
            ("c8", "/a"),
            ("scoped", "/a"),
            ("bound", "/times/bound"),
            ("off", "/times/off"),
            ("short", "/times/short"),
            ("byte", "/a"),
            ("one", "/flushed/a"),
            ("two", "/flushed/a"),
            ("second", "/flushed/b"),
            ("dev", "/flushed-dev/a"),
            ("aws", "/flushed/a"),
        ):
            token = mint(exp=cls.end, tenant_id="tenant-" + name, scope="write")
            cls.tokens[name] = token
            cls.backend.clear()
            response = cls.gateway.get(path, token)
            if response.status != 200:
                raise AssertionError(f"{name}: {response!r}\n{cls.gateway.report()}")
            cls.first_headers[name] = [
                pair for pair in cls.backend.one().fields if pair[0].lower().startswith("x-authorizer")
            ]
        wait_for(lambda: time.time() > cls.end, "the tokens to expire")

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def get(self, path, name, **options):
        return self.gateway.get(path, self.tokens[name], **options)

    def test_the_policy_is_cached_and_judged_anew_for_each_method(self):
        # C1, B3: never the verdict
        self.assert_status(self.get("/a", "c1"), 200)
        self.assert_status(self.get("/b", "c1"), 200)
        self.assert_status(self.get("/narrow/a", "c1-method"), 200)
        self.assert_status(self.gateway.request("POST", "/narrow/a", bearer(self.tokens["c1-method"]), b"x"), 200)
        self.assert_denied(self.get("/narrow/b", "c1-method"))
        self.assert_denied(self.gateway.request("DELETE", "/narrow/a", bearer(self.tokens["c1-method"])))
        self.assert_status(self.get("/narrow/a", "c1-method"), 200)

    def test_entries_are_not_shared(self):
        # C2: between stages, APIs, authorizers; and the whole identity value is the key
        for name, path in (
            ("another stage", "/two/a"),
            ("another API", "/three/a"),
            ("another authorizer", "/a/other"),
        ):
            with self.subTest(name):
                self.assert_unauthorized(self.get(path, "c2"))
        token = self.tokens["byte"]
        for name, value in (
            ("lower-case scheme", f"bearer {token}"),
            ("two blanks", f"Bearer  {token}"),
            ("one byte less", f"Bearer {token[:-1]}"),
            ("one byte more", f"Bearer {token}A"),
            ("without the scheme", token),
        ):
            with self.subTest(name):
                self.assert_unauthorized(self.gateway.request("GET", "/a", {"Authorization": value}))
        self.assert_status(self.get("/a", "c2"), 200)
        self.assert_status(self.get("/a", "byte"), 200)

    def test_a_hit_passes_the_same_context_on(self):
        # C6
        self.assert_status(self.get("/a", "c6"), 200)
        again = [pair for pair in self.backend.one().fields if pair[0].lower().startswith("x-authorizer")]
        self.assertEqual(self.first_headers["c6"], again)
        self.assertIn(("X-Authorizer-tenantId", "tenant-c6"), again)

    def test_scopes_are_judged_on_hits_too(self):
        # A16
        self.assert_denied(self.get("/scoped", "scoped"))
        self.assert_untouched(self.backend)

    def test_entries_end(self):
        # C5, C14
        for name in ("bound", "off", "short"):
            with self.subTest(name):
                self.assert_unauthorized(self.get(f"/times/{name}", name))

    def test_hits_are_visible(self):
        # C8, C10: one authorizer call for many methods, and each request says how the cache took part
        before = self.gateway.metrics().total("gatehouse_authorizer_calls_total")
        for method in ("GET", "PUT", "DELETE", "PATCH"):
            response = self.gateway.request(method, "/a", bearer(self.tokens["c8"]))
            self.assert_status(response, 200)
            trace = self.gateway.trace(response)
            self.assertEqual("hit", cache_use(trace), trace)
        self.assertEqual(before, self.gateway.metrics().total("gatehouse_authorizer_calls_total"))
        step = [step for step in trace["steps"] if step["step"] == "cache"][0]
        text = as_text(step)
        self.assertRegex(text.lower(), r"age")
        self.assertRegex(text.lower(), r"left|remain")

    def test_flushing_drops_what_is_named_and_nothing_else(self):
        # C13
        def states():
            return [
                self.get(path, name).status
                for name, path in (
                    ("one", "/flushed/a"),
                    ("two", "/flushed/a"),
                    ("second", "/flushed/b"),
                    ("dev", "/flushed-dev/a"),
                    ("aws", "/flushed/a"),
                    ("c1", "/a"),
                )
            ]

        base = "/restapis/flushed/stages/prod/cache/authorizers"
        self.assertEqual([200] * 6, states())
        for name, path, want in (
            ("one identity", f"{base}?identity={identity(self.tokens['one'])}", [401, 200, 200, 200, 200, 200]),
            (
                "one identity of one authorizer",
                f"{base}/jwt?identity={identity(self.tokens['two'])}",
                [401, 401, 200, 200, 200, 200],
            ),
            ("one authorizer", f"{base}/second", [401, 401, 401, 200, 200, 200]),
        ):
            with self.subTest(name):
                response = self.gateway.admin("DELETE", path)
                self.assertEqual((202, b""), (response.status, response.body))
                self.assertEqual(want, states())
        for name, path, status in (
            ("unknown API", "/restapis/none/stages/prod/cache/authorizers", 404),
            ("unknown stage", "/restapis/flushed/stages/none/cache/authorizers", 404),
            ("unknown authorizer", f"{base}/none", 404),
            ("identity that is no SHA-256", f"{base}?identity=abc", 400),
        ):
            with self.subTest(name):
                self.assert_status(self.gateway.admin("DELETE", path), status)
        self.assert_status(self.gateway.admin("GET", base), 405)
        self.assertEqual([401, 401, 401, 200, 200, 200], states())
        with self.subTest("by the AWS CLI"):
            aws = shutil.which("aws")
            self.assertIsNotNone(aws, "awscli is not installed")
            environment = {
                name: value
                for name, value in os.environ.items()
                if not name.startswith("AWS_") and "proxy" not in name.lower()
            }
            environment |= {
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_MAX_ATTEMPTS": "1",
            }
            for call, stage, want in (
                (("apigateway", "flush-stage-authorizers-cache", "--rest-api-id"), "prod", [401, 401, 401, 200, 401, 200]),
                (("apigatewayv2", "reset-authorizers-cache", "--api-id"), "dev", [401, 401, 401, 401, 401, 200]),
            ):
                done = run(
                    [aws, *call, "flushed", "--stage-name", stage, "--endpoint-url", self.gateway.admin_url],
                    env=environment,
                    timeout=60,
                )
                self.assertEqual(0, done.status, done)
                self.assertEqual(want, states())


class Misses(GatewayCase):
    def test_refusals_are_not_cached(self):
        # C7: a token that becomes good is accepted
        backend = self.upstream()
        issuer = self.using(Issuer(ec_key("first")))
        jwt = {"jwksUri": issuer.jwks_uri, "algorithms": ["ES256"], "jwks": {"cooldownInSeconds": 1}}
        gateway = self.start(config(api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})))
        early = mint(ec_key("first"), nbf=time.time() + 1.5)
        unknown = mint(ec_key("second"))
        self.assert_unauthorized(gateway.get("/a", early))
        self.assert_unauthorized(gateway.get("/a", unknown))
        self.assert_untouched(backend)
        issuer.keys.append(ec_key("second"))
        wait_for(lambda: gateway.get("/a", early).status == 200, "nbf to be reached", 10)
        wait_for(lambda: gateway.get("/a", unknown).status == 200, "the new key to be fetched", 10)

    def test_no_cache_at_all_with_a_ttl_of_0(self):
        # C5
        backend = self.upstream()
        gateway = self.start(
            config(
                api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer(authorizerResultTtlInSeconds=0)})
            )
        )
        token = mint()
        for _ in range(5):
            self.assert_status(gateway.get("/a", token), 200)
        self.assertEqual(5, gateway.metrics().total("gatehouse_authorizer_calls_total"))
        self.assertEqual([], gateway.cache_entries())

    def test_a_hundred_first_requests_make_one_call(self):
        # C12: all of them wait for the same key fetch, then share one verification
        backend = self.upstream()
        issuer = self.using(Issuer(rsa_key()))
        issuer.mode = "stall"
        jwt = {"jwksUri": issuer.jwks_uri, "jwks": {"timeoutInMillis": 20000}}
        gateway = self.start(
            config(api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})), ready=False
        )
        token = mint()
        clients = [gateway.connect() for _ in range(100)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(f"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        wait_for(lambda: issuer.jwks_fetches == 1, "the key fetch")
        self.assert_untouched(backend)
        clients[7].reset()  # one that leaves never cancels the call for the others
        issuer.released.set()
        for number, client in enumerate(clients):
            if number != 7:
                self.assert_status(client.read(), 200)
        self.assertEqual(1, gateway.metrics().total("gatehouse_authorizer_calls_total"))
        self.assertEqual(1, issuer.jwks_fetches)
        self.assertEqual(1, len(gateway.cache_entries()))

    def test_a_refusal_is_shared_by_those_who_wait_too(self):
        backend = self.upstream()
        issuer = self.using(Issuer(rsa_key()))
        issuer.mode = "stall"
        jwt = {"jwksUri": issuer.jwks_uri, "jwks": {"timeoutInMillis": 20000}}
        gateway = self.start(
            config(api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})), ready=False
        )
        token = mint(tokens.Key.rsa("key-1"))
        clients = [gateway.connect() for _ in range(20)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(f"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        wait_for(lambda: issuer.jwks_fetches == 1, "the key fetch")
        issuer.released.set()
        for client in clients:
            self.assert_unauthorized(client.read())
        self.assert_untouched(backend)
        self.assertEqual(1, gateway.metrics().total("gatehouse_authorizer_calls_total"))

    def test_a_flush_while_a_call_is_under_way_answers_and_stores_nothing(self):
        backend = self.upstream()
        issuer = self.using(Issuer(rsa_key()))
        issuer.mode = "stall"
        jwt = {"jwksUri": issuer.jwks_uri, "jwks": {"timeoutInMillis": 20000}}
        gateway = self.start(
            config(api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})), ready=False
        )
        with gateway.connect() as client:
            client.send(f"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mint()}\r\n\r\n".encode())
            wait_for(lambda: issuer.jwks_fetches == 1, "the key fetch")
            # The request has surely been taken up once a later one on the same worker set was answered.
            for _ in range(4):
                self.assert_status(gateway.get("/unknown"), 403)
            self.assert_status(gateway.admin("DELETE", "/restapis/local/stages/prod/cache/authorizers"), 202)
            issuer.released.set()
            self.assert_status(client.read(), 200)
        self.assertEqual([], gateway.cache_entries())

    def test_bad_tokens_do_not_fill_the_cache(self):
        # C11, in small
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [route("GET /a", backend.url)],
                    authorizers={"jwt": jwt_authorizer({"algorithms": ["RS256", "ES256"]})},
                )
            )
        )
        stranger = ec_key("stranger").as_(kid="ec-1")
        with gateway.connect() as client:
            for number in range(300):
                self.assert_status(client.exchange("GET", "/a", {"Authorization": f"Bearer x{number}.y.z"}), 401)
                self.assert_status(client.exchange("GET", "/a", bearer(mint(stranger))), 401)
            for _ in range(50):
                self.assert_status(client.exchange("GET", "/a", bearer(mint(ec_key()))), 200)
        self.assert_status(gateway.get("/a", mint(ec_key())), 200)
        granted = [entry for entry in gateway.cache_entries() if entry.get("policy")]
        self.assertEqual(51, len(granted))

    def test_bad_tokens_never_hide_a_good_one(self):
        # The remembered refusal of one value says nothing of another.
        backend = self.upstream()
        gateway = self.start(config(api([route("GET /a", backend.url)])))
        good = mint()
        bad = good[:-8] + ("A" * 8)
        for _ in range(3):
            self.assert_unauthorized(gateway.get("/a", bad))
            self.assert_status(gateway.get("/a", good), 200)


class Trap(GatewayCase):
    def test_a_policy_narrower_than_its_routes_earns_one_warning(self):
        # C9, C1: the best known trap of the service, reproduced and explained
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [route("GET /a", f"{backend.url}/a"), route("GET /b", f"{backend.url}/b")],
                    authorizers={"jwt": jwt_authorizer({"resource": "method"})},
                )
            )
        )
        token = mint()
        self.assert_status(gateway.get("/a", token), 200)
        response = gateway.get("/b", token)
        self.assert_denied(response, IMPLICIT_DENY)
        trace = gateway.trace(response)
        self.assertEqual("hit", cache_use(trace), trace)
        self.assertIn(
            "arn:aws:execute-api:us-east-1:123456789012:local/prod/GET/a",
            as_text(trace),
            "the ARN that the policy was issued for",
        )
        other = mint()
        self.assert_status(gateway.get("/b", other), 200)
        self.assert_denied(gateway.get("/a", other))
        self.assert_status(gateway.get("/a", mint()), 200)
        lines = gateway.log().splitlines()
        warnings = [number for number, line in enumerate(lines) if "warning" in line and "jwt" in line]
        start = next(number for number, line in enumerate(lines) if "listening on" in line)
        self.assertLessEqual(
            len([number for number in warnings if number < start]), 1, "the check at load may say it too"
        )
        self.assertEqual(1, len([number for number in warnings if number > start]), lines)
        self.assertRegex(lines[warnings[-1]], r"GET /[ab]")
        self.assertEqual(1, len([request for request in backend.requests if request.target == "/b"]))

    def test_no_warning_where_nothing_can_break(self):
        backend = self.upstream()
        for name, routes, settings in (
            ("one route", ["GET /a"], {"jwt": {"resource": "method"}}),
            ("no cache", ["GET /a", "GET /b"], {"jwt": {"resource": "method"}, "ttl": 0}),
            ("whole stage", ["GET /a", "GET /b"], {"jwt": {}}),
        ):
            with self.subTest(name):
                changes = {"authorizerResultTtlInSeconds": settings["ttl"]} if "ttl" in settings else {}
                gateway = self.start(
                    config(
                        api(
                            [route(key, backend.url) for key in routes],
                            authorizers={"jwt": jwt_authorizer(settings["jwt"], **changes)},
                        )
                    )
                )
                token = mint()
                for key in routes:
                    self.assert_status(gateway.get(key.split(" ")[1], token), 200)
                self.assertEqual([], [line for line in gateway.log().splitlines() if "warn" in line.lower()])


class Load(GatewayCase):
    def test_one_token_on_many_connections_is_verified_once(self):
        # C8, H2
        backend = self.upstream()
        gateway = self.start(config(api([route("GET /{proxy+}", backend.url + "/{proxy}")])))
        token = mint()
        self.assert_status(gateway.get("/warm", token), 200)
        failures = []

        def worker(number):
            try:
                with gateway.connect() as client:
                    for turn in range(25):
                        response = client.exchange("GET", f"/{number}/{turn}", bearer(token))
                        if response.status != 200:
                            failures.append(response)
            except Exception as error:  # shown below, by the test's own thread
                failures.append(error)

        threads = [threading.Thread(target=worker, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual(1, gateway.metrics().total("gatehouse_authorizer_calls_total"))
        self.assertEqual(201, len(backend.requests))


if __name__ == "__main__":
    unittest.main()
