"""upstreamTls and tlsConfig: authorities and a certificate of one's own for whoever is called."""

import os
import ssl
import unittest

from cryptography.x509.oid import ExtendedKeyUsageOID
from support.case import FAULT, GatewayCase, as_text
from support.gateway import Folder, api, command, config, jwt_authorizer, mock, route
from support.process import wait_for
from support.tls import HOUR, Certificate, TlsIssuer, TlsUpstream, authority, good, server_context
from support.tokens import ec_key, mint

CA = {"ca.pem": authority().pem()}


def for_clients(**options):
    return Certificate("gatehouse", authority(), **{"usage": ExtendedKeyUsageOID.CLIENT_AUTH} | options)


def pair(certificate):
    return CA | {"own.pem": certificate.chain_pem(), "own.key": certificate.key_pem()}


def asking(certificate=None):
    """A server that wants a certificate of its clients."""
    context = server_context(certificate or good())
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority().pem().decode())
    return context


OWN = {"ca": "ca.pem", "certificate": "own.pem", "privateKey": "own.key"}


class UpstreamTlsCase(GatewayCase):
    def tls_upstream(self, context=None, **options):
        return self.using(TlsUpstream(context or server_context(good()), **options))

    def gate(self, backend, settings=None, files=None, host="localhost", **integration):
        routes = [route("ANY /{proxy+}", f"https://{host}:{backend.port}/{{proxy}}", "NONE", **integration)]
        changes = {"upstreamTls": settings} if settings is not None else {}
        return self.start(config(api(routes, authorizers={}), threads=1, **changes), files=files or CA)

    def assert_refused(self, gateway, backend, why="."):
        response = gateway.request("POST", "/x", body=b"content")
        self.assert_error(response, 502, FAULT, "InternalServerErrorException")
        trace = gateway.trace(response)
        self.assertEqual("upstream_tls", trace["reason"])
        self.assertRegex(as_text(trace), why)
        self.assertEqual([], backend.requests)


class Authorities(UpstreamTlsCase):
    def test_an_authority_of_ones_own(self):
        backend = self.tls_upstream()
        gateway = self.gate(backend, {"ca": "ca.pem"})
        self.assertEqual(200, gateway.get("/x").status)
        self.assertEqual(["localhost"], backend.names)

    def test_an_authority_below_a_root(self):
        between = Certificate("between", authority(), authority=True)
        backend = self.tls_upstream(server_context(Certificate("leaf", between, ["localhost"])))
        self.assertEqual(200, self.gate(backend, {"ca": "ca.pem"}, {"ca.pem": between.pem()}).get("/x").status)

    def test_strangers(self):
        for name, context, settings, files, why in (
            ("no upstreamTls", None, None, CA, "(?i)unable to get local issuer"),
            ("an empty one", None, {}, CA, "(?i)unable to get local issuer"),
            ("another authority", None, {"ca": "ca.pem"}, {"ca.pem": authority("Another").pem()}, "(?i)unable to get local issuer"),
            ("another name", server_context(good("other.example")), {"ca": "ca.pem"}, CA, "(?i)host ?name mismatch"),
        ):
            with self.subTest(name):
                backend = self.tls_upstream(context)
                self.assert_refused(self.gate(backend, settings, files), backend, why)

    def test_a_minimum(self):
        for version, status in ((ssl.TLSVersion.TLSv1_2, 502), (ssl.TLSVersion.TLSv1_3, 200)):
            with self.subTest(version.name):
                context = server_context(good())
                context.minimum_version = context.maximum_version = version
                gateway = self.gate(self.tls_upstream(context), {"ca": "ca.pem", "minimumVersion": "TLS_1_3"})
                self.assertEqual(status, gateway.get("/x").status)

    def test_issuers(self):
        for discovery in (False, True):
            with self.subTest(discovery=discovery):
                issuer = self.using(TlsIssuer(ec_key("a"), context=asking()))
                jwt = {
                    "issuer": issuer.issuer,
                    "jwksUri": None if discovery else issuer.jwks_uri,
                    "algorithms": ["ES256"],
                }
                backend = self.upstream()
                configuration = config(
                    api([route("GET /x", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)}), upstreamTls=OWN
                )
                gateway = self.start(configuration, files=pair(for_clients()))
                self.assertEqual(200, gateway.get("/x", mint(ec_key("a"), iss=issuer.issuer)).status)


class OwnCertificate(UpstreamTlsCase):
    def test_it_is_shown_to_who_asks(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = asking()
                context.minimum_version = context.maximum_version = version
                backend = self.tls_upstream(context)
                gateway = self.gate(backend, OWN, pair(for_clients()))
                self.assertEqual(200, gateway.get("/x").status)
                shown = backend.connections[0].sock
                self.assertEqual([], backend.failures)
                self.assertIsNotNone(shown)

    def test_without_it_nothing_is_sent(self):
        context = asking()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 would tell after the first request only
        backend = self.tls_upstream(context)
        self.assert_refused(self.gate(backend, {"ca": "ca.pem"}), backend)
        stranger = Certificate("x", authority("Another"), usage=ExtendedKeyUsageOID.CLIENT_AUTH)
        self.assert_refused(self.gate(backend, OWN, pair(stranger)), backend)

    def test_files_are_read_again(self):
        backend = self.tls_upstream(asking(), respond=None)
        backend.script = lambda connection: connection.read() and connection.send(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nX-Serial: "
            + connection.sock.getpeercert()["serialNumber"].lstrip("0").encode()
            + b"\r\nContent-Length: 0\r\n\r\n"
        )
        first, second = for_clients(), for_clients()
        gateway = self.gate(backend, OWN, pair(first))

        def shown():
            return int(gateway.get("/x").get("X-Serial"), 16)

        self.assertEqual(first.certificate.serial_number, shown())
        gateway.folder.write("own.pem", second.chain_pem())
        gateway.wait_log("upstreamTls is not replaced: .*does not fit")
        self.assertEqual(first.certificate.serial_number, shown())
        gateway.folder.write("own.key", second.key_pem())
        wait_for(lambda: shown() == second.certificate.serial_number, "the new certificate")


class ServerName(UpstreamTlsCase):
    def test_another_name_than_the_uris(self):
        backend = self.tls_upstream(server_context(good("inside.example")))
        tls_config = {"serverNameToVerify": "inside.example"}
        gateway = self.gate(backend, {"ca": "ca.pem"}, host="127.0.0.1", tlsConfig=tls_config)
        self.assertEqual(200, gateway.get("/x").status)
        self.assertEqual(["inside.example"], backend.names)
        self.assertEqual([f"127.0.0.1:{backend.port}"], backend.one().all("Host"))

    def test_the_uris_name_does_not_count_then(self):
        backend = self.tls_upstream()
        gateway = self.gate(backend, {"ca": "ca.pem"}, tlsConfig={"serverNameToVerify": "inside.example"})
        self.assert_refused(gateway, backend, "(?i)host ?name mismatch")

    def test_connections_are_not_shared_across_names(self):
        # One upstream, two routes: a connection that was verified for one name does not serve the other.
        backend = self.tls_upstream()
        uri = f"https://localhost:{backend.port}/"
        routes = [
            route("GET /a", uri, "NONE"),
            route("GET /b", uri, "NONE", tlsConfig={"serverNameToVerify": "inside.example"}),
        ]
        gateway = self.start(config(api(routes, authorizers={}), threads=1, upstreamTls={"ca": "ca.pem"}), files=CA)
        self.assertEqual(200, gateway.get("/a").status)
        self.assertEqual(502, gateway.get("/b").status)
        self.assertEqual(200, gateway.get("/a").status)


class Files(UpstreamTlsCase):
    def test_what_is_refused_at_load(self):
        own, other = for_clients(), for_clients()
        old = for_clients(begins=-2 * HOUR, ends=-HOUR / 60)
        server = Certificate("server", authority(), ["localhost"])
        for name, files, key, why in (
            ("no authorities", {"ca.pem": None}, "ca", "No such file"),
            ("no PEM", {"ca.pem": os.urandom(500)}, "ca", "BEGIN CERTIFICATE"),
            ("no authority", {"ca.pem": own.pem()}, "ca", "may not sign others"),
            ("no certificate", {"own.pem": None}, "certificate", "No such file"),
            ("no key", {"own.key": None}, "privateKey", "No such file"),
            ("another's key", {"own.key": other.key_pem()}, "privateKey", "does not fit"),
            ("an encrypted key", {"own.key": own.key_pem(b"secret")}, "privateKey", "encrypted"),
            ("expired", pair(old), "certificate", "expired at"),
            ("a server's", pair(server), "certificate", "not for TLS clients"),
        ):
            with self.subTest(name):
                present = {n: data for n, data in (pair(own) | files).items() if data is not None}
                configuration = config(api([mock("GET /x")], authorizers={}), upstreamTls=OWN)
                folder = self.using(Folder(configuration, present))
                for argv in (["check", folder.config], ["serve", "-c", folder.config]):
                    done = command(*argv, cwd="/")
                    text = done.stderr
                    self.assertEqual(2, done.status, text)
                    self.assertRegex(text, rf"gatehouse\.json: /upstreamTls/{key}: .*{why}")


if __name__ == "__main__":
    unittest.main()
