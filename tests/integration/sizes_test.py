"""What issuers, authorization servers and functions answer has a size: one that has it passes, one byte more does not."""

import json
import unittest

from support.case import GatewayCase
from support.gateway import api, config, jwt_authorizer, route
from support.process import wait_for
from support.tokens import ISSUER, ec_key, jwks, mint
from support.upstream import answer

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
GRANT = {
    "principalId": "user",
    "policyDocument": {
        "Version": "2012-10-17",
        "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}],
    },
}


def padded(value, size, name="padding"):
    """JSON text of exactly `size` bytes."""
    text = json.dumps(value)
    room = size - len(text) - len(f', "{name}": ""')
    assert room >= 0
    return (text[:-1] + f', "{name}": "{"x" * room}"' + "}").encode()


class Sizes(GatewayCase):
    def setUp(self):
        super().setUp()
        self.backend = self.upstream()
        self.peer = self.upstream()

    def gives(self, body, status="200 OK", headers=()):
        self.peer.respond = lambda request: answer(body, status, [("Content-Type", "application/json"), *headers])

    def gate(self, authorizer, functions=None, integration=None):
        guarded = route("GET /a", self.backend.url, "by")
        if integration:
            guarded = {"routeKey": "POST /a", "authorizer": "NONE", "integration": integration}
        changes = {"functions": functions} if functions else {}
        return config(api([guarded], authorizers={"by": authorizer} if authorizer else {}), **changes)

    def test_key_sets_and_discovery_documents(self):
        limit = 1 << 20
        keys = jwks(ec_key())
        for name, size, usable in (("below", limit - 1, True), ("at", limit, True), ("above", limit + 1, False)):
            with self.subTest("key set " + name):
                self.gives(padded(keys, size))
                by = jwt_authorizer({"jwksUri": self.peer.url + "/keys", "algorithms": ["ES256"]})
                self.assert_usable(usable, by, "larger than 1048576 bytes")
            with self.subTest("discovery document " + name):
                document = padded({"issuer": self.peer.url, "jwks_uri": self.peer.url + "/keys"}, size)
                self.peer.respond = lambda request, document=document: answer(
                    document if "well-known" in request.target else json.dumps(keys).encode()
                )
                by = jwt_authorizer({"issuer": self.peer.url, "jwksUri": None, "algorithms": ["ES256"]})
                self.assert_usable(usable, by, "larger than 1048576 bytes", self.peer.url)

    def assert_usable(self, usable, authorizer, why, issuer=ISSUER):
        gateway = self.start(self.gate(authorizer), ready=False)
        if usable:
            gateway.wait_ready()
            self.assert_status(gateway.get("/a", mint(key=ec_key(), iss=issuer)), 200)
        else:
            gateway.wait_log(why)
            self.assertFalse(gateway.ready())
        gateway.stop()
        self.gateways.remove(gateway)

    def test_heads_of_issuers(self):
        keys = json.dumps(jwks(ec_key())).encode()
        for name, size, usable in (("below", 60000, True), ("above", 65600, False)):
            with self.subTest(name):
                self.gives(keys, headers=[("X-Padding", "x" * size)])
                by = jwt_authorizer({"jwksUri": self.peer.url + "/keys", "algorithms": ["ES256"]})
                self.assert_usable(usable, by, "header limit exceeded")

    def test_redirects_are_not_followed(self):
        elsewhere = self.upstream(respond=lambda request: answer(json.dumps(jwks(ec_key())).encode()))
        for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"):
            with self.subTest(status):
                self.gives(b"", status, [("Location", elsewhere.url)])
                by = jwt_authorizer({"jwksUri": self.peer.url + "/keys", "algorithms": ["ES256"]})
                self.assert_usable(False, by, "redirects are not followed")
        self.assert_untouched(elsewhere)

    def test_answers_of_functions(self):
        limit = 6291556
        gateway = self.start(
            self.gate(None, {"f": {"endpoint": self.peer.url}}, {"type": "AWS_PROXY", "uri": ARN})
        )
        for name, size, status in (("below", limit - 1, 200), ("at", limit, 200), ("above", limit + 1, 502)):
            with self.subTest(name):
                self.gives(padded({"statusCode": 200}, size, "body"))
                response = gateway.request("POST", "/a", body=b"{}")
                self.assert_status(response, status)
                if status != 200:
                    self.assertEqual("function_answer_too_large", gateway.trace(response)["reason"])

    def test_answers_of_authorizers(self):
        limit = 1 << 20
        by = {"type": "TOKEN", "authorizerUri": ARN, "authorizerResultTtlInSeconds": 0}
        gateway = self.start(self.gate(by, {"f": {"endpoint": self.peer.url}}))
        for name, size, status in (("below", limit - 1, 200), ("at", limit, 200), ("above", limit + 1, 500)):
            with self.subTest(name):
                text = json.dumps(GRANT)
                self.gives((text + " " * (size - len(text))).encode())
                response = gateway.get("/a", "token")
                self.assert_status(response, status)
                if status != 200:
                    self.assertEqual("authorizer_result_too_large", gateway.trace(response)["reason"])

    def test_answers_of_authorization_servers(self):
        limit = 65536
        block = {"endpoint": self.peer.url, "clientId": "gate", "clientSecret": "secret-of-the-gate"}
        by = {
            "type": "TOKEN",
            "authorizerUri": "gatehouse:introspection",
            "introspection": block,
            "authorizerResultTtlInSeconds": 0,
        }
        gateway = self.start(self.gate(by))
        for name, size, status in (("below", limit - 1, 200), ("at", limit, 200), ("above", limit + 1, 503)):
            with self.subTest(name):
                self.gives(padded({"active": True, "sub": "user-1"}, size))
                self.assert_status(gateway.get("/a", "opaque-token"), status)

    def test_events_of_functions(self):
        limit = 6291556
        gateway = self.start(
            self.gate(None, {"f": {"endpoint": self.peer.url}}, {"type": "AWS_PROXY", "uri": ARN})
        )
        self.gives(json.dumps({"statusCode": 200}).encode())
        wait_for(lambda: gateway.request("POST", "/a", body=b"{}").status == 200, "the function")
        overhead = len(self.peer.requests[-1].body) - 2
        for name, size, status in (("below", limit - overhead - 200, 200), ("above", limit - overhead + 200, 413), ("far", limit + 1, 413)):
            with self.subTest(name):
                self.peer.clear()
                response = gateway.request("POST", "/a", body=b"x" * size)
                self.assert_status(response, status)
                if status == 413:
                    self.assert_untouched(self.peer)


if __name__ == "__main__":
    unittest.main()
