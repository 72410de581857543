"""JWT authorizers of REST APIs, section 9.2: issuers each with their audiences, algorithms, scopes, and the header of the token."""

import json
import time
import unittest

from support.case import GatewayCase
from support.gateway import ROOT, api, config, mock
from support.issuer import Issuer
from support.tokens import Key, base64url, default_claims, encode, hs256, mint, rsa_key

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
BACKEND = "arn:aws:lambda:us-east-1:123456789012:function:backend"
HANDLER = """
import json

def answer(event, headers):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
"""
FIRST, SECOND = "api://first", "api://second"


def native(issuers, algorithms=("RS256",), header="Authorization"):
    return {
        "type": "JWT",
        "identitySource": f"method.request.header.{header}",
        "jwtConfiguration": {"defaultAlgorithms": list(algorithms), "issuers": issuers},
    }


class NativeJwt(GatewayCase):
    """Two issuers: one with an RSA key and the audience FIRST, one with an EC key as well and the audience SECOND."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours, cls.theirs, cls.curve = rsa_key("first"), rsa_key("second"), Key.ec("second-ec")
        cls.first, cls.second = cls.share(Issuer(cls.ours)), cls.share(Issuer(cls.theirs, cls.curve))
        issuers = [
            {"issuer": cls.first.issuer, "audiences": [FIRST]},
            {"issuer": cls.second.issuer, "audiences": [SECOND, "api://third"]},
        ]
        routes = [
            mock("GET /a", "rsa"),
            mock("GET /ec", "both"),
            mock("GET /x", "header"),
            mock("GET /s", "rsa") | {"authorizationScopes": ["items:read", "items:admin"]},
            {
                "routeKey": "GET /f",
                "authorizer": "rsa",
                "integration": {"type": "AWS_PROXY", "uri": BACKEND, "httpMethod": "POST"},
            },
        ]
        authorizers = {
            "rsa": native(issuers),
            "both": native(issuers, ("RS256", "ES256")),
            "header": native(issuers, header="X-Token"),
        }
        command = {"command": ["/usr/bin/python3", RUNTIME, "handler.answer"], "directory": "."}
        cls.gateway = cls.share_gateway(
            config(api(routes, authorizers=authorizers), functions={"backend": command | {"timeoutInMillis": 20000}}),
            files={"handler.py": HANDLER},
        )

    def mint_first(self, key=None, header=None, **claims):
        return mint(key or self.ours, header, **({"iss": self.first.issuer, "aud": FIRST} | claims))

    def mint_second(self, key=None, header=None, **claims):
        return mint(key or self.theirs, header, **({"iss": self.second.issuer, "aud": SECOND} | claims))

    def test_tokens_of_each_issuer(self):
        for name, token in (
            ("first", self.mint_first()),
            ("second", self.mint_second()),
            ("another audience", self.mint_second(aud="api://third")),
            ("one of a list", self.mint_first(aud=["api://other", FIRST])),
        ):
            with self.subTest(name):
                self.assert_status(self.gateway.get("/a", token), 200)

    def test_refusals_to_the_byte(self):
        now = int(time.time())
        good = self.mint_first()
        signed, _, signature = good.rpartition(".")
        claims = default_claims({"iss": self.first.issuer, "aud": FIRST})
        for name, token, reason in (
            ("no JWT", "abc", "token_malformed"),
            ("no issuer", self.mint_first(iss=None), "token_issuer_unknown"),
            ("an issuer of nobody", self.mint_first(iss="https://issuer.example/"), "token_issuer_unknown"),
            ("an issuer without its slash", self.mint_first(iss=self.first.issuer[:-1]), "token_issuer_unknown"),
            ("a key of the other issuer", self.mint_first(self.theirs), "token_key_unknown"),
            ("a key of the other issuer under a name of this", self.mint_first(self.theirs.as_(kid="first")), "token_signature_invalid"),
            ("an audience of nobody", self.mint_first(aud="api://other"), "token_audience_refused"),
            ("an audience of the other issuer", self.mint_first(aud=SECOND), "token_audience_refused"),
            ("an audience of the other issuer too", self.mint_second(aud=FIRST), "token_audience_refused"),
            ("half of an audience", self.mint_first(aud="api://"), "token_audience_refused"),
            ("an unknown key", self.mint_first(self.ours.as_(kid="third")), "token_key_unknown"),
            ("no key ID", self.mint_first(header={"kid": None}), "token_kid_missing"),
            ("another signature", f"{signed}.{base64url(bytes(256))}", "token_signature_invalid"),
            ("other claims", ".".join([signed.split(".")[0], base64url(json.dumps(claims).encode()), signature]), "token_signature_invalid"),
            ("ES256, not listed", self.mint_second(self.curve), "token_algorithm_refused"),
            ("PS256, not listed", self.mint_first(self.ours.as_("PS256")), "token_algorithm_refused"),
            ("HS256", hs256(self.ours.public_pem(), claims, "first"), "token_algorithm_refused"),
            ("none", encode({"alg": "none", "kid": "first"}, claims, lambda _: b""), "token_algorithm_refused"),
            ("expired", self.mint_first(exp=now - 60), "token_expired"),
            ("not yet", self.mint_first(nbf=now + 600), "token_not_yet_valid"),
            ("without an end", self.mint_first(exp=None), "token_expiry_missing"),
        ):
            with self.subTest(name):
                response = self.gateway.get("/a", token)
                self.assert_unauthorized(response)
                self.assertEqual(reason, self.gateway.trace(response)["reason"])
        self.assert_unauthorized(self.gateway.get("/a"))
        self.assert_unauthorized(self.gateway.get("/a", headers={"Authorization": ""}))
        self.assert_unauthorized(self.gateway.get("/a", headers={"Authorization": f"Basic {good}"}))
        self.assert_status(self.gateway.get("/a", good), 200)

    def test_ES256_where_it_is_listed(self):
        token = self.mint_second(self.curve)
        self.assert_status(self.gateway.get("/ec", token), 200)
        self.assert_status(self.gateway.get("/ec", self.mint_first()), 200)
        for name, refused in (
            ("another signature", token.rpartition(".")[0] + "." + base64url(bytes(range(64)))),
            ("under the name of an RSA key", self.mint_second(self.curve.as_(kid="second"))),
            ("as the other issuer's", self.mint_first(self.curve)),
            ("another curve point", self.mint_second(Key.ec("second-ec"))),
        ):
            with self.subTest(name):
                self.assert_unauthorized(self.gateway.get("/ec", refused))
        self.assert_unauthorized(self.gateway.get("/a", token))  # its authorizer lists RS256 alone

    def test_scopes(self):
        for name, claims, status in (
            ("none", {}, 403),
            ("another", {"scope": "items:write"}, 403),
            ("part of one", {"scope": "items:rea items:read:all"}, 403),
            ("another case", {"scope": "ITEMS:READ"}, 403),
            ("commas", {"scope": "items:write,items:read"}, 403),
            ("one of several", {"scope": "items:write items:read"}, 200),
            ("the other one", {"scope": "items:admin"}, 200),
            ("a list in scp", {"scp": ["items:admin", "x"]}, 200),
        ):
            with self.subTest(name):
                for token in (self.mint_first(**claims), self.mint_second(**claims)):
                    response = self.gateway.get("/s", token)
                    if status == 403:
                        self.assert_denied(response)
                        self.assertEqual("scope_missing", self.gateway.trace(response)["reason"])
                    else:
                        self.assert_status(response, 200)
        self.assert_unauthorized(self.gateway.get("/s", self.mint_first(scope="items:read", aud=SECOND)))

    def test_a_token_from_another_header(self):
        token = self.mint_first()
        for headers, status in (
            ({"X-Token": token}, 200),
            ({"x-token": f"Bearer {token}"}, 200),
            ({"X-Token": token, "Authorization": "Bearer abc"}, 200),
            ({"Authorization": f"Bearer {token}"}, 401),
            ({"X-Token": ""}, 401),
            ({"X-Token": "abc", "Authorization": f"Bearer {token}"}, 401),
            ({"X-Tokens": token}, 401),
        ):
            with self.subTest(headers):
                response = self.gateway.get("/x", headers=headers)
                if status == 401:
                    self.assert_unauthorized(response)
                else:
                    self.assert_status(response, 200)

    def test_the_claims_that_a_function_sees(self):
        claims = {"n": 42, "half": 0.5, "yes": True, "groups": ["a", "b"], "deep": {"x": [1]}, "name": "Zoë"}
        token = self.mint_first(sub="alice", iat=1700000000, exp=4000000000, jti="1", **claims)
        standard = {"iss": self.first.issuer, "aud": FIRST, "sub": "alice", "iat": 1700000000, "exp": 4000000000, "jti": "1"}
        self.assertEqual(standard | claims, self.gateway.get("/f", token).json()["claims"])


if __name__ == "__main__":
    unittest.main()
