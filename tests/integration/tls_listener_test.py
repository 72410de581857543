"""TLS on listeners: who is let in, which certificate is shown, and that HTTP over it is the same as without."""

import contextlib
import hashlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import time
import unittest
import warnings

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.case import GatewayCase
from support.gateway import Folder, api, command, config, jwt_authorizer, mock, route
from support.process import wait_for
from support.tls import HOUR, Certificate, TlsClient, authority, client_context, good
from support.tokens import mint
from support.upstream import answer
from support.wire import Client, Reader, build, read_response

FAILURES = "gatehouse_tls_handshake_failures_total"


def tls(*names, **changes):
    """A listener's `tls` with the pairs NAME.pem and NAME.key beside the configuration."""
    pairs = [{"certificate": f"{name}.pem", "privateKey": f"{name}.key"} for name in names or ("one",)]
    return {"certificates": pairs} | changes


def files_of(**certificates):
    files = {"ca.pem": authority().pem()}
    for name, certificate in certificates.items():
        files |= {f"{name}.pem": certificate.chain_pem(), f"{name}.key": certificate.key_pem()}
    return files


def listener(settings):
    return {"address": "127.0.0.1", "port": 0, "tls": settings}


def speaking(version, context=None):
    context = context or client_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


class TlsListenerCase(GatewayCase):
    def gate(self, settings=None, files=None, routes=None, **changes):
        self.backend = self.upstream()
        if routes is None:
            routes = [route("ANY /{proxy+}", f"{self.backend.url}/{{proxy}}", "NONE")]
        configuration = config(
            api(routes, authorizers={}, contextHeaders={"requestContext": True}),
            **{"listeners": [listener(settings or tls())], "threads": 1} | changes,
        )
        return self.start(configuration, files=files or files_of(one=good("localhost")))

    def client(self, gateway, context=None, name="localhost", **options):
        return self.using(TlsClient(gateway.address, context, name, remember=gateway._remember, **options))

    def get(self, gateway, target="/x", context=None, name="localhost", headers=None):
        with self.client(gateway, context, name) as client:
            return client.exchange("GET", target, headers)

    def raw(self, gateway):
        return self.using(socket.create_connection(gateway.address, 30))

    def end_of(self, sock):
        """All that comes until the other side ends the connection."""
        data = bytearray()
        with contextlib.suppress(ConnectionResetError):
            while piece := sock.recv(65536):
                data += piece
        return bytes(data)


class Versions(TlsListenerCase):
    def test_what_is_spoken(self):
        gateway = self.gate()
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with self.subTest(name):
                self.backend.clear()
                with self.client(gateway, speaking(version)) as client:
                    self.assertEqual(name, client.sock.version())
                    self.assertEqual(200, client.exchange("GET", "/x").status)
                    self.assertRegex(client.sock.cipher()[0], "(?:ECDHE.*|TLS_.*)(?:GCM|CHACHA20)")
                request = self.backend.one()
                self.assertEqual("https", request.get("X-Forwarded-Proto"))
                self.assertEqual(str(gateway.port), request.get("X-Forwarded-Port"))
        self.assertIn(f"listening on https://127.0.0.1:{gateway.port}", gateway.log())

    def test_what_is_not(self):
        def old():
            context = speaking(ssl.TLSVersion.TLSv1_1)
            context.set_ciphers("ALL:@SECLEVEL=0")
            return context

        def ciphers(text):
            context = speaking(ssl.TLSVersion.TLSv1_2)
            context.set_ciphers(text)
            return context

        gateway = self.gate()
        rows = (
            ("TLS 1.1", old(), "(?i)protocol.version"),
            ("no forward secrecy", ciphers("AES128-GCM-SHA256:@SECLEVEL=0"), "(?i)handshake.failure"),
            ("CBC", ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), "(?i)handshake.failure"),
            ("no encryption", ciphers("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0"), "(?i)handshake.failure"),
        )
        for name, context, why in rows:
            with self.subTest(name):
                with self.assertRaisesRegex(ssl.SSLError, why):
                    self.client(gateway, context)
        self.assertEqual(len(rows), gateway.metrics().total(FAILURES))
        self.assertEqual(200, self.get(gateway).status)

    def test_a_minimum(self):
        gateway = self.gate(tls(minimumVersion="TLS_1_3"))
        with self.assertRaisesRegex(ssl.SSLError, "(?i)protocol.version"):
            self.client(gateway, speaking(ssl.TLSVersion.TLSv1_2))
        self.assertEqual(200, self.get(gateway, context=speaking(ssl.TLSVersion.TLSv1_3)).status)

    def test_application_protocols(self):
        gateway = self.gate()
        for offered, chosen in (
            ([], None),
            (["http/1.1"], "http/1.1"),
            (["h2", "http/1.1"], "http/1.1"),
            (["http/1.0", "http/1.1"], "http/1.1"),
            (["h2"], False),
            (["http/1.0"], False),
            (["HTTP/1.1"], False),
            (["http/1.1x"], False),
        ):
            with self.subTest(str(offered)):
                context = client_context()
                if offered:
                    context.set_alpn_protocols(offered)
                if chosen is False:
                    with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                        self.client(gateway, context)
                    continue
                with self.client(gateway, context) as client:
                    self.assertEqual(chosen, client.sock.selected_alpn_protocol())
                    self.assertEqual(200, client.exchange("GET", "/x").status)

    def test_no_renegotiation(self):
        gateway = self.gate()
        client = subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{gateway.port}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.addCleanup(client.kill)
        output = b""
        while b"Verify return code" not in output:
            output += client.stdout.readline()
        client.stdin.write(b"R\n")
        client.stdin.flush()
        with client.stdout:
            self.assertIn(b"no renegotiation", client.stdout.read())
        with contextlib.suppress(BrokenPipeError):
            client.stdin.close()
        client.wait()
        self.assertEqual(200, self.get(gateway).status)

    def test_resumption(self):
        gateway = self.gate()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = speaking(version)
                with self.client(gateway, context) as client:
                    self.assertEqual(200, client.exchange("GET", "/x").status)
                    session = client.sock.session
                plain = socket.create_connection(gateway.address, 30)
                with context.wrap_socket(plain, server_hostname="localhost", session=session) as again:
                    again.sendall(build("GET", "/x"))
                    self.assertTrue(again.recv(1000).startswith(b"HTTP/1.1 200"))
                    self.assertTrue(again.session_reused)


class Names(TlsListenerCase):
    def test_the_certificate_by_the_name(self):
        gateway = self.gate(
            tls("one", "two", "three"),
            files_of(
                one=good("default.example", "localhost"),
                two=good("api.example", "*.api.example", "*.wild.example"),
                three=good("special.api.example", "other.example", "*.api.example"),
            ),
        )
        for asked, shown in (
            (None, "default.example"),
            ("default.example", "default.example"),
            ("api.example", "api.example"),
            ("API.Example", "api.example"),
            ("a.api.example", "api.example"),
            ("special.api.example", "special.api.example"),
            ("SPECIAL.api.example", "special.api.example"),
            ("other.example", "special.api.example"),
            ("x.wild.example", "api.example"),
            ("x.y.wild.example", "default.example"),
            ("wild.example", "default.example"),
            ("xapi.example", "default.example"),
            ("unknown.example", "default.example"),
            ("example", "default.example"),
        ):
            with self.subTest(str(asked)):
                context = client_context()
                context.check_hostname = False
                with socket.create_connection(gateway.address, 30) as plain:
                    with context.wrap_socket(plain, server_hostname=asked) as client:
                        self.assertEqual(shown, client.getpeercert()["subjectAltName"][0][1])
                        client.sendall(build("GET", "/x"))
                        self.assertTrue(client.recv(1000).startswith(b"HTTP/1.1 200"))

    def test_a_chain(self):
        between = Certificate("between", authority(), authority=True)
        gateway = self.gate(files=files_of(one=Certificate("leaf", between, ["localhost"])))
        self.assertEqual(200, self.get(gateway).status)


class Strangers(TlsListenerCase):
    def test_who_speaks_no_tls(self):
        gateway = self.gate()
        hello = self.hello()
        rows = (
            ("plain HTTP", build("GET", "/x")),
            ("plain HTTP with content", build("POST", "/x", body=b"x" * 100_000)),
            ("garbage", os.urandom(64).replace(b"\x16", b"\x17")),
            ("zeros", bytes(100)),
            ("application data first", b"\x17\x03\x03\x00\x05hello"),
            ("an alert", b"\x15\x03\x03\x00\x02\x02\x28"),
            ("a record that is too long", b"\x16\x03\x01\xff\xff" + bytes(70_000)),
            ("a message that is no hello", b"\x16\x03\x01\x00\x04\x0b\x00\x00\x00"),
            ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" + bytes(37)),
            ("a hello, then plain HTTP", hello + build("GET", "/x")),
        )
        for number, (name, data) in enumerate(rows, 1):
            with self.subTest(name):
                sock = self.raw(gateway)
                with contextlib.suppress(OSError):
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
                self.assertNotIn(b"HTTP/1.", self.end_of(sock))
                wait_for(lambda n=number: gateway.metrics().total(FAILURES) == n, "the failure to be counted")
                self.assertEqual(200, self.get(gateway).status)
        self.assertEqual(len(rows), len(self.backend.requests), "those of the good clients alone")

    def hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
        with contextlib.suppress(ssl.SSLWantReadError):
            session.do_handshake()
        return outgoing.read()

    def test_who_leaves(self):
        gateway = self.gate()
        hello = self.hello()
        for number, (name, data, reset) in enumerate(
            (
                ("at once", b"", False),
                ("at once by a reset", b"", True),
                ("in the hello", hello[:40], False),
                ("in the hello by a reset", hello[:40], True),
                ("after the hello", hello, False),
                ("after the hello by a reset", hello, True),
            ),
            1,
        ):
            with self.subTest(name):
                sock = self.raw(gateway)
                sock.sendall(data)
                if reset:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()
                self.assertEqual(200, self.get(gateway).status)
        wait_for(lambda: gateway.metrics().total("gatehouse_connections_open") == 0, "all to be closed")

    def test_who_stalls(self):
        gateway = self.gate(timeouts={"headerInMillis": 400})
        hello = self.hello()
        for name, data in (("silent", b""), ("in the hello", hello[:40]), ("after the hello", hello)):
            with self.subTest(name):
                sock = self.raw(gateway)
                sock.sendall(data)
                started = time.monotonic()
                self.assertNotIn(b"HTTP/1.", self.end_of(sock))
                self.assertLess(time.monotonic() - started, 10)
        with self.client(gateway) as client:
            self.assertEqual(b"", client.sock.recv(100), "no request came: an end with close_notify")
        with self.client(gateway) as client:
            client.send(b"GET /x HTTP/1.1\r\nHo")
            self.assertEqual(408, client.read().status)
        self.assertEqual([], self.backend.requests)

    def test_a_stalled_handshake_delays_no_other(self):
        gateway = self.gate()
        stalled = [self.raw(gateway) for _ in range(20)]
        for sock in stalled:
            sock.sendall(self.hello()[:50])
        for _ in range(5):
            self.assertEqual(200, self.get(gateway).status)

    def test_over_the_limit_no_plain_text(self):
        gateway = self.gate(limits={"connections": 1})
        with self.client(gateway) as client:
            self.assertEqual(200, client.exchange("GET", "/x").status)
            sock = self.raw(gateway)
            self.assertEqual(b"", self.end_of(sock))
            self.assertEqual(200, client.exchange("GET", "/x").status)


class Pump:
    """A client over TLS that sends each record in its own time and size, and can end its half of TLS alone."""

    def __init__(self, sock):
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = client_context().wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def pending(self):
        return self.outgoing.read()

    def run(self, step, send=None):
        """Runs a step of TLS to its end; what it has to say goes out by `send`."""
        send = send or self.sock.sendall

        def flush():
            if data := self.pending():
                send(data)

        while True:
            try:
                result = step()
                flush()
                return result
            except ssl.SSLWantReadError:
                flush()
                data = self.sock.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def recv(self, size):
        try:
            return self.run(lambda: self.tls.read(size))
        except ssl.SSLZeroReturnError:
            return b""  # the end of the other half, where ours has ended


class Conversations(TlsListenerCase):
    data = os.urandom(6 << 20)

    def test_keep_alive(self):
        gateway = self.gate()
        with self.client(gateway) as client:
            for number in range(20):
                body = b"content" if number % 2 else None
                self.assertEqual(200, client.exchange("POST" if body else "GET", f"/{number}", body=body).status)
        self.assertEqual([f"/{number}" for number in range(20)], [request.target for request in self.backend.requests])
        self.assertEqual(1, gateway.metrics().total("gatehouse_connections_opened_total"))

    def test_pipelining(self):
        gateway = self.gate()
        requests = [build("GET", f"/{number}") for number in range(50)]
        together = b"".join(requests)
        for name, records in (
            ("one record", [together]),
            ("a record each", requests),
            ("records across requests", [together[i : i + 100] for i in range(0, len(together), 100)]),
            ("small records", [together[i : i + 7] for i in range(0, len(together), 7)]),
        ):
            with self.subTest(name):
                self.backend.clear()
                plain = self.using(socket.create_connection(gateway.address, 30))
                pump = Pump(plain)
                pump.run(pump.tls.do_handshake)
                for record in records:
                    pump.tls.write(record)
                plain.sendall(pump.pending())  # all records in one piece: no event comes for the later ones
                client = Reader(pump)
                for _ in requests:
                    self.assertEqual(200, read_response(client).status)
                self.assertEqual(
                    [f"/{number}" for number in range(50)], [request.target for request in self.backend.requests]
                )

    def test_pieces_of_records(self):
        # The handshake and a request, byte by byte on the wire.
        gateway = self.gate()
        plain = self.using(socket.create_connection(gateway.address, 30))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def dribble(data):
            for byte in data:
                plain.sendall(bytes([byte]))

        pump = Pump(plain)
        pump.run(pump.tls.do_handshake, dribble)
        pump.tls.write(build("POST", "/x", body=b"content"))
        dribble(pump.pending())
        self.assertTrue(pump.recv(1000).startswith(b"HTTP/1.1 200"))
        self.assertEqual(b"content", self.backend.one().body)

    def test_half_closed(self):
        gateway = self.gate()
        plain = self.using(socket.create_connection(gateway.address, 30))
        pump = Pump(plain)
        pump.run(pump.tls.do_handshake)
        pump.tls.write(build("GET", "/x"))
        with contextlib.suppress(ssl.SSLWantReadError):
            pump.tls.unwrap()  # close_notify
        plain.sendall(pump.pending())
        plain.shutdown(socket.SHUT_WR)
        self.assertTrue(pump.recv(1000).startswith(b"HTTP/1.1 200"))
        self.assertEqual(b"", pump.recv(1000))

    def test_large_content_both_ways(self):
        gateway = self.gate()
        self.backend.respond = lambda request: answer(
            request.body[::-1], framing="chunked" if "c=1" in request.target else "length"
        )
        with self.client(gateway) as client:
            for name, target in (("length", "/x"), ("chunked", "/x?c=1")):
                with self.subTest(name):
                    response = client.exchange("POST", target, body=self.data)
                    self.assertEqual((200, name, True), (response.status, response.framing, response.complete))
                    self.assertEqual(hashlib.sha256(self.data[::-1]).digest(), hashlib.sha256(response.body).digest())

    def test_chunked_content(self):
        gateway = self.gate()
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (self.data[i : i + 999] for i in range(0, 99_900, 999)))
        with self.client(gateway) as client:
            client.send(build("POST", "/x", {"Transfer-Encoding": "chunked"}) + chunks + b"0\r\n\r\n")
            self.assertEqual(200, client.read().status)
            self.assertEqual(200, client.exchange("GET", "/y").status)
        self.assertEqual(self.data[:99_900], self.backend.requests[0].body)

    def test_a_slow_client_gets_all(self):
        gateway = self.gate()
        self.backend.respond = lambda request: answer(self.data)
        with self.client(gateway) as client:
            client.send(build("GET", "/x") + build("GET", "/y"))
            self.backend.wait_requests(1)
            received = bytearray()
            while len(received) < 1 << 20:
                received += client.sock.recv(512)  # much less at a time than what comes
            client.reader.buffer = bytes(received)
            for _ in range(2):
                response = client.read()
                self.assertEqual(hashlib.sha256(self.data).digest(), hashlib.sha256(response.body).digest())

    def test_expect_continue(self):
        gateway = self.gate()
        with self.client(gateway) as client:
            client.send(build("POST", "/x", {"Content-Length": "7", "Expect": "100-continue"}))
            self.assertIn(b"100 Continue", client.reader.until(b"\r\n\r\n"))
            client.send(b"content")
            self.assertEqual(200, client.read().status)

    def test_a_refusal_before_the_content_is_seen(self):
        gateway = self.gate(limits={"bodyBytes": 1000})
        with self.client(gateway) as client:
            client.send(build("POST", "/x", {"Content-Length": "500000"}) + bytes(500_000))
            self.assertEqual(413, client.read().status)
            self.assertTrue(client.at_end())

    def test_ends_and_cuts(self):
        gateway = self.gate()
        until_close = b"HTTP/1.1 200 OK\r\n\r\nall of it"
        for name, script, whole in (
            ("an end", lambda connection: (connection.read(), connection.send(until_close)), True),
            ("a cut", lambda connection: (connection.read(), connection.send(until_close), connection.reset()), False),
        ):
            with self.subTest(name):
                self.backend.script = script
                with self.client(gateway) as client:
                    client.send(build("GET", "/x", version="HTTP/1.0"))
                    data, cut = b"", False
                    try:
                        while piece := client.sock.recv(1000):
                            data += piece
                    except (ssl.SSLEOFError, ConnectionResetError):
                        cut = True
                    self.assertEqual(whole, not cut and data.endswith(b"all of it"))

    def test_curl(self):
        gateway = self.gate()
        done = subprocess.run(
            [
                "curl", "-sS", "--cacert", gateway.folder.path / "ca.pem", "--resolve", f"localhost:{gateway.port}:127.0.0.1",
                "-w", " %{http_version} %{ssl_verify_result}", f"https://localhost:{gateway.port}/x",
            ],
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip
        self.assertEqual(b"ok 1.1 0", done.stdout, done.stderr)

    def test_only_tls_is_secure_transport(self):
        statements = [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "${stageArn}/*",
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ]
        backend = self.upstream()
        configuration = config(
            api(
                [route("GET /x", backend.url)],
                authorizers={"jwt": jwt_authorizer({"statements": statements})},
            ),
            listeners=[listener(tls()), {"address": "127.0.0.1", "port": 0}],
        )
        gateway = self.start(configuration, files=files_of(one=good("localhost")))
        plain_port = int(gateway.wait_log(r"listening on http://127.0.0.1:(\d+)").group(1))
        authorization = {"Authorization": f"Bearer {mint()}"}
        self.assertEqual(200, self.get(gateway, headers=authorization).status)
        with Client(("127.0.0.1", plain_port)) as client:
            self.assertEqual(403, client.exchange("GET", "/x", authorization).status)


class Draining(TlsListenerCase):
    def test_idle_connections_end_and_requests_are_finished(self):
        gateway = self.gate(timeouts={"drainInMillis": 20000})
        self.backend.script = lambda connection: (connection.read(), self.backend.hold(), connection.send(answer()))
        idle = self.client(gateway)
        untouched = self.raw(gateway)
        busy = self.client(gateway)
        busy.send(build("GET", "/x"))
        self.backend.wait_requests(1)
        started = time.monotonic()
        gateway.process.signal(signal.SIGTERM)
        self.assertEqual(b"", idle.sock.recv(100), "close_notify")
        self.assertEqual(b"", self.end_of(untouched))
        self.assertLess(time.monotonic() - started, 8, "before headerInMillis is over")
        self.backend.release()
        response = busy.read()
        self.assertEqual((200, "close"), (response.status, response.get("Connection")))
        self.assertTrue(busy.at_end())
        self.assertEqual(0, gateway.process.wait())


class Files(TlsListenerCase):
    def rows(self):
        """Name, `tls`, changes of the files, the pointer's end, what is said."""
        pair, other = good("localhost"), good("other.example")
        old = Certificate("old", authority(), ["localhost"], begins=-2 * HOUR, ends=-HOUR / 60)
        new = Certificate("new", authority(), ["localhost"], begins=HOUR, ends=2 * HOUR)
        for_clients = Certificate("client", authority(), ["localhost"], usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        same, none = good("localhost"), Certificate("none", authority())
        with_ca = tls(clientCa="ca.pem")
        first, key = "/certificates/0/certificate", "/certificates/0/privateKey"
        yield "no certificate file", tls(), {"one.pem": None}, first, "No such file"
        yield "no key file", tls(), {"one.key": None}, key, "No such file"
        yield "a folder", {"certificates": [{"certificate": ".", "privateKey": "one.key"}]}, {}, first, "cannot be"
        yield "an empty file", tls(), {"one.pem": b""}, first, "BEGIN CERTIFICATE"
        yield "no PEM", tls(), {"one.pem": os.urandom(1000)}, first, "BEGIN CERTIFICATE"
        yield "the key in the certificate's place", tls(), {"one.pem": pair.key_pem()}, first, "BEGIN CERTIFICATE"
        yield "the certificate in the key's place", tls(), {"one.key": pair.pem()}, key, "BEGIN PRIVATE KEY"
        yield "half a certificate", tls(), {"one.pem": pair.pem()[:300]}, first, "cannot be read"
        yield "a bad second certificate", tls(), {"one.pem": pair.pem() + pair.pem()[:300]}, first, "number 2"
        yield "half a key", tls(), {"one.key": pair.key_pem()[:100]}, key, "cannot be read"
        yield "an encrypted key", tls(), {"one.key": pair.key_pem(b"secret")}, key, "encrypted.*passphrase"
        yield "a key of another", tls(), {"one.key": other.key_pem()}, key, "does not fit"
        yield "expired", tls(), files_of(one=old), first, "expired at 2"
        yield "not valid yet", tls(), files_of(one=new), first, "not valid before 2"
        yield "a client's", tls(), files_of(one=for_clients), first, "not for TLS servers"
        yield "never chosen", tls("one", "two"), files_of(two=same), "/certificates/1/certificate", "never be chosen"
        yield "without names", tls("one", "two"), files_of(two=none), "/certificates/1/certificate", "never be chosen"
        yield "no authorities", with_ca, {"ca.pem": None}, "/clientCa", "No such file"
        yield "authorities without PEM", with_ca, {"ca.pem": b"x"}, "/clientCa", "BEGIN CERTIFICATE"
        yield "no authority", with_ca, {"ca.pem": pair.pem()}, "/clientCa", "may not sign others, number 1"
        yield "PEM in the file's place", tls() | {"clientCa": authority().pem().decode()}, {}, "/clientCa", "file"
        yield "no certificates", {"certificates": []}, {}, "/certificates", "empty"
        yield "nothing", {}, {}, "", '"certificates" is missing'
        yield "no key named", {"certificates": [{"certificate": "one.pem"}]}, {}, "/certificates/0", '"privateKey" is missing'
        yield "an old version", tls(minimumVersion="TLS_1_1"), {}, "/minimumVersion", "TLS_1_2"
        yield "a version's other name", tls(minimumVersion="1.3"), {}, "/minimumVersion", "TLS_1_3"
        yield "an unknown key", tls(ciphers="ALL"), {}, "/ciphers", "unknown key"

    def test_what_is_refused_at_load(self):
        for name, settings, changes, pointer, why in self.rows():
            with self.subTest(name):
                configuration = config(api([mock("GET /x")], authorizers={}), listeners=[listener(settings)])
                files = files_of(one=good("localhost")) | changes
                folder = self.using(Folder(configuration, {n: data for n, data in files.items() if data is not None}))
                for call in ("check", "serve"):
                    argv = [call, "-c", folder.config] if call == "serve" else [call, folder.config]
                    done = command(*argv, cwd="/")
                    text = done.stderr
                    self.assertEqual(2, done.status, text)
                    self.assertRegex(text, rf"gatehouse\.json:(?:\d+:)? /listeners/0/tls{pointer}: .*{why}")
                    self.assertNotIn("listening", text)
                    self.assertNotIn("PRIVATE KEY-----\n", text)

    def test_all_faults_at_once(self):
        configuration = config(api([mock("GET /x")], authorizers={}), listeners=[listener(tls("one", "two", clientCa="no.pem"))])
        folder = self.using(Folder(configuration))
        done = command("check", folder.config)
        text = done.stderr
        self.assertEqual(5, text.count("No such file"), text)
        self.assertEqual(5, text.count("gatehouse.json: /listeners/0/tls"), text)

    def test_listen_keeps_tls(self):
        configuration = config(api([mock("GET /x")], authorizers={}), listeners=[listener(tls())])
        gateway = self.start(configuration, files=files_of(one=good("localhost")), args=["--listen", "127.0.0.1:0"])
        self.assertEqual(200, self.get(gateway).status)

    def test_listen_does_not_drop_tls(self):
        listeners = [listener(tls()), {"address": "127.0.0.1", "port": 0}]
        configuration = config(api([mock("GET /x")], authorizers={}), listeners=listeners)
        folder = self.using(Folder(configuration, files_of(one=good("localhost"))))
        done = command("serve", "-c", folder.config, "--listen", "127.0.0.1:0")
        self.assertEqual(2, done.status)
        self.assertIn("--listen", str(done.stderr))


class Replacing(TlsListenerCase):
    def shown(self, gateway):
        with self.client(gateway) as client:
            self.assertEqual(200, client.exchange("GET", "/x").status)
            return client.sock.getpeercert()["serialNumber"]

    def serial(self, certificate):
        text = f"{certificate.certificate.serial_number:X}"
        return text.zfill(len(text) + len(text) % 2)

    def test_new_files_are_shown_without_a_restart(self):
        first, second, third = good("localhost"), good("localhost"), good("localhost")
        gateway = self.gate(files=files_of(one=first))
        with self.client(gateway) as client:
            self.assertEqual(self.serial(first), self.shown(gateway))
            # First the certificate alone: the old pair stays, and the fault is told once.
            gateway.folder.write("one.pem", second.chain_pem())
            gateway.wait_log("certificates of port .* are not replaced: .*does not fit")
            self.assertEqual(self.serial(first), self.shown(gateway))
            gateway.folder.write("one.key", second.key_pem())
            wait_for(lambda: self.shown(gateway) == self.serial(second), "the new certificate")
            gateway.wait_log("certificates of port .* loaded again")
            self.assertEqual(200, client.exchange("GET", "/x").status, "a connection of before")
        (gateway.folder.path / "one.pem").unlink()
        gateway.wait_log("are not replaced: .*No such file")
        self.assertEqual(self.serial(second), self.shown(gateway))
        gateway.folder.write("one.key", third.key_pem())
        gateway.folder.write("one.pem", third.chain_pem())
        wait_for(lambda: self.shown(gateway) == self.serial(third), "the newest certificate")

    def test_new_authorities(self):
        stranger = Certificate("stranger", authority("Another"), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        gateway = self.gate(tls(clientCa="ca.pem"))

        def let_in():
            with contextlib.suppress(OSError, AssertionError):
                return self.get(gateway, context=client_context(stranger)).status == 200
            return False

        self.assertFalse(let_in())
        gateway.folder.write("ca.pem", authority("Another").pem())
        wait_for(let_in, "the new authority's clients")


def clients(common_name="client", signer=None, **options):
    return Certificate(common_name, signer or authority(), **{"usage": ExtendedKeyUsageOID.CLIENT_AUTH} | options)


class Mutual(TlsListenerCase):
    def test_who_is_refused(self):
        gateway = self.gate(tls(clientCa="ca.pem"))
        # TLS 1.3's client is done before the server has judged: the alert meets its first read.
        rows = (
            ("no certificate", None, "(?i)certificate.required|handshake.failure"),
            ("an unknown authority", clients(signer=authority("Another")), "(?i)unknown.ca"),
            ("an unknown authority of the same name",
             clients(signer=Certificate("Gatehouse test authority", authority=True)), "(?i)decrypt|unknown.ca|bad.certificate"),
            ("signed by itself", Certificate("self", usage=ExtendedKeyUsageOID.CLIENT_AUTH), "(?i)unknown.ca"),
            ("expired", clients(begins=-2 * HOUR, ends=-HOUR / 60), "(?i)expired"),
            ("not valid yet", clients(begins=HOUR, ends=2 * HOUR), "(?i)bad.certificate|expired"),
            ("a server's", good("localhost"), "(?i)unsupported.certificate|purpose"),
            ("signed by one who may not sign", clients(signer=clients()), "(?i)unknown.ca|bad.certificate"),
        )  # fmt: skip
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for name, certificate, why in rows:
                with self.subTest(name, version=version.name):
                    before = gateway.metrics().total(FAILURES)
                    with self.assertRaisesRegex(ssl.SSLError, why):
                        with self.client(gateway, speaking(version, client_context(certificate))) as client:
                            client.sock.sendall(build("GET", "/x"))
                            client.sock.recv(100)
                    self.assertEqual(before + 1, gateway.metrics().total(FAILURES))
        self.assertEqual([], self.backend.requests)

    def test_who_is_let_in(self):
        between = Certificate("between", authority(), authority=True)
        gateway = self.gate(tls(clientCa="ca.pem"))
        for name, certificate in (
            ("signed by the authority", clients()),
            ("through an authority between", clients(signer=between)),
            ("of any usage", clients(usage=None)),
        ):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(name, version=version.name):
                    response = self.get(gateway, context=speaking(version, client_context(certificate)))
                    self.assertEqual(200, response.status)

    def test_an_authority_below_the_root_is_enough(self):
        between, beside = (Certificate(name, authority(), authority=True) for name in ("between", "beside"))
        gateway = self.gate(tls(clientCa="between.pem"), files_of(one=good("localhost")) | {"between.pem": between.pem()})
        self.assertEqual(200, self.get(gateway, context=client_context(clients(signer=between))).status)
        for name, certificate in (("the root's", clients()), ("another's", clients(signer=beside))):
            with self.subTest(name):
                with self.assertRaisesRegex(ssl.SSLError, "(?i)unknown.ca"):
                    self.get(gateway, context=client_context(certificate))

    def test_no_session_outlives_its_certificate(self):
        # A resumed session would not be judged again.
        gateway = self.gate(tls(clientCa="ca.pem"))
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = speaking(version, client_context(clients()))
                with self.client(gateway, context) as client:
                    self.assertEqual(200, client.exchange("GET", "/x").status)
                    session = client.sock.session
                plain = self.using(socket.create_connection(gateway.address, 30))
                again = self.using(context.wrap_socket(plain, server_hostname="localhost", session=session))
                again.sendall(build("GET", "/x"))
                self.assertTrue(again.recv(1000).startswith(b"HTTP/1.1 200"))
                self.assertFalse(again.session_reused)

    def test_the_certificate_in_the_request_context(self):
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example, Inc."),
                x509.NameAttribute(NameOID.COMMON_NAME, "Jürgen"),
            ]
        )
        short = clients(subject=subject, serial=1)
        long = clients(serial=0xA1B2C3D4E5F60718293A4B5C6D7E8F90)
        gateway = self.gate(
            tls(clientCa="ca.pem"),
            accessLog={"format": "$context.requestId $context.identity.clientCert.subjectDN $context.identity.clientCert.serialNumber"},
        )
        for certificate, name, serial in (
            (short, "C=US,O=Example\\, Inc.,CN=Jürgen", "1"),
            (long, "CN=client", "a1:b2:c3:d4:e5:f6:07:18:29:3a:4b:5c:6d:7e:8f:90"),
        ):
            with self.subTest(name):
                self.backend.clear()
                self.assertEqual(200, self.get(gateway, context=client_context(certificate)).status)
                shown = json.loads(self.backend.one().get("x-amzn-request-context"))["identity"]["clientCert"]
                self.assertEqual(["clientCertPem", "subjectDN", "issuerDN", "serialNumber", "validity"], list(shown))
                self.assertEqual(certificate.pem().decode(), shown["clientCertPem"])
                self.assertEqual(name, shown["subjectDN"])
                self.assertEqual("CN=Gatehouse test authority", shown["issuerDN"])
                self.assertEqual(serial, shown["serialNumber"])
                dates = certificate.certificate.not_valid_before, certificate.certificate.not_valid_after
                for key, date in zip(("notBefore", "notAfter"), dates):
                    self.assertEqual(f"{date:%b} {date.day:2d} {date:%H:%M:%S %Y} GMT", shown["validity"][key])
                wait_for(lambda: any(line.endswith(f"{name[-8:]} {serial}") for line in gateway.access_log()), "the access log")

    def test_conditions_ask_for_it(self):
        # One token, one cached policy, two clients.
        statements = [
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "${stageArn}/*",
                "Condition": {"StringEquals": {"gatehouse:ClientCertSubjectDN": "CN=good"}},
            }
        ]
        backend = self.upstream()
        configuration = config(
            api([route("GET /x", backend.url)], authorizers={"jwt": jwt_authorizer({"statements": statements})}),
            listeners=[listener(tls(clientCa="ca.pem"))],
        )
        gateway = self.start(configuration, files=files_of(one=good("localhost")))
        authorization = {"Authorization": f"Bearer {mint()}"}
        for name, status in (("good", 200), ("other", 403), ("good", 200), ("goods", 403)):
            with self.subTest(name):
                response = self.get(gateway, context=client_context(clients(name)), headers=authorization)
                self.assertEqual(status, response.status)

    def test_without_mutual_tls_there_is_none(self):
        gateway = self.gate()
        # A client that has one is not asked for it.
        self.assertEqual(200, self.get(gateway, context=client_context(clients())).status)
        self.assertNotIn("clientCert", self.backend.one().get("x-amzn-request-context"))

    def test_a_client_cannot_claim_one(self):
        gateway = self.gate()
        claimed = {"x-amzn-request-context": '{"identity":{"clientCert":{"subjectDN":"CN=admin"}}}'}
        self.assertEqual(200, self.get(gateway, headers=claimed).status)
        self.assertNotIn("CN=admin", self.backend.one().get("x-amzn-request-context"))


if __name__ == "__main__":
    unittest.main()
