"""The base of the end-to-end tests: parts that end with the test, and failures that show what the gateway saw."""

import contextlib
import json
import os
import pathlib
import re
import select
import unittest
import uuid

from .gateway import Gateway
from .upstream import Upstream
from .wire import build

EXPLICIT_DENY = (
    b'{"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}'
)
IMPLICIT_DENY = (
    b'{"Message":"User is not authorized to access this resource because no identity-based policy allows the '
    b'execute-api:Invoke action"}'
)
UNAUTHORIZED = b'{"message":"Unauthorized"}'
FORBIDDEN = b'{"message":"Forbidden"}'
NO_ROUTE = b'{"message":"Missing Authentication Token"}'
FAULT = b'{"message": "Internal server error"}'
UNAVAILABLE = b'{"message":"Service Unavailable"}'


class GatewayCase(unittest.TestCase):
    """`start` and `upstream` make parts for one test, `share` keeps a part for the whole class."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.shared = []

    @classmethod
    def share(cls, part):
        cls.addClassCleanup(part.stop if isinstance(part, Gateway) else part.close)
        if isinstance(part, Gateway):
            cls.shared.append(part)
        return part

    @classmethod
    def share_gateway(cls, configuration, **options):
        return cls.share(Gateway(configuration, **options))

    def setUp(self):
        self.gateways = list(getattr(type(self), "shared", []))

    def start(self, configuration, **options):
        gateway = Gateway(configuration, **options)
        self.gateways.append(gateway)
        self.addCleanup(gateway.stop)
        return gateway

    def upstream(self, **options):
        return self.using(Upstream(**options))

    def using(self, part):
        self.addCleanup(part.close)
        return part

    # Requests that are under way.

    def begin(self, gateway, target, headers):
        """A request that is sent, and not answered yet."""
        client = gateway.connect()
        self.addCleanup(client.close)
        client.send(build("GET", target, headers))
        return client

    def assert_waiting(self, clients):
        readable, _, _ = select.select([client.sock for client in clients], [], [], 0)
        self.assertEqual([], readable, "answered, though the function has not")

    def fifo(self, gateway, name="released"):
        """Beside the configuration: a function that opens it waits there until `let_go` opens the other end."""
        path = pathlib.Path(gateway.folder.path) / name
        os.mkfifo(path)
        return path

    def let_go(self, fifo):
        return open(fifo, "r+b", buffering=0)  # both ends, so that this never waits

    # Failures, those of subtests too, carry the last answer and the log's end.

    def _explain(self, error):
        if not isinstance(error, unittest.SkipTest) and not getattr(error, "explained", False):
            error.explained = True
            error.add_note("\n".join(gateway.report() for gateway in self.gateways))

    def _callTestMethod(self, method):
        try:
            super()._callTestMethod(method)
        except Exception as error:
            self._explain(error)
            raise

    @contextlib.contextmanager
    def subTest(self, msg="", **parameters):
        with super().subTest(msg, **parameters):
            try:
                yield
            except Exception as error:
                self._explain(error)
                raise

    # Answers.

    def assert_status(self, response, status):
        self.assertIsNotNone(response, f"closed without an answer; wanted {status}")
        self.assertEqual(status, response.status, repr(response))

    def assert_request_ids(self, response):
        """The two ids that every answer of a REST API carries (API Gateway developer guide)."""
        request_id = response.get("x-amzn-RequestId", "")
        self.assertRegex(request_id, r"\A[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
        self.assertEqual(4, uuid.UUID(request_id).version)
        self.assertRegex(response.get("x-amz-apigw-id", ""), r"\A[-A-Za-z0-9+/_]{15}=\Z")

    def assert_error(self, response, status, body, error_type, exact_fields=True):
        """A gateway error of a REST API, to the byte as captured from the service."""
        reasons = {
            400: "Bad Request",
            401: "Unauthorized",
            403: "Forbidden",
            429: "Too Many Requests",
            500: "Internal Server Error",
            502: "Bad Gateway",
            503: "Service Unavailable",
            504: "Gateway Timeout",
        }
        self.assert_status(response, status)
        self.assertEqual(f"HTTP/1.1 {status} {reasons[status]}", response.start_line)
        self.assertEqual(body, response.body)
        self.assertEqual(["application/json"], response.all("Content-Type"))
        self.assertEqual([str(len(body))], response.all("Content-Length"))
        self.assertEqual([error_type], response.all("x-amzn-ErrorType"))
        self.assertIn("x-amzn-ErrorType", response.names(), "names are cased as the service cases them")
        self.assert_request_ids(response)
        self.assertEqual([], response.all("WWW-Authenticate"), "REST APIs send none")
        self.assertRegex(response.get("Date", ""), r"\A\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\Z")
        if exact_fields:
            self.assertEqual(
                [
                    "Connection",
                    "Content-Length",
                    "Content-Type",
                    "Date",
                    "x-amz-apigw-id",
                    "x-amzn-ErrorType",
                    "x-amzn-RequestId",
                ],
                sorted(response.names()),
            )

    def assert_unauthorized(self, response):
        self.assert_error(response, 401, UNAUTHORIZED, "UnauthorizedException")

    def assert_denied(self, response, body=IMPLICIT_DENY):
        self.assert_error(response, 403, body, "AccessDeniedException")

    def assert_no_route(self, response):
        self.assert_error(response, 403, NO_ROUTE, "MissingAuthenticationTokenException")

    def assert_unavailable(self, response):
        """No usable keys: 503, never 401 and never an allow."""
        self.assert_status(response, 503)
        self.assertEqual(UNAVAILABLE, response.body)
        self.assertEqual(["application/json"], response.all("Content-Type"))
        self.assert_request_ids(response)

    def assert_untouched(self, upstream):
        """Nothing at all reached the upstream since its last clear()."""
        self.assertEqual([], upstream.requests)

    def assert_no_token(self, text, token, what):
        """No token, and no part of one, is in `text`."""
        for part in token.split("."):
            if len(part) >= 16:
                self.assertNotIn(part, text, f"part of a token in {what}")
                self.assertNotIn(part[-16:], text, f"end of a token's part in {what}")
        self.assertIsNone(re.search(r"eyJ[A-Za-z0-9_-]{10,}\.", text), f"something like a token in {what}")


def find_values(document, key):
    """All values of a member name, anywhere in a JSON document."""
    found = []
    if isinstance(document, dict):
        for name, value in document.items():
            if name == key:
                found.append(value)
            found += find_values(value, key)
    elif isinstance(document, list):
        for value in document:
            found += find_values(value, key)
    return found


def as_text(document):
    return json.dumps(document, ensure_ascii=False)
