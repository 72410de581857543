"""Certificates made as a test runs, and peers behind TLS. Every key is P-256: made in no time."""

import contextlib
import datetime
import functools
import ipaddress
import pathlib
import shutil
import ssl
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .issuer import Issuer
from .process import PATIENCE
from .upstream import Upstream
from .wire import Client

HOUR = datetime.timedelta(hours=1)


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _subject(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Certificate:
    """A certificate with its private key. `signer` None: it signs itself. `names` are names and addresses; `dns_names` are names
    whatever they look like."""

    def __init__(
        self,
        common_name,
        signer=None,
        names=(),
        dns_names=(),
        begins=-HOUR,
        ends=HOUR,
        authority=False,
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
        subject=None,
        serial=None,
        key=None,
    ):
        now = datetime.datetime.utcnow()
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.chain = [*signer.chain] if signer and not signer.is_root else []
        self.is_root = signer is None and authority
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject or _subject(common_name))
            .issuer_name(signer.certificate.subject if signer else _subject(common_name))
            .public_key(self.key.public_key())
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        alternatives = [_alternative(name) for name in names] + [x509.DNSName(name) for name in dns_names]
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        if not authority and usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        self.certificate = builder.sign(signer.key if signer else self.key, hashes.SHA256())
        self.chain.insert(0, self)

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def chain_pem(self):
        """The certificate, and those between it and the root."""
        return b"".join(link.pem() for link in self.chain)

    def key_pem(self, passphrase=None):
        encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    def write(self, folder):
        """One file with the key, the certificate, and those between it and the root."""
        path = folder / f"{self.certificate.serial_number}.pem"
        path.write_bytes(self.key_pem() + self.chain_pem())
        return path


@functools.cache
def authority(name="Gatehouse test authority"):
    """One per name and test run. Gateways under test trust the first one only."""
    return Certificate(name, authority=True)


def good(*names):
    return Certificate("good", authority(), names or ("localhost", "127.0.0.1"))


def server_context(certificate):
    """What a TLS server needs of `certificate`; TLS 1.2 and 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-tls-"))
    try:
        context.load_cert_chain(certificate.write(folder))
    finally:
        shutil.rmtree(folder)
    return context


def client_context(certificate=None, trusted=None):
    """A client that believes the test authority, with a certificate of its own or without."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 1 << 7)  # a cut is told from an end
    context.load_verify_locations(cadata=(trusted or authority()).pem().decode())
    if certificate:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-tls-"))
        try:
            context.load_cert_chain(certificate.write(folder))
        finally:
            shutil.rmtree(folder)
    return context


class TlsClient(Client):
    """A client of a TLS listener. `name` is what it asks for and expects; None: it asks for none and believes anybody."""

    def __init__(self, address, context=None, name="localhost", **options):
        super().__init__(address, **options)
        context = context or client_context()
        context.check_hostname = name is not None
        # An end without close_notify is an error: a cut is not to be taken for an end.
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=name, suppress_ragged_eofs=False)
        except BaseException:
            self.sock.close()
            raise
        self.reader.sock = self.sock

    @property
    def server(self):
        """The names of the certificate that the server has shown."""
        return [name for _, name in self.sock.getpeercert().get("subjectAltName", ())]


class TlsUpstream(Upstream):
    """A scripted upstream behind TLS. `failures` has what went wrong in handshakes, `names` the names that clients asked for."""

    def __init__(self, context=None, **options):
        self.context = context or server_context(good())
        self.failures = []
        self.names = []
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        super().__init__(**options)

    def url_of(self, host):
        return f"https://{host}:{self.port}"

    @property
    def url(self):
        return self.url_of("localhost")

    def _serve(self, connection):
        try:
            connection.sock = self.context.wrap_socket(connection.sock, server_side=True)
        except OSError as error:
            self.failures.append(error)
            connection.close()
            return
        connection.reader.sock = connection.sock
        super()._serve(connection)


def say_goodbye(connection):
    """close_notify, and the peer's own awaited: the end of the stream, not a cut."""
    with contextlib.suppress(OSError):
        connection.sock.settimeout(PATIENCE)
        connection.sock = connection.sock.unwrap()
    connection.close()


class TlsIssuer(Issuer):
    """An issuer behind TLS; handshakes are made by the thread that serves the connection."""

    def __init__(self, *keys, context=None, host="localhost", **options):
        self.context = context or server_context(good())
        super().__init__(*keys, **options | {"listening": False})
        self.url = f"https://{host}:{self.port}"
        self.issuer = options.get("issuer") or f"{self.url}/"
        if options.get("listening", True):
            self.up()

    def _bind(self, port):
        super()._bind(port)
        self._server.socket = self.context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
