"""COGNITO_USER_POOLS on REST APIs, with a local issuer in the place of Cognito: which token opens which route, and what the backend sees."""

import json
import time
import unittest

from support.case import GatewayCase, UNAUTHORIZED
from support.gateway import api, config, route
from support.issuer import Issuer
from support.tokens import mint, rsa_key

POOL = "us-east-1_Abc123"
ARN = f"arn:aws:cognito-idp:us-east-1:123456789012:userpool/{POOL}"
AWS_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL}"


class Cognito(GatewayCase):
    def gate(self, local=True, ready=True, **changes):
        self.issuer = self.using(Issuer(rsa_key(), jwks_path=f"/{POOL}/.well-known/jwks.json"))
        self.pool = f"{self.issuer.url}/{POOL}" if local else AWS_ISSUER
        elsewhere = {"issuer": self.pool} if local else {"jwksUri": self.issuer.jwks_uri}
        self.backend = self.upstream()
        pool = {"type": "COGNITO_USER_POOLS", "providerARNs": [ARN], "userPools": {ARN: elsewhere}} | changes
        routes = [
            route("GET /id", self.backend.url, "pool"),
            route("GET /access", self.backend.url, "pool", scopes=["items/read"]),
        ]
        context = {"contextHeaders": {"requestContext": True}}
        return self.start(config(api(routes, authorizers={"pool": pool}, **context)), ready=ready)

    def id_token(self, **claims):
        base = {"iss": self.pool, "token_use": "id", "aud": "client-1", "sub": "u-1"}
        return mint(rsa_key(), **base | claims)

    def access_token(self, **claims):
        base = {"iss": self.pool, "token_use": "access", "aud": None, "client_id": "client-1", "scope": "items/read"}
        return mint(rsa_key(), **base | {"sub": "u-1"} | claims)

    def test_identity_tokens_without_scopes_and_access_tokens_with_them(self):
        # A9
        gateway = self.gate()
        identity, access = self.id_token(), self.access_token()
        for path, good, bad in (("/id", identity, access), ("/access", access, identity)):
            for _ in range(2):  # the second one from the cache
                self.assert_status(gateway.get(path, good), 200)
                self.assert_unauthorized(gateway.get(path, bad))
            self.assert_status(gateway.get(path, headers={"Authorization": good}), 200)
        self.assert_denied(gateway.get("/access", self.access_token(scope="items/write")))
        for name, token in (
            ("unsigned", identity.rsplit(".", 1)[0] + "."),
            ("tampered", identity[:-8] + ("AAAAAAAA" if not identity.endswith("AAAAAAAA") else "BBBBBBBB")),
            ("another pool", self.id_token(iss=self.pool + "4")),
            ("another key", mint(rsa_key("other"), iss=self.pool, token_use="id", sub="u-1")),
            ("no token_use", self.id_token(token_use=None)),
        ):
            with self.subTest(name):
                self.assert_unauthorized(gateway.get("/id", token))
        self.assert_unauthorized(gateway.get("/id"))
        expired = gateway.get("/id", self.id_token(exp=int(time.time()) - 1))
        self.assert_error(expired, 401, b'{"message":"The incoming token has expired"}', "UnauthorizedException")

    def test_claims_reach_the_backend_as_strings(self):
        gateway = self.gate()
        token = self.id_token(**{"cognito:groups": ["admin", "staff"], "email_verified": True, "iat": 1494139638})
        self.assert_status(gateway.get("/id", token), 200)
        context = json.loads(self.backend.one().all("x-amzn-request-context")[0])
        self.assertEqual({"claims"}, set(context["authorizer"]))
        claims = context["authorizer"]["claims"]
        self.assertEqual(
            ("admin,staff", "true", "Sun May 07 06:47:18 UTC 2017", "u-1"),
            tuple(claims[name] for name in ("cognito:groups", "email_verified", "iat", "sub")),
        )
        self.assertRegex(claims["exp"], r"\A\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}\Z")

    def test_the_expression_judges_aud_and_aws_issuers_may_have_local_keys(self):
        gateway = self.gate(local=False, identityValidationExpression="client-[0-9]")
        self.assert_status(gateway.get("/id", self.id_token()), 200)
        for aud in ("client-12", ["client-1"], None):
            self.assert_unauthorized(gateway.get("/id", self.id_token(aud=aud)))
        answer = gateway.get("/access", self.access_token())
        self.assert_unauthorized(answer)
        self.assertEqual(UNAUTHORIZED, answer.body)
        self.assertEqual("token_audience_refused", gateway.trace(answer)["reason"])


if __name__ == "__main__":
    unittest.main()
