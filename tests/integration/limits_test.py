"""Limits and times: one below passes, one above is refused, and nobody can hold the gateway up."""

import os
import resource
import socket
import threading
import time
import unittest

from support.case import GatewayCase
from support.gateway import api, config, route
from support.process import wait_for
from support.tokens import mint
from support.upstream import answer
from support.wire import build


class LimitsCase(GatewayCase):
    def gate(self, limits=None, timeouts=None, **changes):
        self.backend = self.upstream()
        routes = [
            route("ANY /guarded/{proxy+}", f"{self.backend.url}/{{proxy}}"),
            route("ANY /{proxy+}", f"{self.backend.url}/x", "NONE"),
        ]
        return self.start(config(api(routes), limits=limits or {}, timeouts=timeouts or {}, **changes))

    def exchange(self, gateway, data):
        """Sends bytes and gives back the answer and whether the connection was closed after it."""
        with gateway.connect() as client:
            client.send(data)
            response = client.read()
            self.assertIsNotNone(response, "closed without an answer")
            if response.status == 200:
                return response, False
            return response, client.at_end()

    def assert_refused(self, gateway, data, status):
        self.backend.clear()
        response, closed = self.exchange(gateway, data)
        self.assert_status(response, status)
        self.assertTrue(closed)
        self.assert_untouched(self.backend)
        return response

    def assert_passes(self, gateway, data):
        response, _ = self.exchange(gateway, data)
        self.assert_status(response, 200)


class Sizes(LimitsCase):
    def line(self, size):
        return b"GET /" + b"a" * (size - len("GET / HTTP/1.1")) + b" HTTP/1.1\r\nHost: x\r\n\r\n"

    def test_request_lines(self):
        gateway = self.gate({"requestLineBytes": 300})
        self.assert_passes(gateway, self.line(299))
        self.assert_passes(gateway, self.line(300))
        for size in (301, 302, 1000, 9000):
            with self.subTest(size=size):
                self.assert_refused(gateway, self.line(size), 414)
        with self.subTest("never ending"):
            self.assert_refused(gateway, b"GET /" + b"a" * 100000, 414)
        with self.subTest("in the query"):
            self.assert_refused(gateway, b"GET /?" + b"a" * 400 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414)

    def test_the_default_request_line(self):
        gateway = self.gate()
        self.assert_passes(gateway, self.line(8000))
        self.assert_passes(gateway, self.line(10240))
        self.assert_refused(gateway, self.line(10241), 414)

    def test_header_counts(self):
        gateway = self.gate({"headerCount": 10})
        for count, status in ((9, 200), (10, 200), (11, 431), (100, 431)):
            with self.subTest(count=count):
                data = (
                    b"GET /a HTTP/1.1\r\nHost: x\r\n"
                    + b"".join(b"X-%d: a\r\n" % number for number in range(count - 1))
                    + b"\r\n"
                )
                if status == 200:
                    self.assert_passes(gateway, data)
                else:
                    self.assert_refused(gateway, data, status)

    def test_header_bytes(self):
        gateway = self.gate({"headerBytes": 2000})

        def data(size):
            return b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * size + b"\r\n\r\n"

        def status(size):
            return self.exchange(gateway, data(size))[0].status

        low, high = 1800, 2200  # what is counted beside names and values is ours; where it ends is found by halving
        self.assertEqual((200, 431), (status(low), status(high)))
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if status(middle) == 200 else (low, middle)
        self.assertEqual((200, 431), (status(low), status(high)))
        self.assertGreater(low, 1900)
        self.assertLessEqual(low, 2000)
        self.assert_refused(gateway, data(high), 431)
        with self.subTest("many small fields"):
            self.assert_refused(
                gateway,
                b"GET /a HTTP/1.1\r\nHost: x\r\n"
                + b"".join(b"X-%02d: %s\r\n" % (n, b"a" * 60) for n in range(60))
                + b"\r\n",
                431,
            )
        with self.subTest("never ending"):
            self.assert_refused(gateway, b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 200000, 431)

    def test_bodies(self):
        limit = 5000
        gateway = self.gate({"bodyBytes": limit})
        for size in (0, limit - 1, limit):
            with self.subTest(size=size):
                self.backend.clear()
                self.assert_passes(gateway, build("POST", "/a", body=b"b" * size))
                self.assertEqual(size, len(self.backend.one().body))
                self.assert_passes(
                    gateway,
                    build("POST", "/a", {"Transfer-Encoding": "chunked"})
                    + (b"%x\r\n%b\r\n" % (size, b"b" * size) if size else b"")
                    + b"0\r\n\r\n",
                )
        for name, data in (
            ("length", build("POST", "/a", body=b"b" * (limit + 1))),
            ("length alone", build("POST", "/a", {"Content-Length": str(limit + 1)})),
            ("far too long", build("POST", "/a", {"Content-Length": "9223372036854775807"})),
            ("asking first", build("POST", "/a", {"Content-Length": str(limit + 1), "Expect": "100-continue"})),
        ):
            with self.subTest(name):
                response = self.assert_refused(gateway, data, 413)
                self.assertEqual(f"HTTP content length exceeded {limit} bytes.".encode(), response.body)
                self.assertRegex(response.get("Content-Type", ""), r"\Atext/")
                self.assertEqual([], response.interim)
        for name, body in (
            ("one chunk", b"%x\r\n%b\r\n0\r\n\r\n" % (limit + 1, b"b" * (limit + 1))),
            ("many chunks", b"1\r\nb\r\n" * (limit + 1) + b"0\r\n\r\n"),
        ):
            with self.subTest("chunked: " + name):
                self.backend.clear()
                with gateway.connect() as client:
                    client.send(build("POST", "/a", {"Transfer-Encoding": "chunked"}) + body)
                    response = client.read()
                    if response is not None:
                        self.assert_status(response, 413)
                    self.assertTrue(client.at_end())
                self.assertEqual([], [request for request in self.backend.requests if request.complete])

    def test_the_default_body(self):
        gateway = self.gate()
        response = self.assert_refused(gateway, build("POST", "/a", {"Content-Length": "10485761"}), 413)
        self.assertEqual(b"HTTP content length exceeded 10485760 bytes.", response.body)
        response = gateway.request("POST", "/a", body=bytes(10485760))
        self.assert_status(response, 200)
        self.assertEqual(10485760, len(self.backend.one().body))

    def test_method_arns(self):
        # API Gateway developer guide, quotas: 1600 bytes, for methods with an authorizer
        gateway = self.gate()
        prefix = len("arn:aws:execute-api:us-east-1:123456789012:local/prod/GET/")
        token = mint()
        for length, status in ((1600, 200), (1601, 414), (3000, 414)):
            with self.subTest(length=length):
                path = "/guarded/" + "a" * (length - prefix - len("guarded/"))
                self.assert_status(gateway.get(path, token), status)
        self.assert_status(gateway.get("/" + "a" * 3000), 200)

    def test_connections(self):
        gateway = self.gate({"connections": 6}, threads=1)
        held = []
        for _ in range(6):
            client = gateway.connect()
            self.addCleanup(client.close)
            self.assert_status(client.exchange("GET", "/a"), 200)
            held.append(client)
        for _ in range(3):
            with gateway.connect() as client:
                client.send(build("GET", "/a"))
                response = client.read()
                if response is not None:
                    self.assert_status(response, 503)
                self.assertTrue(client.at_end())
        for client in held:
            self.assert_status(client.exchange("GET", "/a"), 200)
        held[0].close()

        def works():
            with gateway.connect() as client:
                client.send(build("GET", "/a"))
                response = client.read()
                return response is not None and response.status == 200

        wait_for(works, "room for a new connection", 10)


class Resources(LimitsCase):
    """What one client, or one upstream, can make the gateway hold."""

    def resident(self, gateway):
        with open(f"/proc/{gateway.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self, gateway):
        with open(f"/proc/{gateway.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_clients_that_do_not_read_cost_a_bounded_amount(self):
        # A sanitizer keeps what was freed for a while, and notes on everything.
        sanitized = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ
        # And takes a hundred times as long over a chunk of one byte, of which a connection holds half a million.
        clients, per_connection, slack = (8, 256 * 1024, 64 << 20) if sanitized else (40, 256 * 1024, 12 << 20)
        block = b"x" * 65536
        rows = (
            ("length", b"Content-Length: 1000000000\r\n\r\n", block),
            ("large chunks", b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + block + b"\r\n"),
            ("chunks of one byte", b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10000),
            ("until the end", b"\r\n", block),
        )
        for name, fields, data in rows:
            with self.subTest(name):
                gateway = self.gate()
                full = threading.Semaphore(0)

                def script(connection, fields=fields, data=data, full=full):
                    connection.read()
                    connection.send(b"HTTP/1.1 200 OK\r\n" + fields)
                    connection.sock.settimeout(0.5)
                    try:
                        for _ in range(2000):
                            connection.sock.sendall(data)
                    except TimeoutError:
                        full.release()
                        self.backend.hold()

                self.backend.script = script
                self.assert_status(gateway.request("GET", "/a/../b"), 400)  # what is allocated once is there
                before = self.resident(gateway)
                for _ in range(clients):
                    client = gateway.connect()
                    self.addCleanup(client.close)
                    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    client.send(build("GET", "/a"))
                for _ in range(clients):
                    self.assertTrue(full.acquire(timeout=100), "the upstream is never held up")
                grown = self.resident(gateway) - before
                self.assertLess(grown, clients * per_connection + slack)

    def test_large_content_passes_without_growing_memory(self):
        size, block = 256 << 20, b"x" * (1 << 20)
        gateway = self.gate({"bodyBytes": size})

        def script(connection):
            request = connection.read_head()
            left = size if request.framing == "length" else size + size // len(block) * 10 + 5
            view = memoryview(bytearray(1 << 20))
            left -= len(connection.reader.buffer)
            while left > 0 and (got := connection.sock.recv_into(view, min(left, len(view)))):
                left -= got
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // len(block)):
                connection.send(block)

        self.backend.script = script
        self.assert_status(gateway.request("GET", "/a/../b"), 400)
        before = self.resident(gateway)
        with gateway.connect() as client:
            client.send(build("POST", "/a", {"Content-Length": str(size)}))
            for _ in range(size // len(block)):
                client.send(block)
            self.assertRegex(client.reader.until(b"\r\n\r\n"), rb"\AHTTP/1.1 200 ")
            view, left = memoryview(bytearray(1 << 20)), size - len(client.reader.buffer)
            while left > 0 and (got := client.sock.recv_into(view)):
                left -= got
        self.assertEqual(0, left)
        self.assertLess(self.resident(gateway) - before, 8 << 20)

    def test_out_of_descriptors_it_waits_and_recovers(self):
        gateway = self.gate()
        self.assert_status(gateway.get("/a"), 200)
        used = len(os.listdir(f"/proc/{gateway.process.pid}/fd"))
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (used + 10, used + 10))
        held = [gateway.connect() for _ in range(60)]
        for client in held:
            self.addCleanup(client.close)
        gateway.wait_log("cannot accept a connection")
        before, started = self.cpu_seconds(gateway), time.monotonic()
        threading.Event().wait(1)
        self.assertLess(self.cpu_seconds(gateway) - before, 0.3 * (time.monotonic() - started), "a busy loop")
        for client in held:
            client.close()

        def works():
            with gateway.connect() as client:
                client.send(build("GET", "/a"))
                response = client.read()
                return response is not None and response.status == 200

        wait_for(works, "recovery", 20, interval=0.1)


class Times(LimitsCase):
    def assert_ended(self, client, what, statuses=(408,), within=10):
        """An answer with one of the statuses, or none, and then the end; in bounded time."""
        started = time.monotonic()
        client.sock.settimeout(within)
        try:
            response = client.read()
        except TimeoutError:
            self.fail(f"{what}: still open after {within} s")
        if response is not None:
            self.assertIn(response.status, statuses, repr(response))
            self.assertTrue(client.at_end())
        return time.monotonic() - started

    def test_slow_heads_end(self):
        gateway = self.gate(timeouts={"headerInMillis": 700, "keepAliveInMillis": 700})
        for name, data in (
            ("half a line", b"GET /a"),
            ("half a head", b"GET /a HTTP/1.1\r\nHost: x\r\n"),
            ("half a field", b"GET /a HTTP/1.1\r\nHo"),
        ):
            with self.subTest(name):
                with gateway.connect() as client:
                    client.send(data)
                    self.assertGreater(self.assert_ended(client, name), 0.3)
        with self.subTest("one byte at a time"):
            with gateway.connect() as client:
                stop = threading.Event()

                def trickle():
                    for byte in b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 1000:
                        if stop.wait(0.1) or not client.send(bytes([byte])):
                            return

                thread = threading.Thread(target=trickle)
                thread.start()
                try:
                    self.assert_ended(client, "a head of single bytes")
                finally:
                    stop.set()
                    thread.join()
        self.assert_untouched(self.backend)
        self.assert_status(gateway.get("/a"), 200)

    def test_idle_connections_end_without_a_word(self):
        gateway = self.gate(timeouts={"keepAliveInMillis": 700, "headerInMillis": 5000})
        with gateway.connect() as client:
            self.assert_status(client.exchange("GET", "/a"), 200)
            started = time.monotonic()
            client.sock.settimeout(10)
            self.assertTrue(client.at_end(), "an idle connection gets no answer to nothing")
            self.assertGreater(time.monotonic() - started, 0.3)
        with gateway.connect() as client:
            client.sock.settimeout(10)
            self.assertTrue(client.at_end(), "nor does one that never spoke")

    def test_slow_bodies_end(self):
        gateway = self.gate(timeouts={"bodyInMillis": 700})
        for name, data in (
            ("length", build("POST", "/a", {"Content-Length": "10"}) + b"12345"),
            ("nothing at all", build("POST", "/a", {"Content-Length": "10"})),
            ("chunk", build("POST", "/a", {"Transfer-Encoding": "chunked"}) + b"a\r\n12345"),
        ):
            with self.subTest(name):
                with gateway.connect() as client:
                    client.send(data)
                    self.assert_ended(client, name, statuses=(408, 400, 502, 504))
        wait_for(
            lambda: all(connection.closed for connection in self.backend.connections),
            "the upstream connections to end",
            10,
        )
        self.assertEqual([], [request for request in self.backend.requests if request.complete])

    def test_a_steady_body_may_take_its_time(self):
        gateway = self.gate(timeouts={"bodyInMillis": 2000, "headerInMillis": 500})
        with gateway.connect() as client:
            client.send(build("POST", "/a", {"Content-Length": "8"}))
            pause = threading.Event()
            for byte in b"12345678":
                pause.wait(0.15)
                client.send(bytes([byte]))
            self.assert_status(client.read(), 200)

    def test_a_body_has_a_time_in_all(self):
        gateway = self.gate(timeouts={"bodyInMillis": 2000, "bodyTotalInMillis": 1000})
        with gateway.connect() as client:
            client.send(build("POST", "/a", {"Content-Length": "1000"}))
            stop = threading.Event()

            def trickle():
                while not stop.wait(0.1) and client.send(b"x"):
                    pass

            thread = threading.Thread(target=trickle)
            thread.start()
            try:
                self.assert_ended(client, "a body of single bytes", statuses=(408, 400, 502, 504))
            finally:
                stop.set()
                thread.join()

    def test_a_client_that_does_not_read_is_given_up(self):
        gateway = self.gate(timeouts={"writeInMillis": 1000})
        ended = threading.Event()

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            try:
                for _ in range(15000):
                    connection.sock.sendall(b"x" * 65536)
            except OSError:
                pass
            ended.set()

        self.backend.script = script
        client = gateway.connect()
        self.addCleanup(client.close)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(build("GET", "/a"))
        self.assertTrue(ended.wait(30), "the upstream is held up by a client that does not read")
        self.backend.script = None
        self.assert_status(gateway.get("/a"), 200)

    def test_a_client_that_takes_its_answer_slowly_is_not_given_up(self):
        # writeInMillis is for clients that take nothing; buffers of the system hold megabytes, so that a steady client frees room in
        # them more rarely than that.
        gateway = self.gate(timeouts={"writeInMillis": 500})
        content = b"x" * (8 << 20)
        self.backend.respond = lambda request: answer(content)
        with gateway.connect() as client:
            client.send(build("GET", "/a"))
            pace = threading.Event()
            ends = time.monotonic() + 4
            while time.monotonic() < ends:
                pace.wait(0.05)
                client.reader.buffer += client.sock.recv(16384)
            response = client.read()
        self.assertEqual(len(content), len(response.body))

    def test_a_slow_answer_that_keeps_coming_is_passed_on(self):
        gateway = self.gate(timeouts={"upstreamIdleInMillis": 2000})
        pause = threading.Event()

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(15):
                pause.wait(0.2)
                connection.send(b"1\r\nx\r\n")
            connection.send(b"0\r\n\r\n")

        self.backend.script = script
        response = gateway.get("/a")
        self.assertEqual((b"x" * 15, True), (response.body, response.complete))

    def test_a_client_that_closes_with_its_request_is_not_kept(self):
        gateway = self.gate()
        for target in ("/a", "/b"):
            with self.subTest(target), gateway.connect() as client:
                if target == "/b":  # an answer before it: the connection is no fresh one
                    self.assert_status(client.exchange("GET", "/x"), 200)
                # The request and the FIN in one segment: the gateway is told of both at once.
                client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
                client.send(build("GET", target))
                client.finish_sending()
                self.assert_status(client.read(), 200)
                self.assertTrue(client.at_end())  # long before keepAliveInMillis, 75 s

    def test_half_closed_clients_get_their_answer(self):
        gateway = self.gate()
        self.backend.respond = lambda request: answer(b"late")
        with gateway.connect() as client:
            client.send(build("GET", "/a", {"Connection": "close"}))
            client.finish_sending()
            response = client.read()
            # A half-closed connection may be taken for a client that left; an answer, if any, is the right one.
            if response is not None:
                self.assertEqual((200, b"late"), (response.status, response.body))


if __name__ == "__main__":
    unittest.main()
