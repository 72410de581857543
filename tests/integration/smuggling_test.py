"""Requests that mean different things to different readers: refused whole, or read in exactly one way by everybody.

Each row is raw bytes on a socket; the upstream records what reaches it. MARK stands for a word that must not."""

import itertools
import json
import unittest

from support.case import UNAUTHORIZED, GatewayCase
from support.gateway import api, config, jwt_authorizer, route
from support.tokens import mint
from support.upstream import Upstream, answer
from support.process import wait_for

_number = itertools.count(1)

CRLF = b"\r\n"


def head(*lines, start=b"GET /MARK HTTP/1.1"):
    return CRLF.join([start, b"Host: x", *lines]) + CRLF + CRLF


def chunked(body, *lines):
    return head(b"Transfer-Encoding: chunked", *lines, start=b"POST /MARK HTTP/1.1") + body


class WireCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream(respond=lambda request: answer(request.target.encode())))
        to = cls.backend.url
        routes = [
            route("ANY /guarded/{proxy+}", f"{to}/guarded/{{proxy}}"),
            route("ANY /{proxy+}", f"{to}/{{proxy}}", "NONE"),
            route(
                "GET /mapped",
                f"{to}/mapped",
                requestParameters={
                    "integration.request.header.X-User-Id": "context.authorizer.userId",
                    "integration.request.header.X-Maybe": "context.authorizer.maybe",
                },
            ),
        ]
        context = {"userId": {"claim": "sub"}, "tenantId": {"claim": "tenant_id"}, "maybe": {"claim": "maybe"}}
        cls.gateway = cls.share_gateway(
            config(
                api(
                    routes,
                    authorizers={"jwt": jwt_authorizer({"context": context})},
                    contextHeaders={"prefix": "X-Authorizer-", "requestContext": True},
                ),
                timeouts={"headerInMillis": 3000, "bodyInMillis": 3000, "bodyTotalInMillis": 6000},
            )
        )

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def tearDown(self):
        self.assertEqual([], self.backend.errors(), "what the upstream got was HTTP/1.1 to a strict reader")

    def mark(self, data):
        word = f"mark{next(_number)}e"
        return word, data.replace(b"MARK", word.encode())

    def forwarded(self, word):
        """Whole requests at the upstream that hold the word."""
        return [
            request
            for request in self.backend.requests
            if word.encode() in request.head + request.body and request.complete
        ]


class Refused(WireCase):
    def refuse(self, name, data, statuses=(400,), closes=True):
        with self.subTest(name):
            word, data = self.mark(data)
            with self.gateway.connect(timeout=10) as client:
                client.send(data)
                response = client.read()
                self.assertIsNotNone(response, "closed without an answer")
                self.assertIn(response.status, statuses, repr(response))
                if closes:
                    client.sock.settimeout(5)  # less than the time of an idle connection
                    self.assertTrue(self.ends(client), "the connection is closed after a refusal")
            self.assertFalse(self.backend.seen(word), "nothing of it reaches the upstream")

    def ends(self, client):
        try:
            return client.at_end()
        except TimeoutError:
            return False

    def survive(self):
        self.assert_status(self.gateway.get("/after"), 200)

    def test_request_lines(self):
        for name, line, statuses in (
            ("no version", b"GET /MARK", (400, 505)),
            ("blank for version", b"GET /MARK ", (400, 505)),
            ("two blanks after the method", b"GET  /MARK HTTP/1.1", (400,)),
            ("two blanks before the version", b"GET /MARK  HTTP/1.1", (400, 505)),
            ("tab for a blank", b"GET\t/MARK HTTP/1.1", (400,)),
            ("tab before the version", b"GET /MARK\tHTTP/1.1", (400,)),
            ("blank at the end", b"GET /MARK HTTP/1.1 ", (400, 505)),
            ("blank in front", b" GET /MARK HTTP/1.1", (400,)),
            ("blank in the target", b"GET /MARK /b HTTP/1.1", (400, 505)),
            ("HTTP/0.9", b"GET /MARK HTTP/0.9", (400, 505)),
            ("HTTP/1.2", b"GET /MARK HTTP/1.2", (400, 505)),
            ("HTTP/2.0", b"GET /MARK HTTP/2.0", (400, 505)),
            ("HTTP/11", b"GET /MARK HTTP/11", (400, 505)),
            ("HTTP/1.10", b"GET /MARK HTTP/1.10", (400, 505)),
            ("HTTP/01.1", b"GET /MARK HTTP/01.1", (400, 505)),
            ("lower-case version", b"GET /MARK http/1.1", (400, 505)),
            ("another protocol", b"GET /MARK ICE/1.1", (400, 505)),
            ("method that is no token", b"GE(T /MARK HTTP/1.1", (400, 501)),
            ("method with a control", b"GET\x01 /MARK HTTP/1.1", (400, 501)),
            ("no method", b"/MARK HTTP/1.1", (400, 501, 505)),
            ("very long method", b"G" * 200 + b" /MARK HTTP/1.1", (400, 501)),
            ("CONNECT", b"CONNECT MARK.example:443 HTTP/1.1", (400, 403, 405, 501)),
            ("asterisk for GET", b"GET * HTTP/1.1", (400,)),
            ("no slash in front", b"GET MARK HTTP/1.1", (400,)),
            ("fragment", b"GET /MARK#x HTTP/1.1", (400,)),
            ("raw byte over 127", b"GET /MARK\xc3\xa9 HTTP/1.1", (400,)),
            ("raw NUL", b"GET /MARK\0 HTTP/1.1", (400,)),
            ("raw control", b"GET /MARK\x0b HTTP/1.1", (400,)),
            ("raw quote", b'GET /MARK" HTTP/1.1', (400,)),
            ("raw angle bracket", b"GET /MARK<x> HTTP/1.1", (400,)),
            ("raw brace in the query", b"GET /MARK?{x} HTTP/1.1", (400,)),
            ("raw byte over 127 in the query", b"GET /MARK?\xff HTTP/1.1", (400,)),
            ("authority of another host", b"GET http://y/MARK HTTP/1.1", (400,)),
            ("authority with another port", b"GET http://x:81/MARK HTTP/1.1", (400,)),
            ("authority with a user", b"GET http://u@x/MARK HTTP/1.1", (400,)),
            ("no authority", b"GET http:///MARK HTTP/1.1", (400,)),
            ("unknown scheme", b"GET ftp://x/MARK HTTP/1.1", (400,)),
            ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03MARK", (400,)),
            ("HTTP/2 preface", b"PRI * HTTP/2.0", (400, 505)),
        ):
            self.refuse(name, head(start=line), statuses)
        self.survive()

    def test_field_lines(self):
        for name, lines in (
            ("blank before the colon", b"X-A : MARK"),
            ("tab before the colon", b"X-A\t: MARK"),
            ("no colon", b"X-A MARK"),
            ("empty name", b": MARK"),
            ("folded line", b"X-A: b\r\n MARK"),
            ("folded line with a tab", b"X-A: b\r\n\tMARK"),
            ("name that is no token", b"X(A): MARK"),
            ("name with a byte over 127", b"X-\xc3\xa9: MARK"),
            ("name with a NUL", b"X-A\0: MARK"),
            ("NUL in a value", b"X-A: a\0MARK"),
            ("bare CR in a value", b"X-A: a\rMARK"),
            ("bare CR before a field", b"X-A: a\rX-B: MARK"),
            ("control in a value", b"X-A: a\x01MARK"),
            ("DEL in a value", b"X-A: a\x7fMARK"),
            ("bare LF at the end of a line", b"X-A: a\nX-B: MARK"),
            ("CR CR LF", b"X-A: a\r\r\nX-B: MARK"),
            ("Content-Length in disguise", b"Content_Length: 4\r\nX-A: MARK"),
            ("Transfer-Encoding in disguise", b"transfer_encoding: chunked\r\nX-A: MARK"),
            ("second Host", b"Host: x\r\nX-A: MARK"),
            ("second Host of another name", b"hOST: y\r\nX-A: MARK"),
        ):
            self.refuse(name, head(lines))
        whole = head(b"X-A: b")
        self.refuse("bare LF everywhere", whole.replace(CRLF, b"\n"))
        self.refuse("bare LF at the end of the head", whole[:-4] + b"\n\n")
        self.refuse("blank before the first field", whole.replace(b"Host", b" Host"))
        self.refuse("blank line of blanks", b" \r\n" + whole)
        self.refuse("a flood of empty lines", CRLF * 2000 + whole)
        self.survive()

    def test_hosts(self):
        for name, line in (
            ("missing", b"X-A: b"),
            ("with a path", b"Host: x/y"),
            ("with a user", b"Host: u@x"),
            ("with a blank", b"Host: x y"),
            ("two names", b"Host: x, y"),
            ("port that is no number", b"Host: x:y"),
            ("two ports", b"Host: x:1:2"),
            ("open bracket", b"Host: [::1"),
            ("control", b"Host: x\x01"),
            ("quote", b'Host: "x"'),
            ("query", b"Host: x?y"),
        ):
            self.refuse(name, b"GET /MARK HTTP/1.1\r\n" + line + b"\r\n\r\n")
        self.survive()

    def test_content_lengths(self):
        body = b"GET /MARK HTTP/1.1\r\nHost: x\r\n\r\n"
        size = b"%d" % len(body)
        for name, value in (
            ("plus sign", b"+" + size),
            ("minus sign", b"-" + size),
            ("hexadecimal", b"0x20"),
            ("fraction", size + b".0"),
            ("exponent", b"1e1"),
            ("empty", b""),
            ("word", b"ten"),
            ("two numbers", b"5 5"),
            ("list of equals", size + b", " + size),
            ("list", size + b",5"),
            ("comma after", size + b","),
            ("comma before", b"," + size),
            ("underscore", b"3_1"),
            ("over 64 bits", b"18446744073709551616"),
            ("far over 64 bits", b"9" * 40),
            ("wraps to little", b"18446744073709551647"),
            ("vertical tab", b"\x0b" + size),
            ("other digits", "٣".encode()),
        ):
            self.refuse(name, head(b"Content-Length: " + value, start=b"POST /MARK HTTP/1.1") + body)
        for name, lines in (
            ("twice, different", (b"Content-Length: 0", b"Content-Length: " + size)),
            ("twice, different, the other way", (b"Content-Length: " + size, b"Content-Length: 0")),
            ("twice, equal", (b"Content-Length: " + size, b"Content-Length: " + size)),
            ("once more in lower case", (b"Content-Length: " + size, b"content-length: " + size)),
            ("between others", (b"Content-Length: " + size, b"X-A: b", b"Content-Length: 1")),
        ):
            self.refuse(name, head(*lines, start=b"POST /MARK HTTP/1.1") + body)
        self.survive()

    def test_transfer_encodings(self):
        body = b"0\r\n\r\n"
        for name, value in (
            ("identity", b"identity"),
            ("gzip", b"gzip"),
            ("gzip then chunked", b"gzip, chunked"),
            ("chunked then gzip", b"chunked, gzip"),
            ("chunked twice", b"chunked, chunked"),
            ("chunked then identity", b"chunked, identity"),
            ("quoted", b'"chunked"'),
            ("longer word", b"xchunked"),
            ("shorter word", b"chunke"),
            ("parameter", b"chunked;q=1"),
            ("vertical tab", b"\x0bchunked"),
            ("comma before", b",chunked"),
            ("comma after", b"chunked,"),
            ("empty", b""),
            ("two words", b"chunked chunked"),
        ):
            self.refuse(name, head(b"Transfer-Encoding: " + value, start=b"POST /MARK HTTP/1.1") + body, (400, 501))
        length, chunks = b"Content-Length: 5", b"Transfer-Encoding: chunked"
        for name, lines in (
            ("with a length before", (length, chunks)),
            ("with a length after", (chunks, length)),
            ("with a length of another case", (b"content-length: 5", b"TRANSFER-ENCODING: chunked")),
            ("with a length of 0", (b"Content-Length: 0", chunks)),
            ("with a length and a field between", (chunks, b"X-A: b", length)),
            ("two fields", (chunks, chunks)),
            ("two fields and another coding", (chunks, b"Transfer-Encoding: identity")),
            ("another coding first", (b"Transfer-Encoding: identity", chunks)),
            ("another coding with a length", (b"Transfer-Encoding: x", length)),
            ("blank before the colon", (b"Transfer-Encoding : chunked",)),
            ("folded", (b"Transfer-Encoding:\r\n chunked",)),
            ("named by Connection", (chunks, length, b"Connection: Transfer-Encoding")),
            ("length named by Connection", (chunks, length, b"Connection: Content-Length")),
        ):
            self.refuse(name, head(*lines, start=b"POST /MARK HTTP/1.1") + body, (400, 501))
        for name, lines in (
            ("in HTTP/1.0", (chunks,)),
            ("in HTTP/1.0 with a length", (chunks, length)),
            ("in HTTP/1.0 with keep-alive", (chunks, b"Connection: keep-alive")),
        ):
            self.refuse(name, head(*lines, start=b"POST /MARK HTTP/1.0") + body, (400, 501))
        self.survive()

    def test_chunks(self):
        # Bodies are streamed: the head may be under way when the fault shows. What never happens is a whole request at the upstream.
        for name, body in (
            ("size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"),
            ("minus", b"-1\r\nhello\r\n0\r\n\r\n"),
            ("plus", b"+5\r\nhello\r\n0\r\n\r\n"),
            ("blank before", b" 5\r\nhello\r\n0\r\n\r\n"),
            ("blank after", b"5 \r\nhello\r\n0\r\n\r\n"),
            ("no size", b"\r\nhello\r\n0\r\n\r\n"),
            ("word", b"five\r\nhello\r\n0\r\n\r\n"),
            ("over 64 bits", b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
            ("64 bits", b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"),
            ("underscore", b"5_\r\nhello\r\n0\r\n\r\n"),
            ("LF after the size", b"5\nhello\r\n0\r\n\r\n"),
            ("LF after the data", b"5\r\nhello\n0\r\n\r\n"),
            ("CR alone after the size", b"5\rhello\r\n0\r\n\r\n"),
            ("data too long", b"4\r\nhello\r\n0\r\n\r\n"),
            ("data too short", b"6\r\nhello\r\n0\r\n\r\n"),
            ("LF after the last chunk", b"5\r\nhello\r\n0\n\r\n"),
            ("LF at the very end", b"5\r\nhello\r\n0\r\n\n"),
            ("extension without end", b"5;" + b"a" * 20000 + b"\r\nhello\r\n0\r\n\r\n"),
            ("many extensions", b"".join(b"1;%s\r\nx\r\n" % (b"e" * 500) for _ in range(40)) + b"0\r\n\r\n"),
            ("CR in an extension", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
            ("LF in an extension", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
            ("NUL in an extension", b"5;a\0b\r\nhello\r\n0\r\n\r\n"),
            (
                "trailers without end",
                b"0\r\n" + b"".join(b"X-%d: %s\r\n" % (n, b"t" * 400) for n in range(40)) + b"\r\n",
            ),
            ("one endless trailer", b"0\r\nX: " + b"t" * 20000 + b"\r\n\r\n"),
            ("LF in the trailers", b"0\r\nX: a\nY: b\r\n\r\n"),
        ):
            with self.subTest(name):
                word, data = self.mark(chunked(body))
                with self.gateway.connect() as client:
                    client.send(data)
                    response = client.read()
                    if response is not None:
                        self.assertIn(
                            response.status, (400, 413, 431) if name != "64 bits" else (400, 408, 413), repr(response)
                        )
                    self.assertTrue(client.at_end())
                self.assertEqual([], self.forwarded(word))
        self.survive()

    def test_bodies_that_stay_away(self):
        # Cut by the client: the upstream must see that, whatever it does then.
        for name, data in (
            ("length", head(b"Content-Length: 10", start=b"POST /MARK HTTP/1.1") + b"12345"),
            ("chunk", chunked(b"A\r\n12345")),
            ("last chunk", chunked(b"5\r\n12345\r\n")),
        ):
            with self.subTest(name):
                word, data = self.mark(data)
                with self.gateway.connect() as client:
                    client.send(data)
                wait_for(
                    lambda: all(
                        connection.closed
                        for connection in self.backend.connections
                        if word.encode() in connection.received
                    ),
                    "the upstream connection to end",
                    15,
                )
                self.assertEqual([], self.forwarded(word))
        self.survive()

    def test_expectations(self):
        self.refuse(
            "unknown expectation",
            head(b"Expect: 200-ok", b"Content-Length: 2", start=b"POST /MARK HTTP/1.1") + b"ab",
            (417,),
            closes=False,
        )
        self.refuse(
            "list of expectations",
            head(b"Expect: 100-continue, x", b"Content-Length: 2", start=b"POST /MARK HTTP/1.1") + b"ab",
            (417,),
            closes=False,
        )
        self.survive()

    def test_methods_that_no_route_has(self):
        for method in (b"TRACE", b"get", b"Get", b"PROPFIND", b"X", b"GETT"):
            self.refuse(method.decode(), head(start=method + b" /MARK HTTP/1.1"), (400, 403, 405, 501), closes=False)
        self.refuse(
            "OPTIONS of everything", head(b"X-A: MARK", start=b"OPTIONS * HTTP/1.1"), (400, 403, 404), closes=False
        )
        self.survive()


class Accepted(WireCase):
    def send(self, data, method="GET"):
        word, data = self.mark(data)
        with self.gateway.connect() as client:
            client.send(data)
            response = client.read(method)
        self.assertIsNotNone(response)
        self.assert_status(response, 200)
        found = self.forwarded(word)
        self.assertEqual(1, len(found), found)
        return word, found[0], response

    def test_odd_but_right_requests(self):
        for name, data in (
            ("empty line in front", CRLF + head()),
            ("two empty lines in front", CRLF + CRLF + head()),
            ("names in lower case", b"GET /MARK HTTP/1.1\r\nhost: x\r\n\r\n"),
            ("no blank after the colon", b"GET /MARK HTTP/1.1\r\nHost:x\r\nX-A:b\r\n\r\n"),
            ("tabs and blanks around a value", head(b"X-A: \t b \t ")),
            ("empty value", head(b"X-A:")),
            ("byte over 127 in a value", head(b"X-A: \xe9\xc3\xa9")),
            ("absolute form", head(start=b"GET http://x/MARK HTTP/1.1")),
            ("absolute form in capitals", head(start=b"GET HTTP://X/MARK HTTP/1.1")),
            ("HTTP/1.0 without Host", b"GET /MARK HTTP/1.0\r\n\r\n"),
            ("HTTP/1.0 with Host", b"GET /MARK HTTP/1.0\r\nHost: x\r\n\r\n"),
            ("address as Host", b"GET /MARK HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
            ("Host with a port", b"GET /MARK HTTP/1.1\r\nHost: x.example:8080\r\n\r\n"),
            ("Expect in HTTP/1.0 is nothing", b"GET /MARK HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\n\r\n"),
            ("Content-Length 0", head(b"Content-Length: 0")),
        ):
            with self.subTest(name):
                word, request, response = self.send(data)
                self.assertEqual(("GET", f"/{word}", "HTTP/1.1"), (request.method, request.target, request.version))
                self.assertEqual([self.backend.authority], request.all("Host"))
                self.assertEqual(b"/" + word.encode(), response.body)
                if "HTTP/1.0" in name:
                    self.assertEqual([], response.all("Transfer-Encoding"))
        for name, value in (("empty value", [""]), ("tabs and blanks around a value", ["b"])):
            with self.subTest("value: " + name):
                _, request, _ = self.send(head(b"X-A: \t b \t " if value[0] else b"X-A:"))
                self.assertEqual(value, request.all("X-A"))

    def test_bodies_are_framed_anew(self):
        for name, data, body in (
            ("length", head(b"Content-Length: 5", start=b"POST /MARK HTTP/1.1") + b"hello", b"hello"),
            (
                "length with zeroes in front",
                head(b"Content-Length: 005", start=b"POST /MARK HTTP/1.1") + b"hello",
                b"hello",
            ),
            ("chunks", chunked(b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"), b"hello"),
            (
                "coding in capitals",
                head(b"transfer-encoding: CHUNKED", start=b"POST /MARK HTTP/1.1") + b"5\r\nhello\r\n0\r\n\r\n",
                b"hello",
            ),
            ("sizes with zeroes", chunked(b"005\r\nhello\r\n000\r\n\r\n"), b"hello"),
            ("size in capitals", chunked(b"A\r\n0123456789\r\n0\r\n\r\n"), b"0123456789"),
            ("no content", chunked(b"0\r\n\r\n"), b""),
            ("extensions", chunked(b'3;a=b\r\nhel\r\n2;c="d"\r\nlo\r\n0;e\r\n\r\n'), b"hello"),
            ("bytes that look like chunks", chunked(b"9\r\n0\r\n\r\nGET \r\n0\r\n\r\n"), b"0\r\n\r\nGET "),
            (
                "trailers",
                chunked(
                    b"5\r\nhello\r\n0\r\nX-Trailer: t\r\nAuthorization: Bearer t\r\nX-Authorizer-userId: root\r\n\r\n",
                    b"Trailer: X-Trailer",
                ),
                b"hello",
            ),
        ):
            with self.subTest(name):
                _, request, _ = self.send(data, "POST")
                self.assertEqual(body, request.body)
                self.assertEqual(1, len(request.all("Content-Length")) + len(request.all("Transfer-Encoding")))
                for unwanted in ("X-Trailer", "Trailer", "Authorization", "X-Authorizer-userId"):
                    self.assertEqual([], request.all(unwanted))

    def test_connection_fields_end_here(self):
        token = mint()
        _, request, _ = self.send(
            head(
                b"Connection: close, X-Secret, x-LOWER, Host, Content-Length, X-Authorizer-userId, X-Forwarded-For, x-amzn-trace-id, X-Amzn-Apigateway-Api-Id",
                b"X-Secret: s",
                b"X-Lower: l",
                b"X-Kept: k",
                b"Keep-Alive: timeout=5",
                b"Proxy-Connection: keep-alive",
                b"TE: trailers",
                b"Trailer: X-T",
                b"Upgrade: websocket",
                b"HTTP2-Settings: AAMAAABkAAQAAP__",
                b"Proxy-Authorization: Basic eDp5",
                b"Content-Length: 2",
                b"Authorization: Bearer " + token.encode(),
                start=b"POST /guarded/MARK HTTP/1.1",
            )
            + b"ab",
            "POST",
        )
        for name in (
            "X-Secret",
            "X-Lower",
            "Keep-Alive",
            "Proxy-Connection",
            "TE",
            "Trailer",
            "Upgrade",
            "HTTP2-Settings",
            "Proxy-Authorization",
            "Transfer-Encoding",
        ):
            self.assertEqual([], request.all(name), name)
        self.assertEqual(b"ab", request.body)
        for name, value in (
            ("Host", self.backend.authority),
            ("X-Kept", "k"),
            ("Content-Length", "2"),
            ("X-Authorizer-userId", "auth0|user123"),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Amzn-Apigateway-Api-Id", "local"),
        ):
            self.assertEqual([value], request.all(name), name)
        self.assertEqual(1, len(request.all("X-Amzn-Trace-Id")))
        self.assertNotIn("x-secret", " ".join(request.all("Connection")).lower())

    def test_upgrades_are_not_tunnelled(self):
        _, request, response = self.send(
            head(
                b"Connection: Upgrade",
                b"Upgrade: websocket",
                b"Sec-WebSocket-Version: 13",
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            )
        )
        self.assertEqual(([], []), (request.all("Upgrade"), response.all("Upgrade")))
        self.assertNotIn("upgrade", " ".join(request.all("Connection")).lower())

    def test_repeated_fields_keep_their_order_and_number(self):
        _, request, _ = self.send(head(b"X-A: 1", b"X-B: 1", b"x-a: 2", b"X-A: 1", b"Cookie: a=b", b"Cookie: c=d"))
        self.assertEqual(["1", "2", "1"], request.all("X-A"))
        self.assertEqual(["a=b", "c=d"], request.all("Cookie"))


class Spoofed(WireCase):
    """H11: what the gateway says about a caller, no caller can say, in no spelling, on no route."""

    NAMES = (
        "X-Authorizer-userId",
        "x-authorizer-userid",
        "X-AUTHORIZER-USERID",
        "X_Authorizer_userId",
        "x_authorizer_userid",
        "X-Authorizer_userId",
        "X_AUTHORIZER-ROLES",
        "X-Authorizer-Principal-Id",
        "x_authorizer_principal_id",
        "X-Authorizer-tenantId",
        "X-Authorizer-Anything",
        "x_authorizer_anything",
        "X-Authorizer-",
        "x-amzn-request-context",
        "X-Amzn-Request-Context",
        "x_amzn_request_context",
        "X-Amzn_Request-Context",
        "X-User-Id",
        "x-user-id",
        "X_User_Id",
        "X-Maybe",
        "x_maybe",
    )

    def spoofed(self, path, token=None):
        lines = [f"{name}: root{number}".encode() for number, name in enumerate(self.NAMES)]
        if token:
            lines.append(b"Authorization: Bearer " + token.encode())
        self.backend.clear()
        with self.gateway.connect() as client:
            client.send(head(*lines, start=f"GET {path} HTTP/1.1".encode()))
            self.assert_status(client.read(), 200)
        request = self.backend.one()
        self.assertNotIn(b"root", request.head)
        self.assertEqual([], [name for name in request.names() if "_" in name and "uthorizer" in name.lower()])
        return request

    def test_on_an_open_route(self):
        request = self.spoofed("/open")
        self.assertEqual(
            [],
            [
                name
                for name in request.names()
                if name.lower().startswith("x-authorizer") or name.lower() == "x-user-id"
            ],
        )
        if request.all("x-amzn-request-context"):
            self.assertNotIn("root", request.get("x-amzn-request-context"))

    def test_on_a_guarded_route(self):
        request = self.spoofed("/guarded/x", mint(sub="me", tenant_id="acme"))
        for name, value in (
            ("X-Authorizer-userId", "me"),
            ("X-Authorizer-tenantId", "acme"),
            ("X-Authorizer-Principal-Id", "me"),
        ):
            self.assertEqual([value], request.all(name))
        self.assertEqual(1, len(request.all("x-amzn-request-context")))
        self.assertEqual("me", json.loads(request.get("x-amzn-request-context"))["authorizer"]["principalId"])
        self.assertEqual([], request.all("X-User-Id"), "mapped on another route: the gateway's name all the same")

    def test_where_the_mapping_gives_a_value_or_none(self):
        request = self.spoofed("/mapped", mint(sub="me"))
        self.assertEqual((["me"], []), (request.all("X-User-Id"), request.all("X-Maybe")))

    def test_named_by_connection(self):
        with self.gateway.connect() as client:
            client.send(
                head(
                    b"Connection: X-Authorizer-userId, X-Authorizer-Principal-Id, x-amzn-request-context, X-User-Id",
                    b"Authorization: Bearer " + mint(sub="me").encode(),
                    start=b"GET /mapped HTTP/1.1",
                )
            )
            self.assert_status(client.read(), 200)
        request = self.backend.one()
        for name in ("X-Authorizer-userId", "X-Authorizer-Principal-Id", "X-User-Id"):
            self.assertEqual(["me"], request.all(name), name)


class Sequences(WireCase):
    def test_pipelined_requests_are_answered_in_order(self):
        token = mint().encode()
        data = b"".join(
            head(b"Authorization: Bearer " + token, start=b"GET /guarded/%d HTTP/1.1" % number)
            if number % 2
            else head(b"Content-Length: 4", start=b"POST /open/%d HTTP/1.1" % number) + b"body"
            for number in range(12)
        )
        with self.gateway.connect() as client:
            client.send(data)
            for number in range(12):
                response = client.read()
                self.assertEqual(
                    (200, f"/{'guarded' if number % 2 else 'open'}/{number}"), (response.status, response.text())
                )
        self.assertEqual(
            [f"/{'guarded' if number % 2 else 'open'}/{number}" for number in range(12)],
            [request.target for request in self.backend.requests],
        )

    def test_a_bad_request_is_answered_after_the_good_ones_before_it(self):
        word, data = self.mark(
            head(start=b"GET /good/1 HTTP/1.1")
            + head(start=b"GET /good/2 HTTP/1.1")
            + head(b"X-A : b", start=b"GET /bad HTTP/1.1")
            + head()
        )
        with self.gateway.connect() as client:
            client.send(data)
            answers = [client.read() for _ in range(3)]
            self.assertEqual([200, 200, 400], [response.status for response in answers])
            self.assertTrue(client.at_end())
        self.assertEqual(["/good/1", "/good/2"], [request.target for request in self.backend.requests])
        self.assertFalse(self.backend.seen(word))

    def test_nothing_after_connection_close_is_processed(self):
        for name, first in (
            ("close", head(b"Connection: close", start=b"GET /first HTTP/1.1")),
            ("close in a list", head(b"Connection: x, Close", start=b"GET /first HTTP/1.1")),
            ("HTTP/1.0", head(start=b"GET /first HTTP/1.0")),
        ):
            with self.subTest(name):
                word, data = self.mark(first + head())
                with self.gateway.connect() as client:
                    client.send(data)
                    response = client.read()
                    self.assert_status(response, 200)
                    self.assertEqual(
                        "close", response.get("Connection", "close" if response.version == "HTTP/1.0" else "").lower()
                    )
                    self.assertTrue(client.at_end())
                self.assertFalse(self.backend.seen(word))

    def test_http_1_0_may_ask_to_be_kept(self):
        with self.gateway.connect() as client:
            client.send(head(b"Connection: keep-alive", start=b"GET /one HTTP/1.0"))
            response = client.read()
            self.assert_status(response, 200)
            if response.get("Connection", "").lower() == "keep-alive":
                client.send(head(start=b"GET /two HTTP/1.0"))
                self.assert_status(client.read(), 200)

    def test_content_of_a_refused_request_is_never_a_request(self):
        # RFC 9112, 9.3: read away, or the connection is closed
        for name, framing in (
            ("length", lambda body: (b"Content-Length: %d" % len(body), body)),
            ("chunked", lambda body: (b"Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))),
        ):
            for where in (b"/guarded/x", b"/guarded/../x"):
                with self.subTest(name, where=where):
                    word, inner = self.mark(head())
                    line, body = framing(inner)
                    with self.gateway.connect() as client:
                        client.send(
                            head(line, start=b"POST " + where + b" HTTP/1.1") + body + head(start=b"GET /next HTTP/1.1")
                        )
                        response = client.read()
                        self.assertIn(response.status, (400, 401))
                        if response.status == 401:
                            self.assertEqual(UNAUTHORIZED, response.body)
                        following = client.read()
                        if following is not None:
                            self.assertEqual((200, "/next"), (following.status, following.text()))
                            client.send(head(b"Connection: close", start=b"GET /last HTTP/1.1"))
                            self.assertEqual((200, "/last"), (lambda r: (r.status, r.text()))(client.read()))
                        self.assertTrue(client.at_end())
                    self.assertFalse(self.backend.seen(word))

    def test_100_continue_comes_only_when_the_body_will_be_read(self):
        with self.gateway.connect() as client:
            client.send(head(b"Expect: 100-continue", b"Content-Length: 5", start=b"POST /expect HTTP/1.1"))
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", client.reader.until(b"\r\n\r\n"))
            client.send(b"hello")
            response = client.read()
            self.assertEqual((200, []), (response.status, response.interim))
            self.assertEqual((b"hello", []), (self.backend.one().body, self.backend.one().all("Expect")))
        with self.gateway.connect() as client:
            client.send(head(b"Expect: 100-Continue", b"Content-Length: 5", start=b"POST /guarded/expect HTTP/1.1"))
            response = client.read()
            self.assertEqual((401, []), (response.status, [interim.status for interim in response.interim]))
        with self.gateway.connect() as client:
            client.send(head(b"Expect: 100-continue", b"Transfer-Encoding: chunked", start=b"POST /expect2 HTTP/1.1"))
            self.assertEqual(b"HTTP/1.1 100 Continue\r\n\r\n", client.reader.until(b"\r\n\r\n"))
            client.send(b"5\r\nhello\r\n0\r\n\r\n")
            self.assert_status(client.read(), 200)
        self.assertEqual(2, len(self.backend.requests))

    def test_100_continue_is_not_sent_where_nobody_waits_for_it(self):
        for name, data in (
            ("no content", head(b"Expect: 100-continue")),
            ("length 0", head(b"Expect: 100-continue", b"Content-Length: 0", start=b"POST /MARK HTTP/1.1")),
            ("HTTP/1.0", head(b"Expect: 100-continue", b"Content-Length: 2", start=b"POST /MARK HTTP/1.0") + b"ab"),
            ("content on its way", head(b"Expect: 100-continue", b"Content-Length: 2", start=b"POST /MARK HTTP/1.1") + b"ab"),
            ("said twice, content on its way", head(b"Expect: 100-continue", b"Expect: 100-continue", b"Content-Length: 2", start=b"POST /MARK HTTP/1.1") + b"ab"),
        ):
            with self.subTest(name):
                word, data = self.mark(data)
                with self.gateway.connect() as client:
                    client.send(data)
                    response = client.read("POST")
                    self.assertEqual((200, []), (response.status, response.interim))
                self.assertEqual(1, len(self.forwarded(word)))
                self.assertEqual([], self.forwarded(word)[0].all("Expect"))

    def test_bytes_that_trickle_in_are_the_same_request(self):
        data = chunked(b"5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: t\r\n\r\n").replace(b"MARK", b"trickle")
        with self.gateway.connect() as client:
            for position in range(len(data)):
                client.send(data[position : position + 1])
            self.assert_status(client.read(), 200)
        self.assertEqual(b"hello world", self.backend.one().body)


if __name__ == "__main__":
    unittest.main()
