"""A wall clock that is set while the gateway runs: what is said in dates follows it, and nothing else does.

Debian's libfaketime stands between the program and the C library's wall clock; its steady clock goes on as it was."""

import glob
import threading
import time
import unittest

from support.case import UNAUTHORIZED, GatewayCase
from support.gateway import api, binary, config, jwt_authorizer, mock, route
from support.issuer import Issuer
from support.process import run
from support.tokens import ISSUER, mint, rsa_key
from support.upstream import Upstream, answer

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
KEY = "value-of-the-only-key"


def libfaketime():
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
    if not found:
        raise AssertionError("libfaketime is missing (Debian's package faketime)")
    return found[0]


class Clock(GatewayCase):
    def setUp(self):
        super().setUp()
        linked = run(["ldd", str(binary())]).stdout
        if "libasan" in linked or "libtsan" in linked:
            self.skipTest("a sanitizer must be loaded first")
        self.backend = self.upstream()

    def gate(self, routes=None, authorizer=None, **changes):
        routes = routes or [route("GET /a", f"{self.backend.url}/a")]
        return self.start(
            config(api(routes, authorizers={"jwt": authorizer or jwt_authorizer()}), threads=1, **changes),
            files={"clock": "+0"},
            env={
                "LD_PRELOAD": libfaketime(),
                "FAKETIME_TIMESTAMP_FILE": "clock",
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            },
        )

    def set_clock(self, gateway, seconds):
        gateway.folder.write("clock", f"{seconds:+d}")

    def cache_use(self, gateway, response):
        return next(step["result"] for step in gateway.trace(response)["steps"] if step["step"] == "cache")

    def test_claims_are_judged_by_the_time_it_is(self):
        gateway = self.gate()
        now = int(time.time())
        hour, ahead, lasting = mint(), mint(nbf=now), mint(exp=now + 10 * YEAR)
        rows = (
            # clock, an hour's token, one with nbf, one for ten years
            (0, 200, 200, 200),
            (2 * HOUR, 401, 401, 200),
            (0, 200, 200, 200),
            (-2 * HOUR, 200, 401, 200),
            (0, 200, 200, 200),
            (11 * YEAR, 401, 401, 401),
            (-20 * YEAR, 200, 401, 200),
            (0, 200, 200, 200),
        )
        for clock, *wanted in rows:
            self.set_clock(gateway, clock)
            for token, status in zip((hour, ahead, lasting), wanted):
                with self.subTest(clock=clock, status=status):
                    response = gateway.get("/a", token)
                    self.assert_status(response, status)
                    if status == 401:
                        self.assertEqual(UNAUTHORIZED, response.body)

    def test_entries_live_as_long_as_they_would_have(self):
        gateway = self.gate()
        token = mint(exp=int(time.time()) + 10 * YEAR)
        self.assertEqual("miss", self.cache_use(gateway, gateway.get("/a", token)))
        for clock in (DAY, -DAY, YEAR, 0):
            self.set_clock(gateway, clock)
            with self.subTest(clock=clock):
                response = gateway.get("/a", token)
                self.assert_status(response, 200)
                self.assertEqual("hit", self.cache_use(gateway, response))

    def test_keys_grow_no_older(self):
        issuer = self.using(Issuer(rsa_key("served"), issuer=ISSUER))
        gateway = self.gate(authorizer=jwt_authorizer({"jwksUri": issuer.jwks_uri}))
        lasting = {"exp": int(time.time()) + 10 * YEAR, "iat": None}
        self.assert_status(gateway.get("/a", mint(rsa_key("served"), **lasting)), 200)
        fetches = issuer.jwks_fetches
        for reachable in (True, False):
            if not reachable:
                issuer.down()
            for clock in (DAY, -DAY, YEAR):
                self.set_clock(gateway, clock)
                with self.subTest(clock=clock, reachable=reachable):
                    self.assert_status(gateway.get("/a", mint(rsa_key("served"), **lasting)), 200)
        self.assertEqual(fetches, issuer.jwks_fetches)

    def test_nothing_under_way_is_given_up(self):
        released = threading.Event()

        def respond(request):
            released.wait(60)
            return answer(b"late")

        backend = self.using(Upstream(respond=respond))
        gateway = self.gate([route("GET /a", f"{backend.url}/a", "NONE"), mock("GET /b")])
        with gateway.connect() as idle:
            self.assert_status(idle.exchange("GET", "/b"), 200)
            waiting = self.begin(gateway, "/a", {})
            backend.wait_requests(1)
            for clock in (DAY, -DAY):
                self.set_clock(gateway, clock)
                self.assert_status(gateway.get("/b"), 200)
            self.assert_waiting([waiting])
            self.assert_status(idle.exchange("GET", "/b"), 200)
            released.set()
            response = waiting.read()
            self.assert_status(response, 200)
            self.assertEqual(b"late", response.body)

    def test_quotas_follow_the_calendar_and_throttles_do_not(self):
        rows = (
            (
                {"quota": {"limit": 2, "period": "DAY"}},
                (
                    (0, [200, 200, 429]),
                    (DAY, [200, 200, 429]),  # a new day's
                    (0, [429]),  # set back: nothing is given twice
                    (DAY, [429]),
                    (2 * DAY, [200, 200, 429]),
                ),
            ),
            (
                {"throttle": {"rateLimit": 0, "burstLimit": 2}},  # no clock fills it
                ((0, [200]), (DAY, [200, 429]), (-DAY, [429]), (YEAR, [429]), (0, [429])),
            ),
        )
        for limit, steps in rows:
            plan = {"id": "gold", "keys": ["k1"], "apiStages": [{"apiId": "local", "stage": "prod"}]} | limit
            gateway = self.gate(
                [mock("GET /a") | {"apiKeyRequired": True}],
                apiKeys=[{"id": "k1", "value": KEY}],
                usagePlans=[plan],
            )
            for clock, wanted in steps:
                self.set_clock(gateway, clock)
                with self.subTest(limit=limit, clock=clock):
                    self.assertEqual(wanted, [gateway.get("/a", headers={"x-api-key": KEY}).status for _ in wanted])


if __name__ == "__main__":
    unittest.main()
