"""Several gateways around one real Redis: results, flushes and quotas shared; its silence, death and return."""

import concurrent.futures
import hashlib
import json
import re
import socket
import threading
import time
import unittest

from introspection_test import Endpoint, authorizer
from support.case import GatewayCase, as_text
from support.endpoint import InvokeEndpoint
from support.gateway import Folder, api, command, config, jwt_authorizer, mock, route
from support.process import wait_for
from support.redis import Redis
from support.tokens import mint

SECRET = "0123456789abcdef0123456789abcdef"
KEY = "value-of-the-first-key"
TOKEN = "opaque-token-that-nobody-may-read"
FLUSH = "/restapis/local/stages/prod/cache/authorizers"


class SharedCase(GatewayCase):
    def setUp(self):
        super().setUp()
        self.endpoint = self.using(Endpoint())
        self.endpoint.answer = {"active": True, "sub": "subject-of-the-token", "scope": "read", "tenant_id": "tenant-acme"}

    def redis(self, *options, **settings):
        return self.using(Redis(*options, **settings))

    def document(self, redis, ttl=300, quota=None, routes=(), authorizers=None, secret=SECRET, timeout=2000, **top):
        keyed = mock("GET /keyed") | {"apiKeyRequired": True}
        authorizers = {"opaque": authorizer(self.endpoint.url, ttl=ttl, context={"tenant": {"claim": "tenant_id"}})} | (
            authorizers or {}
        )
        return config(
            api([mock("GET /a", "opaque"), keyed, *routes], authorizers=authorizers),
            shared={"redis": redis.url, "secret": secret, "timeoutInMillis": timeout},
            apiKeys=[{"id": "partner-of-ours", "value": KEY}],
            usagePlans=[
                {"id": "plan-of-gold", "keys": ["partner-of-ours"], "apiStages": [{"apiId": "local", "stage": "prod"}]}
                | ({"quota": {"limit": quota, "period": "MONTH"}} if quota else {})
            ],
            **top,
        )

    def replica(self, redis, up=True, **changes):
        gateway = self.start(self.document(redis, **changes))
        if up:
            self.wait_up(gateway)
        return gateway

    def is_up(self, gateway):
        return gateway.metrics().total("gatehouse_shared_up") == 1

    def wait_up(self, gateway):
        wait_for(lambda: self.is_up(gateway), "the gateway to share", interval=0.05)

    def wait_away(self, gateway):
        wait_for(lambda: not self.is_up(gateway), "the gateway to see that Redis is away", interval=0.05)

    def ask(self, gateway, token=TOKEN, path="/a"):
        response = gateway.get(path, token)
        self.assert_status(response, 200)
        return response

    def calls_of(self, redis, name):
        """How often it was sent that command."""
        found = re.search(rf"cmdstat_{name}:calls=(\d+)", redis.command("INFO", "commandstats").decode())
        return int(found.group(1)) if found else 0

    def share(self, redis, gateway, token=TOKEN, path="/a"):
        """A miss whose result is there for others once this is over."""
        before = self.calls_of(redis, "set")
        response = self.ask(gateway, token, path)
        wait_for(lambda: self.calls_of(redis, "set") > before, "the entry in Redis")
        return response

    def cache_step(self, gateway, response):
        return next(step for step in gateway.trace(response)["steps"] if step["step"] == "cache")

    def asked(self):
        return len(self.endpoint.asked)

    def lookups(self, gateway, result):
        return gateway.metrics().total("gatehouse_shared_lookups_total", result=result)

    def warnings(self, gateway):
        answer = gateway.admin("GET", "/health/ready")
        self.assert_status(answer, 200)
        return answer.json().get("warnings", [])


class Results(SharedCase):
    def test_a_second_replica_asks_nobody(self):
        redis = self.redis()
        first, second = self.replica(redis), self.replica(redis)
        missed = self.share(redis, first)
        self.assertEqual({"result": "miss", "sharedCache": "miss"}, self.seen(first, missed))
        self.assertEqual(1, self.asked())
        found = self.ask(second)
        self.assertEqual({"result": "miss", "sharedCache": "hit"}, self.seen(second, found))
        self.assertEqual(1, self.asked())
        self.assertEqual({"result": "hit"}, self.seen(second, self.ask(second)))
        self.assertEqual((1, 0, 0), tuple(self.lookups(second, result) for result in ("hit", "miss", "bad")))
        self.assertEqual(0, second.metrics().total("gatehouse_authorizer_calls_total"))
        self.assertEqual(1, second.metrics().total("gatehouse_shared_lookup_duration_seconds_count"))
        entry, = second.cache_entries()
        self.assertEqual("subject-of-the-token", entry["principalId"])
        self.assertLessEqual(entry["remainingInSeconds"], first.cache_entries()[0]["remainingInSeconds"] + 1)
        shown = command("explain", "--trace", found.get("x-amzn-RequestId"), "--admin", second.admin_url)
        self.assertIn("shared cache: hit", shown.stdout, shown)
        with self.subTest("a refusal is nobody else's"):
            self.endpoint.answer = {"active": False}
            for gateway in (first, second):
                self.assert_unauthorized(gateway.get("/a", "another-token"))
            self.assertEqual(3, self.asked())

    def seen(self, gateway, response):
        step = self.cache_step(gateway, response)
        return {name: step[name] for name in ("result", "sharedCache") if name in step}

    def test_functions_of_every_kind_and_what_is_not_shared(self):
        redis = self.redis()
        endpoint = self.using(InvokeEndpoint())
        function = "arn:aws:lambda:us-east-1:123456789012:function:allow"
        authorizers = {
            "token": {"type": "TOKEN", "authorizerUri": function},
            "request": {"type": "REQUEST", "authorizerUri": function, "identitySource": "method.request.header.Authorization"},
            "always": {"type": "TOKEN", "authorizerUri": function, "authorizerResultTtlInSeconds": 0},
        }
        backend = self.upstream()
        routes = [route(f"GET /{name}/{{say}}", f"{backend.url}/{name}", name) for name in authorizers]
        options = {"authorizers": authorizers, "routes": routes, "functions": {"allow": {"endpoint": endpoint.url}}}
        first, second = self.replica(redis, **options), self.replica(redis, **options)
        for name, calls in (("token", 1), ("request", 1), ("always", 2)):
            with self.subTest(name):
                before = len(endpoint.calls())
                statuses = []
                heads = []
                for gateway in (first, second):
                    backend.clear()
                    ask = self.share if gateway is first and name != "always" else lambda _, *what: self.ask(*what)
                    statuses.append(ask(redis, gateway, "allow", f"/{name}/allow").status)
                    heads.append([r.all("X-Authorizer-Principal-Id") for r in backend.requests])
                self.assertEqual(calls, len(endpoint.calls()) - before)
                self.assertEqual([200, 200], statuses)
                self.assertEqual([[["user"]]] * 2, heads, "the same context reaches the backend")

    def test_redis_learns_nothing(self):
        redis = self.redis()
        heard = []
        gateway = self.replica(redis, quota=100)
        listener = redis_listener(self, redis, heard)
        self.share(redis, gateway)
        self.assert_status(gateway.get("/keyed", headers={"x-api-key": KEY}), 200)
        digest = gateway.cache_entries()[0]["identity"]
        self.assert_status(gateway.admin("DELETE", f"{FLUSH}/opaque?identity={digest}"), 202)
        self.assert_status(gateway.admin("DELETE", FLUSH), 202)
        wait_for(lambda: len(heard) >= 2, "both flushes")
        wait_for(lambda: redis.names("gatehouse:u:"), "the quota")
        listener()
        contents = redis.contents() + b"\n".join(heard)
        self.assertTrue(redis.names("gatehouse:e:"), "something is shared at all")
        for secret in (
            TOKEN, "subject", "tenant", "active", "opaque", "execute-api", "plan-of", "partner", KEY, SECRET, digest, "127.0.0.1",
        ):
            self.assertNotIn(secret.encode(), contents, secret)
        shown = gateway.log() + gateway.metrics().text + gateway.admin("GET", "/report").body.decode()
        self.assertNotIn(SECRET, shown)
        self.assertNotIn(TOKEN, shown)

    def test_what_another_hand_puts_there_is_a_miss(self):
        redis = self.redis()
        first = self.replica(redis)
        self.share(redis, first, "token-one")
        one, = redis.names("gatehouse:e:")
        self.share(redis, first, "token-two")
        two = next(name for name in redis.names("gatehouse:e:") if name != one)
        values = {name: redis.command("GET", name) for name in (one, two)}
        self.assertEqual(2, self.asked())
        damaged = bytearray(values[one])
        damaged[len(damaged) // 2] ^= 1
        rows = (
            ("swapped", values[two]),
            ("damaged", bytes(damaged)),
            ("cut", values[one][:-1]),
            ("in the clear", json.dumps({"active": True, "sub": "root"}).encode()),
            ("empty", b""),
        )
        for number, (name, value) in enumerate(rows):
            with self.subTest(name):
                redis.command("SET", one, value, "PX", 100000)
                second = self.replica(redis)
                missed = self.ask(second, "token-one")
                self.assertEqual("not ours", self.cache_step(second, missed)["sharedCache"])
                self.assertEqual(3 + number, self.asked())
                self.assertEqual(1, self.lookups(second, "bad"))
                self.assertTrue(second.process.stderr.wait("was not sealed with this gateway's secret"))
                self.assertEqual(1, second.log().count("was not sealed with this gateway's secret"))
                second.process.stop()
        with self.subTest("and what replaced it is good"):
            third = self.replica(redis)
            self.ask(third, "token-one")
            self.assertEqual(1, self.lookups(third, "hit"))
        with self.subTest("another secret shares nothing"):
            other = self.replica(redis, secret="x" * 32)
            self.ask(other, "token-one")
            self.assertEqual((0, 1), (self.lookups(other, "hit"), self.lookups(other, "miss")))

    def test_equal_requests_at_both_ask_once_each_at_most(self):
        redis = self.redis()
        gateways = [self.replica(redis), self.replica(redis)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda n: gateways[n % 2].get("/a", TOKEN).status, range(64)))
        self.assertEqual({200}, set(statuses))
        self.assertLessEqual(self.asked(), 2)


def digest_of(token):
    return hashlib.sha256(f"Bearer {token}".encode()).hexdigest()


def redis_listener(case, redis, heard):
    """Hears everything that is published; returns what ends it."""
    connection = socket.create_connection(("127.0.0.1", redis.port))
    case.addCleanup(connection.close)
    stream = connection.makefile("rwb")
    stream.write(b"*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n")
    stream.flush()
    redis._read(stream)

    def listen():
        try:
            while True:
                heard.append(b"\n".join(redis._read(stream)[1:]))
        except (OSError, ValueError):
            pass

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()

    def end():
        connection.shutdown(socket.SHUT_RDWR)
        thread.join()

    return end


class Flushes(SharedCase):
    def test_a_flush_reaches_every_replica(self):
        redis = self.redis()
        first, second = self.replica(redis), self.replica(redis)
        digest = digest_of(TOKEN)
        for number, path in enumerate((FLUSH, f"{FLUSH}/opaque", "identity", f"{FLUSH}/opaque")):
            with self.subTest(path):
                before = self.asked()
                for ask in (lambda token: self.share(redis, first, token), lambda token: self.ask(second, token)):
                    for token in (TOKEN, "another-token"):
                        if number == 0:
                            ask(token)
                if path == "identity":
                    wanted = digest
                    path = f"{FLUSH}/opaque?identity={digest}"
                else:
                    wanted = None
                self.assertEqual(2 if number == 0 else 0, self.asked() - before)
                self.assert_status((first, second)[number % 2].admin("DELETE", path), 202)
                other = (second, first)[number % 2]
                left = 1 if wanted else 0
                wait_for(lambda: len(other.cache_entries()) == left, "the flush at the other", interval=0.02)
                self.assertNotIn(wanted, [entry["identity"] for entry in other.cache_entries()])
                before = self.asked()
                again = [TOKEN] if wanted == digest_of(TOKEN) else ["another-token"] if wanted else [TOKEN, "another-token"]
                for token in again:
                    self.share(redis, first, token)
                for token in (TOKEN, "another-token"):
                    self.ask(first, token)
                    self.ask(second, token)
                self.assertEqual(1 if wanted else 2, self.asked() - before, "Redis has forgotten it too")
        self.assertEqual(2, first.metrics().total("gatehouse_shared_flushes_total"))

    def test_a_flush_while_a_function_answers_is_kept_by_nobody(self):
        redis = self.redis()
        first, second = self.replica(redis), self.replica(redis)
        self.endpoint.mode = "hold"
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            late = pool.submit(first.get, "/a", TOKEN)
            wait_for(lambda: self.asked() == 1, "the question")
            self.assert_status(second.admin("DELETE", FLUSH), 202)
            wait_for(lambda: first.metrics().total("gatehouse_shared_flushes_total") == 1, "the flush", interval=0.02)
            self.endpoint.released.set()
            self.assert_status(late.result(), 200)
        self.assertEqual([], first.cache_entries())
        self.ask(second)
        self.assertEqual(2, self.asked())

    def test_a_flush_of_tokens_that_are_verified_here(self):
        redis = self.redis()
        options = {"authorizers": {"jwt": jwt_authorizer()}, "routes": [mock("GET /jwt", "jwt")]}
        first, second = self.replica(redis, **options), self.replica(redis, **options)
        token = mint()
        for gateway in (first, second):
            self.ask(gateway, token, "/jwt")
        self.assertEqual([], redis.names("gatehouse:e:"), "verified here, so not shared")
        self.assert_status(first.admin("DELETE", f"{FLUSH}/jwt"), 202)
        wait_for(lambda: second.cache_entries() == [], "the flush at the other", interval=0.02)


class Outages(SharedCase):
    def test_killed_and_back(self):
        redis = self.redis()
        first, second = self.replica(redis), self.replica(redis)
        self.share(redis, first)
        self.ask(second)
        self.assertEqual(1, self.asked())
        redis.kill()
        for gateway in (first, second):
            self.wait_away(gateway)
        with self.subTest("requests go on, and readiness says why"):
            self.ask(first)
            missed = self.ask(second, "another-token")
            self.assertEqual("away", self.cache_step(second, missed)["sharedCache"])
            self.assertEqual(2, self.asked())
            warning, = self.warnings(first)
            self.assertRegex(warning, rf"\Ashared state: redis 127\.0\.0\.1:{redis.port} away since \d{{4}}-\d\d-\d\dT[0-9:]+Z: .+")
            first.wait_log(rf"redis 127\.0\.0\.1:{redis.port} away")
            self.assertEqual(1, self.lookups(second, "away"))
        with self.subTest("a flush meanwhile is done here"):
            self.assert_status(first.admin("DELETE", f"{FLUSH}/opaque"), 202)
            self.assertEqual([], first.cache_entries())
            self.assertNotEqual([], second.cache_entries(), "which cannot have heard of it")
        redis.begin_again()
        for gateway in (first, second):
            self.wait_up(gateway)
        with self.subTest("and there once Redis is back"):
            wait_for(lambda: second.cache_entries() == [], "the flush at the other", interval=0.02)
            self.assertEqual([], self.warnings(first))
            first.wait_log("answers")
            before = self.asked()
            self.share(redis, first)
            self.ask(second)
            self.assertEqual(1, self.asked() - before, "shared again")

    def test_what_was_flushed_elsewhere_while_the_link_was_gone(self):
        redis = self.redis(saves=True)
        first, second = self.replica(redis), self.replica(redis)
        self.share(redis, first)
        self.ask(second)
        redis.kill()
        for gateway in (first, second):
            self.wait_away(gateway)
        # The second hears nothing, whatever the first does: the message is lost with the connection.
        self.assert_status(first.admin("DELETE", FLUSH), 202)
        first.process.stop()
        redis.begin_again()
        self.wait_up(second)
        self.ask(second)
        self.assertEqual(1, self.asked(), "nobody could tell Redis: the first was stopped before it was back")
        third = self.replica(redis)
        with self.subTest("missed for another reason"):
            redis.command("CLIENT", "KILL", "TYPE", "pubsub")
            self.assert_status(third.admin("DELETE", FLUSH), 202)
            wait_for(lambda: second.cache_entries() == [], "the flush at the other", interval=0.02)

    def test_stopped_and_going_on(self):
        redis = self.redis()
        gateway = self.replica(redis, timeout=300)
        self.ask(gateway)
        redis.pause()
        begun = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda n: gateway.get("/a", f"token-{n}").status, range(32)))
        took = time.monotonic() - begun
        self.assertEqual({200}, set(statuses))
        self.assertLess(took, 15, "32 misses, 8 at a time, wait for Redis 300 ms at most, and soon not at all")
        self.ask(gateway)
        self.wait_away(gateway)
        self.assertRegex(self.warnings(gateway)[0], "no answer for 1000 ms")
        self.assertGreater(self.lookups(gateway, "away"), 0)
        redis.go_on()
        self.wait_up(gateway)
        self.ask(gateway, "token-last")
        self.assertEqual([], self.warnings(gateway))

    def test_one_that_was_never_there(self):
        redis = self.redis()
        redis.kill()
        gateway = self.replica(redis, up=False)
        self.ask(gateway)
        self.ask(gateway)
        self.assertEqual(1, self.asked())
        gateway.wait_log("away: Connection refused")
        self.assertIn("Connection refused", self.warnings(gateway)[0])
        begun = time.monotonic()
        gateway.process.stop()
        self.assertLess(time.monotonic() - begun, 10)

    def test_a_gateway_ends_while_redis_is_silent(self):
        redis = self.redis()
        gateway = self.replica(redis)
        self.ask(gateway)
        redis.pause()
        self.assert_status(gateway.admin("DELETE", FLUSH), 202)
        begun = time.monotonic()
        self.assertEqual(0, gateway.process.stop())
        self.assertLess(time.monotonic() - begun, 10)

    def test_something_else_on_the_port(self):
        backend = self.upstream()
        gateway = self.start(
            self.document(self.redis(), **{})
            | {"shared": {"redis": f"redis://127.0.0.1:{backend.port}", "secret": SECRET, "timeoutInMillis": 500}}
        )
        self.ask(gateway)
        gateway.wait_log("shared state: redis .* away: ")
        self.ask(gateway, "another-token")
        self.assertIn("away", self.warnings(gateway)[0])


class Passwords(SharedCase):
    def with_password(self, redis, credentials):
        document = self.document(redis)
        document["shared"]["redis"] = redis.url.replace("redis://", f"redis://{credentials}@") + "/3"
        return self.start(document)

    def test_right_and_wrong(self):
        redis = self.redis(password="pass%word:of@redis")
        right = self.with_password(redis, ":pass%25word%3Aof%40redis")
        self.wait_up(right)
        self.share(redis, right)
        redis.command("ACL", "SETUSER", "gate", "on", ">second-password", "~gatehouse:*", "&gatehouse:*", "+@all")
        named = self.with_password(redis, "gate:second-password")
        self.wait_up(named)
        self.ask(named)
        self.assertEqual(1, self.asked(), "shared in database 3")
        for name, credentials, words in (
            ("wrong", ":hush-hush-hush", "refuses the user or password: WRONGPASS"),
            ("unknown user", "nobody:hush-hush-hush", "refuses the user or password: WRONGPASS"),
        ):
            with self.subTest(name):
                gateway = self.with_password(redis, credentials)
                gateway.wait_log(words)
                self.assertIn(words, self.warnings(gateway)[0])
                self.ask(gateway, f"token-{name}".replace(" ", "-"))
                self.assertNotIn("hush", gateway.log() + gateway.metrics().text + as_text(self.warnings(gateway)))
        with self.subTest("none"):
            gateway = self.replica(redis, up=False)
            gateway.wait_log("wants a password: NOAUTH")


class Quotas(SharedCase):
    def spend(self, gateway):
        return gateway.get("/keyed", headers={"x-api-key": KEY}).status

    def used(self, gateway):
        return gateway.admin("GET", "/usage").json()["usagePlans"][0]["keys"][0]["quota"]["used"]

    def wait_used(self, gateways, count):
        for gateway in gateways:
            wait_for(lambda: self.used(gateway) == count, f"{count} to be told", interval=0.05)

    def test_quotas_hold_across_replicas_and_outages(self):
        redis = self.redis()
        both = [self.replica(redis, quota=10), self.replica(redis, quota=10)]
        self.assertEqual([200] * 4, [self.spend(both[n % 2]) for n in range(4)])
        self.wait_used(both, 4)
        redis.kill()
        for gateway in both:
            self.wait_away(gateway)
        self.assertEqual([200] * 4, [self.spend(both[n % 2]) for n in range(4)])
        self.assertEqual([6, 6], [self.used(gateway) for gateway in both])
        redis.begin_again()  # and knows nothing
        for gateway in both:
            self.wait_up(gateway)
        self.wait_used(both, 8)
        # Nothing is added twice, however often it is told and asked.
        before = self.calls_of(redis, "hvals")
        wait_for(lambda: self.calls_of(redis, "hvals") >= before + 6, "more exchanges", interval=0.1)
        self.wait_used(both, 8)
        self.assertEqual([200, 200, 429], [self.spend(both[0]) for _ in range(3)])
        self.wait_used(both, 10)
        self.assertEqual(429, self.spend(both[1]))
        with self.subTest("a replica that begins anew"):
            third = self.replica(redis, quota=10)
            self.wait_used([third], 10)
            self.assertEqual(429, self.spend(third))

    def test_the_last_second_is_not_lost(self):
        redis = self.redis()
        first = self.replica(redis, quota=10)
        self.assertEqual([200] * 3, [self.spend(first) for _ in range(3)])
        first.process.stop()
        second = self.replica(redis, quota=10)
        self.wait_used([second], 3)


class Configuration(SharedCase):
    def test_a_change_takes_a_restart(self):
        redis = self.redis()
        gateway = self.replica(redis)
        document = self.document(redis)
        document["shared"]["prefix"] = "other:"
        gateway.folder.write("gatehouse.json", document)
        answer = gateway.admin("POST", "/reload")
        self.assert_status(answer, 422)
        self.assertIn("/shared: differs from what runs", answer.body.decode())
        with self.subTest("another reload goes on sharing"):
            document = self.document(redis, routes=[mock("GET /more", "opaque")])
            gateway.folder.write("gatehouse.json", document)
            self.assert_status(gateway.admin("POST", "/reload"), 200)
            self.share(redis, gateway, path="/more")
            other = self.start(document)
            self.wait_up(other)
            self.ask(other, path="/more")
            self.assertEqual(1, self.asked())

    def test_the_url_is_in_no_message(self):
        folder = Folder(self.document(self.redis()))
        self.addCleanup(folder.close)
        document = json.loads((folder.path / "gatehouse.json").read_text())
        document["shared"]["redis"] = "rediss://user:hush-hush-hush@redis.example"
        folder.write("gatehouse.json", document)
        done = command("check", folder.config)
        self.assertEqual(2, done.status, done)
        self.assertIn("/shared/redis: is rediss://", done.stderr)
        self.assertNotIn("hush", done.output)


if __name__ == "__main__":
    unittest.main()
