"""Functions decide and answer: Lambda authorizers (TOKEN, REQUEST) and AWS_PROXY integrations, run by the gateway itself."""

import base64
import json
import os
import pathlib
import signal
import unittest

from support.case import EXPLICIT_DENY, FAULT, IMPLICIT_DENY, GatewayCase
from support.gateway import ROOT, Gateway, api, config, jwt_authorizer, mock, route
from support.process import is_running, wait_for
from support.tokens import AUDIENCE, ISSUER, bearer, mint

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
NODE_RUNTIME = str(ROOT / "tests" / "integration" / "node_modules" / ".bin" / "aws-lambda-ric")
NULL = b'{"message":null}'
LATE = b'{"message": "Endpoint request timed out"}'
AUTHZ = "arn:aws:lambda:us-east-1:123456789012:function:authz"
BACKEND = "arn:aws:lambda:us-east-1:123456789012:function:backend"


def invocations(arn):
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


# What the function does is told by the token, or by a member of the path: each call is noted in a file beside it.
HANDLER = '''
import json, os, subprocess, time

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
    if what.startswith("fork"): note({"pids": [os.getpid(), subprocess.Popen(["sleep", "600"]).pid]})
    if what in ("wait", "fork-and-wait"): open("released").close()  # a FIFO: until somebody opens its other end
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
        self.assertTrue(gateway.process.stderr.wait("gave a policy that allows .* and not"))
        for _ in range(2):
            self.assert_denied(gateway.get("/a", headers={"Authorization": "Bearer deny"}), EXPLICIT_DENY)
        self.assertEqual(2, len(self.events(gateway)))
        for _ in range(2):
            self.assert_unauthorized(gateway.get("/a", headers={"Authorization": "Bearer unauthorized"}))
            self.assert_broken(gateway.get("/a", headers={"Authorization": "Bearer raise"}))
        self.assertEqual(6, len(self.events(gateway)))

    def test_the_context_of_a_denied_call_is_in_gateway_responses_alone(self):
        """Section 4.4: in ACCESS_DENIED, on hits too; not where the function gave no policy."""
        template = '{"why":"$context.authorizer.why","who":"$context.authorizer.principalId"}'
        answers = {
            "responseParameters": {"gatewayresponse.header.X-Why": "context.authorizer.why"},
            "responseTemplates": {"application/json": template},
        }
        types = ("ACCESS_DENIED", "UNAUTHORIZED", "AUTHORIZER_CONFIGURATION_ERROR")
        gateway = self.gate(gatewayResponses={name: answers for name in types})
        for what, status, body, header in (
            ("deny", 403, b'{"why":"no","who":"user"}', ["no"]),
            ("deny", 403, b'{"why":"no","who":"user"}', ["no"]),  # from the cache
            ("nothing", 403, b'{"why":"","who":"user"}', []),  # which has no context
            ("unauthorized", 401, b'{"why":"","who":""}', []),
            ("raise", 500, b'{"why":"","who":""}', []),
            ("nested", 500, b'{"why":"","who":""}', []),
        ):
            with self.subTest(what):
                response = gateway.get("/a", what)
                self.assertEqual((status, body), (response.status, response.body))
                self.assertEqual(header, response.all("X-Why"))
                self.assertEqual(["application/json"], response.all("Content-Type"))
        self.assertEqual(5, len(self.events(gateway)))
        self.assert_untouched(self.backend)

    def test_the_time_of_an_integration_is_not_the_authorizers(self):
        """Section 4.5. That the time is over is told by a backend that never answers, asked later and given as much."""
        silent = self.upstream()
        silent.script = lambda connection: connection.read() and silent.hold()
        backend = self.upstream()
        gateway = self.gate(
            routes=[
                route("GET /a", backend.url, "fn", timeoutInMillis=1000),
                route("GET /silent", silent.url, "NONE", timeoutInMillis=1000),
            ],
            functions={"authz": function("authorize", timeoutInMillis=20000)},
        )
        released = self.fifo(gateway)
        client = self.begin(gateway, "/a", bearer("wait"))
        wait_for(lambda: self.events(gateway), "the call")
        self.assert_error(gateway.get("/silent"), 504, LATE, "InternalServerErrorException")
        self.assert_waiting([client])
        with self.let_go(released):
            self.assert_status(client.read(), 200)
        self.assertEqual("/", backend.one().target)

    def test_ttl_0_asks_every_time(self):
        gateway = self.gate({"fn": lambda_authorizer(authorizerResultTtlInSeconds=0)})
        for _ in range(3):
            self.assert_status(gateway.get("/a", headers={"Authorization": "Bearer allow"}), 200)
        self.assertEqual(3, len(self.events(gateway)))

    def test_a_hundred_first_requests_make_one_call(self):
        """Two processes could be called, and the one that is does not answer before all requests wait for it."""
        gateway = self.gate(functions={"authz": function("authorize", concurrency=2, timeoutInMillis=20000)})
        released = self.fifo(gateway)
        clients = [self.begin(gateway, "/a", bearer("wait")) for _ in range(100)]
        wait_for(lambda: gateway.metrics().total("gatehouse_cache_joined_total") == 99, "all requests to wait for one call")
        wait_for(lambda: self.events(gateway), "the call")
        self.assert_waiting(clients)
        self.assertEqual(1, len(self.events(gateway)))
        self.assert_untouched(self.backend)
        with self.let_go(released):
            self.assertEqual([200] * 100, [client.read().status for client in clients])
        self.assertEqual(1, len(self.events(gateway)))
        self.assertEqual(1, gateway.metrics().total("gatehouse_authorizer_calls_total"))
        self.assertEqual(100, len(self.backend.requests))

    def test_a_slow_function_is_ended(self):
        gateway = self.gate()
        with gateway.connect() as slow:
            slow.send(b"GET /a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sleep\r\n\r\n")
            wait_for(lambda: len(self.events(gateway)) == 1, "the slow call")
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


class Others(FunctionCase):
    """A busy or dead function never slows routes that do not use it."""

    DEAD = "arn:aws:lambda:us-east-1:123456789012:function:dead"
    MISSING = "arn:aws:lambda:us-east-1:123456789012:function:missing"
    LIMIT = 20000  # what a call may take; nothing waits for it

    def serve(self):
        self.backend = self.upstream()
        routes = [
            route("GET /busy", f"{self.backend.url}/busy", "busy"),
            route("GET /dead", f"{self.backend.url}/dead", "dead"),
            route("GET /missing", f"{self.backend.url}/missing", "missing"),
            route("GET /jwt", f"{self.backend.url}/jwt"),
            mock("GET /mock"),
        ]
        authorizers = {
            "busy": lambda_authorizer(authorizerResultTtlInSeconds=0),
            "dead": lambda_authorizer(uri=self.DEAD, authorizerResultTtlInSeconds=0),
            "missing": lambda_authorizer(uri=self.MISSING, authorizerResultTtlInSeconds=0),
            "jwt": jwt_authorizer(),
        }
        functions = {
            "authz": function("authorize", concurrency=2, timeoutInMillis=self.LIMIT),
            "dead": {"command": ["/bin/false"], "timeoutInMillis": self.LIMIT},
            "missing": {"command": ["/no/such/program"], "timeoutInMillis": self.LIMIT},
        }
        gateway = self.start(
            config(api(routes, authorizers=authorizers), functions=functions), files={"handler.py": HANDLER}
        )
        self.released = self.fifo(gateway)
        return gateway

    def serve_others(self, gateway):
        """50 requests, each on a connection of its own, so that every worker has some."""
        for turn in range(25):
            self.assert_status(gateway.get("/mock"), 200)
            self.assert_status(gateway.get("/jwt", mint()), 200)

    def test_while_a_function_hangs(self):
        gateway = self.serve()
        waiting = [self.begin(gateway, "/busy", bearer("wait")) for _ in range(8)]
        wait_for(lambda: len(self.events(gateway)) == 2, "both processes of the function to be busy")
        self.serve_others(gateway)
        self.assert_waiting(waiting)
        self.assertEqual(2, len(self.events(gateway)))
        with self.let_go(self.released):
            for client in waiting:
                self.assert_status(client.read(), 200)
        self.assertEqual(8, len(self.events(gateway)))

    def test_while_a_function_dies_at_each_call(self):
        gateway = self.serve()
        dying = [self.begin(gateway, "/busy", bearer("exit")) for _ in range(4)]  # each makes the next start later
        self.serve_others(gateway)
        for client in dying:
            self.assert_broken(client.read())
        self.assert_status(gateway.get("/busy", "allow"), 200)

    def test_while_a_function_cannot_start(self):
        gateway = self.serve()
        failing = [(path, self.begin(gateway, path, bearer("allow"))) for _ in range(4) for path in ("/dead", "/missing")]
        self.serve_others(gateway)
        reasons = {
            "/dead": ("authorizer_function_error", "ended before it asked for work: exit status 1"),
            "/missing": ("authorizer_not_invokable", r"cannot start: /no/such/program in \S+: No such file or directory"),
        }
        for path, client in failing:
            with self.subTest(path):
                response = client.read()
                self.assert_broken(response)
                trace = gateway.trace(response)
                reason, why = reasons[path]
                self.assertEqual((path, 500, reason), (trace["path"], trace["status"], trace["reason"]))
                step = next(step for step in trace["steps"] if step["step"] == "function")
                self.assertEqual((path[1:], reason), (step["name"], step["result"]))
                self.assertRegex(trace["detail"], rf"\A{why}; next start in \d+ ms\Z")
        for path, (_, why) in reasons.items():
            gateway.wait_log(f" warning function {path[1:]}: {why}")
        self.assertEqual({"/jwt"}, {request.target for request in self.backend.requests})
        self.assert_status(gateway.get("/busy", "allow"), 200)


class Endings(FunctionCase):
    """A function is gone when the gateway is, whether it was idle or in a call."""

    def start(self, configuration, **options):
        gateway = Gateway(configuration, **options)  # whose exit status is that of a signal, maybe
        self.gateways.append(gateway)
        self.addCleanup(gateway.folder.close)
        self.addCleanup(gateway.process.kill)
        return gateway

    def pids(self, gateway):
        return next((event["pids"] for event in self.events(gateway) if "pids" in event), None)

    def end(self, number, busy):
        """Ends the gateway; the processes of the function and of its child."""
        gateway = self.gate(functions={"authz": function("authorize", timeoutInMillis=600000)})
        self.fifo(gateway)
        client = self.begin(gateway, "/a", bearer("fork-and-wait" if busy else "fork"))
        if not busy:
            self.assert_status(client.read(), 200)
        pids = wait_for(lambda: self.pids(gateway), "the function to fork")
        for pid in pids:
            self.addCleanup(self.forget, pid)
        self.assertEqual([True, True], [is_running(pid) for pid in pids])
        gateway.process.signal(number)
        status = gateway.process.wait()
        self.assertEqual(-number if number == signal.SIGKILL else 0, status)
        return pids

    def forget(self, pid):
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)

    def test_the_gateway_is_stopped(self):
        for busy in (False, True):
            with self.subTest(busy=busy):
                for pid, which in zip(self.end(signal.SIGTERM, busy), ("the function", "its child"), strict=True):
                    wait_for(lambda: not is_running(pid), f"the end of {which}")

    def test_the_gateway_is_killed(self):
        for busy in (False, True):
            with self.subTest(busy=busy):
                process, _ = self.end(signal.SIGKILL, busy)
                wait_for(lambda: not is_running(process), "the end of the function")


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

    def test_the_event_behind_the_own_authorizer(self):
        """Section 8: the context as text, and in `claims` the token's claims as text with the context over them."""
        own = {"tenantId": {"claim": "tenant"}, "level": {"claim": "level"}, "gone": {"claim": "gone"}, "sub": {"claim": "jti"}}
        integration = {"type": "AWS_PROXY", "uri": BACKEND, "httpMethod": "POST"}
        for name, context, shown in (
            ("the default map", None, {"userId": "alice", "tenantId": "default", "roles": "user"}),
            ("a map", own, {"tenantId": "acme", "level": "3", "sub": "token-1"}),
        ):
            with self.subTest(name):
                gateway = self.gate(
                    {"jwt": jwt_authorizer({"context": context})},
                    routes=[{"routeKey": "GET /f/{what}", "authorizer": "jwt", "integration": integration}],
                    functions={"backend": function("answer")},
                )
                claims = {"tenant": "acme", "level": 3, "admin": True, "groups": ["a", "b"], "deep": {"x": [1]}}
                token = mint(sub="alice", iat=1700000000, exp=4000000000, jti="token-1", **claims)
                for refused in (None, token[:-6] + "AAAAAA", mint(exp=1700000000)):
                    self.assert_unauthorized(gateway.get("/f/echo", refused))
                self.assertEqual([], self.events(gateway))
                texts = {
                    "iss": ISSUER,
                    "aud": AUDIENCE,
                    "sub": "alice",
                    "iat": "1700000000",
                    "exp": "4000000000",
                    "jti": "token-1",
                    "tenant": "acme",
                    "level": "3",
                    "admin": "true",
                    "groups": "a,b",
                    "deep": '{"x":[1]}',
                }
                wanted = shown | {"principalId": "alice", "claims": texts | shown}
                for _ in range(2):  # the second from the cache
                    found = gateway.get("/f/echo", token).json()["requestContext"]["authorizer"]
                    self.assertIn(found.pop("integrationLatency"), range(1000))
                    self.assertEqual(wanted, found)
                self.assertEqual(1, gateway.metrics().total("gatehouse_cache_hits_total"))

    def test_malformed_answers_are_502(self):
        gateway = self.proxy()
        for what in ("raise", "null", "text", "unknown", "object", "status"):
            with self.subTest(what):
                response = gateway.get(f"/f/{what}")
                self.assert_error(response, 502, FAULT, "InternalServerErrorException", exact_fields=False)

    def test_a_slow_function_is_504(self):
        gateway = self.proxy(integration={"timeoutInMillis": 200})
        response = gateway.get("/f/sleep")
        self.assertEqual((504, LATE), (response.status, response.body))

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

    def test_the_path_of_a_greedy_route(self):
        """Section 12.1: a slash at the end is in `path` and not in the parameter, and nothing is decoded."""
        integration = {"type": "AWS_PROXY", "uri": BACKEND, "httpMethod": "POST"}
        gateway = self.gate(
            routes=[{"routeKey": "ANY /{proxy+}", "authorizer": "NONE", "integration": integration}],
            functions={"authz": function("authorize"), "backend": function("answer")},
            basePath="/prod",
        )
        for path, parameter in (
            ("/a", "a"),
            ("/a/", "a"),
            ("/a/b/", "a/b"),
            ("/a%20b/c%2Bd+e/", "a%20b/c%2Bd+e"),
        ):
            with self.subTest(path):
                event = gateway.get("/prod" + path + "?x=1").json()
                self.assertEqual({"proxy": parameter}, event["pathParameters"])
                self.assertEqual((path, "/prod" + path), (event["path"], event["requestContext"]["path"]))
                self.assertEqual(("/{proxy+}", "/{proxy+}"), (event["resource"], event["requestContext"]["resourcePath"]))

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


# Both functions in one file, as an author would write them.
NODE_HANDLER = """
const policy = (Effect, Resource) => ({
    Version: "2012-10-17",
    Statement: [{ Action: "execute-api:Invoke", Effect, Resource }],
});

export const authorize = async (event, context) => {
    const token = event.authorizationToken.replace(/^Bearer /, "");
    if (token === "allow" || token === "deny")
        return {
            principalId: "node",
            policyDocument: policy(token === "allow" ? "Allow" : "Deny", "*"),
            context: { by: context.functionName, n: 7 },
        };
    if (token === "unauthorized") throw new Error("Unauthorized");
    if (token === "lower") throw new Error("unauthorized");
    if (token === "expired") throw new Error("Unauthorized: expired");
    if (token === "text") return "Unauthorized";
    if (token === "nothing") return undefined;
    if (token === "exit") process.exit(9);
    if (token === "later") return Promise.reject(new Error("Unauthorized"));
    return token.missing.member;
};

export const old = (event, context, callback) => callback(event.authorizationToken);

export const answer = async (event, context) => {
    if (event.path === "/raise") throw new Error("Unauthorized");
    if (event.path === "/nothing") return undefined;
    return {
        statusCode: 201,
        headers: { "X-Function": context.functionName },
        multiValueHeaders: { "Set-Cookie": ["a=1", "b=2"] },
        body: JSON.stringify({
            path: event.pathParameters.proxy,
            by: event.requestContext.authorizer.by,
            n: event.requestContext.authorizer.n,
            principalId: event.requestContext.authorizer.principalId,
        }),
    };
};
"""


class AwsOwnRuntimeClient(FunctionCase):
    """Node functions run by aws-lambda-ric, which is what runs them on the service."""

    def node(self, handler):
        return {"command": [NODE_RUNTIME, f"app.{handler}"], "directory": ".", "timeoutInMillis": 20000}

    def start(self, configuration, **options):
        return super().start(configuration, **(options | {"files": {"app.mjs": NODE_HANDLER}}))

    def test_a_token_authorizer(self):
        """Section 4.2."""
        gateway = self.gate(functions={"authz": self.node("authorize")})
        for what, status, reason in (
            ("allow", 200, None),
            ("deny", 403, None),
            ("unauthorized", 401, "authorizer_unauthorized"),
            ("later", 401, "authorizer_unauthorized"),
            ("lower", 500, "authorizer_function_error"),
            ("expired", 500, "authorizer_function_error"),
            ("mistake", 500, "authorizer_function_error"),
            ("text", 500, "authorizer_result_invalid"),
            ("nothing", 500, "authorizer_result_invalid"),
            ("exit", 500, "authorizer_function_error"),
            ("unauthorized", 401, "authorizer_unauthorized"),  # from the next process
        ):
            with self.subTest(what):
                self.backend.clear()
                response = gateway.get("/a", what)
                if status == 200:
                    self.assert_status(response, 200)
                    self.assertEqual(["node"], self.backend.one().all("X-Authorizer-Principal-Id"))
                    self.assertEqual(["authz"], self.backend.one().all("X-Authorizer-by"))
                    continue
                self.assert_untouched(self.backend)
                if status == 403:
                    self.assert_denied(response, EXPLICIT_DENY)
                elif status == 401:
                    self.assert_unauthorized(response)
                else:
                    self.assert_broken(response)
                if reason:
                    self.assertEqual(reason, gateway.trace(response)["reason"])

    def test_a_token_authorizer_that_calls_back(self):
        gateway = self.gate(functions={"authz": self.node("old")})
        self.assert_unauthorized(gateway.get("/a", headers={"Authorization": "Unauthorized"}))
        self.assert_broken(gateway.get("/a", headers={"Authorization": "unauthorized"}))

    def test_a_backend(self):
        """Section 12.2."""
        integration = {"type": "AWS_PROXY", "uri": BACKEND, "httpMethod": "POST"}
        gateway = self.gate(
            routes=[{"routeKey": "GET /{proxy+}", "authorizer": "fn", "integration": integration}],
            functions={"authz": self.node("authorize"), "backend": self.node("answer")},
        )
        response = gateway.get("/a/b", "allow")
        self.assert_status(response, 201)
        self.assertEqual({"path": "a/b", "by": "authz", "n": "7", "principalId": "node"}, response.json())
        self.assertEqual(["backend"], response.all("X-Function"))
        self.assertEqual(["a=1", "b=2"], response.all("Set-Cookie"))
        for path in ("/raise", "/nothing"):  # the first an error that means something from authorizers alone
            with self.subTest(path):
                self.assert_error(gateway.get(path, "allow"), 502, FAULT, "InternalServerErrorException")
        self.assert_denied(gateway.get("/a", "deny"), EXPLICIT_DENY)
        self.assert_unauthorized(gateway.get("/a", "unauthorized"))


if __name__ == "__main__":
    unittest.main()
