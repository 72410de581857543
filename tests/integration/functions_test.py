"""Functions decide and answer: Lambda authorizers (TOKEN, REQUEST) and AWS_PROXY integrations, run by the gateway itself."""

import base64
import json
import pathlib
import threading
import unittest

from support.case import EXPLICIT_DENY, FAULT, IMPLICIT_DENY, GatewayCase
from support.gateway import ROOT, api, config, jwt_authorizer, route
from support.process import wait_for
from support.tokens import mint

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
NULL = b'{"message":null}'
AUTHZ = "arn:aws:lambda:us-east-1:123456789012:function:authz"
BACKEND = "arn:aws:lambda:us-east-1:123456789012:function:backend"


def invocations(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


# What the function does is told by the token, or by a member of the path: each call is noted in a file beside it.
HANDLER = '''
import json, os, time

def note(event):
    with open("events.jsonl", "a") as file:
        file.write(json.dumps(event) + "\\n")

def policy(effect, resource):
    return {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}

def authorize(event, headers):
    note(event)
    token = event.get("authorizationToken") or (event.get("headers") or {}).get("Auth") or "Bearer allow"
    what = token.split(" ")[-1]
    arn = event["methodArn"]
    stage = "/".join(arn.split("/")[:2]) + "/*"
    allow = {"principalId": "user", "policyDocument": policy("Allow", stage), "context": {"tenant": "acme", "n": 7, "yes": True, "none": None}}
    replies = {
        "method": {"principalId": "user", "policyDocument": policy("Allow", arn)},
        "deny": {"principalId": "user", "policyDocument": policy("Deny", stage), "context": {"why": "no"}},
        "nothing": {"principalId": "user", "policyDocument": {"Version": "2012-10-17", "Statement": []}},
        "no-principal": {"policyDocument": policy("Allow", stage)},
        "null": None, "text": "Unauthorized", "list": [allow], "number": 1, "empty": {},
        "extra": allow | {"isAuthorized": True},
        "status": {"statusCode": 401},
        "lower": {"principalId": "user", "policyDocument": {"version": "2012-10-17", "statement": []}},
        "nested": allow | {"context": {"a": {"b": 1}}},
        "array": allow | {"context": {"a": [1]}},
        "no-policy": {"principalId": "user"},
    }
    if what == "unauthorized": raise Exception("Unauthorized")
    if what == "unauthorized-too": raise Exception("Unauthorized: expired")
    if what == "raise": raise ValueError("broken")
    if what == "exit": os._exit(3)
    if what == "sleep": time.sleep(60)
    return replies.get(what, allow)

def answer(event, headers):
    note(event)
    what = (event.get("pathParameters") or {}).get("what", "echo")
    if what == "raise": raise ValueError("broken")
    if what == "sleep": time.sleep(60)
    replies = {
        "echo": {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)},
        "created": {"statusCode": 201, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": "made"},
        "bytes": {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "isBase64Encoded": True, "body": "AAECAw=="},
        "empty": {"statusCode": 204},
        "null": None, "text": "hello", "unknown": {"statusCode": 200, "bodyy": "x"},
        "object": {"statusCode": 200, "body": {"a": 1}}, "status": {"statusCode": "abc"},
    }
    return replies[what]
'''


def function(handler, **changes):
    return {"command": ["/usr/bin/python3", RUNTIME, f"handler.{handler}"], "directory": "."} | changes


def lambda_authorizer(kind="TOKEN", uri=AUTHZ, **changes):
    return {"type": kind, "authorizerUri": uri} | changes


class FunctionCase(GatewayCase):
    def gate(self, authorizers=None, routes=None, functions=None, **changes):
        self.backend = self.upstream()
        routes = routes or [route("ANY /{proxy+}", f"{self.backend.url}/{{proxy}}", "fn")]
        functions = functions or {"authz": function("authorize", timeoutInMillis=1000)}
        gateway = self.start(
            config(api(routes, authorizers=authorizers or {"fn": lambda_authorizer()}, **changes), functions=functions),
            files={"handler.py": HANDLER},
        )
        return gateway

    def events(self, gateway):
        path = pathlib.Path(gateway.folder.path) / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def assert_broken(self, response):
        self.assert_error(response, 500, NULL, "AuthorizerConfigurationException")


class TokenAuthorizers(FunctionCase):
    def test_every_outcome_to_the_byte(self):
        gateway = self.gate()
        rows = (  # token, status, body of a refusal
            ("allow", 200, None),
            ("no-principal", 200, None),
            ("method", 200, None),
            ("deny", 403, EXPLICIT_DENY),
            ("nothing", 403, IMPLICIT_DENY),
            ("unauthorized", 401, None),
            ("unauthorized-too", 500, NULL),
            ("raise", 500, NULL),
            ("exit", 500, NULL),
            ("null", 500, NULL),
            ("text", 500, NULL),
            ("list", 500, NULL),
            ("number", 500, NULL),
            ("empty", 500, NULL),
            ("extra", 500, NULL),
            ("status", 500, NULL),
            ("lower", 500, NULL),
            ("nested", 500, NULL),
            ("array", 500, NULL),
            ("no-policy", 500, NULL),
        )
        for what, status, body in rows:
            with self.subTest(what):
                self.backend.clear()
                response = gateway.get("/a", headers={"Authorization": f"Bearer {what}"})
                if status == 200:
                    self.assert_status(response, 200)
                    continue
                self.assert_untouched(self.backend)
                if status == 401:
                    self.assert_unauthorized(response)
                elif status == 403:
                    self.assert_denied(response, body)
                else:
                    self.assert_broken(response)
        with self.subTest("and the gateway goes on"):
            self.assert_status(gateway.get("/b", headers={"Authorization": "Bearer allow"}), 200)

    def test_no_call_without_a_token(self):
        gateway = self.gate({"fn": lambda_authorizer(identityValidationExpression="^Bearer [a-z]+$")})
        for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer 1"}, {"Authorization": "xBearer allow"}):
            with self.subTest(headers):
                self.assert_unauthorized(gateway.get("/a", headers=headers))
        self.assertEqual([], self.events(gateway))

    def test_the_event_has_exactly_three_keys(self):
        gateway = self.gate(basePath="/prod")
        self.assert_status(gateway.get("/prod/a/b?x=1", headers={"Authorization": "Bearer allow"}), 200)
        self.assertEqual(
            [
                {
                    "type": "TOKEN",
                    "methodArn": "arn:aws:execute-api:us-east-1:123456789012:local/prod/GET/a/b",
                    "authorizationToken": "Bearer allow",
                }
            ],
            self.events(gateway),
        )

    def test_the_context_reaches_the_upstream_on_hits_too(self):
        gateway = self.gate()
        for _ in range(2):
            self.backend.clear()
            self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer allow"}), 200)
            request = self.backend.one()
            self.assertEqual(["user"], request.all("X-Authorizer-Principal-Id"))
            self.assertEqual(["acme"], request.all("X-Authorizer-tenant"))
            self.assertEqual(["7"], request.all("X-Authorizer-n"))
            self.assertEqual(["true"], request.all("X-Authorizer-yes"))
        self.assertEqual(1, len(self.events(gateway)))

    def test_policies_are_cached_and_judged_anew_and_failures_are_not(self):
        gateway = self.gate()
        self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer method"}), 200)
        self.assert_denied(gateway.get("/b", headers={"Authorization": "Bearer method"}))
        self.assertEqual(1, len(self.events(gateway)))
        self.assertRegex(gateway.log(), "gave a policy that allows .* and not")
        for _ in range(2):
            self.assert_denied(gateway.get("/a", headers={"Authorization": "Bearer deny"}), EXPLICIT_DENY)
        self.assertEqual(2, len(self.events(gateway)))
        for _ in range(2):
            self.assert_unauthorized(gateway.get("/a", headers={"Authorization": "Bearer unauthorized"}))
            self.assert_broken(gateway.get("/a", headers={"Authorization": "Bearer raise"}))
        self.assertEqual(6, len(self.events(gateway)))

    def test_ttl_0_asks_every_time(self):
        gateway = self.gate({"fn": lambda_authorizer(authorizerResultTtlInSeconds=0)})
        for _ in range(3):
            self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer allow"}), 200)
        self.assertEqual(3, len(self.events(gateway)))

    def test_a_hundred_first_requests_make_one_call(self):
        gateway = self.gate()
        statuses = []

        def ask():
            statuses.append(gateway.get("/a", headers={"Authorization": "Bearer allow"}).status)

        threads = [threading.Thread(target=ask) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([200] * 100, statuses)
        self.assertEqual(1, len(self.events(gateway)))

    def test_a_slow_function_is_ended_and_others_are_served(self):
        gateway = self.gate()
        with gateway.connect() as slow:
            slow.send(b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sleep\r\n\r\n")
            wait_for(lambda: len(self.events(gateway)) == 1, "the slow call")
            self.backend.respond = lambda request: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            self.assert_broken(slow.read())
        self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer allow"}), 200)

    def test_explain_and_trace_name_the_function(self):
        gateway = self.gate()
        refused = gateway.get("/a", headers={"Authorization": "Bearer raise"})
        trace = gateway.trace(refused)
        self.assertEqual("authorizer_function_error", trace["reason"])
        step = next(step for step in trace["steps"] if step["step"] == "function")
        self.assertEqual(("authz", "authorizer_function_error"), (step["name"], step["result"]))
        self.assertNotIn("raise", json.dumps(trace))

    def test_the_services_own_uri_and_requirePrincipalId(self):
        gateway = self.gate({"fn": lambda_authorizer(uri=invocations(AUTHZ), requirePrincipalId=True)})
        self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer allow"}), 200)
        self.assert_broken(gateway.get("/a", headers={"Authorization": "Bearer no-principal"}))


class RequestAuthorizers(FunctionCase):
    SOURCES = "method.request.header.Auth, method.request.querystring.key,stageVariables.env"

    def request(self, **changes):
        return {"fn": lambda_authorizer("REQUEST", identitySource=self.SOURCES) | changes}

    def test_a_missing_source_is_401_without_a_call(self):
        gateway = self.gate(self.request(), stageVariables={"env": "test"})
        for target, headers in (
            ("/a?key=1", {}),
            ("/a?key=1", {"Auth": ""}),
            ("/a", {"Auth": "allow"}),
            ("/a?key=", {"Auth": "allow"}),
            ("/a?Key=1", {"Auth": "allow"}),
            ("/a?key=1&key=2", {"Auth": "allow"}),
            ("/a?key=1", {"Auth": "allow", "Connection": "Auth"}),  # which hides it from the function
        ):
            with self.subTest(target, headers=headers):
                self.assert_unauthorized(gateway.get(target, headers=headers))
        self.assertEqual([], self.events(gateway))
        self.assert_status(gateway.get("/a?key=1", headers={"Auth": "allow"}), 200)

    def test_all_values_are_the_cache_key(self):
        gateway = self.gate(self.request(), stageVariables={"env": "test"})
        for target, auth, calls in (
            ("/a?key=1", "allow", 1),
            ("/b?key=1&other=2", "allow", 1),
            ("/a?key=2", "allow", 2),
            ("/a?key=1", "allow2", 3),
            ("/a?key=low1", "al", 4),
            ("/a?key=1", "allow", 4),
        ):
            with self.subTest(target, auth=auth):
                self.assert_status(gateway.get(target, headers={"Auth": auth}), 200)
                self.assertEqual(calls, len(self.events(gateway)))

    def test_the_event(self):
        gateway = self.gate(self.request(), stageVariables={"env": "test"})
        self.assert_status(gateway.get("/a/b?key=1&n=1&n=2", headers={"Auth": "allow", "X-Two": "2"}), 200)
        event = self.events(gateway)[0]
        self.assertEqual(
            [
                "headers",
                "httpMethod",
                "methodArn",
                "multiValueHeaders",
                "multiValueQueryStringParameters",
                "path",
                "pathParameters",
                "queryStringParameters",
                "requestContext",
                "resource",
                "stageVariables",
                "type",
            ],
            sorted(event),
        )
        self.assertEqual(("REQUEST", "/{proxy+}", "/a/b"), (event["type"], event["resource"], event["path"]))
        self.assertEqual({"key": ["1"], "n": ["1", "2"]}, event["multiValueQueryStringParameters"])
        self.assertEqual({"proxy": "a/b"}, event["pathParameters"])
        self.assertEqual({"env": "test"}, event["stageVariables"])
        self.assertEqual("2", event["headers"]["X-Two"])
        self.assertNotIn("authorizer", event["requestContext"])

    def test_without_sources_every_request_asks(self):
        gateway = self.gate({"fn": lambda_authorizer("REQUEST", authorizerResultTtlInSeconds=0)})
        for _ in range(2):
            self.assert_status(gateway.get("/a"), 200)
        self.assertEqual(2, len(self.events(gateway)))

    def test_gatehouse_jwt_takes_its_token_from_a_source(self):
        gateway = self.gate(
            {
                "fn": jwt_authorizer(identitySource="method.request.querystring.token") | {"type": "REQUEST"},
                "header": jwt_authorizer(identitySource="method.request.header.X-Token") | {"type": "REQUEST"},
            },
            routes=[
                route("GET /query", "http://127.0.0.1:9/", "fn") | {"integration": {"type": "MOCK"}},
                route("GET /header", "http://127.0.0.1:9/", "header") | {"integration": {"type": "MOCK"}},
            ],
        )
        token = mint()
        self.assert_status(gateway.get(f"/query?token={token}"), 200)
        self.assert_status(gateway.get("/header", headers={"X-Token": token}), 200)
        self.assert_status(gateway.get("/header", headers={"X-Token": f"Bearer {token}"}), 200)
        self.assert_unauthorized(gateway.get("/header", headers={"X-Token": f"Basic {token}"}))
        self.assert_unauthorized(gateway.get("/header", headers={"Authorization": f"Bearer {token}"}))
        self.assert_unauthorized(gateway.get(f"/query?token={token[:-4]}AAAA"))
        self.assert_unauthorized(gateway.get("/query"))


class Integrations(FunctionCase):
    def proxy(self, authorizer="NONE", **changes):
        integration = {"type": "AWS_PROXY", "uri": BACKEND, "httpMethod": "POST"} | changes.pop("integration", {})
        routes = [
            {"routeKey": "ANY /f/{what}", "authorizer": authorizer, "integration": integration},
            {"routeKey": "POST /up", "authorizer": authorizer, "integration": integration},
        ]
        functions = {"authz": function("authorize"), "backend": function("answer")}
        authorizers = {"fn": lambda_authorizer()} if authorizer == "fn" else {}
        return self.gate(authorizers or {}, routes=routes, functions=functions, **changes)

    def gate(self, authorizers=None, **options):
        gateway = super().gate(authorizers if authorizers else {"fn": lambda_authorizer()}, **options)
        return gateway

    def test_answers(self):
        gateway = self.proxy(binaryMediaTypes=["image/*"])
        response = gateway.get("/f/created")
        self.assertEqual((201, b"made"), (response.status, response.body))
        self.assertEqual(["a=1", "b=2"], response.all("Set-Cookie"))
        self.assert_request_ids(response)
        response = gateway.get("/f/bytes", headers={"Accept": "image/png"})
        self.assertEqual((200, bytes(range(4))), (response.status, response.body))
        self.assertEqual((204, b""), (gateway.get("/f/empty").status, gateway.get("/f/empty").body))
        self.assertEqual(b"", gateway.request("HEAD", "/f/created").body)

    def test_malformed_answers_are_502(self):
        gateway = self.proxy()
        for what in ("raise", "null", "text", "unknown", "object", "status"):
            with self.subTest(what):
                response = gateway.get(f"/f/{what}")
                self.assert_error(response, 502, FAULT, "InternalServerErrorException", exact_fields=False)

    def test_a_slow_function_is_504(self):
        gateway = self.proxy(integration={"timeoutInMillis": 200})
        response = gateway.get("/f/sleep")
        self.assertEqual((504, b'{"message": "Endpoint request timed out"}'), (response.status, response.body))

    def test_the_event_has_content_and_context(self):
        gateway = self.proxy("fn", binaryMediaTypes=["application/octet-stream"])
        auth = {"Authorization": "Bearer allow"}
        event = gateway.request("POST", "/f/echo?a=1", auth | {"Content-Type": "text/plain"}, b"hello").json()
        self.assertEqual(("hello", False), (event["body"], event["isBase64Encoded"]))
        self.assertEqual("acme", event["requestContext"]["authorizer"]["tenant"])
        self.assertEqual("7", event["requestContext"]["authorizer"]["n"])
        self.assertEqual("user", event["requestContext"]["authorizer"]["principalId"])
        self.assertEqual({"a": "1"}, event["queryStringParameters"])
        binary = gateway.request(
            "POST", "/f/echo", auth | {"Content-Type": "application/octet-stream"}, bytes(range(256))
        ).json()
        self.assertTrue(binary["isBase64Encoded"])
        self.assertEqual(bytes(range(256)), base64.b64decode(binary["body"]))
        chunked = gateway.connect()
        self.addCleanup(chunked.close)
        chunked.send(
            b"POST /f/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer allow\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /f/created HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer allow\r\n\r\n"
        )
        self.assertEqual("hello world", chunked.read().json()["body"])
        self.assertEqual(b"made", chunked.read().body)

    def test_a_refused_request_calls_no_function(self):
        gateway = self.proxy("fn")
        self.assert_unauthorized(gateway.request("POST", "/f/echo", body=b"x"))
        self.assert_denied(gateway.get("/f/echo", headers={"Authorization": "Bearer deny"}), EXPLICIT_DENY)
        self.assertEqual(["TOKEN"], [event.get("type") for event in self.events(gateway)])

    def test_content_limits_hold(self):
        gateway = self.proxy()
        with gateway.connect() as client:
            client.send(b"POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            self.assert_status(client.read(), 413)
        with gateway.connect() as client:  # refused by its head: it would not fit an event
            client.send(b"POST /f/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 7000000\r\nExpect: 100-continue\r\n\r\n")
            self.assert_status(client.read(), 413)
        large = gateway.request("POST", "/f/created", {"Content-Type": "text/plain"}, b"x" * 7_000_000)
        self.assertEqual((413, b'{"message": "Request Too Long"}'), (large.status, large.body.replace(b'":"', b'": "')))


if __name__ == "__main__":
    unittest.main()
