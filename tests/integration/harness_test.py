"""The parts of the other tests, tried on each other: a harness that cannot see a fault would prove nothing."""

import base64
import json
import pathlib
import re
import unittest
import urllib.error
import urllib.request

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from support.gateway import Metrics
from support.issuer import Issuer
from support.nginx import Nginx
from support.oidc import OidcProvider
from support.process import Process, run, wait_for
from support.tokens import Key, default_claims, hs256, mint
from support.upstream import ClosedPort, FullPort, Upstream, answer
from support.wire import Client, WireError, build


def parts(token):
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


TESTS = pathlib.Path(__file__).resolve().parents[1]


class Wire(unittest.TestCase):
    def setUp(self):
        self.upstream = Upstream()
        self.addCleanup(self.upstream.close)

    def client(self):
        client = Client(("127.0.0.1", self.upstream.port))
        self.addCleanup(client.close)
        return client

    def test_one_connection_serves_many_requests_and_records_them(self):
        client = self.client()
        for number in range(3):
            response = client.exchange("POST", f"/a?{number}", {"X-A": "b"}, b"x" * number)
            self.assertEqual((200, b"ok", True), (response.status, response.body, response.complete))
        self.assertEqual(["/a?0", "/a?1", "/a?2"], [request.target for request in self.upstream.requests])
        self.assertEqual(b"xx", self.upstream.requests[2].body)
        self.assertEqual("b", self.upstream.requests[2].get("x-a"))
        self.assertTrue(self.upstream.seen(b"GET") is False and self.upstream.seen("POST /a?2 HTTP/1.1"))

    def test_chunked_messages_are_taken_apart_both_ways(self):
        self.upstream.respond = lambda request: answer(b"y" * 100, framing="chunked")
        client = self.client()
        client.send(build("POST", "/", {"Transfer-Encoding": "chunked"}) + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        response = client.read()
        self.assertEqual((b"y" * 100, "chunked", True), (response.body, response.framing, response.complete))
        self.assertEqual((b"abcde", "chunked", True), (lambda r: (r.body, r.framing, r.complete))(self.upstream.one()))

    def test_messages_cut_short_are_seen_as_such(self):
        rows = [
            ("length", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"abc"),
            ("last chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"abc"),
            ("inside a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", b"abc"),
        ]
        for name, data, body in rows:
            with self.subTest(name):

                def script(connection, data=data):
                    connection.read()
                    connection.send(data)

                self.upstream.script = script
                response = self.client().exchange("GET", "/")
                self.assertEqual((body, False), (response.body, response.complete))

    def test_faulty_answers_are_errors(self):
        rows = [
            ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"),
            (
                "length and chunked",
                b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            ("chunk extension", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n"),
            ("trailer", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n"),
            ("bare LF", b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"),
            ("no status", b"HELLO\r\n\r\n"),
            ("half a head", b"HTTP/1.1 200 OK\r\nConte"),
        ]
        for name, data in rows:
            with self.subTest(name):

                def script(connection, data=data):
                    connection.read()
                    connection.send(data)

                self.upstream.script = script
                with self.assertRaises(WireError):
                    self.client().exchange("GET", "/")

    def test_faulty_requests_are_kept_as_errors_of_the_upstream(self):
        for data in (
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ):
            client = self.client()
            client.send(data)
            self.assertIsNone(client.read())
        self.assertEqual(3, len(self.upstream.errors()))

    def test_interim_answers_stand_before_the_final_one(self):
        self.upstream.respond = lambda request: b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + answer()
        response = self.client().exchange("GET", "/")
        self.assertEqual([103], [interim.status for interim in response.interim])
        self.assertEqual(200, response.status)

    def test_reset_and_closed_connections_are_told_from_answers(self):
        self.upstream.script = lambda connection: connection.read() and connection.reset()
        with self.assertRaises(WireError):
            self.client().exchange("GET", "/")
        self.upstream.script = lambda connection: None
        self.assertTrue(self.client().at_end())


class Peers(unittest.TestCase):
    def fetch(self, url):
        with urllib.request.urlopen(url, timeout=10) as reply:
            return reply.status, reply.read()

    def test_issuer_counts_fails_and_comes_back_on_its_port(self):
        issuer = Issuer(Key.ec("a"), listening=False)
        self.addCleanup(issuer.close)
        with self.assertRaises(urllib.error.URLError):
            self.fetch(issuer.jwks_uri)
        issuer.up()
        document = json.loads(self.fetch(issuer.url + "/.well-known/openid-configuration")[1])
        self.assertEqual({"issuer": issuer.issuer, "jwks_uri": issuer.jwks_uri}, document)
        self.assertEqual(["a"], [key["kid"] for key in json.loads(self.fetch(issuer.jwks_uri)[1])["keys"]])
        issuer.mode = "error"
        with self.assertRaises(urllib.error.HTTPError):
            self.fetch(issuer.jwks_uri)
        self.assertEqual(2, issuer.jwks_fetches)
        issuer.down()
        with self.assertRaises(urllib.error.URLError):
            self.fetch(issuer.jwks_uri)
        issuer.mode = "huge"
        issuer.up()
        self.assertGreater(len(self.fetch(issuer.jwks_uri)[1]), 3 << 20)

    def test_tokens_carry_good_signatures(self):
        rsa, ecdsa = Key.rsa("r"), Key.ec("e")
        token = mint(rsa, sub="x")
        head, claims, signature = parts(token)
        self.assertEqual({"alg": "RS256", "typ": "JWT", "kid": "r"}, json.loads(head))
        self.assertEqual("x", json.loads(claims)["sub"])
        rsa.private.public_key().verify(
            signature, token.rsplit(".", 1)[0].encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        token = mint(ecdsa)
        signature = parts(token)[2]
        numbers = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        ecdsa.private.public_key().verify(
            encode_dss_signature(*numbers), token.rsplit(".", 1)[0].encode(), ec.ECDSA(hashes.SHA256())
        )
        self.assertEqual("HS256", json.loads(parts(hs256(b"secret"))[0])["alg"])
        self.assertNotIn("exp", default_claims({"exp": None}))

    def test_openid_provider_rotates_and_retires_keys(self):
        provider = OidcProvider()
        self.addCleanup(provider.close)
        first = json.loads(parts(provider.token())[0])["kid"]
        provider.rotate()
        second = json.loads(parts(provider.token())[0])["kid"]
        jwks_uri = json.loads(self.fetch(provider.issuer + "/.well-known/openid-configuration")[1])["jwks_uri"]
        self.assertEqual({first, second}, {key["kid"] for key in json.loads(self.fetch(jwks_uri)[1])["keys"]})
        provider.retire()
        self.assertEqual([second], [key["kid"] for key in json.loads(self.fetch(jwks_uri)[1])["keys"]])

    def test_nginx_serves_files_and_takes_uploads(self):
        nginx = Nginx({"small": b"x" * 1024})
        self.addCleanup(nginx.close)
        self.assertEqual((200, b"x" * 1024), self.fetch(nginx.url + "/small"))
        request = urllib.request.Request(nginx.url + "/upload/a", data=b"y" * 5000, method="PUT")
        urllib.request.urlopen(request, timeout=10).close()
        self.assertEqual(b"y" * 5000, nginx.uploaded("a"))

    def test_ports_that_refuse_and_ports_that_hang(self):
        closed, full = ClosedPort(), FullPort()
        self.addCleanup(closed.close)
        self.addCleanup(full.close)
        with self.assertRaises(ConnectionRefusedError):
            Client(("127.0.0.1", closed.port))
        with self.assertRaises(TimeoutError):
            Client(("127.0.0.1", full.port), timeout=0.3)


class Processes(unittest.TestCase):
    def test_output_is_read_and_groups_end(self):
        process = Process(["sh", "-c", "echo one >&2; echo two; sleep 600 & echo $! >&2; wait"])
        self.assertTrue(process.stderr.wait("one", 10) and process.stdout.wait("two", 10))
        child = int(process.stderr.wait("^([0-9]+)$", 10).group(1))
        process.kill()
        wait_for(
            lambda: run(
                ["sh", "-c", f"kill -0 {child} 2>/dev/null && ! grep -q 'State:.Z' /proc/{child}/status"]
            ).status
            != 0,
            "the child to be gone",
            10,
        )

    def test_commands_that_hang_are_ended(self):
        with self.assertRaises(AssertionError):
            run(["sleep", "600"], timeout=0.2)

    def test_metrics_are_read_strictly(self):
        metrics = Metrics(
            '# HELP a b\n# TYPE a counter\na{route="GET /x",status="200"} 3\na{route="b \\"c\\"",status="401"} 1\nplain 2.5e3\n'
        )
        self.assertEqual((4, 3, 2500), (metrics.total("a"), metrics.total("a", status="200"), metrics.total("plain")))
        for bad in ("a{b} 1\n", "a 1", 'a{b="c} 1\n', "9a 1\n", "a b\n"):
            with self.assertRaises(WireError):
                Metrics(bad)


if __name__ == "__main__":
    unittest.main()


class Sections(unittest.TestCase):
    """Tests name the sections of the facts about the service that they hold the program to ("section 4.2: …")."""

    def test_each_has_a_table(self):
        named = set()
        for file in TESTS.glob("**/*_test.*"):
            if file.name != "harness_test.py" and "node_modules" not in file.parts and file.suffix in (".cpp", ".py"):
                for numbers in re.findall(r"\bsections?((?: \d+(?:\.\d+)?\b,?(?: and)?)+)", file.read_text("utf-8")):
                    named.update(int(number) for number in re.findall(r"(\d+)(?:\.\d+)?", numbers))
        for section in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 22):
            with self.subTest(section):
                self.assertIn(section, named)
