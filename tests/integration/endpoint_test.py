"""Functions behind an endpoint of the Lambda Invoke API, with everything that an endpoint can do wrong."""

import unittest
import urllib.parse

from support.case import FAULT, GatewayCase
from support.endpoint import InvokeEndpoint
from support.gateway import api, config, mock
from support.upstream import ClosedPort

AUTHZ = "arn:aws:lambda:us-east-1:123456789012:function:authz"
BACKEND = "arn:aws:lambda:us-east-1:123456789012:function:backend"
NULL = b'{"message":null}'
LATE = b'{"message": "Endpoint request timed out"}'
SHORT = 200  # ms, for calls that are meant to run into it

# Where the configuration says the endpoint.
LISTED, URL, VARIABLE = "functions", "uri", "AWS_ENDPOINT_URL_LAMBDA"
WAYS = (LISTED, URL, VARIABLE)


def invoke_path(name):
    return f"/2015-03-31/functions/{urllib.parse.quote(name, safe='')}/invocations"


class EndpointCase(GatewayCase):
    def gate(self, way, url):
        """GET /guarded asks a TOKEN authorizer, GET /answered/{say} is answered by a function, GET /other needs neither.

        /hasty and /hurried are the same for functions that are given 200 ms."""
        named = {"authz": AUTHZ, "backend": BACKEND}
        uris = {name: url + invoke_path(name) for name in named} if way == URL else named
        authorizer = {"type": "TOKEN", "authorizerUri": uris["authz"]}
        proxy = {"type": "AWS_PROXY", "uri": uris["backend"], "httpMethod": "POST"}
        routes = [
            mock("GET /guarded", "fn"),
            mock("GET /hasty", "hasty"),
            {"routeKey": "GET /answered/{say}", "authorizer": "NONE", "integration": proxy},
            {"routeKey": "GET /hurried/{say}", "authorizer": "NONE", "integration": proxy | {"timeoutInMillis": SHORT}},
            mock("GET /other"),
        ]
        authorizers = {"fn": authorizer, "hasty": authorizer | {"timeoutInMillis": SHORT}}
        more = {"functions": {name: {"endpoint": url} for name in named}} if way == LISTED else {}
        env = {"AWS_ENDPOINT_URL_LAMBDA": url} if way == VARIABLE else None
        return self.start(config(api(routes, authorizers=authorizers), **more), env=env)

    def ask(self, gateway, target, headers=None):
        """The answer to a request; meanwhile another route answers as ever."""
        pairs = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        with gateway.connect() as client:
            client.send(f"GET {target} HTTP/1.1\r\nHost: x\r\n{pairs}\r\n".encode())
            other = gateway.get("/other")
            self.assertEqual((200, b'{"ok":true}'), (other.status, other.body))
            return client.read()

    def authorize(self, gateway, say, target="/guarded"):
        return self.ask(gateway, target, {"Authorization": f"Bearer {say}"})

    def assert_reason(self, gateway, response, reason):
        self.assertEqual(reason, gateway.trace(response)["reason"])


class TokenAuthorizers(EndpointCase):
    """Section 4.2: what an authorizer that fails becomes, and that it is asked again."""

    ROWS = (  # what the endpoint says, its status here, the reason
        ("function-error", 401, "authorizer_unauthorized"),
        ("emulator-error", 401, "authorizer_unauthorized"),  # which sends no X-Amz-Function-Error
        ("other-error", 500, "authorizer_function_error"),
        ("other-emulator-error", 500, "authorizer_function_error"),
        ("text", 500, "authorizer_result_invalid"),
        ("null", 500, "authorizer_result_invalid"),
        ("no-json", 500, "authorizer_result_invalid"),
        ("half-json", 500, "authorizer_result_invalid"),
        ("empty", 500, "authorizer_result_invalid"),
        ("created", 500, "authorizer_result_invalid"),
        ("huge", 500, "authorizer_result_too_large"),
        ("endless", 500, "authorizer_result_too_large"),
        ("endless-head", 500, "authorizer_not_invokable"),
        ("garbage", 500, "authorizer_not_invokable"),
        ("cut", 500, "authorizer_not_invokable"),
        ("cut-chunk", 500, "authorizer_not_invokable"),
        ("close", 500, "authorizer_not_invokable"),
        ("reset", 500, "authorizer_not_invokable"),
        ("two-framings", 500, "authorizer_not_invokable"),
        ("404", 500, "authorizer_not_invokable"),
        ("500", 500, "authorizer_not_invokable"),
        ("redirect", 500, "authorizer_not_invokable"),
    )

    def assert_refused(self, gateway, response, status, reason):
        if status == 401:
            self.assert_unauthorized(response)
        else:
            self.assert_error(response, 500, NULL, "AuthorizerConfigurationException")
        self.assert_reason(gateway, response, reason)

    def assert_rows(self, way):
        endpoint = self.using(InvokeEndpoint())
        gateway = self.gate(way, endpoint.url)
        for say, status, reason in self.ROWS:
            with self.subTest(say):
                before = len(endpoint.calls())
                for _ in range(2):
                    self.assert_refused(gateway, self.authorize(gateway, say), status, reason)
                self.assertEqual(2, len(endpoint.calls()) - before)
        with self.subTest("silence"):
            before = len(endpoint.calls())
            for _ in range(2):
                self.assert_refused(gateway, self.authorize(gateway, "wait", "/hasty"), 500, "authorizer_timeout")
            self.assertEqual(2, len(endpoint.calls()) - before)
        self.assertEqual([], gateway.cache_entries())
        with self.subTest("and the next one is asked"):
            for _ in range(2):
                self.assert_status(self.authorize(gateway, "allow"), 200)
            self.assertEqual(1, len([call for call in endpoint.calls() if "allow" in str(call["event"])]))

    def test_at_an_endpoint_of_functions(self):
        self.assert_rows(LISTED)

    def test_at_a_url_in_authorizerUri(self):
        self.assert_rows(URL)

    def test_at_the_endpoint_of_the_environment(self):
        self.assert_rows(VARIABLE)

    def test_a_closed_port(self):
        for way in WAYS:
            with self.subTest(way):
                gateway = self.gate(way, f"http://{self.using(ClosedPort()).authority}")
                for _ in range(2):
                    self.assert_refused(gateway, self.authorize(gateway, "allow"), 500, "authorizer_not_invokable")
                self.assertEqual([], gateway.cache_entries())


class Integrations(EndpointCase):
    """Section 12.2: malformed answers and errors are 502, late ones 504, and who cannot be called is 500."""

    ROWS = (  # what the endpoint says, the status here, the reason
        ("function-error", 502, "function_error"),
        ("emulator-error", 502, "function_error"),
        ("other-error", 502, "function_error"),
        ("text", 502, "function_answer_invalid"),
        ("null", 502, "function_answer_invalid"),
        ("no-json", 502, "function_answer_invalid"),
        ("half-json", 502, "function_answer_invalid"),
        ("empty", 502, "function_answer_invalid"),
        ("allow", 502, "function_answer_invalid"),  # which has members that no answer has
        ("huge", 502, "function_answer_too_large"),
        ("endless", 502, "function_answer_too_large"),
        ("endless-head", 500, "function_not_invokable"),
        ("garbage", 500, "function_not_invokable"),
        ("cut", 500, "function_not_invokable"),
        ("cut-chunk", 500, "function_not_invokable"),
        ("close", 500, "function_not_invokable"),
        ("reset", 500, "function_not_invokable"),
        ("two-framings", 500, "function_not_invokable"),
        ("404", 500, "function_not_invokable"),
        ("500", 500, "function_not_invokable"),
        ("redirect", 500, "function_not_invokable"),
    )

    def assert_failed(self, gateway, response, status, reason):
        body = LATE if status == 504 else FAULT
        self.assert_error(response, status, body, "InternalServerErrorException")
        self.assert_reason(gateway, response, reason)

    def assert_rows(self, way):
        endpoint = self.using(InvokeEndpoint())
        gateway = self.gate(way, endpoint.url)
        rows = [(f"/answered/{say}", status, reason) for say, status, reason in self.ROWS]
        for target, status, reason in (*rows, ("/hurried/wait", 504, "function_timeout")):
            with self.subTest(target):
                before = len(endpoint.calls())
                for _ in range(2):
                    self.assert_failed(gateway, self.ask(gateway, target), status, reason)
                self.assertEqual(2, len(endpoint.calls()) - before)
        with self.subTest("and the next one is asked"):
            response = self.ask(gateway, "/answered/created")
            self.assertEqual((201, b"made", "yes"), (response.status, response.body, response.get("X-Made")))

    def test_at_an_endpoint_of_functions(self):
        self.assert_rows(LISTED)

    def test_at_a_url_in_uri(self):
        self.assert_rows(URL)

    def test_at_the_endpoint_of_the_environment(self):
        self.assert_rows(VARIABLE)

    def test_a_closed_port(self):
        for way in WAYS:
            with self.subTest(way):
                gateway = self.gate(way, f"http://{self.using(ClosedPort()).authority}")
                for _ in range(2):
                    self.assert_failed(gateway, self.ask(gateway, "/answered/created"), 500, "function_not_invokable")


class Calls(EndpointCase):
    def test_who_is_called_where_and_with_what(self):
        """Sections 2.2 and 3.3: the event of three keys, and the headers that come with it."""
        stage = "arn:aws:execute-api:us-east-1:123456789012:local"
        for way in WAYS:
            with self.subTest(way):
                endpoint = self.using(InvokeEndpoint())
                gateway = self.gate(way, endpoint.url)
                response = self.authorize(gateway, "allow")
                self.assert_status(response, 200)
                self.ask(gateway, "/answered/created")
                asked, answered = endpoint.calls()
                names = (AUTHZ, BACKEND) if way == VARIABLE else ("authz", "backend")
                self.assertEqual([invoke_path(name) for name in names], [asked["path"], answered["path"]])
                self.assertEqual(
                    {"type": "TOKEN", "methodArn": f"{stage}/prod/GET/guarded", "authorizationToken": "Bearer allow"},
                    asked["event"],
                )
                self.assertEqual("/answered/created", answered["event"]["path"])
                for call in (asked, answered):
                    headers = {name.lower(): value for name, value in call["headers"].items()}
                    self.assertEqual(endpoint.authority, headers["host"])
                    self.assertEqual("AmazonAPIGateway_local", headers["user-agent"])
                    self.assertEqual("application/json", headers["accept"])
                    self.assertEqual("local", headers["x-amzn-apigateway-api-id"])
                    self.assertNotIn("authorization", headers)
                headers = {name.lower(): value for name, value in asked["headers"].items()}
                self.assertEqual(f"{stage}/authorizers/fn", headers["x-amz-source-arn"])
                self.assertEqual(response.get("x-amzn-RequestId"), headers["x-amzn-lambda-integration-tag"])


if __name__ == "__main__":
    unittest.main()
