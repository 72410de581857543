"""Bounds on what is shared: connections of one address, requests of one connection, heads of upstreams, content kept in memory."""

import socket
import threading
import time
import unittest

from support.case import UNAVAILABLE, GatewayCase
from support.gateway import api, config, route
from support.process import PATIENCE, wait_for
from support.upstream import FullPort, answer
from support.wire import Client, Reader, build

JSON = {"Content-Type": "application/json"}


def client_from(source, address):
    """A connection from an address of one's own choice."""
    client = Client.__new__(Client)
    client.sock = socket.create_connection(address, PATIENCE, (source, 0))
    client.reader, client._remember = Reader(client.sock), None
    return client


class BoundsCase(GatewayCase):
    def gate(self, limits, **changes):
        self.backend = self.upstream()
        mapped = {"type": "HTTP", "uri": f"{self.backend.url}/kept", "integrationResponses": {"200": {}}}
        routes = [
            {"routeKey": "POST /kept", "authorizer": "NONE", "integration": mapped},
            route("ANY /{proxy+}", f"{self.backend.url}/x", "NONE"),
        ]
        return self.start(config(api(routes), limits=limits, **changes))


class Connections(BoundsCase):
    def open(self, source, address):
        client = client_from(source, address)
        self.addCleanup(client.close)
        return client

    def serves(self, client):
        client.send(build("GET", "/a"))
        try:
            response = client.read()
        except ConnectionResetError:
            return False
        if response is None:
            return False
        if response.status == 200:
            return True
        self.assert_status(response, 503)
        self.assertEqual(UNAVAILABLE, response.body)
        self.assertTrue(client.at_end())
        return False

    def refused(self, gateway):
        total = "gatehouse_connections_refused_total"
        metrics = gateway.metrics()
        return tuple(int(metrics.total(total, limit=name)) for name in ("connections", "connectionsPerAddress"))

    def test_an_address_has_so_many_and_others_are_not_touched(self):
        for threads in (1, 2):
            with self.subTest(threads=threads):
                gateway = self.gate({"connectionsPerAddress": 3}, threads=threads)
                held = [self.open("127.0.0.1", gateway.address) for _ in range(3)]
                for client in held:
                    self.assertTrue(self.serves(client))
                for _ in range(4):
                    self.assertFalse(self.serves(self.open("127.0.0.1", gateway.address)))
                self.assertEqual((0, 4), self.refused(gateway))
                others = [self.open("127.0.0.2", gateway.address) for _ in range(3)]
                for client in [*others, *held]:
                    self.assertTrue(self.serves(client), "the places that are taken stay good")
                held[1].close()
                wait_for(
                    lambda gateway=gateway: self.serves(self.open("127.0.0.1", gateway.address)), "the place that is free", 10
                )

    def test_a_refused_connection_says_why_before_a_request(self):
        gateway = self.gate({"connectionsPerAddress": 1})
        self.assertTrue(self.serves(self.open("127.0.0.1", gateway.address)))
        response = self.open("127.0.0.1", gateway.address).read()
        self.assert_status(response, 503)
        self.assertEqual((UNAVAILABLE, "close"), (response.body, response.get("Connection")))

    def test_versions_of_ip_are_counted_apart(self):
        # On a listener for both, an IPv4 client comes as ::ffff:127.0.0.1, which must be no /64 of everybody.
        if not socket.has_dualstack_ipv6():
            self.skipTest("no IPv6 here")
        gateway = self.gate({"connectionsPerAddress": 1}, listeners=[{"address": "::", "port": 0}])
        held = []
        for source, to in (("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.1"), ("::1", "::1")):
            with self.subTest(source):
                held.append(self.open(source, (to, gateway.port)))
                self.assertTrue(self.serves(held[-1]))
                self.assertFalse(self.serves(self.open(source, (to, gateway.port))))

    def test_by_default_there_is_no_such_limit(self):
        gateway = self.gate({})
        clients = [self.open("127.0.0.1", gateway.address) for _ in range(60)]
        for client in clients:
            self.assertTrue(self.serves(client))
        self.assertEqual((0, 0), self.refused(gateway))


class Requests(BoundsCase):
    def test_a_connection_brings_so_many(self):
        gateway = self.gate({"requestsPerConnection": 3})
        with gateway.connect() as client:
            for number in (1, 2):
                response = client.exchange("GET", "/a")
                self.assert_status(response, 200)
                self.assertNotEqual("close", response.get("Connection"), number)
            response = client.exchange("GET", "/a")
            self.assert_status(response, 200)
            self.assertEqual("close", response.get("Connection"))
            self.assertTrue(client.at_end())
        with gateway.connect() as client:  # a new one begins anew
            self.assertNotEqual("close", client.exchange("GET", "/a").get("Connection"))

    def test_what_is_pipelined_behind_the_last_is_not_a_request(self):
        gateway = self.gate({"requestsPerConnection": 3})
        self.assert_status(gateway.get("/warm"), 200)
        self.backend.clear()
        with gateway.connect() as client:
            client.send(b"".join(build("GET", f"/{number}") for number in range(5)))
            for number in range(3):
                self.assert_status(client.read(), 200)
            self.assertTrue(client.at_end())
        self.assertEqual(3, len(self.backend.requests))

    def test_refusals_count_and_by_default_nothing_does(self):
        gateway = self.gate({"requestsPerConnection": 2})
        with gateway.connect() as client:
            client.exchange("GET", "/a")
            response = client.exchange("GET", "/a", {"Expect": "nothing"})
            self.assert_status(response, 417)
            self.assertTrue(client.at_end())
        gateway = self.gate({})
        with gateway.connect() as client:
            for _ in range(1200):
                self.assert_status(client.exchange("GET", "/a"), 200)

    def test_one_that_pipelines_without_end_does_not_hold_up_others(self):
        gateway = self.gate({}, threads=1)
        with gateway.connect() as greedy:
            greedy.send(build("GET", "/a") * 400)
            started = time.monotonic()
            with gateway.connect() as client:
                self.assert_status(client.exchange("GET", "/a"), 200)
            self.assertLess(time.monotonic() - started, 10)
            for _ in range(400):
                self.assert_status(greedy.read(), 200)


class UpstreamHeads(BoundsCase):
    def head(self, size, count=1):
        """An answer whose head has `size` bytes and `count` fields beside Content-Length."""
        start = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + "".join(f"X-{n}: a\r\n" for n in range(count - 1)) + "X: "
        head = start + "a" * (size - len(start) - 4) + "\r\n\r\n"
        self.assertEqual(size, len(head))
        return head.encode() + b"ok"

    def status(self, gateway, data):
        self.backend.respond = lambda request: data
        response = gateway.get("/a")
        if response.status == 502:
            self.assertEqual("upstream_head_too_large", gateway.trace(response)["reason"])
        return response.status

    def test_bytes(self):
        for limit in (256, 1000, 65536, 200000):
            gateway = self.gate({"upstreamHeaderBytes": limit})
            for size, wanted in ((limit - 1, 200), (limit, 200), (limit + 1, 502), (2 * limit, 502)):
                with self.subTest(limit=limit, size=size):
                    self.assertEqual(wanted, self.status(gateway, self.head(size)))

    def test_the_default(self):
        gateway = self.gate({})
        self.assertEqual(200, self.status(gateway, self.head(65536)))
        self.assertEqual(502, self.status(gateway, self.head(65537)))
        self.assertEqual(502, self.status(gateway, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1000000))

    def test_interim_answers_before_it_take_no_room_from_it(self):
        gateway = self.gate({"upstreamHeaderBytes": 65536})
        interim = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"a" * 20000 + b"\r\n\r\n"
        self.assertEqual(200, self.status(gateway, interim * 3 + self.head(65536)))
        self.assertEqual(502, self.status(gateway, interim * 3 + self.head(65537)))

    def test_counts(self):
        for limits, limit in (({}, 256), ({"upstreamHeaderCount": 5}, 5), ({"upstreamHeaderCount": 500}, 500)):
            gateway = self.gate(limits)
            for count, wanted in ((limit - 1, 200), (limit, 200), (limit + 1, 502)):
                with self.subTest(limit=limit, count=count):
                    self.assertEqual(wanted, self.status(gateway, self.head(8000, count - 1)))


class Buffered(BoundsCase):
    """Content that is needed whole is kept: that of all requests together has a bound."""

    LIMIT = 100000

    def setUp(self):
        super().setUp()
        self.gateway = self.gate({"bufferedBytes": self.LIMIT})
        self.backend.respond = lambda request: answer(b"")  # the answer to be mapped is kept too

    def body(self, size):
        return b'"' + b"a" * (size - 2) + b'"'

    def send(self, size, headers=None, path="/kept"):
        return self.gateway.request("POST", path, JSON | (headers or {}), self.body(size))

    def assert_refused(self, response):
        self.assert_status(response, 503)
        self.assertIn(b"Service Unavailable", response.body)
        self.assertEqual("overloaded", self.gateway.trace(response)["reason"])

    def kept(self):
        return int(self.gateway.metrics().total("gatehouse_buffered_bytes"))

    def assert_nothing_kept(self):
        wait_for(lambda: self.kept() == 0, "all that was kept to be given back", 10)

    def test_one_below_and_one_above(self):
        for size, wanted in ((self.LIMIT - 1, 200), (self.LIMIT, 200), (self.LIMIT + 1, 503), (3 * self.LIMIT, 503)):
            with self.subTest(size=size):
                self.backend.clear()
                response = self.send(size)
                if wanted == 200:
                    self.assert_status(response, 200)
                    self.assertEqual(size, len(self.backend.one().body))
                else:
                    self.assert_refused(response)
                    self.assert_untouched(self.backend)
                self.assert_nothing_kept()

    def test_chunks_count_as_they_are_decoded(self):
        for size, wanted in ((self.LIMIT, 200), (self.LIMIT + 1, 503)):
            with self.subTest(size=size), self.gateway.connect() as client:
                client.send(
                    build("POST", "/kept", JSON | {"Transfer-Encoding": "chunked"})
                    + b"%x\r\n%b\r\n0\r\n\r\n" % (size, self.body(size))
                )
                self.assert_status(client.read(), wanted)
        self.assert_nothing_kept()

    def test_requests_share_it(self):
        first = self.gateway.connect()
        self.addCleanup(first.close)
        first.send(build("POST", "/kept", JSON | {"Content-Length": "60000"}) + self.body(60000)[:-1])
        wait_for(lambda: self.kept() == 59999, "what has arrived to be kept", 10)
        self.assert_status(self.send(40000), 200)
        self.assert_refused(self.send(40002))
        first.send(b'"')
        self.assert_status(first.read(), 200)
        self.assert_nothing_kept()
        self.assert_status(self.send(self.LIMIT), 200)

    def test_a_client_that_leaves_gives_back_what_was_kept(self):
        for end in (lambda client: client.close(), lambda client: client.reset()):
            client = self.gateway.connect()
            client.send(build("POST", "/kept", JSON | {"Content-Length": "99999"}) + b"a" * 90000)
            wait_for(lambda: self.kept() == 90000, "what has arrived to be kept", 10)
            end(client)
            self.assert_nothing_kept()

    def test_what_is_announced_and_not_sent_holds_up_nobody(self):
        for _ in range(20):
            client = self.gateway.connect()
            self.addCleanup(client.close)
            client.send(build("POST", "/kept", JSON | {"Content-Length": "99999"}))
        self.assert_status(self.send(self.LIMIT), 200)

    def test_what_is_streamed_does_not_count(self):
        content = b"a" * (5 * self.LIMIT)
        self.backend.respond = lambda request: answer(content)
        response = self.send(5 * self.LIMIT, path="/streamed")
        self.assert_status(response, 200)
        self.assertEqual(content, response.body)
        self.assertEqual(0, self.kept())

    def test_answers_that_are_mapped_count(self):
        for framing in ("length", "chunked"):
            for size, wanted in ((self.LIMIT - 10, 200), (self.LIMIT + 1, 503)):
                with self.subTest(framing=framing, size=size):
                    content = self.body(size)
                    self.backend.respond = lambda request, content=content, framing=framing: answer(
                        content, headers=[("Content-Type", "application/json")], framing=framing
                    )
                    response = self.send(10)
                    if wanted == 200:
                        self.assertEqual((200, content), (response.status, response.body))
                    else:
                        self.assert_refused(response)
                    self.assert_nothing_kept()

    def test_an_answer_that_nobody_takes_is_kept_and_counts(self):
        content = self.body(90000)
        self.backend.respond = lambda request: answer(content, headers=[("Content-Type", "application/json")])
        client = Client.__new__(Client)
        client.sock = socket.socket()
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.sock.settimeout(PATIENCE)
        client.sock.connect(self.gateway.address)
        client.reader, client._remember = Reader(client.sock), None
        self.addCleanup(client.close)
        # Many at once, so that the system's own buffers fill.
        client.send(build("POST", "/kept", JSON, b'"a"') * 120)
        wait_for(lambda: self.kept() == 90000, "the answer to be kept", 20)
        self.assert_refused(self.send(20000))
        client.close()
        self.assert_nothing_kept()
        self.backend.respond = lambda request: answer(b"")
        self.assert_status(self.send(20000), 200)


class Times(BoundsCase):
    """What an upstream may take its time for: a little less passes, and beyond it nobody waits."""

    LIMIT = 600  # ms

    def seconds(self, gateway, reason, **options):
        started = time.monotonic()
        response = gateway.request(options.pop("method", "GET"), "/a", **options)
        took = time.monotonic() - started
        self.assert_status(response, 504)
        self.assertEqual(reason, gateway.trace(response)["reason"])
        self.assertGreater(took, self.LIMIT / 1000 - 0.05)
        self.assertLess(took, 10)

    def pauses(self, *parts, hold=False):
        """Answers with these parts, each after a pause of less than the limit; then perhaps nothing any more."""
        pause = threading.Event()

        def script(connection):
            connection.read()
            for part in parts:
                pause.wait(self.LIMIT / 1000 / 3)
                connection.send(part)
            if hold:
                self.backend.hold()

        self.backend.script = script

    def routed(self, to, timeouts, **integration):
        self.backend = to
        return self.start(config(api([route("ANY /a", f"http://{to.authority}/", "NONE", **integration)], authorizers={}), timeouts=timeouts))

    def test_connecting(self):
        self.assert_status(self.routed(self.upstream(), {"connectInMillis": self.LIMIT}).get("/a"), 200)
        gateway = self.routed(self.using(FullPort()), {"connectInMillis": self.LIMIT})
        self.seconds(gateway, "upstream_connect_timeout")

    def test_the_first_byte(self):
        gateway = self.routed(self.upstream(), {}, timeoutInMillis=self.LIMIT)
        self.pauses(answer(b"ok"))
        self.assert_status(gateway.get("/a"), 200)
        self.pauses(hold=True)
        self.seconds(gateway, "upstream_timeout")
        self.pauses(b"HTTP/1.1 200 OK\r\n", hold=True)  # half a head is no answer
        self.seconds(gateway, "upstream_timeout")

    def test_a_head_byte_by_byte_has_the_time_of_the_first_byte(self):
        gateway = self.routed(self.upstream(), {}, timeoutInMillis=self.LIMIT)
        self.pauses(*(b"HTTP/1.1 200 OK\r\n"[at : at + 1] for at in range(17)))
        self.seconds(gateway, "upstream_timeout")

    def test_between_two_reads(self):
        gateway = self.routed(self.upstream(), {"upstreamIdleInMillis": self.LIMIT})
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        self.pauses(head, b"1", b"2", b"3", b"4", b"5")
        self.assertEqual(b"12345", gateway.get("/a").body)
        self.pauses(head, b"1", b"2", hold=True)
        started = time.monotonic()
        response = gateway.get("/a")
        self.assertEqual((200, b"12", False), (response.status, response.body, response.complete))
        self.assertGreater(time.monotonic() - started, self.LIMIT / 1000)
        self.assertLess(time.monotonic() - started, 10)

    def test_an_upstream_that_takes_no_content(self):
        gateway = self.routed(self.upstream(), {"writeInMillis": self.LIMIT})

        def script(connection):
            connection.read_head()
            self.backend.hold()

        self.backend.script = script
        self.seconds(gateway, "upstream_timeout", method="POST", body=b"x" * (10 << 20))


if __name__ == "__main__":
    unittest.main()
