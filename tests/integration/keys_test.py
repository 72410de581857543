"""Keys and issuers: discovery, rotation, and what happens when the issuer is away or talks nonsense."""

import json
import random
import threading
import time
import unittest
import uuid

from support import tokens
from support.case import GatewayCase, as_text
from support.gateway import api, config, jwt_authorizer, route
from support.issuer import Issuer
from support.oidc import OidcProvider
from support.process import wait_for
from support.tokens import Key, base64url, bearer, ec_key, mint

FAST = {"cooldownInSeconds": 1}


class KeysCase(GatewayCase):
    """One guarded route; ES256 keys, since they are made in no time."""

    def gate(self, issuer=None, jwks=None, ready=True, files=None, **jwt):
        self.backend = self.upstream()
        settings = {"algorithms": ["ES256"], "jwks": FAST | (jwks or {})}
        if issuer:
            settings |= {"issuer": issuer.issuer, "jwksUri": issuer.jwks_uri}
        settings |= jwt
        routes = [route("GET /x", self.backend.url), route("GET /open", self.backend.url, "NONE")]
        return self.start(config(api(routes, authorizers={"jwt": jwt_authorizer(settings)})), ready=ready, files=files)

    def token(self, issuer, key, **claims):
        return mint(key, iss=issuer.issuer, **claims)

    def becomes(self, gateway, make_token, status, what, timeout=15):
        """Polls with tokens never seen before, so that no answer comes from the cache."""
        wait_for(lambda: gateway.get("/x", make_token()).status == status, what, timeout, interval=0.05)


class RealProvider(GatewayCase):
    def test_rotation_with_a_real_openid_provider(self):
        # G1, G8: found by discovery, a rotated key is accepted without restart, a retired one refused after the next fetch
        provider = self.using(OidcProvider())
        backend = self.upstream()
        jwt = {"issuer": provider.issuer, "jwksUri": None, "jwks": {"cooldownInSeconds": 1, "refreshInSeconds": 2}}
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /items", f"{backend.url}/items"),
                        route("GET /scoped", f"{backend.url}/scoped", scopes=["items:read"]),
                        route("GET /write", f"{backend.url}/write", scopes=["items:write"]),
                    ],
                    authorizers={"jwt": jwt_authorizer(jwt)},
                )
            )
        )
        first = provider.token()
        self.assert_status(gateway.get("/items", first), 200)
        request = backend.one()
        self.assertEqual(
            (["machine"], ["acme"], ["admin,user"]),
            tuple(request.all("X-Authorizer-" + name) for name in ("userId", "tenantId", "roles")),
        )
        self.assert_status(gateway.get("/scoped", first), 200)
        self.assert_denied(gateway.get("/write", first))
        self.assert_status(gateway.get("/write", provider.token("items:write")), 200)

        provider.rotate()
        second = provider.token()
        wait_for(lambda: gateway.get("/items", second).status == 200, "the first token with the new kid", 10)
        self.assert_status(gateway.get("/items", first), 200)

        provider.retire()
        wait_for(lambda: gateway.get("/items", first).status == 401, "the retired key's cached token to be refused", 15)
        self.assert_unauthorized(gateway.get("/items", first))
        self.assert_status(gateway.get("/items", second), 200)


class Rotation(KeysCase):
    def test_an_unknown_kid_is_accepted_within_one_fetch(self):
        # G1
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        started = time.monotonic()
        self.assertEqual(1, issuer.jwks_fetches)
        issuer.keys = [ec_key("b"), ec_key("a")]
        wait_for(lambda: time.monotonic() > started + 1.2, "the cooldown to pass", 5)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("b"))), 200)
        self.assertEqual(2, issuer.jwks_fetches)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        self.assertEqual(2, issuer.jwks_fetches)

    def test_random_kids_cost_one_fetch_per_cooldown(self):
        # G2, G3: good tokens keep flowing, good keys stay
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, jwks={"cooldownInSeconds": 2})
        started = time.monotonic()
        random.seed(7)
        with gateway.connect() as bad, gateway.connect() as good:
            for turn in range(400):
                token = mint(ec_key("b").as_(kid=f"random-{random.random()}"), iss=issuer.issuer)
                response = bad.exchange("GET", "/x", bearer(token))
                self.assert_status(response, 401)
                if turn % 20 == 0:
                    self.assert_status(good.exchange("GET", "/x", bearer(self.token(issuer, ec_key("a")))), 200)
        elapsed = time.monotonic() - started
        self.assertLessEqual(issuer.jwks_fetches, 2 + elapsed / 2)
        trace = gateway.trace(response)
        self.assertEqual("token_key_unknown", trace["reason"])
        self.assertIn(
            json.loads(tokens.base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"],
            as_text(trace),
            "F5: the trace names the kid",
        )

    def test_a_fetch_blocks_nobody_who_has_a_key(self):
        # G3: while the fetch for an unknown kid hangs, other requests are served
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, jwks={"timeoutInMillis": 20000})
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        issuer.mode = "stall"
        fetches = issuer.jwks_fetches
        waiting = gateway.connect()
        self.addCleanup(waiting.close)

        def ask():
            waiting.send(
                f"GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token(issuer, ec_key('b'))}\r\n\r\n".encode()
            )

        def fetching():
            if issuer.jwks_fetches > fetches:
                return True
            waiting.sock.settimeout(0.2)
            try:
                self.assert_unauthorized(waiting.read())  # still within the cooldown
                ask()
            except TimeoutError:
                pass
            return False

        ask()
        wait_for(fetching, "a fetch for the unknown kid", 10)
        for _ in range(20):
            self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
            self.assert_status(gateway.get("/open"), 200)
        issuer.keys.append(ec_key("b"))
        issuer.released.set()
        waiting.sock.settimeout(30)
        self.assert_status(waiting.read(), 200)

    def test_keys_are_refreshed_in_the_background(self):
        # G5
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, jwks={"refreshInSeconds": 1})
        self.assertEqual(1, issuer.jwks_fetches, "fetched before anybody asked")
        wait_for(lambda: issuer.jwks_fetches >= 3, "two refreshes", 10)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)

    def test_a_retired_key_and_what_it_verified_are_gone_after_the_next_fetch(self):
        # G6, C16
        issuer = self.using(Issuer(ec_key("a"), ec_key("b")))
        gateway = self.gate(issuer, jwks={"refreshInSeconds": 1})
        cached, kept = self.token(issuer, ec_key("a")), self.token(issuer, ec_key("b"))
        self.assert_status(gateway.get("/x", cached), 200)
        self.assert_status(gateway.get("/x", kept), 200)
        issuer.keys = [ec_key("b")]
        wait_for(lambda: gateway.get("/x", cached).status == 401, "the entry to leave the cache", 10)
        self.assert_unauthorized(gateway.get("/x", self.token(issuer, ec_key("a"))))
        calls = gateway.metrics().total("gatehouse_authorizer_calls_total")
        self.assert_status(gateway.get("/x", kept), 200)
        self.assertEqual(
            calls, gateway.metrics().total("gatehouse_authorizer_calls_total"), "the other key's entry stays"
        )

    def test_a_key_replaced_under_its_kid_takes_over(self):
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, jwks={"refreshInSeconds": 1})
        cached, successor = self.token(issuer, ec_key("a")), Key.ec("a")
        self.assert_status(gateway.get("/x", cached), 200)
        issuer.keys = [successor]
        wait_for(lambda: gateway.get("/x", cached).status == 401, "the old key's entry to leave the cache", 10)
        self.assert_status(gateway.get("/x", self.token(issuer, successor)), 200)


class Away(KeysCase):
    def test_starting_without_the_issuer(self):
        # G6, A13: 503 until it is there, then 200; never an allow, never 401
        issuer = self.using(Issuer(ec_key("a"), listening=False))
        gateway = self.gate(issuer, ready=False)
        for _ in range(3):
            self.assert_unavailable(gateway.get("/x", self.token(issuer, ec_key("a"))))
        self.assert_untouched(self.backend)
        self.assert_unauthorized(gateway.get("/x"))
        self.assert_status(gateway.get("/open"), 200)
        ready = gateway.admin("GET", "/health/ready")
        self.assert_status(ready, 503)
        self.assertIn(issuer.issuer, ready.text(), "readiness says whose keys are missing")
        self.assert_status(gateway.admin("GET", "/health/live"), 200)
        trace = gateway.trace(gateway.get("/x", self.token(issuer, ec_key("a"))))
        self.assertEqual("keys_unavailable", trace["reason"])
        issuer.up()
        self.becomes(gateway, lambda: self.token(issuer, ec_key("a")), 200, "the issuer's keys", 30)
        gateway.wait_ready(10)

    def test_old_keys_serve_up_to_a_bound(self):
        # G6
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, jwks={"refreshInSeconds": 1, "maxStaleInSeconds": 5})
        issuer.down()
        down = time.monotonic()
        while time.monotonic() < down + 2.5:  # past the refresh, within the bound
            self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        self.becomes(gateway, lambda: self.token(issuer, ec_key("a")), 503, "keys to be too old", 15)
        self.assert_unavailable(gateway.get("/x", self.token(issuer, ec_key("a"))))
        self.assert_status(gateway.admin("GET", "/health/ready"), 503)
        issuer.up()
        self.becomes(gateway, lambda: self.token(issuer, ec_key("a")), 200, "the issuer's return", 30)
        gateway.wait_ready(10)

    def test_old_keys_are_told_while_they_serve(self):
        # Who looks at metrics learns that the issuer is away before anybody is refused.
        issuer, other = self.using(Issuer(ec_key("a"))), self.using(Issuer(ec_key("b")))
        backend = self.upstream()
        authorizers = {
            name: jwt_authorizer(
                {"issuer": one.issuer, "jwksUri": one.jwks_uri, "algorithms": ["ES256"], "jwks": {"refreshInSeconds": 1}}
            )
            for name, one in (("first", issuer), ("other", other))
        }
        routes = [route("GET /x", backend.url, "first"), route("GET /other", backend.url, "other")]
        gateway = self.start(config(api(routes, authorizers=authorizers)))

        def state():
            metrics = gateway.metrics()
            (source,) = [
                source
                for source in gateway.admin("GET", "/report").json()["keySources"]
                if source["issuer"] == issuer.issuer
            ]
            return (
                *(int(metrics.total(f"gatehouse_jwks_{name}", issuer=issuer.issuer)) for name in ("stale", "usable")),
                source["stale"],
                bool(source.get("lastError")),
            )

        fresh, stale = (0, 1, False, False), (1, 1, True, True)
        self.assertEqual(fresh, state())
        issuer.down()
        wait_for(lambda: state() == stale, "the keys to be told as old", 15)
        self.assertEqual(0, gateway.metrics().total("gatehouse_jwks_stale", issuer=other.issuer), "the other's are not")
        self.assertGreaterEqual(gateway.metrics().total("gatehouse_jwks_age_seconds", issuer=issuer.issuer), 2)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        self.assert_status(gateway.admin("GET", "/health/ready"), 200)
        issuer.up()
        wait_for(lambda: state() == fresh, "fresh keys", 30)

    def test_nonsense_keeps_the_last_good_keys(self):
        for mode in ("error", "garbage", "html", "empty", "huge", "redirect", "cut"):
            with self.subTest(mode):
                issuer = self.using(Issuer(ec_key("a")))
                issuer.redirect_to = "http://127.0.0.1:9/"
                gateway = self.gate(issuer, jwks={"refreshInSeconds": 1})
                issuer.mode = mode
                fetches = issuer.jwks_fetches
                wait_for(lambda: issuer.jwks_fetches > fetches, "a refresh", 10)
                failures = wait_for(
                    lambda: gateway.metrics().total(r"gatehouse_(jwks|keys?|key_source)_\w*fail\w*"),
                    "a failed fetch to be counted",
                    10,
                )
                self.assertGreaterEqual(failures, 1)
                self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)

    def test_nonsense_from_the_start_is_unavailable(self):
        for mode in ("error", "garbage", "html", "empty", "huge", "redirect", "cut"):
            with self.subTest(mode):
                elsewhere = self.using(Issuer(ec_key("a")))
                issuer = self.using(Issuer(ec_key("a")))
                issuer.redirect_to = elsewhere.jwks_uri
                issuer.mode = mode
                gateway = self.gate(issuer, ready=False)
                self.assert_unavailable(gateway.get("/x", self.token(issuer, ec_key("a"))))
                self.assert_untouched(self.backend)
                self.assertEqual(0, sum(elsewhere.fetches.values()), "a redirect to another origin is not followed")
                issuer.mode = "ok"
                self.becomes(gateway, lambda: self.token(issuer, ec_key("a")), 200, "good keys", 30)

    def test_a_hanging_issuer_delays_nobody_else(self):
        hanging, good = self.using(Issuer(ec_key("a"))), self.using(Issuer(ec_key("b")))
        hanging.mode = "stall"
        backend = self.upstream()
        authorizers = {
            name: jwt_authorizer(
                {
                    "issuer": issuer.issuer,
                    "jwksUri": issuer.jwks_uri,
                    "algorithms": ["ES256"],
                    "jwks": {"timeoutInMillis": 1500},
                }
            )
            for name, issuer in (("hanging", hanging), ("good", good))
        }
        gateway = self.start(
            config(
                api(
                    [route("GET /hanging", backend.url, "hanging"), route("GET /good", backend.url, "good")],
                    authorizers=authorizers,
                )
            ),
            ready=False,
        )
        wait_for(lambda: hanging.jwks_fetches and good.jwks_fetches, "both fetches")
        with gateway.connect() as client:
            client.send(
                f"GET /hanging HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mint(ec_key('a'), iss=hanging.issuer)}\r\n\r\n".encode()
            )
            wait_for(
                lambda: gateway.get("/good", mint(ec_key("b"), iss=good.issuer)).status == 200,
                "the other issuer's keys",
                10,
            )
            self.assert_unavailable(client.read())


class Discovery(KeysCase):
    def gate_by_discovery(self, issuer, **options):
        return self.gate(issuer, jwksUri=None, **options)

    def test_the_location_comes_from_the_document(self):
        # G8
        issuer = self.using(Issuer(ec_key("a"), jwks_path="/somewhere/odd.json"))
        gateway = self.gate_by_discovery(issuer)
        self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"))), 200)
        self.assertEqual({"/.well-known/openid-configuration": 1, "/somewhere/odd.json": 1}, dict(issuer.fetches))
        for headers in issuer.seen_headers:
            self.assertEqual(
                [], [name for name in headers if name.lower() in ("authorization", "cookie", "x-forwarded-for")]
            )

    def test_documents_that_do_not_fit_are_refused(self):
        # G9: the issuer byte for byte, a usable location
        for name, changes in (
            ("issuer without its slash", {"issuer": None}),
            ("another issuer", {"issuer": "https://evil.example/"}),
            ("issuer in capitals", {"issuer": "HTTP://127.0.0.1/"}),
            ("no location", {"jwks_uri": None}),
            ("location of a file", {"jwks_uri": "file:///etc/passwd"}),
            ("location is a number", {"jwks_uri": 1}),
            ("relative location", {"jwks_uri": "/keys/current.json"}),
        ):
            with self.subTest(name):
                issuer = self.using(Issuer(ec_key("a")))
                if name == "issuer without its slash":
                    changes = {"issuer": issuer.issuer.rstrip("/")}
                issuer.discovery_changes = changes
                gateway = self.gate_by_discovery(issuer, ready=False)
                self.assert_unavailable(gateway.get("/x", self.token(issuer, ec_key("a"))))
                self.assertEqual(0, issuer.jwks_fetches)
                self.assert_status(gateway.admin("GET", "/health/ready"), 503)


class KeySets(KeysCase):
    def test_one_bad_key_never_spoils_a_set(self):
        good = ec_key("good")
        small = Key.rsa("small", bits=1024).jwk()
        odd = good.jwk(kid="off-curve", y=base64url(b"\x01" * 32))
        bad = [
            small,
            odd,
            {"kty": "RSA"},
            {"kty": "oct", "k": "AAAA", "kid": "secret"},
            {"kty": "XYZ", "kid": "q"},
            {"kid": 7},
            "key",
            None,
            3,
            [],
            good.jwk(kid="encryption", use="enc"),
            good.jwk(kid="other-alg", alg="ES384"),
            good.jwk(kid="ops", key_ops=["sign"]),
        ]
        issuer = self.using(Issuer(*bad[:6], good.jwk(), *bad[6:]))
        gateway = self.gate(issuer, algorithms=["ES256", "RS256"])
        self.assert_status(gateway.get("/x", self.token(issuer, good)), 200)
        for kid in ("off-curve", "encryption", "other-alg", "ops"):
            with self.subTest(kid):
                self.assert_unauthorized(gateway.get("/x", self.token(issuer, good.as_(kid=kid))))
        self.assert_unauthorized(gateway.get("/x", tokens.hs256(b"\0\0\0", {"iss": issuer.issuer}, kid="secret")))

    def test_two_issuers_with_one_kid_do_not_collide(self):
        # G16
        one, two = self.using(Issuer(Key.ec("same"))), self.using(Issuer(Key.ec("same")))
        backend = self.upstream()
        providers = [
            {
                "issuer": issuer.issuer,
                "audience": [f"api://{number}"],
                "jwksUri": issuer.jwks_uri,
                "algorithms": ["ES256"],
            }
            for number, issuer in enumerate((one, two))
        ]
        gateway = self.start(
            config(
                api(
                    [route("GET /x", backend.url)],
                    authorizers={
                        "jwt": {"type": "TOKEN", "authorizerUri": "gatehouse:jwt", "jwt": {"providers": providers}}
                    },
                )
            )
        )
        for name, issuer, key, audience, status in (
            ("first", one, one.keys[0], "api://0", 200),
            ("second", two, two.keys[0], "api://1", 200),
            ("first with the second's key", one, two.keys[0], "api://0", 401),
            ("second with the first's key", two, one.keys[0], "api://1", 401),
            ("first with the second's audience", one, one.keys[0], "api://1", 401),
        ):
            with self.subTest(name):
                self.assert_status(gateway.get("/x", mint(key, iss=issuer.issuer, aud=audience)), status)

    def test_every_family_of_algorithms(self):
        # G15
        keys = [tokens.rsa_key("r"), tokens.rsa_key("p").as_("PS256"), ec_key("e"), Key.ed("d")]
        issuer = self.using(Issuer(*keys))
        gateway = self.gate(issuer, algorithms=["RS256", "PS256", "ES256", "EdDSA"])
        for key in keys:
            with self.subTest(key.alg):
                self.assert_status(gateway.get("/x", self.token(issuer, key)), 200)
                token = self.token(issuer, key)
                self.assert_unauthorized(
                    gateway.get("/x", token[:-6] + ("AAAAAA" if token[-6:] != "AAAAAA" else "BBBBBB"))
                )
        self.assert_unauthorized(gateway.get("/x", self.token(issuer, keys[0].as_("PS256"))))
        self.assert_unauthorized(gateway.get("/x", self.token(issuer, keys[1].as_("RS256"))))

    def test_tokens_without_a_kid_need_the_switch_and_exactly_one_key(self):
        # G13
        for name, keys, status in (
            ("one key that fits", [ec_key("a")], 200),
            ("two that fit", [ec_key("a"), ec_key("b")], 401),
            ("one of each kind", [ec_key("a"), tokens.rsa_key()], 200),
        ):
            with self.subTest(name):
                issuer = self.using(Issuer(*keys))
                gateway = self.gate(issuer, requireKeyId=False, algorithms=["ES256", "RS256"])
                self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"), header={"kid": None})), status)

    def test_leeway_and_optional_expiry(self):
        # G14
        issuer = self.using(Issuer(ec_key("a")))
        gateway = self.gate(issuer, clockSkewInSeconds=60, requireExpiration=False)
        now = time.time()
        for name, claims, status in (
            ("just expired", {"exp": now - 30}, 200),
            ("long expired", {"exp": now - 90}, 401),
            ("soon valid", {"nbf": now + 30}, 200),
            ("much later valid", {"nbf": now + 90}, 401),
            ("never expires", {"exp": None}, 200),
        ):
            with self.subTest(name):
                self.assert_status(gateway.get("/x", self.token(issuer, ec_key("a"), **claims)), status)

    def test_key_files(self):
        # G7: a file beside the configuration, read again at each refresh
        gateway = self.gate(jwks={"refreshInSeconds": 1}, files={"jwks.json": tokens.jwks(ec_key("a"))})
        self.assert_status(gateway.get("/x", mint(ec_key("a"))), 200)
        self.assert_unauthorized(gateway.get("/x", mint(ec_key("b"))))
        gateway.folder.write("jwks.json", tokens.jwks(ec_key("b")))
        self.becomes(gateway, lambda: mint(ec_key("b")), 200, "the file's new key", 10)
        self.assert_unauthorized(gateway.get("/x", mint(ec_key("a"))))
        gateway.folder.write("jwks.json", b"not a key set")
        self.assert_status(gateway.get("/x", mint(ec_key("b"))), 200)


class Together(KeysCase):
    def test_rotation_under_fire(self):
        # G4: rotation and random kids at once, for the sanitizers' sake
        keys = [Key.ec(f"k{number}") for number in range(6)]
        issuer = self.using(Issuer(keys[0]))
        gateway = self.gate(issuer, jwks={"refreshInSeconds": 1})
        stop, failures = threading.Event(), []

        def attack():
            try:
                with gateway.connect() as client:
                    while not stop.is_set():
                        token = mint(keys[0].as_(kid=str(uuid.uuid4())), iss=issuer.issuer)
                        response = client.exchange("GET", "/x", bearer(token))
                        if response.status != 401:
                            failures.append(response)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=attack) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for key in keys[1:]:
                issuer.keys = [key, *issuer.keys]
                self.becomes(gateway, lambda key=key: self.token(issuer, key), 200, f"key {key.kid}", 10)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual([], failures)


if __name__ == "__main__":
    unittest.main()
