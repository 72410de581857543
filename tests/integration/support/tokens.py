"""Tokens made without Gatehouse: keys and signatures from python3-cryptography, the compact form by hand."""

import base64
import functools
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://issuer.example/"
AUDIENCE = "api://users"
SUBJECT = "auth0|user123"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value, size=None):
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A private key with its `kid` and algorithm."""

    def __init__(self, private, kid, alg):
        self.private = private
        self.kid = kid
        self.alg = alg

    @staticmethod
    def rsa(kid, bits=2048, alg="RS256"):
        return Key(rsa.generate_private_key(65537, bits), kid, alg)

    @staticmethod
    def ec(kid):
        return Key(ec.generate_private_key(ec.SECP256R1()), kid, "ES256")

    @staticmethod
    def ed(kid):
        return Key(ed25519.Ed25519PrivateKey.generate(), kid, "EdDSA")

    def as_(self, alg=None, kid=None):
        """The same key under another algorithm or name."""
        return Key(self.private, kid or self.kid, alg or self.alg)

    def sign(self, data):
        if self.alg == "RS256":
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "PS256":
            return self.private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        if self.alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(data)

    def jwk(self, private=False, **changes):
        """The public (or private) JWK; a change to None leaves the member out."""
        jwk = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if self.alg in ("RS256", "PS256"):
            numbers = self.private.private_numbers()
            jwk |= {"kty": "RSA", "n": _number(numbers.public_numbers.n), "e": _number(numbers.public_numbers.e)}
            if private:
                jwk |= {
                    "d": _number(numbers.d),
                    "p": _number(numbers.p),
                    "q": _number(numbers.q),
                    "dp": _number(numbers.dmp1),
                    "dq": _number(numbers.dmq1),
                    "qi": _number(numbers.iqmp),
                }
        elif self.alg == "ES256":
            numbers = self.private.private_numbers()
            jwk |= {
                "kty": "EC",
                "crv": "P-256",
                "x": _number(numbers.public_numbers.x, 32),
                "y": _number(numbers.public_numbers.y, 32),
            }
            if private:
                jwk["d"] = _number(numbers.private_value, 32)
        else:
            raw = serialization.Encoding.Raw
            public = self.private.public_key().public_bytes(raw, serialization.PublicFormat.Raw)
            jwk |= {"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}
        jwk |= changes
        return {name: value for name, value in jwk.items() if value is not None}

    def pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def public_pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


@functools.cache
def rsa_key(kid="key-1"):
    """One RSA key per name and test run: making them takes a while."""
    return Key.rsa(kid)


@functools.cache
def ec_key(kid="ec-1"):
    return Key.ec(kid)


def jwks(*keys):
    return {"keys": [key.jwk() if isinstance(key, Key) else key for key in keys]}


def _text(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def encode(header, claims, sign):
    """The compact form of any header and claims (objects, or bytes to be taken as they are)."""
    signed = f"{base64url(_text(header))}.{base64url(_text(claims))}"
    return f"{signed}.{base64url(sign(signed.encode()))}"


def default_claims(changes=None):
    """Claims of a good token; a change to None leaves a claim out. `jti` makes every token another one."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "iat": now, "exp": now + 3600, "jti": str(uuid.uuid4())}
    claims |= changes or {}
    return {name: value for name, value in claims.items() if value is not None}


def mint(key=None, header=None, **changes):
    """A signed token: good unless `changes` to its claims, or `header` changes, say otherwise."""
    key = key or rsa_key()
    fields = {"alg": key.alg, "typ": "JWT", "kid": key.kid} | (header or {})
    fields = {name: value for name, value in fields.items() if value is not None}
    return encode(fields, default_claims(changes), key.sign)


def hs256(secret, claims=None, kid="key-1"):
    """A token signed with HMAC, for the confusion of key kinds."""

    def sign(data):
        mac = hmac.HMAC(secret, hashes.SHA256())
        mac.update(data)
        return mac.finalize()

    return encode({"alg": "HS256", "typ": "JWT", "kid": kid}, default_claims(claims), sign)


def bearer(token):
    return {"Authorization": f"Bearer {token}"}
