"""Keys, tokens and a certificate, made for one run."""

import base64
import datetime
import json
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509.oid import NameOID

ISSUER = "https://issuer.example/"
AUDIENCE = "bench"
TENANT = "acme"


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value, size=None):
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Issuer:
    """An RSA key of 2048 bits and one on P-256, with their halves in the forms that the proxies want."""

    def __init__(self, folder):
        self.folder = folder
        self.keys = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
        self.stranger = rsa.generate_private_key(65537, 2048)
        for algorithm, key in self.keys.items():
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            (folder / f"{algorithm}.pem").write_bytes(public)
        (folder / "jwks.json").write_text(json.dumps(self.jwks()))
        self.certificate()

    def jwks(self):
        numbers, point = self.keys["RS256"].public_key().public_numbers(), self.keys["ES256"].public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "kid": "RS256", "alg": "RS256", "use": "sig", "n": _number(numbers.n), "e": _number(numbers.e)},
                {"kty": "EC", "kid": "ES256", "alg": "ES256", "use": "sig", "crv": "P-256", "x": _number(point.x, 32), "y": _number(point.y, 32)},
            ]
        }

    def mint(self, algorithm="RS256", key=None, **claims):
        """A token of ordinary size (RS256: about 740 bytes), good for an hour."""
        now = int(time.time())
        said = {"iss": ISSUER, "aud": AUDIENCE, "sub": "auth0|user123", "iat": now, "exp": now + 3600, "tenant_id": TENANT,
                "roles": ["admin", "user"], "note": "n" * 120} | claims  # fmt: skip
        head = {"alg": algorithm, "typ": "JWT", "kid": algorithm}
        text = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (head, said))
        return text + "." + encode(self._sign(algorithm, key or self.keys[algorithm], text.encode()))

    def _sign(self, algorithm, key, data):
        if algorithm == "RS256":
            return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def foreign(self):
        """A good token whose claims open nothing."""
        return self.mint(tenant_id="somebody else")

    def forged(self):
        return self.mint(key=self.stranger)

    def token_file(self, algorithm, count):
        """Tokens that are all different, one a line, made once per run."""
        file = self.folder / f"tokens-{algorithm}-{count}"
        if not file.exists():
            file.write_text("".join(self.mint(algorithm, jti=f"t{n:08}") + "\n" for n in range(count)))
        return file

    def certificate(self):
        """certificate.pem and certificate.key for 127.0.0.1, on P-256."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
        now = datetime.datetime.utcnow()
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("bench.example")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        (self.folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        (self.folder / "certificate.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
