"""Behind the gate: what the upstream receives, what becomes of its answer, and what the client learns when it fails."""

import hashlib
import json
import os
import re
import threading
import time
import unittest

from support.case import FAULT, GatewayCase
from support.gateway import api, config, jwt_authorizer, mock, route
from support.nginx import Nginx
from support.process import run, wait_for
from support.tokens import mint
from support.upstream import ClosedPort, FullPort, answer
from support.wire import build, read_chunked

TIMED_OUT = b'{"message": "Endpoint request timed out"}'
RESPONSE_TYPE = {
    kind: {"responseParameters": {"gatewayresponse.header.X-Type": "context.error.responseType"}}
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX")
}


class UpstreamCase(GatewayCase):
    def gate(self, to, timeouts=None, integration=None, **changes):
        """Everything goes to the upstream, openly; every gateway response names its type in X-Type."""
        routes = [route("ANY /{proxy+}", f"http://{to}/{{proxy}}", "NONE", **(integration or {}))]
        return self.start(config(api(routes, gatewayResponses=RESPONSE_TYPE, **changes), timeouts=timeouts or {}))

    def assert_failure(self, response, status, kind, body):
        self.assert_error(response, status, body, "InternalServerErrorException", exact_fields=False)
        self.assertEqual([kind], response.all("X-Type"))

    def assert_bad_gateway(self, response):
        self.assert_failure(response, 502, "INTEGRATION_FAILURE", FAULT)

    def assert_timed_out(self, response):
        self.assert_failure(response, 504, "INTEGRATION_TIMEOUT", TIMED_OUT)

    def assert_logged_once(self, gateway):
        """Every request so far has one line in the access log, and each line its own request."""
        wanted = int(gateway.metrics().total("gatehouse_requests_total"))
        lines = wait_for(lambda: len(gateway.access_log()) >= wanted and gateway.access_log(), "the access log")
        ids = [json.loads(line)["requestId"] for line in lines]
        self.assertEqual(len(set(ids)), len(ids), "a request was logged twice")


class Failures(UpstreamCase):
    def test_refused_connections(self):
        closed = self.using(ClosedPort())
        gateway = self.gate(closed.authority)
        for method in ("GET", "POST", "PUT"):
            with self.subTest(method):
                response = gateway.request(method, "/x", body=b"body" if method != "GET" else None)
                self.assert_bad_gateway(response)
                self.assertEqual("upstream_refused", gateway.trace(response)["reason"])

    def test_names_that_do_not_resolve(self):
        gateway = self.gate("does-not-exist.invalid:80")
        response = gateway.get("/x")
        self.assert_bad_gateway(response)
        self.assertIn(gateway.trace(response)["reason"], ("upstream_unresolved", "upstream_refused"))

    def test_connections_that_do_not_come(self):
        full = self.using(FullPort())
        gateway = self.gate(full.authority, timeouts={"connectInMillis": 300})
        started = time.monotonic()
        self.assert_timed_out(gateway.get("/x"))
        self.assertLess(time.monotonic() - started, 10)

    def test_answers_that_do_not_come(self):
        backend = self.upstream()
        backend.script = lambda connection: connection.read() and backend.hold()
        gateway = self.gate(backend.authority, integration={"timeoutInMillis": 300})
        response = gateway.get("/x")
        self.assert_timed_out(response)
        self.assertEqual("upstream_timeout", gateway.trace(response)["reason"])
        self.assert_timed_out(gateway.request("POST", "/x", body=b"x"))
        wait_for(lambda: len(backend.requests) == 2, "both requests")

    def test_half_an_answer_head_in_time_is_none(self):
        backend = self.upstream()

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-")
            backend.hold()

        backend.script = script
        self.assert_timed_out(self.gate(backend.authority, integration={"timeoutInMillis": 300}).get("/x"))

    def test_one_hung_upstream_delays_no_other(self):
        hung, good = self.upstream(), self.upstream()
        hung.script = lambda connection: connection.read() and hung.hold()
        gateway = self.start(config(api([route("GET /hung", hung.url, "NONE"), route("GET /good", good.url, "NONE")])))
        clients = [gateway.connect() for _ in range(20)]
        for client in clients:
            self.addCleanup(client.close)
            client.send(b"GET /hung HTTP/1.1\r\nHost: x\r\n\r\n")
        hung.wait_requests(20)
        for _ in range(20):
            self.assert_status(gateway.get("/good"), 200)

    def test_answers_that_are_no_http(self):
        ok = b"HTTP/1.1 200 OK\r\n"
        rows = (
            ("nothing", b""),
            ("garbage", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            ("a page without a head", b"<html>hello</html>"),
            ("half a head", ok + b"Content-Le"),
            ("status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
            ("status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n"),
            ("status that is no number", b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"),
            ("status below 100", b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("HTTP/0.9", b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two blanks before the status", b"HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n"),
            ("two lengths", ok + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk"),
            ("list of lengths", ok + b"Content-Length: 2, 3\r\n\r\nokk"),
            ("negative length", ok + b"Content-Length: -2\r\n\r\nok"),
            ("length that is no number", ok + b"Content-Length: two\r\n\r\nok"),
            ("length over 64 bits", ok + b"Content-Length: 18446744073709551618\r\n\r\nok"),
            ("length and chunks", ok + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("chunks and length", ok + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("unknown coding", ok + b"Transfer-Encoding: gzip\r\n\r\nok"),
            ("chunked twice", ok + b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("chunked then another", ok + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
            ("field without a colon", ok + b"X-A b\r\nContent-Length: 0\r\n\r\n"),
            ("blank before the colon", ok + b"Content-Length : 0\r\n\r\n"),
            ("field without a name", ok + b": b\r\nContent-Length: 0\r\n\r\n"),
            ("folded field", ok + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
            ("NUL in a value", ok + b"X-A: b\0c\r\nContent-Length: 0\r\n\r\n"),
            ("bare CR in a value", ok + b"X-A: b\rX-B: c\r\nContent-Length: 0\r\n\r\n"),
            ("head too large", ok + b"X-A: " + b"a" * 70000 + b"\r\nContent-Length: 0\r\n\r\n"),
            (
                "too many fields",
                ok + b"".join(b"X-%d: a\r\n" % number for number in range(3000)) + b"Content-Length: 0\r\n\r\n",
            ),
            (
                "a switch nobody asked for",
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            ),
            (
                "interim answers without end",
                b"HTTP/1.1 103 Early Hints\r\n\r\n" * 200 + ok + b"Content-Length: 0\r\n\r\n",
            ),
            ("interim answer and no more", b"HTTP/1.1 100 Continue\r\n\r\n"),
        )
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for name, data in rows:
            with self.subTest(name):

                def script(connection, data=data):
                    connection.read()
                    connection.send(data)

                backend.script = script
                backend.clear()
                self.assert_bad_gateway(gateway.get("/x"))
                self.assertEqual(
                    1, len(backend.requests), "a connection that was never used before is no reason to try again"
                )
        for name, data in (("reset at once", b""), ("reset inside the head", b"HTTP/1.1 200 OK\r\nX-A")):
            with self.subTest(name):

                def script(connection, data=data):
                    connection.read()
                    connection.send(data)
                    connection.reset()

                backend.script = script
                self.assert_bad_gateway(gateway.get("/x"))
        with self.subTest("and the gateway goes on"):
            backend.script = None
            self.assert_status(gateway.get("/x"), 200)

    def test_content_cut_short_is_visible(self):
        rows = (
            ("length", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"a" * 50, b"a" * 50),
            ("last chunk missing", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", b"hello"),
            ("inside a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", b"hello"),
            ("inside a size", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1", b"hello"),
            ("inside the end", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", b"hello"),
        )
        backend = self.upstream()
        gateway = self.gate(backend.authority, timeouts={"upstreamIdleInMillis": 1000})
        for name, data, body in rows:
            for ending in ("close", "reset", "stall"):
                with self.subTest(name, ending=ending):

                    def script(connection, data=data, ending=ending):
                        connection.read()
                        connection.send(data)
                        if ending == "reset":
                            connection.reset()
                        elif ending == "stall":
                            backend.hold()

                    backend.script = script
                    with gateway.connect() as client:
                        response = client.exchange("GET", "/x")
                        if response.status == 502:
                            self.assertEqual("reset", ending, "only a reset may overtake the answer")
                            continue
                        self.assert_status(response, 200)
                        self.assertFalse(response.complete)
                        if ending != "reset":
                            self.assertEqual(body, response.body)
                        self.assertTrue(client.at_end())
        self.assert_logged_once(gateway)

    def test_an_answer_may_end_at_any_byte(self):
        # Never a whole answer but after the last byte, never a hang, never another request's bytes.
        answers = (
            ("length", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello world"),
            ("chunked", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: t\r\n\r\n"),
            ("interim before", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world"),
        )
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for name, data in answers:
            for ending in ("close", "reset"):
                for size in range(len(data) + 1):
                    with self.subTest(name, ending=ending, size=size):

                        def script(connection, part=data[:size], ending=ending):
                            connection.read()
                            connection.send(part)
                            if ending == "reset":
                                connection.reset()

                        backend.script = script
                        with gateway.connect(timeout=10) as client:
                            response = client.exchange("GET", "/x")
                            if size == len(data):
                                whole = (response.status, response.complete, response.body) == (200, True, b"hello world")
                                self.assertTrue(whole or ending == "reset", repr(response))
                                continue
                            if response.status == 502:
                                self.assertTrue(response.complete)
                                continue
                            self.assertEqual((200, False), (response.status, response.complete))
                            self.assertTrue(b"hello world".startswith(response.body))
                            self.assertTrue(client.at_end())
        self.assert_logged_once(gateway)

    def test_an_answer_may_come_byte_by_byte(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x\r\nhello\r\n0\r\nT: t\r\n\r\n"

        def script(connection):
            while connection.read() is not None:
                for position in range(len(data)):
                    connection.send(data[position : position + 1])

        backend.script = script
        with gateway.connect() as client:
            for _ in range(3):
                response = client.exchange("GET", "/x")
                self.assertEqual((200, b"hello", True), (response.status, response.body, response.complete))
        self.assertEqual({0}, {request.connection for request in backend.requests})

    def test_content_cut_short_is_visible_in_http_1_0_too(self):
        # What ends with the connection looks whole when the connection ends in order: only a reset does not.
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        rows = (
            ("last chunk missing", chunks, "close", True),
            ("reset in chunks", chunks, "reset", True),
            ("stalled in chunks", chunks, "stall", True),
            ("bad chunk", chunks, "bad", True),
            ("stalled until the end", b"HTTP/1.1 200 OK\r\n\r\nhello", "stall", True),
            ("reset before the end", b"HTTP/1.1 200 OK\r\n\r\nhello", "reset", True),
            ("whole chunks", chunks + b"0\r\n\r\n", "close", False),
            ("whole until the end", b"HTTP/1.1 200 OK\r\n\r\nhello", "close", False),
        )
        backend = self.upstream()
        gateway = self.gate(backend.authority, timeouts={"upstreamIdleInMillis": 500})
        for name, data, ending, cut in rows:
            with self.subTest(name):
                went_out = threading.Event()

                def script(connection, data=data, ending=ending, went_out=went_out):
                    connection.read()
                    connection.send(data)
                    went_out.wait(30)
                    if ending == "bad":
                        connection.send(b"xyz\r\n")
                    if ending == "reset":
                        connection.reset()
                    elif ending == "stall":
                        backend.hold()

                backend.script = script
                with gateway.connect() as client:
                    client.send(b"GET /x HTTP/1.0\r\nHost: x\r\n\r\n")
                    while b"hello" not in client.reader.buffer:
                        self.assertTrue(client.reader.fill())
                    went_out.set()
                    self.assertEqual(cut, self.is_reset(client))

    def test_a_reset_is_not_the_end_of_content(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for ending, whole in (("reset", False), ("close", True)):
            with self.subTest(ending):
                went_out = threading.Event()

                def script(connection, ending=ending, went_out=went_out):
                    connection.read()
                    connection.send(b"HTTP/1.1 200 OK\r\n\r\nhello")
                    went_out.wait(30)
                    if ending == "reset":
                        connection.reset()

                backend.script = script
                with gateway.connect() as client:
                    client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                    while b"hello" not in client.reader.buffer:
                        self.assertTrue(client.reader.fill())
                    went_out.set()
                    response = client.read()
                    self.assertEqual((200, b"hello", whole), (response.status, response.body, response.complete))

    def is_reset(self, client):
        try:
            while client.sock.recv(65536):
                pass
            return False
        except ConnectionResetError:
            return True

    def test_garbage_in_the_content_is_502_until_something_went_out(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        rows = (
            ("size that is no number", b"xyz\r\n"),
            ("size over 64 bits", b"10000000000000000\r\n"),
            ("bare LF after a size", b"5\nhello\r\n"),
            ("data longer than told", b"4\r\nhello\r\n"),
            ("extension without end", b"5;" + b"a" * 5000 + b"\r\nhello\r\n"),
            ("trailer that is no field", b"0\r\nX Y\r\n\r\n"),
        )
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for name, rest in rows:
            for ending in ("close", "stall"):
                for at_once in (True, False):
                    with self.subTest(name, ending=ending, at_once=at_once):
                        went_out = threading.Event()

                        def script(connection, rest=rest, ending=ending, at_once=at_once, went_out=went_out):
                            connection.read()
                            connection.send(head + rest if at_once else head)
                            if not at_once:
                                went_out.wait(30)
                                connection.send(rest)
                            if ending == "stall":
                                backend.hold()

                        backend.script = script
                        with gateway.connect() as client:
                            client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                            if not at_once:
                                while b"hello" not in client.reader.buffer:
                                    self.assertTrue(client.reader.fill())
                                went_out.set()
                            response = client.read()
                            if at_once:
                                self.assert_bad_gateway(response)
                            else:
                                self.assertEqual((200, False), (response.status, response.complete))
                                self.assertTrue(response.body.startswith(b"hello"))
                            self.assertTrue(client.at_end())
        self.assert_logged_once(gateway)

    def test_an_answer_that_ends_with_the_connection(self):
        backend = self.upstream()

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end")

        backend.script = script
        gateway = self.gate(backend.authority)
        response = gateway.get("/x")
        self.assertEqual((b"until the end", True, "chunked"), (response.body, response.complete, response.framing))
        response = gateway.get("/x", version="HTTP/1.0")
        self.assertEqual((b"until the end", []), (response.body, response.all("Transfer-Encoding")))


class Retries(UpstreamCase):
    """Once, for idempotent methods, on a reused connection that closed before any byte of the answer. POST at most once."""

    def stale(self, failing=(0,), byte=b""):
        """Connections in `failing` answer once and fail when the second request is there."""
        backend = self.upstream()

        def script(connection):
            while True:
                request = connection.read()
                if request is None:
                    return
                if connection.number in failing and b"second" in request.head:
                    connection.send(byte)
                    return
                connection.send(answer(b"from %d" % connection.number))

        backend.script = script
        return backend

    def test_idempotent_methods_are_tried_once_more(self):
        for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
            with self.subTest(method):
                backend = self.stale()
                gateway = self.start(
                    config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1)
                )
                self.assertEqual(b"from 0", gateway.get("/first").body)
                response = gateway.request(method, "/second")
                self.assert_status(response, 200)
                self.assertEqual(
                    [0, 1], [request.connection for request in backend.requests if request.target == "/second"]
                )

    def test_other_methods_are_delivered_at_most_once(self):
        for method in ("POST", "PATCH"):
            with self.subTest(method):
                backend = self.stale()
                gateway = self.start(
                    config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1)
                )
                self.assertEqual(b"from 0", gateway.get("/first").body)
                response = gateway.request(method, "/second", body=b"pay")
                self.assertEqual((502, FAULT), (response.status, response.body))
                self.assertEqual(1, len([request for request in backend.requests if request.target == "/second"]))
                self.assert_status(gateway.get("/third"), 200)

    def test_content_is_sent_again_only_where_all_of_it_is_at_hand(self):
        # RFC 9110 9.2.2: PUT is idempotent; but what was passed on and forgotten cannot be repeated, and a method is what both
        # sides of the gateway take it for.
        small, large = b"content", b"x" * 300_000
        chunks = b"7\r\ncontent\r\n0\r\n\r\n"
        twice, once = [0, 1], [0]
        for name, method, to_method, fields, sent, body, wanted in (
            ("at hand", "PUT", None, {}, small, small, twice),
            ("at hand, empty", "PUT", None, {"Content-Length": "0"}, b"", b"", twice),
            ("at hand, DELETE", "DELETE", None, {}, small, small, twice),
            ("passed on in pieces", "PUT", None, {}, large, large, once),
            ("chunked", "PUT", None, {"Transfer-Encoding": "chunked"}, chunks, small, once),
            ("PUT to a POST", "PUT", "POST", {}, small, small, once),
            ("POST to a PUT", "POST", "PUT", {}, small, small, once),
        ):
            with self.subTest(name):
                backend = self.stale()
                integration = {"httpMethod": to_method} if to_method else {}
                gateway = self.start(
                    config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE", **integration)]), threads=1)
                )
                self.assertEqual(b"from 0", gateway.get("/first").body)
                response = gateway.request(method, "/second", fields, sent)
                tries = [request for request in backend.requests if request.target == "/second"]
                self.assertEqual(wanted, [request.connection for request in tries])
                self.assertEqual([(body, True)] * len(wanted), [(request.body, request.complete) for request in tries])
                if wanted == twice:
                    self.assertEqual((200, b"from 1"), (response.status, response.body))
                    self.assertTrue(gateway.trace(response)["steps"][-1]["retried"])
                else:
                    self.assertEqual((502, FAULT), (response.status, response.body))
                self.assert_logged_once(gateway)

    def test_a_connection_that_died_while_idle_costs_no_request(self):
        # Whatever the content: it is not sent where it would be lost, and reaches the upstream once.
        chunks = b"3\r\npay\r\n0\r\n\r\n"
        for ending in ("close", "reset"):
            for name, method, fields, sent, body in (
                ("at hand", "PUT", {}, b"pay", b"pay"),
                ("passed on in pieces", "PUT", {}, b"x" * 300_000, b"x" * 300_000),
                ("chunked", "PUT", {"Transfer-Encoding": "chunked"}, chunks, b"pay"),
                ("not to be repeated", "POST", {}, b"pay", b"pay"),
                ("not to be repeated, in pieces", "PATCH", {}, b"x" * 300_000, b"x" * 300_000),
            ):
                with self.subTest(name, ending=ending):
                    ended = threading.Event()

                    def script(connection, ending=ending, ended=ended):
                        while request := connection.read():
                            connection.send(answer(b"from %d" % connection.number))
                            if request.target == "/first":
                                getattr(connection, ending)()
                                ended.set()
                                return

                    backend = self.upstream(script=script)
                    gateway = self.start(
                        config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1)
                    )
                    # An answer that a reset overtakes may be lost; what counts is the request behind it.
                    first = gateway.get("/first")
                    self.assertIn(first.status, (200, 502) if ending == "reset" else (200,))
                    self.assertTrue(ended.wait(30))
                    response = gateway.request(method, "/second", fields, sent)
                    self.assert_status(response, 200)
                    tries = [request for request in backend.requests if request.target == "/second"]
                    self.assertEqual([(body, True)], [(request.body, request.complete) for request in tries])

    def test_an_upstream_that_closes_with_its_answer_costs_no_request(self):
        backend = self.upstream(script=lambda connection: connection.read() and connection.send_and_close(answer()))
        gateway = self.start(config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1))
        for number in range(20):
            method = ("POST", "GET", "PATCH", "PUT")[number % 4]
            response = gateway.request(method, f"/{number}", body=None if method == "GET" else b"pay")
            self.assert_status(response, 200)
        self.assertEqual([f"/{number}" for number in range(20)], [request.target for request in backend.requests])

    def test_no_second_try_after_the_first_byte_of_an_answer(self):
        backend = self.stale(byte=b"H")
        gateway = self.start(config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1))
        self.assertEqual(b"from 0", gateway.get("/first").body)
        self.assert_status(gateway.get("/second"), 502)
        self.assertEqual(1, len([request for request in backend.requests if request.target == "/second"]))

    def test_only_one_more_try(self):
        backend = self.stale(failing=range(100))
        gateway = self.start(config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1))
        self.assertEqual(b"from 0", gateway.get("/first").body)
        self.assert_status(gateway.get("/second"), 502)
        self.assertEqual(2, len([request for request in backend.requests if request.target == "/second"]))

    def test_connections_are_reused_and_unasked_bytes_end_them(self):
        backend = self.upstream()
        gateway = self.start(config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1))
        for number in range(10):
            self.assert_status(gateway.request("POST", f"/{number}", body=b"x"), 200)
        self.assertEqual({0}, {request.connection for request in backend.requests})
        backend.respond = lambda request: answer(b"right") + answer(b"WRONG")  # an answer nobody asked for
        self.assertEqual(b"right", gateway.get("/a").body)
        backend.respond = lambda request: answer(b"next")
        for _ in range(3):
            self.assertEqual(b"next", gateway.get("/b").body)

    def test_bytes_behind_an_answer_never_reach_another_request(self):
        # Whether they come with the answer or while the connection idles.
        right, empty, wrong = answer(b"right"), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", answer(b"WRONG")
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
        rows = (
            ("length", "GET", right, wrong),
            ("chunked", "GET", answer(b"right", framing="chunked"), wrong),
            ("empty", "GET", empty, wrong),
            ("HEAD with its content", "HEAD", head, b"WRONG"),
            ("HEAD and another answer", "HEAD", head, wrong),
            ("204 with content", "GET", b"HTTP/1.1 204 No Content\r\n\r\n", wrong),
            ("204 that announces content", "GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"WRONG"),
            ("304 with content", "GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"WRONG"),
            ("half another head", "GET", right, b"HTTP/1.1 200 OK\r\nX-WRONG: "),
            ("a line end", "GET", right, b"\r\n"),
        )
        for name, method, data, more in rows:
            for later in (False, True):
                with self.subTest(name, later=later):
                    backend = self.upstream()
                    gateway = self.start(
                        config(api([route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE")]), threads=1)
                    )
                    answered, closed = threading.Event(), threading.Event()

                    def script(connection, data=data, more=more, later=later, answered=answered, closed=closed):
                        while (request := connection.read()) is not None:
                            if request.target != "/first":
                                connection.send(answer(b"next"))
                                continue
                            connection.send(data if later else data + more)
                            if later:
                                answered.wait(30)
                                connection.send(more)
                            if not connection.reader.fill():
                                closed.set()
                                return

                    backend.script = script
                    with gateway.connect() as client:
                        response = client.exchange(method, "/first")
                        answered.set()
                        self.assertNotIn(b"WRONG", response.body)
                        self.assertTrue(closed.wait(30), "a connection with unasked bytes is kept")
                        for _ in range(3):
                            response = client.exchange("GET", "/next")
                            self.assertEqual((200, b"next"), (response.status, response.body))

    def test_an_early_answer_leaves_the_rest_of_the_content_unread(self):
        # What the client still sends belongs to that request and is never taken for another.
        backend = self.upstream()

        def script(connection):
            connection.read_head()
            connection.send(answer(b"early"))
            backend.hold(1)

        backend.script = script
        gateway = self.gate(backend.authority)
        inner = b"GET /inner HTTP/1.1\r\nHost: x\r\n\r\n"
        for name, head, body in (
            ("length", b"Content-Length: %d\r\n\r\n" % (len(inner) + 10000), inner),
            ("chunked", b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % (len(inner) + 10000), inner),
        ):
            with self.subTest(name), gateway.connect() as client:
                client.send(b"POST /x HTTP/1.1\r\nHost: x\r\n" + head)
                response = client.read("POST")
                self.assertEqual((200, b"early", "close"), (response.status, response.body, response.get("Connection")))
                client.send(body)
                self.assertTrue(client.at_end())
        self.assertFalse(backend.seen(b"GET /inner"))

    def test_an_answer_before_the_request_was_read_is_passed_on(self):
        backend = self.upstream()

        def script(connection):
            request = connection.read_head()
            connection.send(answer(b"too much", "413 Content Too Large", [("Connection", "close")]))
            backend.record(request)

        backend.script = script
        gateway = self.gate(backend.authority)
        with gateway.connect() as client:
            client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + b"a" * 100000)
            response = client.read()
        self.assertEqual((413, b"too much"), (response.status, response.body))


class Gone(UpstreamCase):
    """A client that leaves in the middle of its request, or of its answer: access log, metrics and trace say so."""

    def test_who_left_is_told(self):
        has_left = threading.Event()

        def script(connection):
            request = connection.read_head()
            if request.target == "/stream":
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
                for _ in range(1500):
                    connection.sock.sendall(b"x" * 65536)  # an error when the gateway ends it
            connection.finish(request)
            has_left.wait(30)
            connection.send(answer())

        backend = self.upstream(script=script)
        gateway = self.start(
            config(
                api(
                    [
                        route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE"),
                        route(
                            "POST /mapped",
                            f"{backend.url}/mapped",
                            "NONE",
                            type="HTTP",
                            requestTemplates={"application/json": "{}"},
                            integrationResponses={"200": {"statusCode": 200}},
                        ),
                    ]
                )
            )
        )
        close, reset = lambda client: client.close(), lambda client: client.reset()
        head = "Host: x\r\n"
        half = head + "Content-Length: 10\r\n\r\nhello"
        chunk = head + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

        def arrived(path):
            wait_for(lambda: backend.seen(f" {path} "), "the request's head at the upstream")

        for name, method, path, rest, until, leave, status in (
            ("closed in its content", "POST", "/a", half, lambda client: arrived("/a"), close, "-"),
            ("reset in its content", "POST", "/b", half, lambda client: arrived("/b"), reset, "-"),
            ("closed in its chunks", "POST", "/c", chunk, lambda client: arrived("/c"), close, "-"),
            ("closed in content that is collected", "POST", "/mapped", half, lambda client: None, close, "-"),
            ("closed in its answer", "GET", "/stream", head + "\r\n", lambda client: client.reader.fill(), close, "200"),
            ("reset in its answer", "GET", "/stream", head + "\r\n", lambda client: client.reader.fill(), reset, "200"),
            ("reset before its answer", "GET", "/d", head + "\r\n", lambda client: arrived("/d"), reset, "200"),
        ):
            with self.subTest(name):
                lines, before = len(gateway.access_log()), gateway.metrics()
                has_left.clear()
                client = gateway.connect()
                client.send(f"{method} {path} HTTP/1.1\r\n{rest}".encode())
                until(client)
                leave(client)
                has_left.set()
                wait_for(lambda: len(gateway.access_log()) > lines, "the access log")
                (line,) = gateway.access_log()[lines:]
                entry = json.loads(line)
                self.assertEqual(
                    ("client_gone", method, path, status, "127.0.0.1"),
                    tuple(entry[key] for key in ("reason", "httpMethod", "path", "status", "ip")),
                )
                total = "gatehouse_requests_total"
                after = gateway.metrics()
                self.assertEqual(after.total(total, reason="client_gone"), after.total(total), "and nobody else")
                self.assertEqual(lines + 1, after.total(total))
                route_key = "POST /mapped" if path == "/mapped" else "ANY /{proxy+}"
                code = "0" if status == "-" else status
                labels = {"route": route_key, "status": code, "reason": "client_gone"}
                known = ("gatehouse_requests_total", tuple(sorted((labels | {"api": "users"}).items())))
                had = before.total(total, **labels) if known in before.series() else 0
                self.assertEqual(had + 1, after.total(total, **labels))
                trace = gateway.admin("GET", f"/traces/{entry['requestId']}").json()
                self.assertEqual("client_gone", trace["reason"])
                (verdict,) = [step for step in trace["steps"] if step["step"] == "verdict"]
                self.assertEqual(("allow", "client_gone"), (verdict["result"], verdict["reason"]))
                reasons = gateway.admin("GET", "/traces?reason=client_gone&limit=1").text()
                self.assertIn(entry["requestId"], reasons)
        self.assertEqual(["/d"], [request.target for request in backend.requests if request.complete])

    def test_whoever_resets_at_once_is_still_judged_by_its_address(self):
        # A request that is whole when its connection is reset still runs; the address must be known from accept() on.
        backend = self.upstream()
        anywhere = {"Action": "execute-api:Invoke", "Resource": "*"}
        here = {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}
        statements = [{"Effect": "Allow"} | anywhere, {"Effect": "Deny", "Condition": here} | anywhere]
        jwt = jwt_authorizer({"statements": statements})
        gateway = self.start(config(api([route("POST /x", backend.url)], authorizers={"jwt": jwt})))
        headers = {"Authorization": f"Bearer {mint()}"}
        self.assert_status(gateway.request("POST", "/x", headers, b"pay"), 403)
        for _ in range(50):
            client = gateway.connect()
            client.send(build("POST", "/x", headers, b"pay"))
            client.reset()
        total = "gatehouse_connections_opened_total"
        wait_for(lambda: gateway.metrics().total(total) >= 51, "every connection to be taken")
        self.assert_status(gateway.request("POST", "/x", headers, b"pay"), 403)
        wait_for(lambda: len(gateway.access_log()) >= 2, "the access log")
        self.assertEqual({"127.0.0.1"}, {json.loads(line)["ip"] for line in gateway.access_log()})
        self.assert_untouched(backend)

    def test_who_stayed_is_not(self):
        # Whoever only ends its own sending still gets its answer; whoever leaves before a whole head asked for nothing.
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        with gateway.connect() as client:
            client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            client.finish_sending()
            self.assert_status(client.read(), 200)
        for rest in (b"", b"GET /y HTTP/1.1\r\nHost: x\r\n"):
            with gateway.connect() as client:
                client.send(rest)
        self.assert_status(gateway.get("/z"), 200)
        wait_for(lambda: len(gateway.access_log()) >= 2, "the access log")
        self.assertCountEqual(
            [("/x", "open_route"), ("/z", "open_route")],
            [(entry["path"], entry["reason"]) for entry in map(json.loads, gateway.access_log())],
        )


class RealServer(GatewayCase):
    """nginx and curl on either side."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.small, cls.large = os.urandom(1024), os.urandom(1 << 20)
        cls.nginx = cls.share(Nginx({"small": cls.small, "large": cls.large}))
        cls.gateway = cls.share_gateway(
            config(
                api(
                    [
                        route("ANY /n/{proxy+}", f"{cls.nginx.url}/{{proxy}}"),
                        route("ANY /o/{proxy+}", f"{cls.nginx.url}/{{proxy}}", "NONE"),
                    ]
                )
            )
        )

    def curl(self, path, *options, token=None):
        if token:
            options += ("-H", f"Authorization: Bearer {token}")
        return run(["curl", "-sS", "--max-time", "30", "--noproxy", "*", *options, self.gateway.url + path])

    def test_files_arrive_whole(self):
        target = self.gateway.folder.path / "got"
        for name, data in (("small", self.small), ("large", self.large)):
            with self.subTest(name):
                done = self.curl(f"/n/{name}", "-o", target, "-w", "%{http_code}", token=mint())
                self.assertEqual((0, "200"), (done.status, done.stdout), done)
                self.assertEqual(hashlib.sha256(data).digest(), hashlib.sha256(target.read_bytes()).digest())
        self.assertEqual("401", self.curl("/n/large", "-o", target, "-w", "%{http_code}").stdout)

    def test_uploads_arrive_whole(self):
        source = self.gateway.folder.path / "source"
        source.write_bytes(self.large)
        for name, options in (
            ("with-length", ()),
            ("chunked", ("-H", "Transfer-Encoding: chunked")),
            ("without-expect", ("-H", "Expect:")),
            ("http10", ("--http1.0",)),
        ):
            with self.subTest(name):
                done = self.curl(
                    f"/n/upload/{name}", "-T", source, "-o", "/dev/null", "-w", "%{http_code}", *options, token=mint()
                )
                self.assertEqual((0, "201"), (done.status, done.stdout), done)
                self.assertEqual(
                    hashlib.sha256(self.large).digest(), hashlib.sha256(self.nginx.uploaded(name)).digest()
                )

    def test_the_echo_sees_one_request_from_the_gateway(self):
        done = self.curl("/n/echo?a=%2Fb", "-H", "X-Authorizer-userId: root", token=mint(sub="me"))
        self.assertEqual(f"method=GET\nuri=/echo?a=%2Fb\nhost={self.nginx.authority}\nuser=me\n", done.stdout, done)

    def test_answers_without_content(self):
        done = self.curl("/o/missing-content", "-i")
        self.assertRegex(done.stdout, r"\AHTTP/1.1 204 No Content\r\n")
        self.assertNotRegex(done.stdout.lower(), r"\ncontent-length: [1-9]|\ntransfer-encoding")
        done = self.curl("/o/large", "-I")
        self.assertRegex(done.stdout, r"\AHTTP/1.1 200 OK\r\n")
        etag = re.search(r"(?im)^etag: (.*)\r$", done.stdout).group(1)
        done = self.curl("/o/large", "-i", "-H", f"If-None-Match: {etag}")
        self.assertRegex(done.stdout, r"\AHTTP/1.1 304 Not Modified\r\n")
        self.assertTrue(done.stdout.endswith("\r\n\r\n"))
        done = self.curl("/o/moved", "-i")
        self.assertRegex(done.stdout, r"(?is)\AHTTP/1.1 302 .*\nlocation: http://elsewhere.example/\r\n")

    def test_many_transfers_on_one_connection(self):
        source = self.gateway.folder.path / "source-many"
        source.write_bytes(self.large)
        urls = [self.gateway.url + path for path in ("/o/large", "/o/small", "/o/echo", "/o/large")]
        done = run(
            [
                "curl",
                "-sS",
                "--max-time",
                "30",
                "--noproxy",
                "*",
                "-w",
                "%{num_connects} %{size_download}\n",
                *sum((["-o", "/dev/null", url] for url in urls), []),
            ]
        )
        lines = done.stdout.splitlines()
        self.assertEqual("1 1048576", lines[0], done)
        self.assertEqual(["0", "0", "0"], [line.split()[0] for line in lines[1:]], done)


class Bodies(UpstreamCase):
    def test_large_bodies_pass_both_ways_at_once(self):
        backend = self.upstream(
            respond=lambda request: answer(
                request.body[::-1], framing="chunked" if b"c=1" in request.head else "length"
            )
        )
        gateway = self.gate(backend.authority)
        data = os.urandom(3 << 20)
        for name, target in (("length", "/x"), ("chunked", "/x?c=1")):
            with self.subTest(name):
                response = gateway.request("POST", target, body=data)
                self.assertEqual((200, name, True), (response.status, response.framing, response.complete))
                self.assertEqual(hashlib.sha256(data[::-1]).digest(), hashlib.sha256(response.body).digest())
        with self.subTest("chunked request of odd sizes"):
            with gateway.connect() as client:
                client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                position = 0
                for size in (1, 2, 4095, 4096, 4097, 65535, 65536, 65537, 300000):
                    client.send(b"%x\r\n%b\r\n" % (size, data[position : position + size]))
                    position += size
                client.send(b"0\r\n\r\n")
                response = client.read()
            self.assertEqual(data[:position][::-1], response.body)

    def test_bodies_are_streamed(self):
        # The upstream sees the first half while the client still holds the second back, and the other way round.
        backend = self.upstream()
        first_half, go_on = threading.Event(), threading.Event()

        def script(connection):
            request = connection.read_head()
            connection.reader.until(b"first")
            first_half.set()
            connection.reader.buffer = (
                b"5\r\nfirst" + connection.reader.buffer
                if request.framing == "chunked"
                else b"first" + connection.reader.buffer
            )
            connection.finish(request)
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            go_on.wait(30)
            connection.send(b"6\r\n world\r\n0\r\n\r\n")

        backend.script = script
        gateway = self.gate(backend.authority)
        with gateway.connect() as client:
            client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nfirst")
            self.assertTrue(first_half.wait(20), "the first half did not reach the upstream")
            client.send(b"other")
            client.reader.until(b"\r\n\r\n")
            while b"hello" not in client.reader.buffer:
                self.assertTrue(client.reader.fill(), "the first half did not reach the client")
            go_on.set()
            from support.wire import Response

            response = Response()
            read_chunked(client.reader, response)
            self.assertEqual((b"hello world", True), (response.body, response.complete))
        self.assertEqual(b"firstother", backend.one().body)

    def test_a_client_that_leaves_ends_the_upstream_request(self):
        backend = self.upstream()
        ended = threading.Event()

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(20000):
                try:
                    connection.sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
                except OSError:
                    ended.set()
                    return

        backend.script = script
        gateway = self.gate(backend.authority, timeouts={"writeInMillis": 3000})
        with gateway.connect() as client:
            client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            client.reader.until(b"\r\n\r\n")
        self.assertTrue(ended.wait(30), "the upstream went on sending to nobody")

    def test_messages_that_have_no_body(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for name, method, data, status in (
            ("204", "GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204),
            ("304 with a length", "GET", b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 100\r\n\r\n', 304),
            ("HEAD with a length", "HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 200),
            ("HEAD of a chunked answer", "HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200),
            ("empty", "GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200),
        ):
            with self.subTest(name):
                backend.respond = lambda request, data=data: data if request.target == "/x" else answer(b"after")
                with gateway.connect() as client:
                    response = client.exchange(method, "/x")
                    self.assertEqual((status, b""), (response.status, response.body))
                    if status == 204:
                        self.assertEqual(([], []), (response.all("Content-Length"), response.all("Transfer-Encoding")))
                    if name in ("HEAD with a length", "304 with a length"):
                        self.assertEqual(["1000" if method == "HEAD" else "100"], response.all("Content-Length"))
                    self.assertEqual(
                        b"after", client.exchange("GET", "/y").body, "the next answer on the connection is its own"
                    )

    def test_content_follows_the_clients_own_method(self):
        # The upstream may be asked by another method than the client used; bytes of content after an answer to HEAD
        # would be read as the next answer, and an answer to GET without any framing has no end.
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [
                        route("ANY /as-get", f"{backend.url}/x", "NONE", httpMethod="GET"),
                        route("ANY /as-head", f"{backend.url}/x", "NONE", httpMethod="HEAD"),
                        route("ANY /{proxy+}", f"{backend.url}/{{proxy}}", "NONE"),
                        mock("ANY /mock"),
                    ],
                    methodOverride=True,
                )
            )
        )
        rows = (
            # (what the client says, its method, path, override, content)
            ("HEAD becomes GET by the integration", "HEAD", "/as-get", None, b""),
            ("HEAD becomes GET by an override", "HEAD", "/x", "GET", b""),
            ("HEAD becomes POST by an override", "HEAD", "/x", "POST", b""),
            ("HEAD becomes GET at a mock", "HEAD", "/mock", "GET", b""),
            ("HEAD stays HEAD", "HEAD", "/x", None, b""),
            ("HEAD to no route", "HEAD", "/../x", "GET", b""),
            ("GET becomes HEAD by the integration", "GET", "/as-head", None, b""),
            ("GET becomes HEAD by an override", "GET", "/x", "HEAD", b""),
            ("POST becomes HEAD by an override", "POST", "/x", "HEAD", b""),
            ("GET becomes HEAD at a mock", "GET", "/mock", "HEAD", b'{"ok":true}'),
            ("GET becomes GET by the integration", "GET", "/as-get", None, b"content"),
            ("POST becomes GET by the integration", "POST", "/as-get", None, b"content"),
        )
        for framing in ("length", "chunked", "none"):

            def script(connection, framing=framing):
                while (request := connection.read()) is not None:
                    if request.target != "/x":
                        connection.send(answer(b"after"))
                        continue
                    data = answer(b"content", framing=framing)
                    by_head = request.method == "HEAD"
                    connection.send(data[: data.index(b"\r\n\r\n") + 4] if by_head else data)
                    if framing == "none":
                        return

            backend.script = script
            for name, method, path, override, content in rows:
                with self.subTest(name, framing=framing), gateway.connect() as client:
                    headers = {"X-HTTP-Method-Override": override} if override else {}
                    body = b"" if method == "POST" else None
                    client.sock.settimeout(5)
                    response = client.exchange(method, path, headers, body)
                    self.assertEqual((content, True), (response.body, response.complete))
                    if response.get("Connection", "").lower() == "close":
                        self.assertTrue(client.at_end())
                        continue
                    self.assertNotEqual("close", response.framing)
                    self.assertEqual(b"after", client.exchange("GET", "/y").body)

    def test_interim_answers_are_not_the_answer(self):
        backend = self.upstream(
            respond=lambda request: b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            + answer(b"final")
        )
        response = self.gate(backend.authority).get("/x")
        self.assertEqual((200, b"final", []), (response.status, response.body, response.all("Link")))

    def test_statuses_and_reasons_pass(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        for status in (
            "201 Created",
            "202 Accepted",
            "301 Moved Permanently",
            "400 Bad Request",
            "404 Not Found",
            "418 I'm a teapot",
            "429 Too Many Requests",
            "500 Internal Server Error",
            "503 Service Unavailable",
            "599 Odd",
        ):
            with self.subTest(status):
                backend.respond = lambda request, status=status: answer(
                    b'{"theirs":1}', status, [("Content-Type", "application/json"), ("Location", "/else")]
                )
                response = gateway.get("/x")
                self.assertEqual(
                    (int(status[:3]), b'{"theirs":1}', ["/else"]),
                    (response.status, response.body, response.all("Location")),
                )
                self.assertEqual(([], []), (response.all("x-amzn-ErrorType"), response.all("X-Type")))


class RequestHead(UpstreamCase):
    def see(self, gateway, backend, headers=(), method="GET", target="/x", **options):
        backend.clear()
        self.assert_status(gateway.request(method, target, list(headers), **options), 200)
        return backend.one()

    def test_what_the_gateway_adds(self):
        # API Gateway developer guide, header table of HTTP proxy integrations
        backend = self.upstream()
        gateway = self.gate(backend.authority, apiId="abc123")
        request = self.see(gateway, backend)
        for name, value in (
            ("Host", backend.authority),
            ("User-Agent", "AmazonAPIGateway_abc123"),
            ("Accept", "application/json"),
            ("X-Amzn-Apigateway-Api-Id", "abc123"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", str(gateway.port)),
        ):
            self.assertEqual([value], request.all(name), name)
        self.assertRegex(request.get("X-Amzn-Trace-Id"), r"\ARoot=1-[0-9a-f]{8}-[0-9a-f]{24}\Z")
        self.assertEqual(([], []), (request.all("Content-Length"), request.all("Transfer-Encoding")))
        other = self.see(gateway, backend)
        self.assertNotEqual(request.get("X-Amzn-Trace-Id"), other.get("X-Amzn-Trace-Id"))
        request = self.see(
            gateway,
            backend,
            [
                ("User-Agent", "curl/8"),
                ("Accept", "text/html"),
                ("X-Forwarded-For", "192.0.2.1"),
                ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-Port", "443"),
                ("X-Amzn-Apigateway-Api-Id", "evil"),
            ],
        )
        for name, value in (
            ("User-Agent", "curl/8"),
            ("Accept", "text/html"),
            ("X-Forwarded-For", "192.0.2.1, 127.0.0.1"),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Port", str(gateway.port)),
            ("X-Amzn-Apigateway-Api-Id", "abc123"),
        ):
            self.assertEqual([value], request.all(name), name)

    def test_what_passes_and_what_is_dropped(self):
        backend = self.upstream()
        gateway = self.gate(backend.authority)
        passed = [
            ("Age", "1"),
            ("Accept-Charset", "utf-8"),
            ("Accept-Encoding", "gzip"),
            ("Date", "Tue, 24 Nov 2026 04:00:00 GMT"),
            ("Pragma", "x"),
            ("Range", "bytes=0-1"),
            ("Referer", "http://r/"),
            ("Warn", "w"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Authorization", "Basic dXNlcjpwYXNz"),
            ("X-Custom", "c"),
            ("Cookie", "a=b"),
            ("Origin", "https://o"),
            ("If-None-Match", '"e"'),
            ("X-Request-Id", "r"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ]
        dropped = [
            ("Content-Encoding", "gzip"),
            ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
            ("Max-Forwards", "3"),
            ("Proxy-Authenticate", "Basic"),
            ("Server", "s"),
            ("TE", "trailers"),
            ("Trailer", "X-T"),
            ("Upgrade", "h2c"),
            ("WWW-Authenticate", "Basic"),
            ("Via", "1.1 v"),
            ("Keep-Alive", "timeout=5"),
            ("Proxy-Authorization", "Basic x"),
        ]
        request = self.see(gateway, backend, passed + dropped, method="POST", body=b"hello")
        for name, value in passed:
            self.assertEqual([value], request.all(name), name)
        for name, _ in dropped:
            self.assertEqual([], request.all(name), name)
        self.assertEqual((b"hello", ["5"]), (request.body, request.all("Content-Length")))
        request = self.see(
            gateway,
            backend,
            [
                (
                    "Authorization",
                    "AWS4-HMAC-SHA256 Credential=AKID/20261124/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=ab",
                )
            ],
        )
        self.assertEqual([], request.all("Authorization"), "a SigV4 signature is not for the backend")
        plain = self.gate(backend.authority, headerHandling="plain")
        request = self.see(
            plain,
            backend,
            passed
            + [
                ("Content-Encoding", "gzip"),
                ("Server", "s"),
                ("Max-Forwards", "3"),
                ("TE", "trailers"),
                ("Upgrade", "h2c"),
                ("Keep-Alive", "x"),
                ("Proxy-Authorization", "Basic x"),
            ],
            method="POST",
            body=b"hello",
        )
        for name, value in passed + [("Content-Encoding", "gzip")]:
            self.assertEqual([value], request.all(name), "plain: " + name)
        for name in ("TE", "Upgrade", "Keep-Alive", "Proxy-Authorization"):
            self.assertEqual([], request.all(name), "plain: " + name)

    def test_request_parameters(self):
        backend = self.upstream()
        parameters = {
            "integration.request.header.X-User-Id": "context.authorizer.userId",
            "integration.request.header.X-Principal": "context.authorizer.principalId",
            "integration.request.header.X-Constant": "'fixed value'",
            "integration.request.header.X-Stage": "stageVariables.colour",
            "integration.request.header.X-Copy": "method.request.header.X-Original",
            "integration.request.header.X-Path": "method.request.path.id",
            "integration.request.header.X-Query": "method.request.querystring.q",
            "integration.request.header.X-Client": "context.identity.sourceIp",
            "integration.request.header.X-Nothing": "method.request.header.X-Absent",
            "integration.request.header.X-No-Claim": "context.authorizer.maybe",
            "integration.request.header.User-Agent": "'gate'",
            "integration.request.header.X-Request": "context.requestId",
            "integration.request.querystring.user": "context.authorizer.userId",
            "integration.request.querystring.have": "'more'",
            "integration.request.querystring.absent": "method.request.querystring.absent",
            "integration.request.path.id": "context.authorizer.tenantId",
        }
        context = {"userId": {"claim": "sub"}, "tenantId": {"claim": "tenant_id"}, "maybe": {"claim": "maybe"}}
        gateway = self.start(
            config(
                api(
                    [route("GET /items/{id}", backend.url + "/t/{id}/x?fixed=1", requestParameters=parameters)],
                    stageVariables={"colour": "blue"},
                    authorizers={"jwt": jwt_authorizer({"context": context})},
                )
            )
        )
        backend.clear()
        token = mint(sub="auth0|me", tenant_id="acme")
        response = gateway.get(
            "/items/7?q=one&have=a",
            token,
            {"X-User-Id": "root", "X-Constant": "root", "X-Original": "o", "X-Nothing": "root", "X-No-Claim": "root"},
        )
        self.assert_status(response, 200)
        request = backend.one()
        for name, value in (
            ("X-User-Id", "auth0|me"),
            ("X-Principal", "auth0|me"),
            ("X-Constant", "fixed value"),
            ("X-Stage", "blue"),
            ("X-Copy", "o"),
            ("X-Path", "7"),
            ("X-Query", "one"),
            ("X-Client", "127.0.0.1"),
            ("User-Agent", "gate"),
            ("X-Request", response.get("x-amzn-RequestId")),
        ):
            self.assertEqual([value], request.all(name), name)
        for name in ("X-Nothing", "X-No-Claim"):
            self.assertEqual([], request.all(name), name)
        path, query = request.target.split("?", 1)
        self.assertEqual("/t/acme/x", path)
        words = query.split("&")
        for word in ("fixed=1", "q=one", "user=auth0%7Cme"):
            self.assertIn(word, words)
        self.assertTrue("have=a,more" in words or ("have=a" in words and "have=more" in words), query)
        self.assertNotIn("absent", query)

    def test_a_mapped_name_is_the_gateways_on_every_route(self):
        backend = self.upstream()
        mapped = {
            "integration.request.header.X-User-Id": "context.authorizer.userId",
            "integration.request.header.X-Env": "'prod'",
            "integration.request.header.Authorization": "'Basic backend'",
        }
        copied = {"integration.request.header.X-Env": "method.request.header.X-Env"}
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /mapped", backend.url, requestParameters=mapped),
                        route("GET /plain", backend.url, "NONE"),
                        route("GET /copied", backend.url, "NONE", requestParameters=copied),
                    ]
                )
            )
        )
        forged = {"X-User-Id": "root", "x_user_id": "root", "X-Env": "root", "X-Mine": "root"}
        for path, names in (("/plain", ["X-Mine"]), ("/copied", ["X-Env", "X-Mine"])):
            backend.clear()
            self.assert_status(gateway.get(path, headers={**forged, "Authorization": "Basic mine"}), 200)
            request = backend.one()
            self.assertEqual(names, sorted(name for name, value in request.fields if value == "root"), path)
            self.assertEqual(["Basic mine"], request.all("Authorization"), path)

    def test_mapped_values_cannot_break_the_head(self):
        backend = self.upstream()
        parameters = {"integration.request.header.X-Query": "method.request.querystring.q"}
        gateway = self.start(config(api([route("GET /x", backend.url, "NONE", requestParameters=parameters)])))
        response = gateway.get("/x?q=a%0d%0aX-Evil:%20yes")
        for request in backend.requests:
            self.assertEqual([], request.all("X-Evil"))
        self.assertIn(response.status, (200, 400, 500))
        self.assertEqual([], backend.errors())

    def test_the_request_context_header(self):
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [route("GET /items/{id}", f"{backend.url}/y")],
                    basePath="/prod",
                    stageName="live",
                    apiId="abc123",
                    contextHeaders={"prefix": "X-Authorizer-", "requestContext": True},
                )
            )
        )
        response = gateway.get(
            "/prod/items/7?a=b",
            mint(sub="me", tenant_id="acme", roles=["a", "b"], level=3, ok=True),
            {"User-Agent": "test/1"},
        )
        self.assert_status(response, 200)
        context = json.loads(backend.one().get("x-amzn-request-context"))
        for name, value in (
            ("apiId", "abc123"),
            ("stage", "live"),
            ("httpMethod", "GET"),
            ("resourcePath", "/items/{id}"),
            ("path", "/prod/items/7"),
            ("accountId", "123456789012"),
            ("protocol", "HTTP/1.1"),
            ("requestId", response.get("x-amzn-RequestId")),
        ):
            self.assertEqual(value, context[name], name)
        self.assertEqual(("127.0.0.1", "test/1"), (context["identity"]["sourceIp"], context["identity"]["userAgent"]))
        authorizer = context["authorizer"]
        for name, value in (("principalId", "me"), ("userId", "me"), ("tenantId", "acme"), ("roles", "a,b")):
            self.assertEqual(value, authorizer[name], name)
        for name, value in (
            ("sub", "me"),
            ("userId", "me"),
            ("tenantId", "acme"),
            ("tenant_id", "acme"),
            ("level", "3"),
            ("ok", "true"),
        ):
            self.assertEqual(value, authorizer["claims"][name], name)
        self.assertTrue(all(isinstance(value, str) for value in authorizer["claims"].values()), authorizer)

    def test_names_and_other_spellings_of_addresses(self):
        # H4: an upstream by name
        backend = self.upstream()
        gateway = self.gate(f"localhost:{backend.port}")
        self.assertEqual([f"localhost:{backend.port}"], self.see(gateway, backend).all("Host"))

    def test_the_integrations_own_method(self):
        backend = self.upstream()
        gateway = self.start(config(api([route("ANY /x", backend.url, "NONE", httpMethod="POST")])))
        self.assertEqual("POST", self.see(gateway, backend, method="PUT", body=b"b").method)
        self.assertEqual("POST", self.see(gateway, backend).method)


class ResponseHead(UpstreamCase):
    def test_fields_are_renamed_as_the_service_renames_them(self):
        backend = self.upstream()
        remapped = [
            ("Authorization", "a"),
            ("Connection", "keep-alive"),
            ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
            ("Date", "Tue, 24 Nov 1998 04:00:00 GMT"),
            ("Max-Forwards", "3"),
            ("Server", "gunicorn/19.9.0"),
            ("User-Agent", "u"),
            ("WWW-Authenticate", 'Basic realm="x"'),
            ("x-amzn-requestid", "theirs"),
        ]
        passed = [
            ("Age", "1"),
            ("Accept-Charset", "utf-8"),
            ("Accept-Encoding", "gzip"),
            ("Content-Encoding", "identity"),
            ("Content-Type", "text/plain"),
            ("Pragma", "p"),
            ("Range", "r"),
            ("Referer", "f"),
            ("Warn", "w"),
            ("Accept", "*/*"),
            ("Set-Cookie", "a=b"),
            ("Set-Cookie", "c=d"),
            ("ETag", '"e"'),
            ("Cache-Control", "no-store"),
            ("X-Custom", "c"),
            ("Access-Control-Allow-Origin", "*"),
            ("Location", "/l"),
            ("X-Amzn-Trace-Id", "Root=1-2-3"),
        ]
        dropped = [
            ("Via", "1.1 v"),
            ("Host", "h"),
            ("Expect", "e"),
            ("Proxy-Authenticate", "Basic"),
            ("TE", "t"),
            ("Trailer", "X-T"),
            ("Upgrade", "h2c"),
        ]
        backend.respond = lambda request: answer(b"hello", headers=remapped + passed + dropped)
        gateway = self.gate(backend.authority)
        response = gateway.get("/x")
        self.assertEqual((200, b"hello"), (response.status, response.body))
        for name, value in remapped:
            self.assertEqual([value], response.all("x-amzn-Remapped-" + name), name)
        self.assertIn("x-amzn-Remapped-Server", response.names())
        self.assertEqual(["5"], response.all("x-amzn-Remapped-Content-Length"))
        for name, value in passed:
            self.assertIn(value, response.all(name), name)
        self.assertEqual(["a=b", "c=d"], response.all("Set-Cookie"))
        for name, _ in dropped:
            self.assertEqual([], response.all(name), name)
        self.assert_request_ids(response)
        for name in ("Authorization", "Content-MD5", "Max-Forwards", "Server", "User-Agent", "WWW-Authenticate"):
            self.assertEqual([], response.all(name), name)
        self.assertEqual(1, len(response.all("Date")))
        self.assertNotIn("1998", response.get("Date"))
        self.assertEqual(["5"], response.all("Content-Length"))

    def test_defaults_of_an_answer(self):
        backend = self.upstream(respond=lambda request: answer(b"{}"))
        response = self.gate(backend.authority).get("/x")
        self.assertEqual(
            (["application/json"], [], []),
            (response.all("Content-Type"), response.all("X-Amzn-Trace-Id"), response.all("Server")),
        )
        self.assertRegex(response.get("Date"), r"\A\w{3}, \d\d \w{3} 20\d\d \d\d:\d\d:\d\d GMT\Z")

    def test_plain_handling_renames_nothing(self):
        backend = self.upstream()
        passed = [
            ("Server", "gunicorn"),
            ("Date", "Tue, 24 Nov 1998 04:00:00 GMT"),
            ("WWW-Authenticate", 'Basic realm="x"'),
            ("Content-Type", "text/plain"),
            ("Content-Encoding", "identity"),
        ]
        backend.respond = lambda request: answer(
            b"hello",
            headers=passed
            + [
                ("Connection", "keep-alive, X-Hop"),
                ("X-Hop", "h"),
                ("Keep-Alive", "timeout=5"),
                ("Trailer", "X-T"),
                ("Proxy-Authenticate", "Basic"),
            ],
        )
        response = self.gate(backend.authority, headerHandling="plain").get("/x")
        self.assertEqual((200, b"hello"), (response.status, response.body))
        for name, value in passed:
            self.assertEqual([value], response.all(name), name)
        for name in ("X-Hop", "Keep-Alive", "Trailer"):
            self.assertEqual([], response.all(name), name)
        self.assertEqual([], [name for name in response.names() if "remapped" in name.lower()])
        self.assert_request_ids(response)

    def test_fields_named_by_connection_end_here(self):
        backend = self.upstream(
            respond=lambda request: answer(
                b"hello", headers=[("Connection", "close, X-Hop"), ("X-Hop", "h"), ("X-Kept", "k")]
            )
        )
        gateway = self.gate(backend.authority)
        with gateway.connect() as client:
            for _ in range(2):  # the upstream's close is not the client's
                response = client.exchange("GET", "/x")
                self.assertEqual(([], ["k"]), (response.all("X-Hop"), response.all("X-Kept")))


if __name__ == "__main__":
    unittest.main()
