"""https upstreams and https key sets: whom the gateway believes, and what it makes of peers that break off."""

import hashlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import tempfile
import threading
import time
import unittest
import warnings

from cryptography.x509.oid import ExtendedKeyUsageOID
from support.case import FAULT, GatewayCase, as_text
from support.gateway import api, config, jwt_authorizer, route
from support.process import wait_for
from support.tls import (
    HOUR,
    Certificate,
    TlsIssuer,
    TlsUpstream,
    authority,
    good,
    say_goodbye,
    server_context,
)
from support.tokens import ec_key, mint
from support.upstream import answer
from support.wire import Reader, WireError, build, read_response

TIMED_OUT = b'{"message": "Endpoint request timed out"}'
# Name, certificate, the host that the gateway is told, and what OpenSSL says of it: peers that must not be believed.
STRANGERS = (
    ("another name", lambda: good("other.example"), "localhost", "(?i)host ?name mismatch"),
    ("a name that ends alike", lambda: good("notlocalhost", "localhost.example"), "localhost", "(?i)host ?name mismatch"),
    ("the address of a name", lambda: good("127.0.0.1"), "localhost", "(?i)host ?name mismatch"),
    ("the name of an address", lambda: good("localhost"), "127.0.0.1", "(?i)ip address mismatch"),
    ("another address", lambda: good("127.0.0.2"), "127.0.0.1", "(?i)ip address mismatch"),
    (
        "an address that is written as a name",
        lambda: Certificate("good", authority(), dns_names=["127.0.0.1"]),
        "127.0.0.1",
        "(?i)ip address mismatch",
    ),
    (
        "an unknown authority",
        lambda: Certificate("stranger", authority("Somebody else"), ["localhost"]),
        "localhost",
        "(?i)unable to get local issuer certificate",
    ),
    (
        "an unknown authority of the same name",
        lambda: Certificate("stranger", Certificate("Gatehouse test authority", authority=True), ["localhost"]),
        "localhost",
        "(?i)certificate signature failure|unable to get local issuer",
    ),
    ("signed by itself", lambda: Certificate("localhost", names=["localhost"]), "localhost", "(?i)self.signed"),
    (
        "expired",
        lambda: Certificate("old", authority(), ["localhost"], begins=-2 * HOUR, ends=-HOUR / 60),
        "localhost",
        "(?i)expired",
    ),
    (
        "not valid yet",
        lambda: Certificate("new", authority(), ["localhost"], begins=HOUR, ends=2 * HOUR),
        "localhost",
        "(?i)not yet valid",
    ),
    (
        "a client's certificate",
        lambda: Certificate("client", authority(), ["localhost"], usage=ExtendedKeyUsageOID.CLIENT_AUTH),
        "localhost",
        "(?i)purpose",
    ),
    (
        "signed by one who may not sign",
        lambda: Certificate("two", Certificate("one", authority(), ["localhost"]), ["localhost"]),
        "localhost",
        "(?i)invalid CA certificate",
    ),
)


def old_context(certificate):
    """A server that speaks TLS 1.1 and nothing newer."""
    return speak_old(server_context(certificate))


def speak_old(context):
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


class Watching(Reader):
    """Knows a reset from an end."""

    was_reset = False

    def fill(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            self.was_reset, data = True, b""
        self.eof = not data
        self.buffer += data
        return not self.eof


def whole_answer(client):
    """The answer, or None where a client can tell that it is not whole."""
    reader = Watching(client.sock)
    reader.buffer = client.reader.buffer
    try:
        response = read_response(reader)
    except WireError:
        return None
    return response if response and response.complete and not reader.was_reset else None


class TlsCase(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-trust-"))
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.trusted = folder / "ca.pem"
        cls.trusted.write_bytes(authority().pem())
        # Nothing of the machine's own trust: what passes passes by the test's authority.
        cls.trust = {"SSL_CERT_FILE": str(cls.trusted), "SSL_CERT_DIR": str(folder / "none")}

    def tls_upstream(self, certificate=None, **options):
        context = options.pop("context", None) or server_context(certificate or good())
        return self.using(TlsUpstream(context, **options))

    def gate(self, backend, host="localhost", timeouts=None, env=None, **integration):
        routes = [route("ANY /{proxy+}", f"https://{host}:{backend.port}/{{proxy}}", "NONE", **integration)]
        return self.start(
            config(api(routes, authorizers={}), threads=1, timeouts=timeouts or {}), env=self.trust if env is None else env
        )

    def assert_bad_gateway(self, gateway, response, reason="upstream_tls"):
        self.assert_error(response, 502, FAULT, "InternalServerErrorException")
        self.assertEqual(reason, gateway.trace(response)["reason"])

    def assert_timed_out(self, gateway, response, reason):
        self.assert_error(response, 504, TIMED_OUT, "InternalServerErrorException")
        self.assertEqual(reason, gateway.trace(response)["reason"])


class Trust(TlsCase):
    """An upstream is believed by its name and by who signed it, and gets no byte of a request before."""

    def test_known_upstreams(self):
        between = Certificate("between", authority(), authority=True)
        for name, certificate, host, asked in (
            ("by name", good("localhost"), "localhost", ["localhost"]),
            ("by one of its names", good("a.example", "localhost", "127.0.0.1"), "localhost", ["localhost"]),
            ("by address", good("127.0.0.1"), "127.0.0.1", [None]),  # RFC 6066 3: an address is no server name
            ("through an authority between", Certificate("leaf", between, ["localhost"]), "localhost", ["localhost"]),
        ):
            with self.subTest(name):
                backend = self.tls_upstream(certificate)
                gateway = self.gate(backend, host)
                response = gateway.request("POST", "/x", body=b"content")
                self.assertEqual((200, b"ok"), (response.status, response.body), gateway.log())
                request = backend.one()
                self.assertEqual(b"content", request.body)
                self.assertEqual([f"{host}:{backend.port}"], request.all("Host"))
                self.assertEqual(asked, backend.names)

    def test_strangers_get_nothing(self):
        for name, make, host, why in STRANGERS:
            with self.subTest(name):
                backend = self.tls_upstream(make())
                gateway = self.gate(backend, host)
                response = gateway.request("POST", "/x", {"Authorization": "Bearer secret"}, b"content")
                self.assert_bad_gateway(gateway, response)
                self.assertRegex(as_text(gateway.trace(response)), why)
                self.assert_untouched(backend)
                self.assertFalse(backend.seen("secret"))
                self.assertNotIn(b"secret", response.head + response.body)

    def test_the_test_authority_is_nobody_elsewhere(self):
        # What every other test here rests on: without SSL_CERT_FILE the same upstream is a stranger.
        backend = self.tls_upstream()
        gateway = self.gate(backend, env={})
        self.assert_bad_gateway(gateway, gateway.get("/x"))
        self.assert_untouched(backend)

    def test_old_versions_are_refused(self):
        backend = self.tls_upstream(context=old_context(good()))
        old_client = speak_old(ssl.create_default_context(cafile=self.trusted))
        with socket.create_connection(("127.0.0.1", backend.port)) as plain:
            with old_client.wrap_socket(plain, server_hostname="localhost") as client:
                self.assertEqual("TLSv1.1", client.version(), "the server does work")
        gateway = self.gate(backend)
        self.assert_bad_gateway(gateway, gateway.get("/x"))
        self.assert_untouched(backend)

    def test_current_versions_are_spoken(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = server_context(good())
                context.minimum_version = context.maximum_version = version
                backend = self.tls_upstream(context=context)
                self.assert_status(self.gate(backend).get("/x"), 200)

    def test_each_connection_is_judged_anew(self):
        # A stranger in the place of an upstream that was good: its certificate was not seen before.
        backend = self.tls_upstream(script=lambda connection: connection.read() and connection.send(answer()))
        gateway = self.gate(backend)
        self.assert_status(gateway.get("/x"), 200)
        backend.context = server_context(good("other.example"))
        backend.clear()
        self.assert_bad_gateway(gateway, gateway.get("/x"))
        self.assert_untouched(backend)


class Handshakes(TlsCase):
    def test_peers_that_speak_no_tls(self):
        page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nplain"
        for name, script in (
            ("plain HTTP", lambda connection: connection.sock.recv(4096) and connection.send(page)),
            ("plain HTTP at once", lambda connection: connection.send(page)),
            ("a close", lambda connection: connection.sock.recv(4096)),
            ("a close at once", lambda connection: None),
            ("a reset", lambda connection: connection.sock.recv(4096) and connection.reset()),
            ("half a record", lambda connection: connection.sock.recv(4096) and connection.send(b"\x16\x03\x03\x00")),
            ("an alert", lambda connection: connection.sock.recv(4096) and connection.send(b"\x15\x03\x03\x00\x02\x02\x28")),
        ):
            with self.subTest(name):
                backend = self.upstream(script=script)
                gateway = self.gate(backend)
                response = gateway.request("POST", "/x", body=b"content")
                self.assert_bad_gateway(gateway, response)
                self.assertFalse(backend.seen("POST"), "a request in the clear")
                self.assertFalse(backend.seen("content"))

    def test_a_handshake_that_hangs_is_late(self):
        for name, begin in (
            ("silent", lambda connection: None),
            ("half a record", lambda connection: connection.send(b"\x16\x03\x03\x00\x7a\x02")),
        ):
            with self.subTest(name):
                backend = self.upstream()
                backend.script = lambda connection, begin=begin: (begin(connection), backend.hold())
                gateway = self.gate(backend, timeouts={"connectInMillis": 300})
                started = time.monotonic()
                self.assert_timed_out(gateway, gateway.get("/x"), "upstream_connect_timeout")
                self.assertLess(time.monotonic() - started, 10)

    def test_a_hanging_handshake_delays_no_other(self):
        hung, well = self.upstream(), self.tls_upstream()
        arrived = threading.Event()
        hung.script = lambda connection: (arrived.set(), hung.hold())
        routes = [
            route("GET /hung", f"https://localhost:{hung.port}/", "NONE"),
            route("GET /good", f"{well.url}/", "NONE"),
        ]
        gateway = self.start(config(api(routes, authorizers={}), threads=1), env=self.trust)
        with gateway.connect() as client:
            client.send(build("GET", "/hung"))
            self.assertTrue(arrived.wait(20))
            for _ in range(5):
                self.assert_status(gateway.get("/good"), 200)

    def test_an_answer_that_does_not_come(self):
        backend = self.tls_upstream()
        backend.script = lambda connection: connection.read() and backend.hold()
        gateway = self.gate(backend, timeoutInMillis=300)
        self.assert_timed_out(gateway, gateway.get("/x"), "upstream_timeout")


class Connections(TlsCase):
    def test_a_connection_is_used_again(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = server_context(good())
                context.minimum_version = context.maximum_version = version
                backend = self.tls_upstream(context=context)
                gateway = self.gate(backend)
                for number, method in enumerate(("GET", "POST", "PUT", "GET")):
                    body = b"content" if method != "GET" else None
                    self.assert_status(gateway.request(method, f"/{number}", body=body), 200)
                self.assertEqual([0, 0, 0, 0], [request.connection for request in backend.requests])
                self.assertEqual(1, len(backend.connections), "one handshake")

    def test_a_connection_that_ended_is_not(self):
        # Whether with close_notify or without: the next request, which cannot be sent twice, is not lost on it.
        for name, end in (("goodbye", say_goodbye), ("cut", lambda connection: connection.close())):
            with self.subTest(name):
                backend = self.tls_upstream()
                backend.script = lambda connection, end=end: (
                    connection.read(),
                    connection.send(answer()),
                    end(connection),
                )
                gateway = self.gate(backend)
                for number in range(5):
                    self.assert_status(gateway.request("POST", f"/{number}", body=b"pay"), 200)
                    wait_for(lambda: backend.connections[-1].closed, "the upstream's end")
                self.assertEqual([0, 1, 2, 3, 4], [request.connection for request in backend.requests])

    def test_bytes_behind_an_answer_never_reach_another_request(self):
        backend = self.tls_upstream(respond=lambda request: answer(b"right") + answer(b"WRONG"))
        gateway = self.gate(backend)
        for _ in range(5):
            self.assertEqual(b"right", gateway.get("/x").body)
        self.assertEqual(5, len(backend.connections))


class Cuts(TlsCase):
    """Whoever cuts a TLS connection is not trusted about where an answer ends: only close_notify says that."""

    length = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    until_close = b"HTTP/1.1 200 OK\r\n\r\n"

    def test_cut_content_is_not_whole(self):
        for name, data in (
            ("length, short", self.length + b"x" * 60),
            ("length, none of it", self.length),
            ("chunks without the last", self.chunked + b"5\r\nhello\r\n"),
            ("until the close", self.until_close + b"some content"),
            ("until the close, nothing yet", self.until_close),
        ):
            for end, whole in (("cut", False), ("goodbye", name.startswith("until"))):
                for version in ("HTTP/1.1", "HTTP/1.0"):
                    with self.subTest(name, end=end, client=version):
                        backend = self.tls_upstream()

                        def script(connection, data=data, end=end):
                            connection.read()
                            connection.send(data)
                            if end == "goodbye":
                                say_goodbye(connection)

                        backend.script = script
                        gateway = self.gate(backend)
                        with gateway.connect() as client:
                            client.send(build("GET", "/x", version=version))
                            response = whole_answer(client)
                        if whole:
                            self.assertIsNotNone(response, "close_notify ends it")
                            content = data.removeprefix(self.until_close)
                            self.assertEqual((200, content), (response.status, response.body))
                        elif response is not None:
                            # Nothing had gone out yet: then an answer of the gateway's own is whole.
                            self.assertEqual((502, FAULT), (response.status, response.body))

    def test_content_that_was_passed_on_is_cut_visibly(self):
        # The client has a part before the upstream ends.
        for version in ("HTTP/1.1", "HTTP/1.0"):
            for end in ("cut", "goodbye"):
                with self.subTest(end, client=version):
                    backend = self.tls_upstream()
                    go_on = threading.Event()

                    def script(connection, end=end, go_on=go_on):
                        connection.read()
                        connection.send(self.until_close + b"first part")
                        go_on.wait(30)
                        if end == "goodbye":
                            say_goodbye(connection)

                    backend.script = script
                    gateway = self.gate(backend)
                    with gateway.connect() as client:
                        client.send(build("GET", "/x", version=version))
                        while b"first part" not in client.reader.buffer:
                            self.assertTrue(client.reader.fill())
                        go_on.set()
                        response = whole_answer(client)
                    if end == "goodbye":
                        self.assertIsNotNone(response, "close_notify ends it")
                        self.assertEqual(b"first part", response.body)
                    else:
                        self.assertIsNone(response, "a cut answer looks whole")
                    entry = json.loads(wait_for(lambda: gateway.access_log(), "the access log")[0])
                    self.assertEqual("upstream_reset" if end == "cut" else "open_route", entry["reason"])

    def test_cut_heads(self):
        for name, data in (("nothing", b""), ("half a head", b"HTTP/1.1 200 OK\r\nContent-Le")):
            for end in ("cut", "goodbye"):
                with self.subTest(name, end=end):
                    backend = self.tls_upstream()

                    def script(connection, data=data, end=end):
                        connection.read()
                        connection.send(data)
                        if end == "goodbye":
                            say_goodbye(connection)

                    backend.script = script
                    gateway = self.gate(backend)
                    self.assert_bad_gateway(gateway, gateway.get("/x"), "upstream_reset")


class Large(TlsCase):
    data = os.urandom(8 << 20)

    def test_large_content_arrives_whole_both_ways(self):
        backend = self.tls_upstream(
            respond=lambda request: answer(
                request.body[::-1], framing="chunked" if b"c=1" in request.head else "length"
            )
        )
        gateway = self.gate(backend)
        for name, target in (("length", "/x"), ("chunked", "/x?c=1")):
            with self.subTest(name):
                response = gateway.request("POST", target, body=self.data)
                self.assertEqual((200, name, True), (response.status, response.framing, response.complete))
                self.assertEqual(hashlib.sha256(self.data[::-1]).digest(), hashlib.sha256(response.body).digest())
        self.assertEqual(1, len(backend.connections))

    def test_both_ways_at_once(self):
        # The upstream gives back each piece before it takes the next: neither direction may wait for the other's end.
        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            left = len(self.data)
            piece, connection.reader.buffer = connection.reader.buffer, b""
            while left:
                if piece:
                    connection.sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
                    left -= len(piece)
                piece = connection.sock.recv(min(left, 65536)) if left else b""
            connection.send(b"0\r\n\r\n")

        backend = self.tls_upstream(script=script)
        gateway = self.gate(backend)
        with gateway.connect() as client:
            head = build("POST", "/x", {"Content-Length": str(len(self.data))})
            sender = threading.Thread(target=lambda: client.send(head + self.data), daemon=True)
            sender.start()
            response = client.read()
            sender.join()
        self.assertEqual((200, True), (response.status, response.complete))
        self.assertEqual(hashlib.sha256(self.data).digest(), hashlib.sha256(response.body).digest())

    def test_a_slow_client_loses_nothing(self):
        # Whole TLS records wait in OpenSSL while the client takes nothing: they must not be forgotten there.
        backend = self.tls_upstream(respond=lambda request: answer(self.data))
        gateway = self.gate(backend)
        with gateway.connect() as client:
            client.send(build("GET", "/x"))
            backend.wait_requests(1)
            received = bytearray()
            while not received.endswith(self.data[-64:]):
                data = client.sock.recv(256)
                self.assertTrue(data, f"ended after {len(received)} bytes")
                received += data
        content = received.split(b"\r\n\r\n", 1)[1]
        self.assertEqual(hashlib.sha256(self.data).digest(), hashlib.sha256(content).digest())


class Keys(TlsCase):
    """Key sets over https, at a place that is configured and by discovery."""

    def gate_by(self, issuer, discovery=False, ready=True, env=None, **jwks):
        self.backend = self.upstream()
        jwt = {
            "issuer": issuer.issuer,
            "jwksUri": None if discovery else issuer.jwks_uri,
            "algorithms": ["ES256"],
            "jwks": {"cooldownInSeconds": 1} | jwks,
        }
        authorizers = {"jwt": jwt_authorizer(jwt)}
        configuration = config(api([route("GET /x", self.backend.url)], authorizers=authorizers))
        return self.start(configuration, ready=ready, env=self.trust if env is None else env)

    def token(self, issuer):
        return mint(ec_key("a"), iss=issuer.issuer)

    def test_keys_of_known_issuers(self):
        for discovery in (False, True):
            for host in ("localhost", "127.0.0.1"):
                with self.subTest(host, discovery=discovery):
                    context = server_context(good(host))
                    issuer = self.using(TlsIssuer(ec_key("a"), context=context, host=host))
                    gateway = self.gate_by(issuer, discovery)
                    self.assert_status(gateway.get("/x", self.token(issuer)), 200)
                    self.assert_unauthorized(gateway.get("/x", mint(ec_key("b"), iss=issuer.issuer)))
                    wanted = {issuer.jwks_path} | ({"/.well-known/openid-configuration"} if discovery else set())
                    self.assertEqual(wanted, set(issuer.fetches))
                    (source,) = gateway.admin("GET", "/report").json()["keySources"]
                    self.assertTrue(source["usable"], source)
                    self.assertEqual("", source.get("lastError") or "", source)

    def assert_unusable(self, gateway, issuer, why="."):
        response = gateway.get("/x", self.token(issuer))
        self.assert_unavailable(response)
        self.assert_untouched(self.backend)
        self.assertEqual({}, dict(issuer.fetches), "a stranger was asked")
        self.assertEqual("keys_unavailable", gateway.trace(response)["reason"])
        (source,) = gateway.admin("GET", "/report").json()["keySources"]
        self.assertFalse(source["usable"], source)
        for place, text in (
            ("GET /report", as_text(source)),
            ("GET /health/ready", gateway.admin("GET", "/health/ready").text()),
            ("the log", gateway.log()),
        ):
            self.assertRegex(text, why, place)

    def test_strangers_are_not_asked_for_keys(self):
        for number, (name, make, host, why) in enumerate(STRANGERS):
            with self.subTest(name):
                issuer = self.using(TlsIssuer(ec_key("a"), context=server_context(make()), host=host))
                gateway = self.gate_by(issuer, discovery=number % 2 == 1, ready=False)
                self.assert_unusable(gateway, issuer, why)

    def test_old_versions_are_refused(self):
        issuer = self.using(TlsIssuer(ec_key("a"), context=old_context(good())))
        self.assert_unusable(self.gate_by(issuer, ready=False), issuer, "(?i)protocol version")

    def test_the_test_authority_is_nobody_elsewhere(self):
        issuer = self.using(TlsIssuer(ec_key("a")))
        gateway = self.gate_by(issuer, ready=False, env={})
        self.assert_unusable(gateway, issuer, "(?i)unable to get local issuer certificate|self.signed")

    def test_a_document_of_a_known_issuer_may_not_lead_to_a_stranger(self):
        stranger = self.using(TlsIssuer(ec_key("a"), context=server_context(good("other.example"))))
        issuer = self.using(TlsIssuer(ec_key("a")))
        issuer.discovery_changes = {"jwks_uri": stranger.jwks_uri}
        gateway = self.gate_by(issuer, discovery=True, ready=False)
        self.assert_unavailable(gateway.get("/x", self.token(issuer)))
        self.assertEqual({}, dict(stranger.fetches))

    def test_peers_that_speak_no_tls_have_no_keys(self):
        for name, script in (
            ("plain HTTP", lambda connection: connection.sock.recv(4096) and connection.send(answer(b'{"keys":[]}'))),
            ("a close", lambda connection: connection.sock.recv(4096)),
        ):
            with self.subTest(name):
                peer = self.upstream(script=script)
                issuer = self.using(TlsIssuer(ec_key("a"), listening=False))
                issuer.url = f"https://localhost:{peer.port}"
                gateway = self.gate_by(issuer, ready=False)
                self.assert_unavailable(gateway.get("/x", self.token(issuer)))
                self.assertFalse(peer.seen("GET"), "a request in the clear")

    def test_a_handshake_that_hangs_is_given_up(self):
        peer = self.upstream()
        peer.script = lambda connection: peer.hold()
        issuer = self.using(TlsIssuer(ec_key("a"), listening=False))
        issuer.url = f"https://localhost:{peer.port}"
        gateway = self.gate_by(issuer, ready=False, timeoutInMillis=300)
        started = time.monotonic()
        self.assert_unavailable(gateway.get("/x", self.token(issuer)))
        self.assertLess(time.monotonic() - started, 10)

    def test_an_issuer_that_turns_into_a_stranger_keeps_its_old_keys(self):
        issuer = self.using(TlsIssuer(ec_key("a")))
        gateway = self.gate_by(issuer, refreshInSeconds=1)
        self.assert_status(gateway.get("/x", self.token(issuer)), 200)
        issuer.down()
        issuer.keys = [ec_key("b")]
        issuer.context = server_context(good("other.example"))
        issuer.down()
        issuer.up()
        failures = "gatehouse_jwks_fetch_failures_total"
        wait_for(lambda: gateway.metrics().total(failures) >= 1, "a refresh to fail", 15)
        self.assert_status(gateway.get("/x", self.token(issuer)), 200)
        self.assert_unauthorized(gateway.get("/x", mint(ec_key("b"), iss=issuer.issuer)))


if __name__ == "__main__":
    unittest.main()
