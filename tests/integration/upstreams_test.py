"""Several targets behind one name: who gets a request, who gets none, what is sent once more, and what a reload keeps."""

import os
import pathlib
import signal
import threading
import time
import unittest

from support.case import FAULT, UNAVAILABLE, GatewayCase
from support.gateway import ROOT, Folder, api, command, config, mock, route
from support.process import wait_for
from support.tls import TlsUpstream, authority, good, server_context
from support.upstream import FullPort, answer
from support.wire import build

OFTEN = {"path": "/health", "intervalInMillis": 50, "healthyThreshold": 2, "unhealthyThreshold": 2}
NEVER_AGAIN = 3_600_000  # an ejection that no test outlives


def users(targets, **rules):
    return {"users": {"targets": [target.url if hasattr(target, "url") else target for target in targets]} | rules}


class UpstreamsCase(GatewayCase):
    def targets(self, count=2):
        return [self.named(letter) for letter in "abcdefgh"[:count]]

    def named(self, letter, **options):
        return self.upstream(respond=lambda request: answer(letter.encode()), **options)

    def configuration(self, targets, threads=1, timeouts=None, integration=None, **rules):
        routes = [route("ANY /{proxy+}", "http://users/{proxy}", "NONE", **(integration or {}))]
        return config(
            api(routes, authorizers={}), threads=threads, upstreams=users(targets, **rules), timeouts=timeouts or {}
        )

    def gate(self, targets, **options):
        return self.start(self.configuration(targets, **options))

    def reload(self, gateway, configuration):
        gateway.folder.write("gateway.new", configuration)
        os.replace(pathlib.Path(gateway.folder.path) / "gateway.new", gateway.folder.config)
        seen = len(gateway.process.stderr.all())
        gateway.process.signal(signal.SIGHUP)
        self.assertTrue(gateway.process.stderr.wait(r"configuration \S+ reloaded", start=seen))

    def letters(self, gateway, count, method="GET"):
        """Who answers requests that follow each other; a status where it is not 200."""
        found = ""
        for _ in range(count):
            response = gateway.request(method, "/x", body=b"content" if method == "POST" else None)
            found += response.body.decode() if response.status == 200 else f"[{response.status}]"
        return found

    def up(self, gateway, target):
        return gateway.metrics().total("gatehouse_upstream_target_up", target=target.url) == 1

    def total(self, gateway, name, **labels):
        return gateway.metrics().total(f"gatehouse_upstream_{name}", **labels)

    def step(self, gateway, response):
        return next(step for step in gateway.trace(response)["steps"] if step["step"] == "upstream")

    def assert_overloaded(self, gateway, response):
        self.assert_error(response, 503, UNAVAILABLE, "ServiceUnavailableException")
        self.assertEqual("upstream_overloaded", gateway.trace(response)["reason"])


class Balance(UpstreamsCase):
    def test_round_robin(self):
        a, b, c = self.targets(3)
        gateway = self.gate([a, b, c])
        self.assertEqual("abcabc", self.letters(gateway, 6))
        response = gateway.get("/p/q?r=s")
        request = a.requests[-1]
        self.assertEqual(("/p/q?r=s", [a.authority]), (request.target, request.all("Host")), "the target's own Host")
        step = self.step(gateway, response)
        self.assertEqual(("users", a.authority, 1, False), tuple(step[name] for name in ("upstream", "host", "attempts", "retried")))
        for target, count in ((a, 3), (b, 2), (c, 2)):
            self.assertEqual(count, self.total(gateway, "target_requests_total", upstream="users", target=target.url))
            self.assertEqual(1, self.total(gateway, "target_connections", target=target.url))
            self.assertEqual(1, self.total(gateway, "target_idle_connections", target=target.url))
            self.assertEqual(0, self.total(gateway, "target_failures_total", target=target.url))

    def test_each_thread_by_itself_and_all_together_evenly(self):
        targets = self.targets(3)
        gateway = self.gate(targets, threads=2)
        self.letters(gateway, 60)  # connections are dealt to the threads in turn
        self.assertEqual([20, 20, 20], [len(target.requests) for target in targets])

    def test_least_requests(self):
        held = threading.Event()
        a = self.upstream(script=lambda connection: (connection.read(), held.wait(60), connection.send(answer(b"a"))))
        b = self.named("b")
        gateway = self.gate([a, b], balance="leastRequests", threads=2)
        waiting = []
        while not a.requests:  # whoever is asked first: one that hangs is asked once
            waiting.append(self.begin(gateway, "/slow", []))
            wait_for(lambda: len(a.requests) + len(b.requests) == len(waiting), "the request at a target")
        self.assertEqual("b" * 10, self.letters(gateway, 10))
        self.assertEqual(1, len(a.requests))
        held.set()
        self.assertEqual(b"a", waiting[-1].read().body)

    def test_one_target(self):
        (a,) = self.targets(1)
        gateway = self.gate([a])
        self.assertEqual("aaa", self.letters(gateway, 3))
        a.down()
        self.assertEqual("[502]", self.letters(gateway, 1))
        a.up()
        self.assertEqual("a", self.letters(gateway, 1))

    def test_a_mapped_integration_and_a_mapped_host(self):
        a, b = self.targets()
        gateway = self.start(
            config(
                api(
                    [
                        route("POST /mapped", "http://USERS/m", "NONE", type="HTTP", httpMethod="POST",
                              integrationResponses={"200": {}}),
                        route("GET /host", "http://users/h", "NONE",
                              requestParameters={"integration.request.header.Host": "'h.example'"}),
                    ],
                    authorizers={},
                ),
                threads=1,
                upstreams=users([a, b]),
            )
        )
        self.assertEqual((200, b"a"), (lambda r: (r.status, r.body))(gateway.request("POST", "/mapped", body=b"{}")))
        self.assertEqual([a.authority], a.one().all("Host"))
        self.assertEqual(b"b", gateway.get("/host").body)
        self.assertEqual(["h.example"], b.one().all("Host"))

    def test_https_targets(self):
        a = self.using(TlsUpstream(server_context(good("users.example"))))
        configuration = self.configuration([f"https://127.0.0.1:{a.port}"], tls={"serverNameToVerify": "users.example"},
                                           healthCheck=OFTEN)
        configuration["upstreamTls"] = {"ca": "ca.pem"}
        gateway = self.start(configuration, files={"ca.pem": authority().pem()})
        self.assertEqual("ok", self.letters(gateway, 1))
        wait_for(lambda: len([r for r in a.requests if r.target == "/health"]) > 2, "checks")
        self.assertEqual({"users.example"}, set(a.names))
        self.assertEqual(1, self.total(gateway, "target_up"))
        # The same without the name: neither a request nor a check takes it.
        del configuration["upstreams"]["users"]["tls"]
        self.reload(gateway, configuration)
        response = gateway.get("/x")
        self.assertEqual((502, "upstream_tls"), (response.status, gateway.trace(response)["reason"]))
        wait_for(lambda: self.total(gateway, "target_unhealthy") == 1, "the check to fail")


class Failover(UpstreamsCase):
    def test_a_target_that_refuses_costs_nobody_a_request(self):
        a, b = self.targets()
        gateway = self.gate([a, b])
        a.down()
        self.assertEqual("bbbb", self.letters(gateway, 4))
        # Whatever the method: nothing of it was sent.
        self.assertEqual("bbbb", self.letters(gateway, 4, "POST"))
        self.assertEqual([b"content"] * 4, [request.body for request in b.requests[-4:]])
        response = gateway.get("/x")
        other = gateway.get("/x")
        steps = [self.step(gateway, one) for one in (response, other)]
        self.assertEqual([1, 2], sorted(step["attempts"] for step in steps))
        self.assertEqual([False, True], sorted(step["retried"] for step in steps))
        self.assertEqual({b.authority}, {step["host"] for step in steps})
        self.assertGreaterEqual(self.total(gateway, "retries_total", upstream="users"), 4)
        a.up()
        self.assertEqual("aabb", "".join(sorted(self.letters(gateway, 4))))

    def test_large_content_and_one_that_waits_to_be_asked_for(self):
        # Of neither is anything lost when the first target refuses.
        a, b = self.targets()
        gateway = self.gate([a, b])
        a.down()
        large = os.urandom(1 << 20)
        for _ in range(2):
            with gateway.connect() as client:
                self.assertEqual(b"b", client.exchange("POST", "/x", body=large).body)
                head = {"Expect": "100-continue", "Content-Length": "5"}
                response = client.exchange("POST", "/x", head, b"after")
                self.assertEqual((200, b"b"), (response.status, response.body))
        self.assertEqual([large, b"after"] * 2, [request.body for request in b.requests])

    def test_a_target_that_does_not_connect_in_time(self):
        full = self.using(FullPort())
        b = self.named("b")
        gateway = self.gate([f"http://{full.authority}", b], timeouts={"connectInMillis": 1000})
        self.assertEqual("bb", self.letters(gateway, 2, "POST"))

    def test_all_refuse(self):
        a, b = self.targets()
        gateway = self.gate([a, b])
        a.down()
        b.down()
        response = gateway.get("/x")
        self.assert_error(response, 502, FAULT, "InternalServerErrorException")
        trace = gateway.trace(response)
        self.assertEqual("upstream_refused", trace["reason"])
        self.assertEqual(2, self.step(gateway, response)["attempts"])

    def test_what_was_sent_goes_nowhere_else(self):
        # A fresh connection that closes before the answer: the target may have done it.
        for method in ("GET", "POST"):
            with self.subTest(method):
                a = self.upstream(script=lambda connection: connection.read())
                b = self.named("b")
                gateway = self.gate([a, b])
                self.assertEqual("[502]b", self.letters(gateway, 2, method))
                self.assertEqual((1, 1), (len(a.requests), len(b.requests)))
                self.assertEqual(0, self.total(gateway, "retries_total"))

    def test_an_idle_connection_that_closes(self):
        # Only where a repetition does no harm, and then by the other target.
        for method, wanted, at_b in (("GET", "abb", 2), ("PUT", "abb", 2), ("POST", "ab[502]", 1), ("PATCH", "ab[502]", 1)):
            with self.subTest(method):

                def script(connection):
                    connection.read()
                    connection.send(answer(b"a"))
                    connection.read()

                a = self.upstream(script=script)
                b = self.named("b")
                gateway = self.gate([a, b])
                self.assertEqual(wanted[:2], self.letters(gateway, 2))
                response = gateway.request(method, "/x", body=b"content" if method != "GET" else None)
                self.assertEqual(200 if at_b == 2 else 502, response.status)
                self.assertEqual((2, at_b), (len(a.requests), len(b.requests)))
                # It had every right to close: that is no failure.
                self.assertEqual(0, self.total(gateway, "target_failures_total", target=a.url))

    def test_the_budget(self):
        a, b = self.targets()
        gateway = self.gate([a, b], retryBudget={"percent": 0, "minPerSecond": 0})
        a.down()
        found = self.letters(gateway, 4)
        self.assertEqual("[502]b[502]b", found)
        self.assertEqual(2, self.total(gateway, "retries_refused_total"))
        self.assertEqual(0, self.total(gateway, "retries_total"))

    def test_a_budget_of_one_a_second(self):
        a, b = self.targets()
        gateway = self.gate([a, b], retryBudget={"percent": 0, "minPerSecond": 1})
        a.down()
        began = time.monotonic()
        found = self.letters(gateway, 60)
        seconds = time.monotonic() - began
        self.assertIn("[502]", found)
        granted = self.total(gateway, "retries_total")
        self.assertTrue(1 <= granted <= seconds + 2, (granted, seconds))
        self.assertEqual(30, granted + self.total(gateway, "retries_refused_total"))

    def test_no_request_is_lost_when_a_target_is_killed(self):
        together = threading.Barrier(8)
        warm = threading.Event()
        lock = threading.Lock()

        def respond(letter):
            def make(request):
                if request.target == "/warm":
                    together.wait(60)
                with lock:  # the target is killed between two answers, not in one
                    return answer(letter)

            return make

        a = self.upstream(respond=respond(b"a"))
        b = self.upstream(respond=respond(b"b"))
        gateway = self.gate([a, b], ejection={"consecutiveFailures": 3, "baseTimeInMillis": NEVER_AGAIN})
        # Four connections to each, so that none of those to come is a fresh one when it is cut.
        clients = [self.begin(gateway, "/warm", []) for _ in range(8)]
        self.assertEqual("aaaabbbb", "".join(sorted(client.read().body.decode() for client in clients)))
        found = []
        counts = [0] * 4

        def load(number):
            with gateway.connect() as client:
                while not warm.is_set():
                    response = client.exchange("GET", "/x")
                    found.append(response.status)
                    counts[number] += 1

        threads = [threading.Thread(target=load, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        wait_for(lambda: min(counts) > 20, "load")
        with lock:
            a.down()
        before = list(counts)
        wait_for(lambda: all(now > then + 20 for now, then in zip(counts, before)), "load after the kill")
        warm.set()
        for thread in threads:
            thread.join()
        self.assertEqual({200}, set(found))
        self.assertGreater(len(b.requests), len(a.requests))


class Checks(UpstreamsCase):
    def checked(self, letter):
        """A target whose checks answer `status[0]`."""
        status = ["200 OK"]
        target = self.upstream(
            respond=lambda request: answer(b"", status[0]) if request.target == "/health" else answer(letter.encode())
        )
        return target, status

    def checks(self, target):
        return [request for request in target.requests if request.target == "/health"]

    def test_a_target_goes_out_and_comes_back(self):
        a, status = self.checked("a")
        b, _ = self.checked("b")
        gateway = self.gate([a, b], healthCheck=OFTEN)
        wait_for(lambda: len(self.checks(a)) > 2, "checks")
        self.assertEqual("aabb", "".join(sorted(self.letters(gateway, 4))))
        request = self.checks(a)[0]
        self.assertEqual(("GET", [a.authority], ["gatehouse-health-check"]),
                         (request.method, request.all("Host"), request.all("User-Agent")))
        status[0] = "503 Service Unavailable"
        wait_for(lambda: not self.up(gateway, a), "a to go out")
        self.assertEqual("bbbb", self.letters(gateway, 4))
        metrics = gateway.metrics()
        for name, wanted in (("unhealthy", 1), ("ejected", 0), ("up", 0)):
            self.assertEqual(wanted, metrics.total(f"gatehouse_upstream_target_{name}", target=a.url), name)
        gateway.wait_log(rf"upstream users: {a.url} is out: its health check answered 503")
        health = gateway.admin("GET", "/health/ready")
        self.assertEqual(200, health.status, "no reason not to be ready")
        self.assertEqual([f"upstream users: {a.url} fails its checks"], health.json()["warnings"])
        row = gateway.admin("GET", "/report").json()["upstreams"][0]
        self.assertEqual(("users", "roundRobin"), (row["name"], row["balance"]))
        self.assertEqual([(False, True, False), (True, False, False)],
                         [(t["up"], t["unhealthy"], t["ejected"]) for t in row["targets"]])
        status[0] = "204 No Content"
        wait_for(lambda: self.up(gateway, a), "a to come back")
        self.assertEqual("aabb", "".join(sorted(self.letters(gateway, 4))))
        gateway.wait_log(rf"upstream users: {a.url} is back")
        self.assertNotIn("warnings", gateway.admin("GET", "/health/ready").json())

    def test_flapping_takes_nobody_out(self):
        a, b = self.targets()
        turns = [0]

        def respond(request):
            if request.target != "/health":
                return answer(b"a")
            turns[0] += 1
            return answer(b"", "503 Service Unavailable" if turns[0] % 2 else "200 OK")

        a.respond = respond
        gateway = self.gate([a, b], healthCheck=OFTEN)
        wait_for(lambda: turns[0] > 20, "checks")
        self.assertNotIn("is out", gateway.log())
        self.assertTrue(self.up(gateway, a))

    def test_other_ways_to_fail(self):
        for name, prepare in (
            ("refused", lambda target: target.down()),
            ("no answer", lambda target: setattr(target, "script", lambda connection: (connection.read(), target.hold()))),
            ("closed", lambda target: setattr(target, "script", lambda connection: connection.read())),
            ("no HTTP", lambda target: setattr(target, "script", lambda connection: connection.send(b"HELLO\r\n\r\n"))),
            ("a status that was not named", lambda target: setattr(target, "respond", lambda request: answer(b"", "302 Found"))),
        ):
            with self.subTest(name):
                a, b = self.targets()
                prepare(a)
                gateway = self.gate([a, b], healthCheck=OFTEN | {"timeoutInMillis": 2000, "statusCodes": "200-299"})
                wait_for(lambda: not self.up(gateway, a), "a to go out")
                self.assertTrue(self.up(gateway, b))

    def test_when_all_are_out_all_get_requests(self):
        a, first = self.checked("a")
        b, second = self.checked("b")
        first[0] = second[0] = "500 Internal Server Error"
        gateway = self.gate([a, b], healthCheck=OFTEN)
        wait_for(lambda: not self.up(gateway, a) and not self.up(gateway, b), "both to go out")
        self.assertEqual("aabb", "".join(sorted(self.letters(gateway, 4))))
        health = gateway.admin("GET", "/health/ready")
        self.assertEqual(200, health.status)
        self.assertRegex(health.json()["warnings"][0], "none is left, so all get requests")

    def test_no_check_piles_up(self):
        most, now, lock = [0], [0], threading.Lock()

        def script(connection):
            if connection.read() is None:
                return
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            connection.upstream.hold(0.5)  # ten times the interval
            with lock:
                now[0] -= 1
            connection.send(answer())

        a = self.upstream(script=script)
        gateway = self.gate([a], healthCheck=OFTEN | {"timeoutInMillis": 30000})
        wait_for(lambda: len(a.requests) > 2, "checks")
        self.assertEqual(1, most[0])
        self.assertTrue(self.up(gateway, a))

    def test_checks_end_with_what_is_checked(self):
        a, _ = self.checked("a")
        b, _ = self.checked("b")
        gateway = self.gate([a], healthCheck=OFTEN)
        wait_for(lambda: len(self.checks(a)) > 1, "checks")
        self.reload(gateway, self.configuration([b], healthCheck=OFTEN))
        wait_for(lambda: len(self.checks(b)) > 1, "checks of the other")
        seen = len(self.checks(a))
        wait_for(lambda: len(self.checks(b)) > 10, "more of them")
        self.assertLessEqual(len(self.checks(a)), seen + 1)


class Ejection(UpstreamsCase):
    RULE = {"consecutiveFailures": 3, "baseTimeInMillis": NEVER_AGAIN}

    def test_answers_that_say_so(self):
        for status, out in (("502 Bad Gateway", 1), ("503 Service Unavailable", 1), ("504 Gateway Timeout", 1),
                            ("500 Internal Server Error", 0), ("404 Not Found", 0)):
            with self.subTest(status):
                a, b = self.targets()
                a.respond = lambda request, status=status: answer(b"a", status)
                gateway = self.gate([a, b], ejection=self.RULE)
                code = status[:3]
                self.assertEqual(f"[{code}]b" * 3, self.letters(gateway, 6))
                self.assertEqual(out, self.total(gateway, "target_ejected", target=a.url))
                self.assertEqual(out, self.total(gateway, "target_ejections_total", target=a.url))
                self.assertEqual("bbbb" if out else f"[{code}]b" * 2, self.letters(gateway, 4))

    def test_ways_to_fail(self):
        for name, script in (
            ("closed", lambda connection: connection.read()),
            ("reset", lambda connection: connection.read() and connection.reset()),
            ("malformed", lambda connection: connection.read() and connection.send(b"HELLO\r\n\r\n")),
            ("cut short", lambda connection: connection.read() and connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")),
        ):
            with self.subTest(name):
                a, b = self.upstream(script=script), self.named("b")
                gateway = self.gate([a, b], ejection=self.RULE)
                for _ in range(6):
                    with gateway.connect() as client:
                        client.send(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
                        try:
                            client.read()
                        except Exception:
                            pass  # cut short for the client too
                self.assertEqual(3, len(a.requests))
                wait_for(lambda: self.total(gateway, "target_ejected", target=a.url) == 1, "the ejection")
                self.assertEqual("bbbb", self.letters(gateway, 4))
                gateway.wait_log(rf"upstream users: {a.url} is ejected for {NEVER_AGAIN} ms: 3 failures in a row")
                health = gateway.admin("GET", "/health/ready").json()
                self.assertEqual([f"upstream users: {a.url} is ejected"], health["warnings"])

    def test_no_answer_in_time(self):
        a = self.upstream(script=lambda connection: (connection.read(), connection.upstream.hold()))
        b = self.named("b")
        gateway = self.gate([a, b], ejection=self.RULE | {"consecutiveFailures": 1}, integration={"timeoutInMillis": 1500})
        self.assertEqual("[504]bbb", self.letters(gateway, 4))

    def test_a_success_ends_the_row(self):
        a, b = self.targets()
        turns = [0]

        def respond(request):
            turns[0] += 1
            return answer(b"a", "200 OK" if turns[0] % 3 == 0 else "503 Service Unavailable")

        a.respond = respond
        gateway = self.gate([a, b], ejection=self.RULE)
        self.letters(gateway, 24)
        self.assertEqual(12, turns[0])
        self.assertEqual(0, self.total(gateway, "target_ejections_total", target=a.url))

    def test_an_ejected_target_returns(self):
        a, b = self.targets()
        a.down()
        gateway = self.gate([a, b], ejection={"consecutiveFailures": 1, "baseTimeInMillis": 300})
        self.assertEqual("b", self.letters(gateway, 1))
        gateway.wait_log("is ejected for 300 ms")
        a.up()
        gateway.wait_log(rf"{a.url} is back from its ejection")
        self.assertEqual("ab", "".join(sorted(self.letters(gateway, 2))))

    def test_not_all_of_them(self):
        a, b = self.targets()
        a.respond = b.respond = lambda request: answer(b"", "503 Service Unavailable")
        gateway = self.gate([a, b], ejection=self.RULE)
        self.letters(gateway, 20)
        self.assertEqual(1, self.total(gateway, "target_ejected"))
        self.assertEqual(20, len(a.requests) + len(b.requests))


class Limits(UpstreamsCase):
    def held(self):
        go_on = threading.Event()
        self.addCleanup(go_on.set)

        def respond(request):
            if request.target == "/slow":
                go_on.wait(60)
            return answer(b"a")

        return self.upstream(respond=respond), go_on

    def test_requests_open_at_once(self):
        a, go_on = self.held()
        gateway = self.gate([a], maxRequests=2, threads=2)
        first = self.begin(gateway, "/slow", [])
        a.wait_requests(1)
        self.assertEqual("a", self.letters(gateway, 1))  # one below the bound
        second = self.begin(gateway, "/slow", [])
        a.wait_requests(3)
        self.assert_overloaded(gateway, gateway.get("/x"))
        self.assert_overloaded(gateway, gateway.request("POST", "/x", body=b"content"))
        self.assertEqual(3, len(a.requests))
        self.assertEqual(2, self.total(gateway, "refusals_total", upstream="users", limit="maxRequests"))
        go_on.set()
        self.assertEqual([200, 200], [client.read().status for client in (first, second)])
        wait_for(lambda: self.letters(gateway, 1) == "a", "room")
        self.assertEqual("aaaaa", self.letters(gateway, 5))

    def test_who_has_an_answer_finds_room(self):
        gateway = self.gate([self.upstream(respond=lambda request: answer(b"a"))], maxRequests=1, threads=2)
        clients = [gateway.connect(), gateway.connect()]  # each dealt to a thread of its own
        for turn in range(400):
            client = clients[turn % 2]
            client.send(build("GET", "/x"))
            self.assertEqual(200, client.read().status, turn)
        for client in clients:
            client.close()

    def test_a_client_that_leaves_makes_room(self):
        a, go_on = self.held()
        gateway = self.gate([a], maxRequests=1, integration={"timeoutInMillis": 1000})
        client = self.begin(gateway, "/slow", [])
        a.wait_requests(1)
        self.assert_overloaded(gateway, gateway.get("/x"))
        client.close()
        wait_for(lambda: gateway.get("/x").status == 200, "room")

    def test_connections_of_all_threads(self):
        a, go_on = self.held()
        gateway = self.gate([a], maxConnections=1, threads=2)
        client = self.begin(gateway, "/slow", [])
        a.wait_requests(1)
        self.assert_overloaded(gateway, gateway.get("/x"))
        self.assertEqual(1, self.total(gateway, "refusals_total", limit="maxConnections"))
        go_on.set()
        self.assertEqual(200, client.read().status)
        # The connection is idle, and one thread's; it makes room for the other's.
        for _ in range(4):
            wait_for(lambda: gateway.get("/x").status == 200, "room")
        self.assertLessEqual(self.total(gateway, "target_connections"), 1)

    def test_an_idle_connection_makes_room_for_another_thread(self):
        (a,) = self.targets(1)
        gateway = self.gate([a], maxConnections=1, threads=2)
        with gateway.connect() as one, gateway.connect() as two:  # dealt to the threads in turn
            self.assertEqual(200, one.exchange("GET", "/x").status)
            wait_for(lambda: two.exchange("GET", "/x").status == 200, "room")
        self.assertEqual(2, len(a.connections))

    def test_another_target_has_room(self):
        a, go_on = self.held()
        b = self.named("b")
        gateway = self.gate([a, b], maxConnections=1, retryBudget={"percent": 0, "minPerSecond": 0})
        self.begin(gateway, "/slow", [])
        a.wait_requests(1)
        self.assertEqual("bbb", self.letters(gateway, 3))
        self.assertEqual(0, self.total(gateway, "retries_total"))
        self.assertEqual(0, self.total(gateway, "refusals_total", limit="maxConnections"))

    def test_idle_connections(self):
        for most, connections in ((0, 3), (1, 1)):
            with self.subTest(most):
                (a,) = self.targets(1)
                gateway = self.gate([a], maxIdleConnections=most)
                self.assertEqual("aaa", self.letters(gateway, 3))
                self.assertEqual(connections, len(a.connections))
                self.assertEqual(most, self.total(gateway, "target_idle_connections"))


class Reload(UpstreamsCase):
    def test_what_did_not_change_goes_on(self):
        a, b = self.targets()
        a.respond = lambda request: answer(b"a", "503 Service Unavailable")
        rules = {"ejection": {"consecutiveFailures": 1, "baseTimeInMillis": NEVER_AGAIN}}
        configuration = self.configuration([a, b], **rules)
        gateway = self.start(configuration)
        self.assertEqual("[503]bb", self.letters(gateway, 3))
        configuration["apis"][0]["routes"].append(mock("GET /more"))
        self.reload(gateway, configuration)
        self.assertEqual("bbb", self.letters(gateway, 3))
        self.assertEqual((1, 5), (len(a.requests), len(b.requests)))
        self.assertEqual(1, len(b.connections), "the pool goes on")
        self.assertEqual(5, self.total(gateway, "target_requests_total", target=b.url))
        self.assertEqual(1, self.total(gateway, "target_ejected", target=a.url))
        # Another rule makes another upstream of it.
        self.reload(gateway, self.configuration([a, b], balance="leastRequests", **rules))
        self.assertEqual(0, self.total(gateway, "target_ejected", target=a.url))
        self.assertEqual("[503]bb", self.letters(gateway, 3))
        wait_for(lambda: b.connections[0].closed, "the old pool to close")

    def test_a_request_in_flight_ends_where_it_began(self):
        go_on = threading.Event()
        a = self.upstream(script=lambda connection: (connection.read(), go_on.wait(60), connection.send(answer(b"a"))))
        b = self.named("b")
        gateway = self.gate([a], maxRequests=1)
        client = self.begin(gateway, "/slow", [])
        a.wait_requests(1)
        self.reload(gateway, self.configuration([b], maxRequests=1))
        self.assertEqual("bb", self.letters(gateway, 2))
        go_on.set()
        response = client.read()
        self.assertEqual((200, b"a"), (response.status, response.body))
        self.assertEqual(a.authority, self.step(gateway, response)["host"])

    def test_reloads_under_load(self):
        a, b = self.targets()
        one = self.configuration([a, b], threads=2, healthCheck=OFTEN)
        two = self.configuration([b, a], threads=2, balance="leastRequests")
        gateway = self.start(one)
        done, found = threading.Event(), []

        def load():
            with gateway.connect() as client:
                while not done.is_set():
                    found.append(client.exchange("GET", "/x").status)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(10):
            self.reload(gateway, two if turn % 2 == 0 else one)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual({200}, set(found))

    def test_what_changed_is_told_by_its_name(self):
        a, b = self.targets()
        gateway = self.gate([a])
        gateway.folder.write("gatehouse.json", self.configuration([a, b]))
        self.assertEqual({"upstreams": {"changed": ["users"]}}, gateway.admin("POST", "/reload").json()["changes"])


class Configuration(UpstreamsCase):
    def test_check_prints_them(self):
        example = ROOT / "config" / "examples" / "upstreams.json"
        done = command("check", example)
        self.assertEqual(0, done.status, done)
        self.assertRegex(done.stdout, r"(?m)^upstream users: http://\S+, http://\S+; leastRequests, checked at /health every \d+ ms, ejected after")
        self.assertRegex(done.stdout, r"(?m)HTTP_PROXY http://users/\S* by upstream users .*differs from the service: .*upstream")

    def test_explain_names_it(self):
        a, b = self.targets()
        folder = self.using(Folder(self.configuration([a, b])))
        done = command("explain", "-c", folder.config, "GET", "/x/y?z=1")
        self.assertEqual(0, done.status, done)
        self.assertIn("The request would go to the upstream: GET http://users/x/y?z=1, by a target of upstream users", done.stdout)
        self.assertEqual([], a.requests + b.requests)

    def test_a_name_in_one_place_only(self):
        (a,) = self.targets(1)
        for uri, why in (
            ("http://127.0.0.1:1/", r"/upstreams/users: no integration's .uri. names it: http://users/"),
            (f"http://users:{a.port}/", r"/upstreams/users: .*that of /apis/0/routes/0 has a port"),
            ("https://users/", r"/apis/0/routes/0/integration/uri: names the upstream .users., whose targets say how each is called"),
        ):
            with self.subTest(uri):
                folder = self.using(Folder(config(api([route("GET /", uri, "NONE")], authorizers={}), upstreams=users([a]))))
                done = command("check", folder.config)
                self.assertEqual(2, done.status, done)
                self.assertRegex(done.stderr, why)


if __name__ == "__main__":
    unittest.main()
