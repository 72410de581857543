"""HTTP APIs: routes and $default, errors, JWT and Lambda authorizers, payloads 1.0 and 2.0, parameter mapping, CORS."""

import json
import pathlib
import time
import unittest

from support.case import GatewayCase
from support.gateway import ROOT, api, config, route
from support.issuer import Issuer
from support.nginx import Nginx
from support.oidc import OidcProvider
from support.process import wait_for
from support.tokens import AUDIENCE, Key, bearer, default_claims, ec_key, encode, hs256, mint, rsa_key
from support.upstream import answer

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
NODE_RUNTIME = str(ROOT / "tests" / "integration" / "node_modules" / ".bin" / "aws-lambda-ric")
AUTHZ = "arn:aws:lambda:us-east-1:123456789012:function:authz"
BACKEND = "arn:aws:lambda:us-east-1:123456789012:function:backend"
TEXTS = {
    400: b'{"message":"Bad Request"}',
    401: b'{"message":"Unauthorized"}',
    403: b'{"message":"Forbidden"}',
    404: b'{"message":"Not Found"}',
    413: b'{"message":"Request Entity Too Large"}',
    429: b'{"message":"Too Many Requests"}',
    500: b'{"message":"Internal Server Error"}',
    503: b'{"message":"Service Unavailable"}',
}


def http_api(routes, authorizers=None, **changes):
    return api(routes, authorizers=authorizers or {}, **({"protocolType": "HTTP"} | changes))


def jwt(issuer, source="$request.header.Authorization", audience=(AUDIENCE,), **changes):
    return {
        "type": "JWT",
        "identitySource": [source],
        "jwtConfiguration": {"issuer": issuer, "audience": list(audience)} | changes,
    }


def invalid(description, scope=""):
    return f'Bearer scope="{scope}" error="invalid_token" error_description="{description}"'


class HttpApiCase(GatewayCase):
    def gate(self, routes, authorizers=None, functions=None, files=None, **changes):
        more = {"functions": functions} if functions else {}
        return self.start(config(http_api(routes, authorizers, **changes), **more), files=files)

    def assert_http_error(self, response, status, challenge=None, typed=None):
        """An HTTP API's own answer: section 10.1 of the facts, to the byte, and no header of a REST API."""
        self.assert_status(response, status)
        self.assertEqual(TEXTS[status], response.body)
        typed = not (challenge is not None and status == 401) if typed is None else typed
        names = ["apigw-requestid", "connection", "content-length", "date"]
        names += ["content-type"] if typed else []
        names += ["www-authenticate"] if challenge is not None else []
        self.assertEqual(sorted(names), sorted(name.lower() for name in response.names()))
        if typed:
            self.assertEqual(["application/json"], response.all("content-type"))
        self.assertEqual([str(len(response.body))], response.all("content-length"))
        self.assertEqual([] if challenge is None else [challenge], response.all("www-authenticate"))
        self.assertRegex(response.get("apigw-requestid"), r"\A[-A-Za-z0-9+/_]{15}=\Z")


class Routes(HttpApiCase):
    def test_precedence_and_the_default_route(self):
        upstream = self.upstream()
        gateway = self.gate(
            [
                route("GET /pets/dog/1", f"{upstream.url}/one", "NONE"),
                route("GET /pets/dog/{id}", f"{upstream.url}/two/{{id}}", "NONE"),
                route("GET /pets/{proxy+}", f"{upstream.url}/three/{{proxy}}", "NONE"),
                route("ANY /{proxy+}", f"{upstream.url}/four/{{proxy}}", "NONE"),
                route("$default", f"{upstream.url}/five", "NONE"),
                route("GET /{a}/full/match", f"{upstream.url}/six", "NONE"),
                route("GET /greedy/{proxy+}", f"{upstream.url}/seven", "NONE"),
            ]
        )
        for method, path, wanted in (
            ("GET", "/pets/dog/1", "/one"),
            ("GET", "/pets/dog/2", "/two/2"),
            ("GET", "/pets/cat/1", "/three/cat/1"),
            ("POST", "/test/5", "/four/test/5"),
            ("GET", "/", "/five/"),
            ("PURGE", "/pets/dog/1?x=1", "/five/pets/dog/1?x=1"),
            ("GET", "/greedy/full/match", "/six"),  # a match without {proxy+} goes first
            ("GET", "/pets%2Fdog%2F1", "/one"),  # %2F is decoded before routing
            ("GET", "/pets/a%2Fb%20c", "/three/a/b%20c"),
        ):
            with self.subTest(f"{method} {path}"):
                upstream.clear()
                self.assert_status(gateway.request(method, path), 200)
                self.assertEqual(wanted, upstream.one().target)

    def test_what_no_route_takes_is_404(self):
        upstream = self.upstream()
        gateway = self.gate([route("GET /a", upstream.url, "NONE")], basePath="/prod", stageName="prod")
        for method, path in (("GET", "/prod/b"), ("POST", "/prod/a"), ("OPTIONS", "/prod/a"), ("GET", "/prod")):
            with self.subTest(f"{method} {path}"):
                self.assert_http_error(gateway.request(method, path), 404)
        self.assert_status(gateway.get("/prod/a"), 200)
        self.assert_untouched_but(upstream, 1)

    def assert_untouched_but(self, upstream, count):
        self.assertEqual(count, len(upstream.requests))

    def test_paths_that_two_readers_could_take_differently(self):
        upstream = self.upstream()
        gateway = self.gate(
            [route("ANY /{proxy+}", f"{upstream.url}/{{proxy}}", "jwt"), route("GET /open", upstream.url, "NONE")],
            {"jwt": jwt("https://issuer.example/", jwksUri="file:jwks.json")},
        )
        for path in ("/a/../b", "/a%2F..%2Fopen", "/a%2F%2Fb", "/%2Fa", "/a/%2E%2E/open", "/a%5Cb", "/a;x/b", "/a%00"):
            with self.subTest(path):
                self.assert_status(gateway.get(path, token=mint()), 400)
        self.assertEqual(b'{"message":"Bad Request"}', gateway.get("/a;x", token=mint()).body)
        self.assert_untouched(upstream)

    def test_a_decoded_slash_cannot_leave_its_api(self):
        inner, outer = self.upstream(), self.upstream()
        gateway = self.start(
            config(
                http_api([route("$default", outer.url, "NONE")], name="outer", apiId="outer"),
                http_api([route("$default", inner.url, "NONE")], name="inner", apiId="inner", basePath="/inner"),
            )
        )
        self.assert_http_error(gateway.get("/inner%2Fx"), 400)
        self.assert_status(gateway.get("/inner/x"), 200)
        self.assertEqual("/x", inner.one().target)
        self.assert_untouched(outer)

    def test_heads_that_backends_and_clients_get(self):
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: s\r\nDate: yesterday\r\nWWW-Authenticate: Basic\r\n"
        reply += b"apigw-requestid: forged\r\nKeep-Alive: x\r\n\r\nok"
        upstream = self.upstream(respond=lambda request: reply)
        gateway = self.gate([route("ANY /a", f"{upstream.url}/a", "NONE")])
        response = gateway.get(
            "/a",
            headers={
                "X-Forwarded-For": "203.0.113.9, evil;for=1, 2001:db8::1",
                "X-Forwarded-Proto": "https",
                "Forwarded": "for=6.6.6.6",
                "Via": "1.0 x",
                "x_forwarded_for": "1.1.1.1",
            },
        )
        request = upstream.one()
        self.assertEqual(["HTTP/1.1 AmazonAPIGateway"], request.all("Via"))
        self.assertEqual(
            ['for=203.0.113.9, for="[2001:db8::1]", for=127.0.0.1;host=127.0.0.1;proto=http'],
            request.all("Forwarded"),
        )
        for name in ("X-Forwarded-For", "X-Forwarded-Proto", "x_forwarded_for", "X-Amzn-Apigateway-Api-Id", "User-Agent"):
            self.assertEqual([], request.all(name), name)
        self.assertRegex(request.get("X-Amzn-Trace-Id"), r"\ARoot=1-")
        self.assertEqual(["0"], request.all("Content-Length"))
        self.assertEqual(["Basic"], response.all("WWW-Authenticate"))
        self.assertEqual(["s"], response.all("Server"))
        self.assertEqual(1, len(response.all("apigw-requestid")))
        self.assertNotEqual("forged", response.get("apigw-requestid"))
        self.assertNotIn("yesterday", response.all("Date"))
        for name in ("x-amzn-RequestId", "x-amz-apigw-id", "Keep-Alive", "x-amzn-Remapped-Server"):
            self.assertEqual([], response.all(name), name)

    def test_backends_that_fail(self):
        nonsense = self.upstream(respond=lambda request: b"nonsense\r\n\r\n")
        silent = self.upstream()
        silent.script = lambda connection: connection.read() and silent.hold()
        gateway = self.gate(
            [
                route("GET /away", "http://127.0.0.1:1/", "NONE"),
                route("GET /nonsense", nonsense.url, "NONE"),
                route("GET /silent", silent.url, "NONE", timeoutInMillis=60),
            ]
        )
        for path, status in (("/away", 503), ("/nonsense", 500), ("/silent", 503)):
            with self.subTest(path):
                self.assert_http_error(gateway.get(path), status)

    def test_a_real_backend(self):
        nginx = self.using(Nginx(files={"hello.txt": b"hello from nginx"}))
        gateway = self.gate([route("$default", nginx.url, "NONE")])
        response = gateway.get("/hello.txt")
        self.assertEqual((200, b"hello from nginx"), (response.status, response.body))
        self.assertRegex(response.get("apigw-requestid"), r"=\Z")


class Jwt(HttpApiCase):
    def test_every_refusal_and_its_challenge(self):
        issuer = self.using(Issuer(rsa_key()))
        upstream = self.upstream()
        gateway = self.gate(
            [
                route("GET /a", f"{upstream.url}/a", "jwt"),
                route("GET /s", f"{upstream.url}/s", "jwt", scopes=["items:read", "items:admin"]),
                route("GET /q", f"{upstream.url}/q", "query"),
            ],
            {"jwt": jwt(issuer.issuer), "query": jwt(issuer.issuer, "$request.querystring.token")},
        )
        now = int(time.time())
        good = {"iss": issuer.issuer}
        for name, token, challenge in (
            ("no JWT", "abc", invalid("token contains an invalid number of segments")),
            ("two parts", "a.b", invalid("token contains an invalid number of segments")),
            ("audience", mint(**good, aud="other"), invalid("the token does not have a valid audience")),
            ("no audience", mint(**good, aud=None), invalid("the token does not have a valid audience")),
            ("expired", mint(**good, exp=now - 1), invalid("the token has expired")),
            ("issuer", mint(iss=issuer.issuer + "/"), invalid("issuer does not match")),
            ("signature", mint(**good)[:-6] + "AAAAAA", invalid("signature is invalid")),
            ("nbf", mint(**good, nbf=now + 600), invalid("the token is not valid yet")),
        ):
            with self.subTest(name):
                self.assert_http_error(gateway.get("/a", token=token), 401, challenge)
        self.assert_http_error(gateway.get("/a"), 401, "Bearer")
        self.assert_http_error(gateway.get("/a", headers=[("Authorization", ""), ]), 401, "Bearer")
        self.assert_http_error(
            gateway.get("/a", headers={"Authorization": "Basic abc"}),
            401,
            invalid("token contains an invalid number of segments"),
        )
        token = mint(**good, scope="items:write")
        self.assert_status(gateway.get("/a", token=token), 200)
        self.assert_http_error(
            gateway.get("/s", token=token),
            403,
            'Bearer scope="items:read items:admin" error="insufficient_scope" '
            'error_description="the token does not have a required scope"',
        )
        self.assert_http_error(
            gateway.get("/s", token=mint(**good, exp=now - 1)),
            401,
            invalid("the token has expired", "items:read items:admin"),
        )
        self.assert_status(gateway.get("/s", token=mint(**good, scope="x items:read")), 200)
        self.assert_status(gateway.get("/s", token=mint(**good, scp=["items:admin"])), 200)
        # Bare, or behind Bearer in any case; from the query; client_id where there is no aud; no sub.
        self.assert_status(gateway.get("/a", headers={"Authorization": mint(**good)}), 200)
        self.assert_status(gateway.get("/a", headers={"Authorization": "bearer " + mint(**good)}), 200)
        self.assert_status(gateway.get("/q?token=" + mint(**good)), 200)
        self.assert_http_error(gateway.get("/q", token=mint(**good)), 401, "Bearer")
        self.assert_status(gateway.get("/a", token=mint(**good, aud=None, client_id=AUDIENCE)), 200)
        self.assert_http_error(
            gateway.get("/a", token=mint(**good, aud="x", client_id=AUDIENCE)),
            401,
            invalid("the token does not have a valid audience"),
        )
        self.assert_status(gateway.get("/a", token=mint(**good, sub=None)), 200)

    def test_keys_and_algorithms(self):
        """Section 10.2: RSA alone, by the key that the header names, and never without an end."""
        key, second, other = rsa_key(), rsa_key("key-2"), ec_key()
        issuer = self.using(Issuer(key, second, other))
        upstream = self.upstream()
        gateway = self.gate([route("GET /a", f"{upstream.url}/a", "jwt")], {"jwt": jwt(issuer.issuer)})
        claims = default_claims({"iss": issuer.issuer})
        no_key, no_method = "unable to find a signing key that matches", "signing method is invalid"
        for name, token, description in (
            ("unknown kid", mint(key.as_(kid="key-3"), iss=issuer.issuer), no_key),
            ("kid in another case", mint(key.as_(kid="KEY-1"), iss=issuer.issuer), no_key),
            ("no kid", mint(header={"kid": None}, iss=issuer.issuer), "the token does not have a key ID"),
            ("kid of another key", mint(key.as_(kid=second.kid), iss=issuer.issuer), "signature is invalid"),
            ("kid of a key of another kind", mint(key.as_(kid=other.kid), iss=issuer.issuer), no_key),
            ("ES256", mint(other, iss=issuer.issuer), no_method),
            ("PS256", mint(key.as_("PS256"), iss=issuer.issuer), no_method),
            ("EdDSA", mint(Key.ed(key.kid), iss=issuer.issuer), no_method),
            ("HS256 with the public key", hs256(key.public_pem(), claims, key.kid), no_method),
            ("none", encode({"alg": "none", "kid": key.kid}, claims, lambda _: b""), no_method),
            ("RS256 in lower case", mint(header={"alg": "rs256"}, iss=issuer.issuer), no_method),
            ("no exp", mint(iss=issuer.issuer, exp=None), "the token does not have an expiration time"),
            ("exp as text", mint(iss=issuer.issuer, exp=str(claims["exp"])), "the token claims are invalid"),
            ("iat to come", mint(iss=issuer.issuer, iat=claims["iat"] + 600), "the token was issued in the future"),
        ):
            with self.subTest(name):
                self.assert_http_error(gateway.get("/a", token=token), 401, invalid(description))
        self.assert_untouched(upstream)
        for good in (key, second):
            self.assert_status(gateway.get("/a", token=mint(good, iss=issuer.issuer)), 200)

    def test_a_real_provider_through_discovery(self):
        provider = self.using(OidcProvider())
        upstream = self.upstream()
        gateway = self.gate(
            [
                route("GET /r", f"{upstream.url}/r", "jwt", scopes=["items:read"]),
                route("GET /w", f"{upstream.url}/w", "jwt", scopes=["items:write"]),
            ],
            {"jwt": jwt(provider.issuer, audience=("api://users",), jwks={"cooldownInSeconds": 1})},
        )
        token = provider.token("items:read")
        self.assert_status(gateway.get("/r", token=token), 200)
        self.assertEqual(403, gateway.get("/w", token=token).status)
        self.assertEqual(["machine"], upstream.one().all("X-Authorizer-Principal-Id"))
        provider.rotate()
        rotated = provider.token("items:write")
        wait_for(lambda: gateway.get("/w", token=rotated).status == 200, "the new key to be known")

    def test_the_caller_cannot_name_himself(self):
        upstream = self.upstream()
        gateway = self.gate(
            [
                route(
                    "GET /a",
                    f"{upstream.url}/a",
                    "jwt",
                    requestParameters={
                        "overwrite:header.X-User": "$context.authorizer.claims.sub",
                        "append:header.X-Tenant": "$context.authorizer.claims.tenant",
                    },
                ),
                route("GET /open", f"{upstream.url}/open", "NONE"),
            ],
            {"jwt": jwt("https://issuer.example/", jwksUri="file:jwks.json")},
        )
        forged = {"X-User": "root", "x_user": "root", "X-Tenant": "t", "X-Authorizer-Principal-Id": "root"}
        for path in ("/a", "/open"):
            upstream.clear()
            token = mint(iss="https://issuer.example/", sub="alice")
            self.assert_status(gateway.get(path, token=token, headers=forged), 200)
            request = upstream.one()
            self.assertEqual(["alice"] if path == "/a" else [], request.all("X-User"))
            for name in ("x_user", "X-Tenant"):
                self.assertEqual([], request.all(name), name)
            self.assertEqual(["alice"] if path == "/a" else [], request.all("X-Authorizer-Principal-Id"))

    def test_answers_are_mapped_by_their_status(self):
        def respond(request):
            status = request.target.rpartition("=")[2]
            framing = "none" if status in ("204", "304") else "length"
            headers = [("X-Kind", "a"), ("X-Kind", "b"), ("X-Secret", "s"), ("Location", "/x")]
            return answer(b"" if framing == "none" else b"body", f"{status} Said", headers, framing)

        upstream = self.upstream(respond=respond)
        parameters = {
            "200": {
                "append:header.X-Kind": "$context.stage",
                "overwrite:header.Location": "${response.header.Location}?from=${stageVariables.v}",
                "remove:header.X-Secret": "''",
                "append:header.X-Gone": "$response.header.nothing",
            },
            "204": {"overwrite:statuscode": "200"},
            "404": {"overwrite:statuscode": "403", "overwrite:header.X-Kind": "$response.header.X-Kind"},
        }
        gateway = self.gate(
            [route("GET /a", f"{upstream.url}/a", "NONE", responseParameters=parameters)], stageVariables={"v": "w"}
        )
        rows = (
            # the backend's status, the client's, X-Kind, X-Secret, Location, content
            ("200", 200, ["a", "b", "$default"], [], ["/x?from=w"], b"body"),
            ("204", 200, ["a", "b"], ["s"], ["/x"], b""),
            ("404", 403, ["a, b"], ["s"], ["/x"], b"body"),
            ("500", 500, ["a", "b"], ["s"], ["/x"], b"body"),
            ("304", 304, ["a", "b"], ["s"], ["/x"], b""),
        )
        with gateway.connect() as client:  # one connection: each answer ends where it says
            for sent, status, kinds, secrets, locations, content in rows:
                for method in ("GET",):
                    with self.subTest(method + " " + sent):
                        response = client.exchange(method, "/a?s=" + sent)
                        self.assertEqual((status, content), (response.status, response.body))
                        self.assertEqual(kinds, response.all("X-Kind"))
                        self.assertEqual(secrets, response.all("X-Secret"))
                        self.assertEqual(locations, response.all("Location"))
                        self.assertEqual([], response.all("X-Gone"))
        self.assertEqual(
            [(int(sent), status) for sent, status, *_ in rows],
            [(record["upstreamStatus"], record["status"]) for record in self.statuses(gateway, len(rows))],
        )

    def statuses(self, gateway, count):
        traces = json.loads(gateway.admin("GET", f"/traces?limit={count}").body)["traces"]
        found = []
        for trace in reversed(traces):
            steps = {step["step"]: step for step in trace["steps"]}
            found.append({"status": trace["status"], "upstreamStatus": steps["upstream"]["status"]})
        return found

    def test_rest_apis_have_the_type_too(self):
        issuer = self.using(Issuer(rsa_key()))
        upstream = self.upstream()
        native = {
            "type": "JWT",
            "identitySource": "method.request.header.Authorization",
            "jwtConfiguration": {
                "defaultAlgorithms": ["RS256"],
                "issuers": [{"issuer": issuer.issuer, "audiences": [AUDIENCE]}],
            },
        }
        parameters = {
            "integration.request.header.X-Sub": "context.authorizer.claims.sub",
            "integration.request.header.X-Exp": "context.authorizer.claims.n",
        }
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /a", f"{upstream.url}/a", "jwt", requestParameters=parameters),
                        route("GET /s", f"{upstream.url}/s", "jwt", scopes=["items:read"]),
                    ],
                    authorizers={"jwt": native},
                )
            )
        )
        token = mint(iss=issuer.issuer, n=42, sub="user-1")
        self.assert_status(gateway.get("/a", token=token), 200)
        self.assertEqual(['"user-1"'], upstream.one().all("X-Sub"))  # JSON text, quotes included
        self.assertEqual(["42"], upstream.one().all("X-Exp"))
        self.assert_unauthorized(gateway.get("/a"))
        self.assert_unauthorized(gateway.get("/a", token=token[:-4] + "AAAA"))
        self.assert_denied(gateway.get("/s", token=token))


# What the function does is told by a header; each call is noted in a file.
HANDLER = '''
import json, time

def note(event):
    with open("events.jsonl", "a") as file:
        file.write(json.dumps(event) + "\\n")

def policy(effect, resource):
    return {"Version": "2012-10-17", "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}

def authorize(event, headers):
    note(event)
    what = event["headers"].get("x-what") or event["headers"].get("X-What") or "allow"
    arn = event.get("routeArn") or event.get("methodArn")
    context = {"k": "v", "n": 1, "b": True}
    rich = context | {"list": [1, {"a": 2}], "map": {"x": "y"}}
    allow = {"principalId": "u1", "policyDocument": policy("Allow", arn), "context": context}
    replies = {
        "deny": {"principalId": "u1", "policyDocument": policy("Deny", "*")},
        "nothing": {"principalId": "u1", "policyDocument": {"Version": "2012-10-17", "Statement": []}},
        "simple": {"isAuthorized": True, "context": rich},
        "simple-deny": {"isAuthorized": False},
        "simple-text": {"isAuthorized": "true"},
        "simple-false-text": {"isAuthorized": "false"},
        "rich": allow | {"context": rich},
        "null": None, "text": "yes", "list": [], "empty": {},
    }
    if what == "unauthorized": raise Exception("Unauthorized")
    if what == "raise": raise ValueError("broken")
    if what == "wait": open("released").close()  # a FIFO: until somebody opens its other end
    return replies.get(what, allow)

def answer(event, headers):
    note(event)
    path = event.get("rawPath") or event.get("path")
    replies = {
        "/json": {"hello": "world"},
        "/text": "hello",
        "/cookies": {"statusCode": 201, "cookies": ["a=1", "b=2"], "body": "made"},
        "/bytes": {"statusCode": 200, "isBase64Encoded": True, "headers": {"content-type": "image/png"}, "body": "AAECAw=="},
        "/cors": {"statusCode": 200, "headers": {"access-control-allow-origin": "https://evil.example"}, "body": "x"},
        "/status": {"statusCode": "abc"},
    }
    if path == "/raise": raise ValueError("broken")
    if path == "/sleep": time.sleep(60)
    return replies.get(path, {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)})
'''


def function(handler, **changes):
    return {"command": ["/usr/bin/python3", RUNTIME, f"handler.{handler}"], "directory": "."} | changes


def request_authorizer(version="2.0", **changes):
    return {"type": "REQUEST", "authorizerUri": AUTHZ, "authorizerPayloadFormatVersion": version} | changes


class FunctionCase(HttpApiCase):
    def events(self, gateway):
        path = pathlib.Path(gateway.folder.path) / "events.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Throttles(HttpApiCase):
    def test_of_a_route_and_of_the_api(self):
        """Sections 10.1 and 16: 429 after the authorizer, with no header that a REST API has, and none that says when."""
        upstream = self.upstream()
        once = {"rateLimit": 0, "burstLimit": 1}
        routes = [route(f"GET /{name}", f"{upstream.url}/{name}", "jwt") for name in ("a", "b")]
        authorizers = {"jwt": jwt("https://issuer.example/", jwksUri="file:jwks.json")}
        for name, gateway, free in (
            ("route", self.gate([routes[0] | {"throttle": once}, routes[1]], authorizers), "/b"),
            ("API", self.gate(routes, authorizers, throttle=once), None),
        ):
            with self.subTest(name):
                upstream.clear()
                self.assert_status(gateway.get("/a", token=mint()), 200)
                for method, path in (("GET", "/a"), ("GET", "/a"), ("GET", "/b")):
                    response = gateway.request(method, path, bearer(mint()))
                    if path == free:
                        self.assert_status(response, 200)
                        continue
                    self.assert_http_error(response, 429)
                    self.assertEqual("HTTP/1.1 429 Too Many Requests", response.start_line)
                self.assert_http_error(gateway.get("/a"), 401, "Bearer")
                self.assertEqual(1 + (free is not None), len(upstream.requests))


class LambdaAuthorizers(FunctionCase):
    def gate(self, authorizers, routes=None, concurrency=1, timeoutInMillis=2000, **changes):
        self.backend = self.upstream()
        routes = routes or [route("ANY /{proxy+}", f"{self.backend.url}/{{proxy}}", next(iter(authorizers)))]
        return super().gate(
            routes,
            authorizers,
            functions={"authz": function("authorize", concurrency=concurrency, timeoutInMillis=timeoutInMillis)},
            files={"handler.py": HANDLER},
            **changes,
        )

    def assert_outcomes(self, gateway, rows):
        for what, status in rows:
            with self.subTest(what):
                self.backend.clear()
                response = gateway.get("/a", headers={"X-What": what})
                if status == 200:
                    self.assert_status(response, 200)
                else:
                    self.assert_http_error(response, status)
                    self.assert_untouched(self.backend)

    def test_outcomes_of_policies(self):
        rows = (
            ("allow", 200),
            ("deny", 403),
            ("nothing", 403),
            ("simple", 500),  # without the flag
            ("unauthorized", 401),
            ("raise", 500),
            ("null", 500),
            ("text", 500),
            ("list", 500),
            ("empty", 500),
        )
        self.assert_outcomes(self.gate({"fn": request_authorizer("1.0")}), (*rows, ("rich", 500)))
        self.assert_outcomes(self.gate({"fn": request_authorizer("2.0")}), (*rows, ("rich", 200)))

    def test_outcomes_of_simple_responses(self):
        gateway = self.gate({"fn": request_authorizer(enableSimpleResponses=True)})
        self.assert_outcomes(
            gateway,
            (
                ("simple", 200),
                ("simple-deny", 403),
                ("simple-text", 500),
                ("simple-false-text", 500),
                ("allow", 500),
                ("unauthorized", 401),
                ("raise", 500),
                ("null", 500),
            ),
        )

    def test_identity_sources(self):
        sources = ["$request.header.X-Key", "$request.querystring.q", "$context.routeKey", "$stageVariables.v"]
        gateway = self.gate(
            {"fn": request_authorizer(identitySource=sources)},
            stageVariables={"v": "x"},
        )
        for path, headers in (("/a?q=1", {}), ("/a", {"X-Key": "k"}), ("/a?q=", {"X-Key": "k"}), ("/a?Q=1", {"X-Key": "k"})):
            self.assert_http_error(gateway.get(path, headers=headers), 401)
        self.assertEqual([], self.events(gateway), "nobody was asked")
        self.assert_status(gateway.get("/a?q=1", headers={"x-key": "k"}), 200)
        event = self.events(gateway)[0]
        self.assertEqual(["k", "1", "ANY /{proxy+}", "x"], event["identitySource"])
        self.assertEqual("arn:aws:execute-api:us-east-1:123456789012:local/$default/GET/a", event["routeArn"])
        self.assertEqual(("2.0", "REQUEST", "/a"), (event["version"], event["type"], event["rawPath"]))
        self.assertEqual("ANY /{proxy+}", event["requestContext"]["routeKey"])

    def test_the_cache_is_off_until_it_is_asked_for(self):
        header = {"X-Key": "k", "X-What": "simple"}
        plain = self.gate({"fn": request_authorizer(identitySource=["$request.header.X-Key"], enableSimpleResponses=True)})
        for _ in range(2):
            self.assert_status(plain.get("/a", headers=header), 200)
        self.assertEqual(2, len(self.events(plain)))
        cached = self.gate(
            {
                "fn": request_authorizer(
                    identitySource=["$request.header.X-Key"],
                    enableSimpleResponses=True,
                    authorizerResultTtlInSeconds=300,
                )
            }
        )
        for path in ("/a", "/b", "/a"):
            self.assert_status(cached.get(path, headers=header), 200)
        self.assertEqual(1, len(self.events(cached)))
        # A refusal that is cached stays one.
        for _ in range(2):
            self.assert_http_error(cached.get("/a", headers={"X-Key": "other", "X-What": "simple-deny"}), 403)
        self.assertEqual(2, len(self.events(cached)))

    def test_a_hundred_first_requests_make_one_call(self):
        """Two processes could be called, and the one that is does not answer before all requests wait for it."""
        gateway = self.gate(
            {"fn": request_authorizer(identitySource=["$request.header.X-What"], authorizerResultTtlInSeconds=300)},
            concurrency=2,
            timeoutInMillis=20000,
        )
        released = self.fifo(gateway)
        clients = [self.begin(gateway, "/a", {"X-What": "wait"}) for _ in range(100)]
        wait_for(lambda: gateway.metrics().total("gatehouse_cache_joined_total") == 99, "all requests to wait for one call")
        wait_for(lambda: self.events(gateway), "the call")
        self.assert_waiting(clients)
        self.assertEqual(1, len(self.events(gateway)))
        self.assert_untouched(self.backend)
        with self.let_go(released):
            self.assertEqual([200] * 100, [client.read().status for client in clients])
        self.assertEqual(1, len(self.events(gateway)))
        self.assertEqual(100, len(self.backend.requests))

    def test_payload_1_0(self):
        gateway = self.gate({"fn": request_authorizer("1.0", identitySource=["$request.header.A", "$request.header.B"])})
        self.assert_status(gateway.get("/a", headers={"A": "user1", "B": "123"}), 200)
        event = self.events(gateway)[0]
        self.assertEqual(
            ("1.0", "REQUEST", "user1,123", "user1,123"),
            (event["version"], event["type"], event["identitySource"], event["authorizationToken"]),
        )

    def test_the_in_process_authorizer(self):
        own = {
            "type": "REQUEST",
            "authorizerUri": "gatehouse:jwt",
            "identitySource": ["$request.header.Authorization"],
            "jwt": {"issuer": "https://issuer.example/", "audience": [AUDIENCE], "jwksUri": "file:jwks.json"},
        }
        gateway = self.gate({"own": own})
        self.assert_status(gateway.get("/a", token=mint(iss="https://issuer.example/")), 200)
        self.assert_http_error(gateway.get("/a", token="abc"), 401)
        self.assert_http_error(gateway.get("/a"), 401)


class Integrations(FunctionCase):
    def gate(self, version="2.0", authorizer="NONE", authorizers=None, scopes=None, **changes):
        integration = {"type": "AWS_PROXY", "uri": BACKEND, "payloadFormatVersion": version} | changes.pop("integration", {})
        routes = [
            {"routeKey": key, "authorizer": authorizer, "integration": integration} | ({"authorizationScopes": scopes} if scopes else {})
            for key in ("$default", "GET /pets/{id}")
        ]
        return super().gate(
            routes,
            authorizers,
            functions={"authz": function("authorize"), "backend": function("answer")},
            files={"handler.py": HANDLER},
            **changes,
        )

    def test_answers_2_0(self):
        gateway = self.gate(integration={"timeoutInMillis": 2000})
        response = gateway.get("/json")
        self.assertEqual((200, {"hello": "world"}), (response.status, response.json()))
        self.assertEqual(["application/json"], response.all("Content-Type"))
        self.assertEqual(b"hello", gateway.get("/text").body)
        response = gateway.get("/cookies")
        self.assertEqual((201, b"made", ["a=1", "b=2"]), (response.status, response.body, response.all("set-cookie")))
        self.assertEqual(["text/plain; charset=utf-8"], response.all("Content-Type"))
        self.assertEqual(1, len(response.all("apigw-requestid")))
        self.assertEqual([], response.all("x-amzn-RequestId"))
        self.assertEqual(bytes(range(4)), gateway.get("/bytes").body)
        for path in ("/raise", "/status"):
            self.assert_http_error(gateway.get(path), 500)

    def test_a_slow_function_is_503(self):
        self.assert_http_error(self.gate(integration={"timeoutInMillis": 100}).get("/sleep"), 503)

    def test_events_2_0(self):
        gateway = self.gate(stageVariables={"v": "x"})
        event = gateway.request(
            "POST", "/a%20b?x=1&x=2", {"Cookie": "a=1; b=2", "Content-Type": "application/json", "X-A": "1"}, b"{}"
        ).json()
        self.assertEqual(("2.0", "$default", "/a b"), (event["version"], event["routeKey"], event["rawPath"]))
        self.assertEqual((["a=1", "b=2"], {"x": "1,2"}, "x=1&x=2"), (event["cookies"], event["queryStringParameters"], event["rawQueryString"]))
        self.assertEqual(("{}", False), (event["body"], event["isBase64Encoded"]))
        self.assertNotIn("authorizer", event["requestContext"])
        self.assertNotIn("cookie", event["headers"])
        self.assertEqual({"id": "7"}, gateway.get("/pets/7").json()["pathParameters"])
        self.assertTrue(gateway.request("POST", "/x", {"Content-Type": "image/png"}, b"\x00\xff").json()["isBase64Encoded"])

    def test_events_1_0(self):
        gateway = self.gate("1.0")
        event = gateway.get("/pets/7?x=1").json()
        self.assertEqual(("1.0", "/pets/{id}", {"id": "7"}), (event["version"], event["resource"], event["pathParameters"]))
        self.assertEqual({"claims": None, "scopes": None}, event["requestContext"]["authorizer"])
        self.assertEqual("$default", gateway.get("/x").json()["resource"])

    def test_what_a_jwt_authorizer_shows(self):
        issuer = self.using(Issuer(rsa_key()))
        token = mint(iss=issuer.issuer, scope="a b", n=7, groups=["x", "y"], sub="alice")
        for version, scopes in (("2.0", ["a"]), ("2.0", None), ("1.0", ["a"]), ("1.0", None)):
            with self.subTest(f"{version} {scopes}"):
                gateway = self.gate(version, "jwt", {"jwt": jwt(issuer.issuer)}, scopes)
                shown = gateway.get("/x", token=token).json()["requestContext"]["authorizer"]
                shown = shown["jwt"] if version == "2.0" else shown
                self.assertEqual({"claims", "scopes"}, set(shown))
                self.assertEqual(["a", "b"] if scopes else None, shown["scopes"])
                claims = shown["claims"]
                self.assertEqual(("alice", "7", "[x y]"), (claims["sub"], claims["n"], claims["groups"]))
                self.assertTrue(all(isinstance(value, str) for value in claims.values()))

    def test_what_a_function_shows(self):
        authorizers = {"fn": request_authorizer(enableSimpleResponses=True)}
        gateway = self.gate("2.0", "fn", authorizers)
        shown = gateway.get("/x", headers={"X-What": "simple"}).json()["requestContext"]["authorizer"]
        self.assertEqual(
            {"lambda": {"k": "v", "n": 1, "b": True, "list": [1, {"a": 2}], "map": {"x": "y"}}}, shown
        )
        gateway = self.gate("1.0", "fn", {"fn": request_authorizer("1.0")})
        shown = gateway.get("/x").json()["requestContext"]["authorizer"]
        self.assertEqual(("v", "u1"), (shown["k"], shown["principalId"]))
        self.assertNotIn("integrationLatency", shown)

    def test_aws_own_runtime_client(self):
        handler = """export const handler = async (event) =>
            event.type === "REQUEST" ? { isAuthorized: event.headers.auth === "good", context: { who: "node" } }
                                     : { who: event.requestContext.authorizer.lambda.who, key: event.routeKey };"""
        command = {"command": [NODE_RUNTIME, "app.handler"], "directory": "."}
        gateway = HttpApiCase.gate(
            self,
            [
                {
                    "routeKey": "GET /n/{id}",
                    "authorizer": "fn",
                    "integration": {"type": "AWS_PROXY", "uri": BACKEND, "payloadFormatVersion": "2.0"},
                }
            ],
            {"fn": request_authorizer(enableSimpleResponses=True, identitySource=["$request.header.Auth"])},
            functions={"authz": command, "backend": command},
            files={"app.mjs": handler},
        )
        self.assertEqual({"who": "node", "key": "GET /n/{id}"}, gateway.get("/n/1", headers={"Auth": "good"}).json())
        self.assert_http_error(gateway.get("/n/1", headers={"Auth": "bad"}), 403)
        self.assert_http_error(gateway.get("/n/1"), 401)


class Mapping(HttpApiCase):
    def test_headers_query_and_path(self):
        upstream = self.upstream()
        gateway = self.gate(
            [
                route(
                    "GET /m/{id}",
                    f"{upstream.url}/x",
                    "NONE",
                    requestParameters={
                        "append:header.X-Many": "${request.path.id}-$literal",
                        "overwrite:header.X-One": "$request.querystring.q",
                        "remove:header.X-Gone": "",
                        "append:querystring.more": "$context.routeKey",
                        "overwrite:querystring.q": "new",
                        "remove:querystring.secret": "''",
                        "overwrite:path": "/v2${request.path}/${stageVariables.v}",
                    },
                )
            ],
            stageVariables={"v": "s"},
        )
        self.assert_status(
            gateway.get(
                "/m/a%20b?q=1&s%65cret=2&keep=%2f;q=3",
                headers=[("X-Many", "client"), ("X-One", "client"), ("x_one", "client"), ("X-Gone", "client")],
            ),
            200,
        )
        request = upstream.one()
        self.assertEqual("/v2/m/a%20b/s?keep=%2f&q=new&more=GET%20%2Fm%2F%7Bid%7D", request.target)
        self.assertEqual(["client", "a%20b-$literal"], request.all("X-Many"))
        self.assertEqual(["3"], request.all("X-One"))  # the last one
        self.assertEqual([], request.all("x_one") + request.all("X-Gone"))


class Cors(HttpApiCase):
    CONFIGURATION = {
        "allowOrigins": ["https://app.example.com"],
        "allowMethods": ["GET", "POST"],
        "allowHeaders": ["authorization", "x-a"],
        "exposeHeaders": ["x-b"],
        "maxAge": 600,
        "allowCredentials": True,
    }
    PREFLIGHT = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }

    def cors_of(self, response):
        fields = {name.lower(): response.get(name) for name in response.names()}
        return {name: value for name, value in fields.items() if name.startswith("access-control-")}

    def gate(self, routes, **changes):
        return super().gate(
            routes,
            {"jwt": jwt("https://issuer.example/", jwksUri="file:jwks.json")},
            **({"corsConfiguration": self.CONFIGURATION} | changes),
        )

    def test_preflights_need_no_route_and_no_token(self):
        upstream = self.upstream()
        gateway = self.gate([route("GET /a", upstream.url, "jwt")])
        response = gateway.request("OPTIONS", "/a", self.PREFLIGHT)
        self.assertEqual((204, b""), (response.status, response.body))
        self.assertEqual(
            {
                "access-control-allow-origin": "https://app.example.com",
                "access-control-allow-methods": "GET,POST",
                "access-control-allow-headers": "authorization,x-a",
                "access-control-expose-headers": "x-b",
                "access-control-max-age": "600",
                "access-control-allow-credentials": "true",
            },
            self.cors_of(response),
        )
        self.assertEqual(["Origin"], response.all("vary"))
        self.assertRegex(response.get("apigw-requestid"), r"=\Z")
        evil = gateway.request("OPTIONS", "/a", self.PREFLIGHT | {"Origin": "https://evil.example"})
        self.assertEqual((204, {}), (evil.status, self.cors_of(evil)))
        for missing in ("Origin", "Access-Control-Request-Method"):
            headers = {name: value for name, value in self.PREFLIGHT.items() if name != missing}
            self.assert_status(gateway.request("OPTIONS", "/a", headers), 404)
        self.assert_untouched(upstream)

    def test_wildcards_and_a_negative_age(self):
        """Section 15. `*` is sent as it is, and is every origin's answer alike, so it does not vary."""
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Expose-Headers: x-own\r\n\r\nok"
        upstream = self.upstream(respond=lambda request: reply)
        routes = [route("GET /a", upstream.url, "jwt"), route("GET /open", upstream.url, "NONE")]
        stars = {"allowOrigins": ["*"], "allowMethods": ["*"], "allowHeaders": ["*"], "exposeHeaders": ["*"], "maxAge": -1}
        gateway = self.gate(routes, corsConfiguration=stars)
        wanted = {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
        preflight = wanted | {
            "access-control-allow-methods": "*",
            "access-control-allow-headers": "*",
            "access-control-max-age": "-1",
        }
        for origin in ("https://app.example.com", "http://evil.example:8080", "null"):
            with self.subTest(origin):
                response = gateway.request("OPTIONS", "/a", self.PREFLIGHT | {"Origin": origin})
                self.assertEqual((204, b"", preflight), (response.status, response.body, self.cors_of(response)))
                self.assertEqual([], response.all("vary") + response.all("Content-Type"))
                for path, status in (("/open", 200), ("/a", 401), ("/unknown", 404)):
                    response = gateway.get(path, headers={"Origin": origin})
                    self.assertEqual((status, wanted), (response.status, self.cors_of(response)))
        self.assertEqual(3, len(upstream.requests))
        self.assertEqual({}, self.cors_of(gateway.get("/open")))
        with self.subTest("origins of one scheme"):
            gateway = self.gate(routes, corsConfiguration=stars | {"allowOrigins": ["https://*"]})
            for origin, allowed in (("https://any.example", True), ("http://any.example", False), ("null", False)):
                response = gateway.request("OPTIONS", "/a", self.PREFLIGHT | {"Origin": origin})
                shown = preflight | {"access-control-allow-origin": origin} if allowed else {}
                self.assertEqual((204, shown), (response.status, self.cors_of(response)))
                self.assertEqual(["Origin"], response.all("vary"))
        with self.subTest("an age of 0 and no age"):
            for changes, age in (({"maxAge": 0}, ["0"]), ({}, [])):
                gateway = self.gate(routes, corsConfiguration={"allowOrigins": ["*"]} | changes)
                response = gateway.request("OPTIONS", "/a", self.PREFLIGHT)
                self.assertEqual((204, age), (response.status, response.all("access-control-max-age")))
                self.assertEqual([], response.all("access-control-allow-methods"))

    def test_answers_carry_the_headers_whatever_the_backend_says(self):
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n"
        reply += b"access-control-allow-methods: PUT\r\n\r\nok"
        upstream = self.upstream(respond=lambda request: reply)
        gateway = self.gate([route("GET /a", upstream.url, "jwt"), route("GET /open", upstream.url, "NONE")])
        wanted = {
            "access-control-allow-origin": "https://app.example.com",
            "access-control-allow-credentials": "true",
            "access-control-expose-headers": "x-b",
        }
        origin = {"Origin": "https://app.example.com"}
        self.assertEqual(wanted, self.cors_of(gateway.get("/open", headers=origin)))
        self.assertEqual({}, self.cors_of(gateway.get("/open")))
        self.assertEqual({}, self.cors_of(gateway.get("/open", headers={"Origin": "https://evil.example"})))
        refused = gateway.get("/a", headers=origin)
        self.assertEqual((401, wanted), (refused.status, self.cors_of(refused)))
        unknown = gateway.get("/unknown", headers=origin)
        self.assertEqual((404, wanted), (unknown.status, self.cors_of(unknown)))

    def test_a_route_that_takes_options_decides(self):
        upstream = self.upstream()
        gateway = self.gate([route("$default", upstream.url, "jwt")])
        self.assert_status(gateway.request("OPTIONS", "/a", self.PREFLIGHT), 401)
        gateway.wait_log("takes OPTIONS too")
        remedied = self.gate(
            [route("$default", upstream.url, "jwt"), route("OPTIONS /{proxy+}", upstream.url, "NONE")]
        )
        self.assert_status(remedied.request("OPTIONS", "/a", self.PREFLIGHT), 200)


if __name__ == "__main__":
    unittest.main()
