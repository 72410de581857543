"""AWS_IAM routes: requests signed by botocore, the AWS CLI's own signer, and by curl; tampering, replays, windows, and the service's answers."""

import datetime
import hashlib
import json
import shutil
import unittest
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.case import NO_ROUTE, GatewayCase, as_text
from support.gateway import api, config, mock as mocked, route
from support.process import run

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signed(
    method,
    url,
    body=b"",
    headers=None,
    key=KEY,
    secret=SECRET,
    region="us-east-1",
    service="execute-api",
    token=None,
    late=0,
    query=None,
):
    """What botocore sends: target and headers. `query`: seconds that a signed URL is good for."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    credentials = Credentials(key, secret, token)
    if query is None:
        signer = botocore.auth.SigV4Auth(credentials, service, region)
    else:
        signer = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=query)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(seconds=late)
    with clock_at(now):
        signer.add_auth(request)
    return request.url.split("/", 3)[3], list(request.headers.items())


def clock_at(now):
    """botocore's clock, whatever its version reads it by."""
    if hasattr(botocore.auth, "get_current_datetime"):
        return mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: now)
    clock = mock.Mock(wraps=datetime)
    clock.datetime = mock.Mock(wraps=datetime.datetime, utcnow=lambda: now)
    return mock.patch("botocore.auth.datetime", clock)


class Iam(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from support.upstream import Upstream

        cls.backend = cls.share(Upstream())
        routes = [
            route("ANY /items", f"{cls.backend.url}/items", "AWS_IAM"),
            route("ANY /files/{proxy+}", cls.backend.url + "/files/{proxy}", "AWS_IAM"),
            mocked("ANY /mock", "AWS_IAM"),
            route("GET /open", cls.backend.url, "NONE"),
        ]
        keys = [
            {"accessKeyId": KEY, "secretAccessKey": SECRET, "principalId": "alice"},
            {"accessKeyId": "AKIDBOB", "secretAccessKey": "bob", "principalId": "bob"},
        ]
        document = config(
            api(routes, authorizers={}, contextHeaders={"requestContext": True}),
            accessKeys=keys,
            accessLog={"format": "$context.requestId $context.identity.accessKey $context.identity.user $context.error.message"},
        )
        cls.gateway = cls.share_gateway(document)

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def send(self, method="GET", path="/items", body=b"", sent=None, tamper=None, **options):
        target, headers = signed(method, self.gateway.url + path, body, **options)
        target = "/" + target
        if tamper:
            target, headers = tamper(target, headers)
        host = [value for name, value in headers if name.lower() == "host"]
        headers = [(name, value) for name, value in headers if name.lower() not in ("host", "content-length")]
        content = body if sent is None else sent
        return self.gateway.request(
            method, target, headers, content or None, host=host[0] if host else f"127.0.0.1:{self.gateway.port}"
        )

    def assert_refused(self, answer, error_type, words):
        self.assert_status(answer, 403)
        self.assertEqual([error_type], answer.all("x-amzn-ErrorType"), repr(answer))
        message = json.loads(answer.body)["message"]
        self.assertIn(words, message)
        self.assert_untouched(self.backend)
        trace = as_text(self.gateway.trace(answer))
        self.assertNotIn(SECRET, message + trace + self.gateway.log())
        return message

    def test_what_botocore_signs_passes(self):
        for name, options in (
            ("get", {}),
            ("query", {"path": "/items?b=2&a=1&a=0&c=%20%2B~"}),
            ("encoded path", {"path": "/files/a%20b/%E1%88%B4/c%2Fd"}),
            ("path with what a path may hold", {"path": "/files/x:y@z$,=!*'()"}),
            ("post", {"method": "POST", "body": b'{"a":1}', "headers": {"Content-Type": "application/json"}}),
            ("large", {"method": "PUT", "body": bytes(range(256)) * 4096}),
            ("spaces in a header", {"headers": {"X-Note": "a   b  c"}}),
            ("almost late", {"late": 280}),
            ("signed URL", {"path": "/items?x=1", "query": 60}),
            ("signed URL long after", {"path": "/items", "query": 7200, "late": 3600}),
        ):
            with self.subTest(name):
                self.backend.clear()
                self.assert_status(self.send(**options), 200)
                request = self.backend.one()
                self.assertEqual(options.get("body", b""), request.body)
                self.assertEqual([], request.all("Authorization"), "the signature is the gateway's")
                identity = json.loads(request.all("x-amzn-request-context")[0])["identity"]
                self.assertEqual(
                    (KEY, "123456789012", "alice", "alice", "arn:aws:iam::123456789012:user/alice"),
                    tuple(identity[name] for name in ("accessKey", "accountId", "caller", "user", "userArn")),
                )

    def test_chunked_content_is_signed_too(self):
        body = b"hello world"
        target, headers = signed("POST", self.gateway.url + "/items", body)
        kept = "".join(f"{n}: {v}\r\n" for n, v in headers if n.lower() not in ("host", "content-length"))
        head = f"POST /{target} HTTP/1.1\r\nHost: 127.0.0.1:{self.gateway.port}\r\n{kept}Transfer-Encoding: chunked\r\n\r\n"
        for chunks, status in ((b"6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n", 200), (b"5\r\nhello\r\n0\r\n\r\n", 403)):
            self.backend.clear()
            with self.gateway.connect() as client:
                client.send(head.encode() + chunks)
                self.assert_status(client.read("POST"), status)
            if status == 200:
                request = self.backend.one()
                self.assertEqual((body, [str(len(body))]), (request.body, request.all("Content-Length")))
            else:
                self.assert_untouched(self.backend)

    def test_a_replay_within_the_window_passes_as_with_the_service(self):
        target, headers = signed("GET", self.gateway.url + "/items")
        headers = [(name, value) for name, value in headers if name.lower() != "host"]
        with self.gateway.connect() as client:
            for _ in range(3):
                host = f"127.0.0.1:{self.gateway.port}"
                self.assert_status(client.exchange("GET", "/" + target, headers, host=host), 200)

    def test_what_is_signed_is_what_runs(self):
        with self.subTest("a value that others would split"):
            target, headers = signed("GET", self.gateway.url + "/items?f=1%3Badmin%3D1", query=60)
            kept = [(name, value) for name, value in headers if name.lower() != "host"]
            host = f"127.0.0.1:{self.gateway.port}"
            self.assert_status(self.gateway.request("GET", "/" + target, kept, host=host), 200)
            self.backend.clear()
            split = "/" + target.replace("%3Badmin%3D1", ";admin=1")
            self.assertIn(";admin=1", split)
            self.assert_refused(
                self.gateway.request("GET", split, kept, host=host), "IncompleteSignatureException", "percent-encoded"
            )
        with self.subTest("a method that another stands in for"):
            document = config(
                api([mocked("GET /x", "AWS_IAM"), mocked("DELETE /x", "AWS_IAM")], authorizers={}, methodOverride=True),
                accessKeys=[{"accessKeyId": KEY, "secretAccessKey": SECRET, "principalId": "alice"}],
            )
            gateway = self.start(document)
            name = "X-HTTP-Method-Override"
            for sign, status in (({name: "DELETE"}, 200), ({}, 403)):
                target, headers = signed("GET", gateway.url + "/x", headers=sign)
                kept = [(n, v) for n, v in headers if n.lower() not in ("host", name.lower())]
                answer = gateway.request(
                    "GET", "/" + target, kept + [(name, "DELETE")], host=f"127.0.0.1:{gateway.port}"
                )
                self.assert_status(answer, status)
            self.assertIn("must be a 'SignedHeader'", json.loads(answer.body)["message"])

    def test_one_connection_for_many_requests_with_content(self):
        host = f"127.0.0.1:{self.gateway.port}"
        with self.gateway.connect() as client:
            for path, sent, status in (
                ("/items", b"hello", 200),
                ("/items", b"hellO", 403),
                ("/mock", b"hello", 200),
                ("/mock", b"hellO", 403),
                ("/items", b"hello", 200),
            ):
                target, headers = signed("POST", self.gateway.url + path, b"hello")
                headers = [(n, v) for n, v in headers if n.lower() not in ("host", "content-length")]
                self.assert_status(client.exchange("POST", "/" + target, headers, sent, host=host), status)
        self.assertEqual([b"hello", b"hello"], [request.body for request in self.backend.requests])

    def test_content_that_waits_to_be_asked_for(self):
        # A known key is asked for its content; an unknown one, or none, is refused without it.
        for key, line in ((KEY, "HTTP/1.1 100 Continue"), ("AKIDEVE", "HTTP/1.1 403 Forbidden")):
            target, headers = signed("POST", self.gateway.url + "/items", b"hello", key=key)
            fields = "".join(f"{n}: {v}\r\n" for n, v in headers if n.lower() not in ("host", "content-length"))
            host = f"Host: 127.0.0.1:{self.gateway.port}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
            with self.gateway.connect() as client:
                client.send(f"POST /{target} HTTP/1.1\r\n{host}{fields}\r\n".encode())
                self.assertEqual(line.encode(), client.reader.until(b"\r\n\r\n").split(b"\r\n")[0])
                if key == KEY:
                    client.send(b"hello")
                    self.assert_status(client.read("POST"), 200)
        self.assertEqual([b"hello"], [request.body for request in self.backend.requests])

    def test_tampering(self):
        def header(name, value):
            def change(target, headers):
                return target, [(n, value if n.lower() == name else v) for n, v in headers]

            return change

        mismatch = "The request signature we calculated does not match"
        for name, options, words in (
            ("body", {"method": "POST", "body": b"hello", "sent": b"hellO"}, mismatch),
            ("body away", {"method": "POST", "body": b"hello", "sent": b""}, mismatch),
            ("body added", {"method": "POST", "sent": b"x"}, mismatch),
            ("path", {"tamper": lambda t, h: (t.replace("items", "files/x"), h)}, mismatch),
            ("query", {"tamper": lambda t, h: (t + "?admin=1", h)}, mismatch),
            ("signed header", {"headers": {"X-Note": "a"}, "tamper": header("x-note", "b")}, mismatch),
            ("host", {"tamper": lambda t, h: (t, [*h, ("Host", "evil.example")])}, mismatch),
            ("secret", {"secret": "another"}, mismatch),
            ("another's key", {"key": "AKIDBOB"}, mismatch),
            ("signed URL's query", {"query": 60, "tamper": lambda t, h: (t + "&admin=1", h)}, mismatch),
            (
                "signed URL's life",
                {"query": 60, "late": 90, "tamper": lambda t, h: (t.replace("Expires=60", "Expires=6000"), h)},
                mismatch,
            ),
            (
                "an x-amz header added",
                {"tamper": lambda t, h: (t, [*h, ("X-Amz-Target", "x")])},
                "'X-Amz-Target' must be a 'SignedHeader'",
            ),
        ):
            with self.subTest(name):
                self.assert_refused(self.send(**options), "InvalidSignatureException", words)

    def test_windows_scopes_and_keys(self):
        for name, options, error_type, words in (
            ("expired", {"late": 301}, "InvalidSignatureException", "Signature expired: "),
            ("of the future", {"late": -310}, "InvalidSignatureException", "Signature not yet current: "),
            ("signed URL expired", {"query": 5, "late": 10}, "InvalidSignatureException", "Signature expired: "),
            ("region", {"region": "eu-west-1"}, "InvalidSignatureException", "valid region, not 'eu-west-1'"),
            ("service", {"service": "s3x"}, "InvalidSignatureException", "correct service: 'execute-api'"),
            ("key", {"key": "AKIDEVE"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
            ("session", {"token": "abc"}, "UnrecognizedClientException", "The security token included in the request is invalid."),
        ):
            with self.subTest(name):
                self.assert_refused(self.send(**options), error_type, words)

    def test_no_signature_and_half_a_one(self):
        bare = self.gateway.get("/items")
        self.assert_error(bare, 403, NO_ROUTE, "MissingAuthenticationTokenException")
        self.assert_refused(self.gateway.get("/items", "abc"), "IncompleteSignatureException", "missing equal-sign")
        _, headers = signed("GET", self.gateway.url + "/items")
        date = [(n, v) for n, v in headers if n.lower() == "x-amz-date"]
        whole = dict((n.lower(), v) for n, v in headers)["authorization"]
        for left_out in ("Credential", "SignedHeaders", "Signature"):
            half = "AWS4-HMAC-SHA256 " + ", ".join(
                part for part in whole.split(" ", 1)[1].split(", ") if not part.startswith(left_out + "=")
            )
            answer = self.gateway.get("/items", headers=[("Authorization", half), *date])
            self.assert_refused(answer, "IncompleteSignatureException", f"requires '{left_out}' parameter.")
        self.assert_refused(
            self.gateway.get("/items", headers=[("Authorization", whole)]), "IncompleteSignatureException", "'X-Amz-Date'"
        )
        self.assert_status(self.gateway.get("/open"), 200)

    def test_the_canonical_string_is_told_and_no_log_has_it(self):
        answer = self.send(headers={"X-Note": "n0te-for-nobody"}, secret="wrong")
        message = self.assert_refused(answer, "InvalidSignatureException", "The Canonical String for this request")
        canonical = message.split("should have been\n'", 1)[1].split("'\n\nThe String-to-Sign", 1)[0]
        lines = canonical.split("\n")
        self.assertEqual(["GET", "/items", ""], lines[:3])
        self.assertEqual(hashlib.sha256(b"").hexdigest(), lines[-1])
        self.assertIn("x-note:n0te-for-nobody", lines)
        self.assertIn(hashlib.sha256(canonical.encode()).hexdigest(), message)
        self.gateway.trace(answer)
        self.assertNotIn("n0te-for-nobody", self.gateway.log() + "\n".join(self.gateway.access_log()))

    def test_curl_signs_too(self):
        if not shutil.which("curl"):
            self.skipTest("no curl")
        done = run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--aws-sigv4", "aws:amz:us-east-1:execute-api"]
            + ["--user", f"{KEY}:{SECRET}", "-d", "a=1", self.gateway.url + "/items"]
        )
        self.assertEqual("200", done.stdout)


if __name__ == "__main__":
    unittest.main()
