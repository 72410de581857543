"""Who may pass: the decision, its exact wording, and what the upstream learns of it."""

import json
import time
import unittest

from support import tokens
from support.case import EXPLICIT_DENY, FORBIDDEN, IMPLICIT_DENY, GatewayCase
from support.gateway import Folder, api, command, config, jwt_authorizer, mock, route
from support.tokens import base64url, bearer, default_claims, ec_key, encode, hs256, mint, rsa_key
from support.upstream import Upstream, answer


def allow(resource, **when):
    return statement("Allow", resource, **when)


def statement(effect, resource, when=None):
    result = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return result | ({"when": when} if when else {})


class SeedExample(GatewayCase):
    """The first example of the README, end to end."""

    def setUp(self):
        super().setUp()
        self.backend = self.upstream()

    def configuration(self, **jwt):
        return config(
            api(
                [route("GET /items", f"{self.backend.url}/items")],
                authorizers={"jwt": jwt_authorizer(jwt)},
                basePath="/prod",
                apiId="your-api-id",
                stageName="prod",
            )
        )

    def test_claims_reach_the_upstream_as_headers(self):
        gateway = self.start(self.configuration())
        token = mint(sub="auth0|user123", tenant_id="acme", roles=["admin", "user"])
        response = gateway.get("/prod/items", token)
        self.assert_status(response, 200)
        self.assertEqual(b"ok", response.body)
        self.assert_request_ids(response)
        request = self.backend.one()
        self.assertEqual(("GET", "/items"), (request.method, request.target))
        for name, value in (
            ("X-Authorizer-userId", "auth0|user123"),
            ("X-Authorizer-tenantId", "acme"),
            ("X-Authorizer-roles", "admin,user"),
            ("X-Authorizer-Principal-Id", "auth0|user123"),
        ):
            self.assertIn((name, value), request.fields)
            self.assertEqual([value], request.all(name), "exactly once")
        self.assertEqual([f"Bearer {token}"], request.all("Authorization"))

    def test_absent_claims_fall_back_to_defaults(self):
        gateway = self.start(self.configuration())
        self.assert_status(gateway.get("/prod/items", mint(tenant_id=None, roles=None)), 200)
        self.assert_status(gateway.get("/prod/items", mint(key=rsa_key(), **{"aud": [tokens.AUDIENCE, "other"]})), 200)
        for request in self.backend.requests:
            self.assertEqual(
                (["default"], ["user"]), (request.all("X-Authorizer-tenantId"), request.all("X-Authorizer-roles"))
            )

    def test_explain_prints_the_method_arn_that_is_granted(self):
        token = mint(tenant_id="acme")
        for resource, arn in (
            ("method", "arn:aws:execute-api:us-east-1:123456789012:your-api-id/prod/GET/items"),
            ("stage", "arn:aws:execute-api:us-east-1:123456789012:your-api-id/prod/*"),
        ):
            with self.subTest(resource):
                folder = self.using(Folder(self.configuration(resource=resource)))
                done = command(
                    "explain",
                    "-c",
                    folder.config,
                    "-H",
                    f"Authorization: Bearer {token}",
                    "GET",
                    "/prod/items",
                    cwd=folder.path,
                )
                self.assertEqual(0, done.status, done)
                self.assertRegex(done.stdout, r"(?m)" + arn.replace("*", r"\*") + r"(?![-\w/*])", done)
                self.assert_no_token(done.output, token, "explain")
        self.assert_untouched(self.backend)


class Refusals(GatewayCase):
    """401 and 403 to the byte; nothing of a refused request reaches the upstream (A11, A13, A14, E1, E2, E9)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream())
        deny = {
            "statements": [
                allow("${stageArn}/*"),
                statement("Deny", "${stageArn}/GET/forbidden"),
                statement("Deny", "${stageArn}/*/folder/secret*"),
            ]
        }
        empty = {"statements": [allow("${stageArn}/*", when={"never": {"exists": True}})]}
        cls.gateway = cls.share_gateway(
            config(
                api(
                    [
                        route("GET /items", f"{cls.backend.url}/items"),
                        route("ANY /any/{proxy+}", f"{cls.backend.url}/{{proxy}}"),
                        route("GET /matched", f"{cls.backend.url}/matched", "matched"),
                        route("GET /keyed", f"{cls.backend.url}/keyed", "keyed"),
                        route("GET /forbidden", f"{cls.backend.url}/forbidden", "deny"),
                        route("GET /folder/{proxy+}", f"{cls.backend.url}/folder", "deny"),
                        route("GET /nothing", f"{cls.backend.url}/nothing", "empty"),
                        route("GET /open", f"{cls.backend.url}/open", "NONE"),
                        mock("GET /mock-guarded", "jwt"),
                        mock("GET /mock-open"),
                    ],
                    authorizers={
                        "jwt": jwt_authorizer(),
                        "deny": jwt_authorizer(deny),
                        "empty": jwt_authorizer(empty),
                        "matched": jwt_authorizer(identityValidationExpression="^Bearer [-0-9A-Za-z._~+/]+=*$"),
                        "keyed": jwt_authorizer(identitySource="method.request.header.X-Token"),
                    },
                )
            )
        )

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def check(self, name, token_or_headers, path="/items", accept=False):
        with self.subTest(name):
            self.backend.clear()
            headers = bearer(token_or_headers) if isinstance(token_or_headers, str) else token_or_headers
            response = self.gateway.request("GET", path, headers)
            if accept:
                self.assert_status(response, 200)
            else:
                self.assert_unauthorized(response)
                self.assert_untouched(self.backend)

    def test_missing_and_malformed_credentials_are_unauthorized(self):
        good = mint()
        header, claims, signature = good.split(".")
        for name, value in (
            ("no header", {}),
            ("empty header", {"Authorization": ""}),
            ("blank header", {"Authorization": "   "}),
            ("scheme alone", {"Authorization": "Bearer"}),
            ("scheme and blanks", {"Authorization": "Bearer  "}),
            ("no scheme", {"Authorization": good}),
            ("other scheme", {"Authorization": "Basic dXNlcjpwYXNz"}),
            ("other scheme with a good token", {"Authorization": f"Token {good}"}),
            ("scheme glued to the token", {"Authorization": f"Bearer{good}"}),
            ("two credentials", {"Authorization": f"Bearer {good} {good}"}),
            ("two credentials with a comma", {"Authorization": f"Bearer {good}, Bearer {good}"}),
            ("two fields", [("Authorization", f"Bearer {good}"), ("Authorization", f"Bearer {good}")]),
            ("two fields and the first is bad", [("Authorization", "Bearer x"), ("Authorization", f"Bearer {good}")]),
            ("in another header", {"X-Authorization": f"Bearer {good}"}),
            ("in a cookie", {"Cookie": f"Authorization=Bearer {good}; token={good}"}),
            ("not three parts", f"{header}.{claims}"),
            ("four parts", f"{good}.{signature}"),
            ("five parts", f"{header}.{claims}.{signature}.{claims}.{signature}"),
            ("empty signature", f"{header}.{claims}."),
            ("empty claims", f"{header}..{signature}"),
            ("padded parts", f"{header}=.{claims}.{signature}"),
            ("base64 of the other alphabet", f"{header}.{claims}.{signature[:-4]}+/+/"),
            ("garbage", "abc"),
            ("JSON", '{"alg":"none"}'),
        ):
            self.check(name, value)
        self.check("in the query", {}, "/items?Authorization=Bearer%20" + good)
        self.check("access_token in the query", {}, "/items?access_token=" + good)
        self.check("lower-case scheme", {"Authorization": f"bearer {good}"}, accept=True)
        self.check("upper-case scheme", {"Authorization": f"BEARER {good}"}, accept=True)
        self.check("lower-case field name", {"authorization": f"Bearer {good}"}, accept=True)

    def test_tokens_that_prove_nothing_are_unauthorized(self):
        good, key = mint(), rsa_key()
        header, claims, signature = good.split(".")
        stranger = tokens.Key.rsa("key-1")
        other_claims = base64url(json.dumps(default_claims({"sub": "root"})).encode())
        flipped = signature[:-10] + ("A" if signature[-10] != "A" else "B") + signature[-9:]
        for name, token in (
            ("claims replaced", f"{header}.{other_claims}.{signature}"),
            ("signature changed", f"{header}.{claims}.{flipped}"),
            ("signature of another token", f"{header}.{claims}.{mint().split('.')[2]}"),
            ("right kid and wrong key", mint(stranger)),
            ("unknown kid", mint(key.as_(kid="key-2"))),
            ("no kid", mint(header={"kid": None})),
            ("empty kid", mint(header={"kid": ""})),
            ("kid is a number", mint(header={"kid": 1})),
            ("kid of a key of another kind", mint(ec_key().as_(kid="key-1"))),
            ("alg none with a signature", encode({"alg": "none", "kid": "key-1"}, default_claims(), key.sign)),
            ("alg none without a signature", encode({"alg": "none", "kid": "key-1"}, default_claims(), lambda _: b"")),
            ("alg None", encode({"alg": "None", "kid": "key-1"}, default_claims(), lambda _: b"x")),
            ("HMAC with the public key", hs256(key.public_pem())),
            ("HMAC with the public key without its last line feed", hs256(key.public_pem().strip())),
            ("HMAC with nothing", hs256(b"\0")),
            ("alg that the key has and the list has not", mint(key.as_("PS256"))),
            ("alg of an unlisted family", mint(ec_key())),
            ("alg in lower case", mint(header={"alg": "rs256"})),
            ("no alg", mint(header={"alg": None})),
            ("alg is a list", mint(header={"alg": ["RS256"]})),
            ("key in the token", mint(stranger, header={"kid": None, "jwk": stranger.jwk()})),
            ("key in the token and a known kid", mint(stranger, header={"jwk": stranger.jwk()})),
            ("crit", mint(header={"crit": ["exp"], "exp": 1})),
            ("b64 false", mint(header={"b64": False, "crit": ["b64"]})),
            ("header is a list", encode([], default_claims(), key.sign)),
            (
                "header with a name twice",
                encode(b'{"alg":"RS256","kid":"key-1","kid":"key-1"}', default_claims(), key.sign),
            ),
            ("header with trailing bytes", encode(b'{"alg":"RS256","kid":"key-1"} x', default_claims(), key.sign)),
        ):
            self.check(name, token)

    def test_tokens_with_wrong_claims_are_unauthorized(self):
        key, now = rsa_key(), int(time.time())
        head = {"alg": "RS256", "kid": "key-1"}
        twice = json.dumps(default_claims())[:-1].encode() + b',"sub":"root"}'
        deep = b'{"iss":' + b"[" * 40 + b"]" * 40 + b"}"
        for name, token in (
            ("expired", mint(exp=now - 1)),
            ("expires now", mint(exp=now)),
            ("no exp", mint(exp=None)),
            ("exp is text", mint(exp=str(now + 3600))),
            ("exp is null", encode(head, default_claims() | {"exp": None}, key.sign)),
            ("exp is negative", mint(exp=-1)),
            ("nbf ahead", mint(nbf=now + 600)),
            ("nbf is text", mint(nbf=str(now))),
            ("iat ahead", mint(iat=now + 600)),
            ("other issuer", mint(iss="https://evil.example/")),
            ("issuer without its slash", mint(iss=tokens.ISSUER.rstrip("/"))),
            ("issuer in capitals", mint(iss=tokens.ISSUER.upper())),
            ("no issuer", mint(iss=None)),
            ("issuer is a list", mint(iss=[tokens.ISSUER])),
            ("other audience", mint(aud="api://other")),
            ("longer audience", mint(aud=tokens.AUDIENCE + "/admin")),
            ("audience list without ours", mint(aud=["api://other", "api"])),
            ("empty audience list", mint(aud=[])),
            ("audience with a number in it", mint(aud=[tokens.AUDIENCE, 1])),
            ("no audience", mint(aud=None)),
            ("audience as client_id", mint(aud=None, client_id=tokens.AUDIENCE)),
            ("no subject", mint(sub=None)),
            ("empty subject", mint(sub="")),
            ("subject is null", encode(head, default_claims() | {"sub": None}, key.sign)),
            ("roles is an object", mint(roles={"a": "b"})),
            ("roles holds an object", mint(roles=[{"a": "b"}])),
            ("a role holds the separator", mint(roles=["a,b"])),
            ("tenant is an object", mint(tenant_id={"id": 1})),
            ("claims with a name twice", encode(head, twice, key.sign)),
            ("claims are a list", encode(head, [default_claims()], key.sign)),
            ("claims are a string", encode(head, "claims", key.sign)),
            ("claims are no JSON", encode(head, b"sub=root", key.sign)),
            (
                "claims with a byte order mark",
                encode(head, b"\xef\xbb\xbf" + json.dumps(default_claims()).encode(), key.sign),
            ),
            ("claims with a comment", encode(head, b"/**/" + json.dumps(default_claims()).encode(), key.sign)),
            (
                "claims that are not UTF-8",
                encode(head, json.dumps(default_claims())[:-1].encode() + b',"x":"\xff"}', key.sign),
            ),
            ("claims nested too deep", encode(head, deep, key.sign)),
            ("an ID token's kind in typ", mint(header={"typ": "dpop+jwt"})),
        ):
            self.check(name, token)
        for name, token in (
            ("fraction in exp", mint(exp=now + 600.5)),
            ("nbf reached", mint(nbf=now - 1)),
            ("audience in a list", mint(aud=["api://other", tokens.AUDIENCE])),
            ("access token's typ", mint(header={"typ": "at+jwt"})),
            ("no typ", mint(header={"typ": None})),
            ("roles as one text", mint(roles="admin")),
            ("tenant as a number", mint(tenant_id=42)),
        ):
            self.check(name, token, accept=True)

    def test_identity_sources_and_their_expressions(self):
        good = mint()
        self.check("expression holds", good, "/matched", accept=True)
        for name, value in (
            ("lower-case scheme", f"bearer {good}"),
            ("two blanks", f"Bearer  {good}"),
            ("other bytes", f"Bearer {good}!"),
            ("longer value", f"Bearer {good} x"),
            ("word before", f"x Bearer {good}"),
        ):
            self.check("expression: " + name, {"Authorization": value}, "/matched")
        self.check("another header is the source", {"X-Token": f"Bearer {good}"}, "/keyed", accept=True)
        self.check("the name of that header in any case", {"x-tOKEN": f"Bearer {good}"}, "/keyed", accept=True)
        self.check("Authorization is not that header", good, "/keyed")

    def test_every_method_of_a_greedy_route_is_guarded(self):
        # A5, A6
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            with self.subTest(method):
                body = b"{}" if method in ("POST", "PUT", "PATCH") else None
                self.assert_unauthorized(self.gateway.request(method, "/any/a/b", body=body))
        response = self.gateway.request("HEAD", "/any/a/b")
        self.assert_status(response, 401)
        self.assertEqual(b"", response.body)
        for path in ("/items", "/items?", "/items?a=b", "/items/", "/items/?a=b"):
            with self.subTest(path):
                self.assert_unauthorized(self.gateway.request("GET", path))
        self.assert_untouched(self.backend)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"):
            with self.subTest(method + " with a token"):
                self.assert_status(self.gateway.request(method, "/any/a/b?x=y", bearer(mint())), 200)

    def test_denials_have_their_own_words(self):
        for name, path, body in (
            ("explicit", "/forbidden", EXPLICIT_DENY),
            ("explicit with a query", "/forbidden?a=b", EXPLICIT_DENY),
            ("a trailing slash does not lift a Deny", "/forbidden/", EXPLICIT_DENY),
            ("encoded letters do not lift a Deny", "/forbidde%6e", EXPLICIT_DENY),
            ("nor do they in a prefix", "/folder/%73ecret-plan", EXPLICIT_DENY),
            ("all statements left out", "/nothing", IMPLICIT_DENY),
        ):
            with self.subTest(name):
                self.assert_denied(self.gateway.get(path, mint()), body)
                self.assert_untouched(self.backend)
        self.assert_status(self.gateway.get("/folder/public", mint()), 200)
        self.assert_unauthorized(self.gateway.get("/forbidden"))  # no token comes before no permission

    def test_the_authorizer_runs_before_any_integration(self):
        # A11
        self.assert_unauthorized(self.gateway.get("/mock-guarded"))
        response = self.gateway.get("/mock-guarded", mint())
        self.assertEqual((200, b'{"ok":true}'), (response.status, response.body))
        response = self.gateway.get("/mock-open")
        self.assertEqual(
            (200, b'{"ok":true}', ["application/json"]), (response.status, response.body, response.all("Content-Type"))
        )

    def test_open_routes_ask_for_nothing_and_pass_no_context_on(self):
        for headers in ({}, bearer("rubbish"), bearer(mint(exp=1)), bearer(mint())):
            self.backend.clear()
            self.assert_status(self.gateway.request("GET", "/open", headers), 200)
            names = [name.lower() for name in self.backend.one().names()]
            self.assertEqual([], [name for name in names if name.startswith("x-authorizer")])

    def test_unrouted_requests_are_refused_as_the_service_does(self):
        # A15, F4; the service runs these through its SigV4 parser
        for name, method, path in (
            ("unknown path", "GET", "/unknown"),
            ("unknown method", "POST", "/items"),
            ("HEAD is not GET", "HEAD", "/items"),
            ("root", "GET", "/"),
            ("parent of a greedy route", "GET", "/any"),
            ("its slash alone", "GET", "/any/"),
            ("below a route", "GET", "/items/1"),
            ("other case", "GET", "/Items"),
            ("OPTIONS has no default", "OPTIONS", "/items"),
        ):
            with self.subTest(name):
                response = self.gateway.request(method, path)
                if method == "HEAD":
                    self.assert_status(response, 403)
                else:
                    self.assert_no_route(response)
        token = mint()
        for name, value, pattern in (
            (
                "a token",
                f"Bearer {token}",
                rb"""\A\{"message":"Invalid key=value pair \(missing equal-sign\) in Authorization header """
                rb"""\(hashed with SHA-256 and encoded with Base64\): '[A-Za-z0-9+/]{43}='\."\}\Z""",
            ),
            (
                "a value with an equal-sign",
                "Basic dXNlcjpwYXM=",
                rb"""\A\{"message":"Authorization header requires 'Credential' parameter\. Authorization header requires 'Signature' """
                rb"""parameter\. Authorization header requires 'SignedHeaders' parameter\. Authorization header requires existence of """
                rb"""either a 'X-Amz-Date' or a 'Date' header\. \(Hashed with SHA-256 and encoded with Base64\) """
                rb"""Authorization=[A-Za-z0-9+/]{43}="\}\Z""",
            ),
        ):
            with self.subTest(name):
                response = self.gateway.request("GET", "/unknown", {"Authorization": value})
                self.assertRegex(response.body, pattern)
                self.assert_error(response, 403, response.body, "IncompleteSignatureException")
        self.assert_untouched(self.backend)


class Scopes(GatewayCase):
    def test_any_one_whole_word_suffices_on_every_request(self):
        # A16, D12
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /plain", f"{backend.url}/plain"),
                        route("GET /scoped", f"{backend.url}/scoped", scopes=["items:read", "items:admin"]),
                    ]
                )
            )
        )
        for name, claims, allowed in (
            ("one of them", {"scope": "items:read"}, True),
            ("the other among more", {"scope": "openid items:admin email"}, True),
            ("scp as a list", {"scp": ["x", "items:read"]}, True),
            ("scp as words", {"scp": "x items:read"}, True),
            ("none", {}, False),
            ("empty", {"scope": ""}, False),
            ("another", {"scope": "items:write"}, False),
            ("longer word", {"scope": "items:reader"}, False),
            ("part of a word", {"scope": "my-items:read"}, False),
            ("other case", {"scope": "Items:Read"}, False),
            ("comma for a blank", {"scope": "items:read,items:admin"}, False),
            ("star", {"scope": "items:* *"}, False),
        ):
            with self.subTest(name):
                token = mint(**claims)
                self.assert_status(gateway.get("/plain", token), 200)  # now it is cached
                backend.clear()
                response = gateway.get("/scoped", token)
                if allowed:
                    self.assert_status(response, 200)
                else:
                    self.assert_denied(response)
                    self.assert_untouched(backend)
        self.assert_unauthorized(gateway.get("/scoped", mint(scope="items:read", exp=1)))


class Statements(GatewayCase):
    def test_statements_grant_by_claim_and_deny_wins(self):
        backend = self.upstream()
        statements = [
            statement("Deny", "${stageArn}/*/vault*", when={"clearance": {"exists": False}}),
            allow("${stageArn}/GET/shared/*"),
            allow("${stageArn}/*/admin/*", when={"roles": "admin"}),
            allow("${stageArn}/*/vault*"),
            allow("${stageArn}/*/tenants/${claims.tenant_id}/*"),
            allow("${stageArn}/GET/plans/gold", when={"plan": {"in": ["gold", "platinum"]}}),
            allow("${stageArn}/GET/mail", when={"email": {"matches": "^[a-z.]+@acme\\.example$"}}),
            allow("${stageArn}/GET/both", when={"roles": "admin", "plan": "gold"}),
            allow("${stageArn}/GET/verified", when={"verified": True, "level": 3}),
            allow("${stageArn}/GET/scoped", when={"scope": "read"}),
            {
                "Sid": "Net",
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "${stageArn}/GET/local",
                "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
            },
            {
                "Effect": "Allow",
                "Action": "execute-api:Invoke",
                "Resource": "${stageArn}/GET/remote",
                "Condition": {"NotIpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
            },
        ]
        gateway = self.start(
            config(
                api(
                    [route("ANY /{proxy+}", f"{backend.url}/{{proxy}}")],
                    authorizers={"jwt": jwt_authorizer({"statements": statements})},
                )
            )
        )
        for name, method, path, claims, want in (
            ("a plain grant", "GET", "/shared/1", {}, 200),
            ("of one method only", "POST", "/shared/1", {}, IMPLICIT_DENY),
            ("not its parent", "GET", "/shared", {}, IMPLICIT_DENY),
            ("a role in a list", "PUT", "/admin/users", {"roles": ["user", "admin"]}, 200),
            ("a role alone", "PUT", "/admin/users", {"roles": "admin"}, 200),
            ("another role", "PUT", "/admin/users", {"roles": ["administrator"]}, IMPLICIT_DENY),
            ("no role", "PUT", "/admin/users", {}, IMPLICIT_DENY),
            ("Deny beats Allow in any order", "GET", "/vault", {"roles": ["admin"]}, EXPLICIT_DENY),
            ("Deny covers what is below", "GET", "/vault/1", {}, EXPLICIT_DENY),
            ("Deny covers the trailing slash", "GET", "/vault/", {}, EXPLICIT_DENY),
            ("a Deny left out", "GET", "/vault/1", {"clearance": "high"}, 200),
            ("the own tenant", "GET", "/tenants/acme/x", {"tenant_id": "acme"}, 200),
            ("another tenant", "GET", "/tenants/other/x", {"tenant_id": "acme"}, IMPLICIT_DENY),
            ("a star in a claim is a star", "GET", "/tenants/other/x", {"tenant_id": "*"}, IMPLICIT_DENY),
            ("and matches itself", "GET", "/tenants/*/x", {"tenant_id": "*"}, 200),
            ("a question mark in a claim", "GET", "/tenants/a/x", {"tenant_id": "?"}, IMPLICIT_DENY),
            (
                "a variable in a claim",
                "GET",
                "/tenants/acme/x",
                {"tenant_id": "${claims.sub}", "sub": "acme"},
                IMPLICIT_DENY,
            ),
            (
                "an absent claim leaves the statement out and the context map's default is no claim",
                "GET",
                "/tenants/default/x",
                {},
                IMPLICIT_DENY,
            ),
            ("a list leaves the statement out", "GET", "/tenants/acme/x", {"tenant_id": ["acme"]}, IMPLICIT_DENY),
            ("one of a choice", "GET", "/plans/gold", {"plan": "platinum"}, 200),
            ("none of a choice", "GET", "/plans/gold", {"plan": "silver"}, IMPLICIT_DENY),
            ("an expression", "GET", "/mail", {"email": "a.b@acme.example"}, 200),
            ("an expression with its dot", "GET", "/mail", {"email": "a@acmeXexample"}, IMPLICIT_DENY),
            ("all of several", "GET", "/both", {"roles": "admin", "plan": "gold"}, 200),
            ("one of several", "GET", "/both", {"roles": "admin"}, IMPLICIT_DENY),
            ("true and a number", "GET", "/verified", {"verified": True, "level": 3}, 200),
            ("text is not true", "GET", "/verified", {"verified": "true", "level": 3}, IMPLICIT_DENY),
            ("text is no number", "GET", "/verified", {"verified": True, "level": "3"}, IMPLICIT_DENY),
            ("a word of scope", "GET", "/scoped", {"scope": "write read"}, 200),
            ("part of a word of scope", "GET", "/scoped", {"scope": "reader"}, IMPLICIT_DENY),
            ("a condition that holds", "GET", "/local", {}, 200),
            ("a condition that does not", "GET", "/remote", {}, IMPLICIT_DENY),
        ):
            with self.subTest(name):
                backend.clear()
                response = gateway.request(
                    method, path, bearer(mint(**claims)), b"" if method in ("POST", "PUT") else None
                )
                if isinstance(want, bytes):
                    self.assert_denied(response, want)
                else:
                    self.assert_status(response, want)
                self.assertEqual(1 if want == 200 else 0, len(backend.requests))


class Routing(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backend = cls.share(Upstream())
        to = cls.backend.url
        cls.gateway = cls.share_gateway(
            config(
                api(
                    [
                        route("GET /files/{proxy+}", f"{to}/{{proxy}}", "NONE"),
                        route("GET /items/{id}", f"{to}/item/{{id}}", "NONE"),
                        route("GET /items/mine", f"{to}/mine", "NONE"),
                        route("POST /items/{id}", f"{to}/post/{{id}}", "NONE"),
                        route("GET /guarded/{proxy+}", f"{to}/{{proxy}}"),
                        route("OPTIONS /{proxy+}", f"{to}/options", "NONE"),
                        route("GET /", f"{to}/root", "NONE"),
                        route("GET /fixed", f"{to}/fixed?k=v", "NONE"),
                    ]
                ),
                api([route("GET /v", f"{to}/prod", "NONE")], name="prod", basePath="/prod"),
                api([route("GET /v", f"{to}/prod-v2", "NONE")], name="prod2", basePath="/prod/v2"),
                api([route("GET /v", f"{to}/admin-host", "NONE")], name="admin", domainNames=["admin.example"]),
                api(
                    [route("GET /v", f"{to}/admin-prod", "NONE")],
                    name="admin2",
                    domainNames=["admin.example"],
                    basePath="/prod",
                ),
            )
        )

    def setUp(self):
        super().setUp()
        self.backend.clear()

    def test_paths_reach_the_upstream_as_they_were_judged(self):
        for name, path, want in (
            ("greedy", "/files/a/b/c", "/a/b/c"),
            ("greedy without its trailing slash", "/files/a/b/", "/a/b"),
            ("literal before parameter", "/items/mine", "/mine"),
            ("parameter", "/items/7", "/item/7"),
            ("parameter with a trailing slash", "/items/7/", "/item/7"),
            ("colon", "/items/2026-01-01T00:00:00Z", "/item/2026-01-01T00:00:00Z"),
            ("encoded slash is data", "/items/a%2Fb", "/item/a%2Fb"),
            ("hex in upper case", "/items/a%2fb", "/item/a%2Fb"),
            ("encoded UTF-8", "/items/caf%c3%a9", "/item/caf%C3%A9"),
            ("encoded unreserved characters", "/items/%41%2d%7E%5f%2e5", "/item/A-~_.5"),
            ("encoded blank", "/items/a%20b", "/item/a%20b"),
            ("encoded percent", "/items/50%25", "/item/50%25"),
            ("sub-delimiters", "/items/a!$&'()*+,=@b", "/item/a!$&'()*+,=@b"),
            ("root", "/", "/root"),
            ("a query in the uri", "/fixed", "/fixed?k=v"),
        ):
            with self.subTest(name):
                self.backend.clear()
                self.assert_status(self.gateway.get(path), 200)
                self.assertEqual(want, self.backend.one().target)

    def test_queries_reach_the_upstream_byte_for_byte(self):
        # H5, A5
        for query in (
            "?a=1&a=2&b=%2F%2f+c&u=https://x.example/y?z=1&empty=&flag&=",
            "?",
            "?%41=%7e&x=a%20b+c",
            "?redirect=http://a/../b//c",
            "?a=b;c=d&e[]=!$'()*,:@/?",
        ):
            with self.subTest(query):
                self.backend.clear()
                self.assert_status(self.gateway.get("/items/7" + query), 200)
                self.assertIn(
                    self.backend.one().target, ("/item/7" + query,) if query != "?" else ("/item/7", "/item/7?")
                )

    def test_both_spellings_of_what_may_stand_bare_are_one_path(self):
        jwt = {
            "statements": [
                {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*"},
                {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*/all/x:y"},
                {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*/all/${claims.not}"},
            ],
        }
        to = self.upstream()
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /strict:op", to.url),
                        route("GET /all/{what}", to.url + "/all/{what}"),
                        route("ANY /{proxy+}", to.url + "/{proxy}", "NONE"),
                    ],
                    authorizers={"jwt": jwt_authorizer(jwt)},
                )
            )
        )
        token = mint(**{"not": "a|b@c"})
        for path, bearer_token, want in (
            ("/strict:op", None, 401),
            ("/strict%3Aop", None, 401),
            ("/strict%3aop", None, 401),
            ("/%73trict%3Aop", None, 401),
            ("/all/x:y", token, 403),
            ("/all/x%3Ay", token, 403),
            ("/all/%78%3ay", token, 403),
            ("/all/a%7Cb@c", token, 403),
            ("/all/a%7cb%40c", token, 403),
            ("/all/x%3Az", token, "/all/x:z"),
            ("/b%40c%28d%29", None, "/b@c(d)"),
            ("/a%2Bb+c%3D", None, "/a%2Bb+c="),
        ):
            with self.subTest(path):
                to.clear()
                response = gateway.get(path, bearer_token)
                self.assert_status(response, want if isinstance(want, int) else 200)
                self.assertEqual([] if isinstance(want, int) else [want], [seen.target for seen in to.requests])

    def test_doubtful_paths_are_refused(self):
        for path in (
            "/files/a/../b",
            "/files/..",
            "/files/./a",
            "/files/.",
            "/files/a/%2e%2e/b",
            "/files/%2E%2e",
            "/files/.%2e/a",
            "/files/%2e/a",
            "/files//a",
            "//files/a",
            "/files/a//b",
            "/files/a\\b",
            "/files/a%5Cb",
            "/files/a%5c..%5cb",
            "/files/a%00",
            "/files/%0a",
            "/files/%0d%0aX:y",
            "/files/%7f",
            "/files/%1f",
            "/files/%",
            "/files/%4",
            "/files/%zz",
            "/files/%u0041",
            "/files/%ff",
            "/files/%c0%af",
            "/files/%c0%ae%c0%ae",
            "/files/%ed%a0%80",
            "/files/%f4%90%80%80",
            "/files/%e2%82",
            "/files/a%2f..%2fb",
            "/files/a%2f%2e%2e%2fb",
            "/files/a%2f%2fb",
            "/files/..%2fa",
            "/files/a%2F.",
            "/guarded/../files/a",
            "/files/%2e%2e/guarded/x",
        ):
            with self.subTest(path):
                response = self.gateway.get(path)
                self.assert_status(response, 400)
                self.assertEqual(["application/json"], response.all("Content-Type"))  # E9
                self.assertIn("message", response.json())
                self.assert_untouched(self.backend)
        for path in (
            "/guarded/a;b",
            "/guarded/a%3bb",
            "/guarded/a%252fb",
            "/guarded/a%252e%252e%252fb",
            "/guarded/a%255cb",
        ):
            with self.subTest("guarded " + path):
                self.assert_status(self.gateway.get(path, mint()), 400)
                self.assert_untouched(self.backend)

    def test_apis_are_chosen_by_host_then_by_the_longest_base_path(self):
        for name, host, path, want in (
            ("no base path", "x.example", "/items/1", "/item/1"),
            ("base path", "x.example", "/prod/v", "/prod"),
            ("the longer base path", "x.example", "/prod/v2/v", "/prod-v2"),
            ("a host of its own", "admin.example", "/v", "/admin-host"),
            ("in any case and with a port", "ADMIN.example:8080", "/v", "/admin-host"),
            ("its base path", "admin.example", "/prod/v", "/admin-prod"),
            ("address as host", "127.0.0.1", "/prod/v", "/prod"),
        ):
            with self.subTest(name):
                self.backend.clear()
                self.assert_status(self.gateway.get(path, host=host), 200)
                self.assertEqual(want, self.backend.one().target)
        self.backend.clear()
        for name, host, path in (
            ("not on a segment boundary", "x.example", "/production/v"),
            ("not another host's API", "x.example", "/v"),
            ("not the hostless API", "admin.example", "/items/1"),
            ("base path in another case", "x.example", "/PROD/v"),
            ("inside the longer base path", "x.example", "/prod/v2"),
        ):
            with self.subTest(name):
                self.assert_no_route(self.gateway.get(path, host=host))
        self.assert_untouched(self.backend)

    def test_headers_of_the_client_do_not_route(self):
        for name in (
            "X-HTTP-Method-Override",
            "X-Original-URL",
            "X-Rewrite-URL",
            "X-Forwarded-Uri",
            "X-Forwarded-Host",
            "X-Forwarded-Prefix",
        ):
            with self.subTest(name):
                self.backend.clear()
                value = "POST" if "Method" in name else "admin.example" if "Host" in name else "/guarded/x"
                self.assert_status(self.gateway.get("/items/7", headers={name: value}), 200)
                self.assertEqual(("GET", "/item/7"), (self.backend.one().method, self.backend.one().target))

    def test_paths_outside_all_apis_are_forbidden(self):
        gateway = self.start(
            config(
                api([mock("GET /v")], basePath="/prod"),
                api([mock("GET /v")], name="h", domainNames=["h.example"], basePath="/h"),
            )
        )
        for name, host, path in (
            ("no base path", "x.example", "/v"),
            ("other base path", "x.example", "/h/v"),
            ("root", "x.example", "/"),
            ("not on a boundary", "x.example", "/prodv"),
            ("host without that base path", "h.example", "/prod/v"),
        ):
            with self.subTest(name):
                self.assert_error(gateway.get(path, host=host), 403, FORBIDDEN, "ForbiddenException")
        self.assert_status(gateway.get("/prod/v", host="x.example"), 200)
        self.assert_status(gateway.get("/h/v", host="h.example"), 200)


class Switches(GatewayCase):
    def test_the_older_deny_wording(self):
        backend = self.upstream()
        jwt = {"statements": [allow("${stageArn}/GET/a"), statement("Deny", "${stageArn}/GET/b")]}
        gateway = self.start(
            config(
                api(
                    [route(f"GET /{name}", backend.url, "jwt") for name in "abc"],
                    authorizers={"jwt": jwt_authorizer(jwt)},
                    denyMessages="2015",
                )
            )
        )
        self.assert_status(gateway.get("/a", mint()), 200)
        self.assert_denied(
            gateway.get("/b", mint()),
            b'{"Message":"User is not authorized to access this resource with an explicit deny"}',
        )
        self.assert_denied(gateway.get("/c", mint()), b'{"Message":"User is not authorized to access this resource"}')

    def test_method_override_works_only_where_it_is_asked_for(self):
        backend = self.upstream()
        gateway = self.start(
            config(
                api(
                    [route("GET /x", backend.url, "NONE"), route("DELETE /x", f"{backend.url}/deleted")],
                    methodOverride=True,
                )
            )
        )
        self.assert_status(gateway.get("/x"), 200)
        self.assert_unauthorized(gateway.get("/x", headers={"X-HTTP-Method-Override": "DELETE"}))
        self.assertEqual(1, len(backend.requests))
        self.assert_status(gateway.get("/x", mint(), {"X-HTTP-Method-Override": "DELETE"}), 200)
        self.assertEqual("/deleted", backend.requests[-1].target)

    def test_encoded_slashes_can_be_refused(self):
        backend = self.upstream()
        gateway = self.start(
            config(api([route("GET /{proxy+}", backend.url + "/{proxy}", "NONE")], encodedSlash="refuse"))
        )
        self.assert_status(gateway.get("/a%2Fb"), 400)
        self.assert_status(gateway.get("/a%2fb"), 400)
        self.assert_untouched(backend)
        self.assert_status(gateway.get("/a/b?x=%2F"), 200)

    def test_context_headers_can_be_named_otherwise_or_left_out(self):
        backend = self.upstream()
        routes = [route("GET /x", backend.url)]
        gateway = self.start(
            config(
                api(routes, contextHeaders={"prefix": "X-Ctx-"}),
                api(routes, name="b", basePath="/b", contextHeaders=False),
            )
        )
        self.assert_status(gateway.get("/x", mint(tenant_id="acme")), 200)
        fields = backend.one()
        self.assertEqual(["acme"], fields.all("X-Ctx-tenantId"))
        self.assertEqual([], [name for name in fields.names() if name.lower().startswith("x-authorizer")])
        backend.clear()
        self.assert_status(gateway.get("/b/x", mint(tenant_id="acme")), 200)
        self.assertEqual([], [name for name in backend.one().names() if "tenantid" in name.lower()])

    def test_claims_become_text_as_the_contract_says(self):
        backend = self.upstream()
        context = {
            "userId": {"claim": "sub"},
            "number": {"claim": "n"},
            "flag": {"claim": "f"},
            "list": {"claim": "l", "join": " "},
            "deep": {"claim": "/a/b~1c/0"},
            "absent": {"claim": "nope"},
            "city": {"claim": "city"},
            "null": {"claim": "z"},
            "zed": {"claim": "z", "default": "was null"},
        }
        gateway = self.start(
            config(api([route("GET /x", backend.url)], authorizers={"jwt": jwt_authorizer({"context": context})}))
        )
        token = mint(n=42, f=True, l=["a", "b", 3], a={"b/c": ["first"]}, city="Zürich", z=None)
        self.assert_status(gateway.get("/x", token), 200)
        request = backend.one()
        for key, value in (
            ("number", "42"),
            ("flag", "true"),
            ("list", "a b 3"),
            ("deep", "first"),
            ("zed", "was null"),
        ):
            self.assertEqual([value], request.all("X-Authorizer-" + key), key)
        self.assertEqual(
            ["Zürich".encode()],
            [value.encode("latin-1") for value in request.all("X-Authorizer-city")],
            "UTF-8 as its bytes",
        )
        for key in ("absent", "null", "tenantId", "roles"):
            self.assertEqual([], request.all("X-Authorizer-" + key), key)

    def test_context_that_cannot_stand_in_a_header_is_a_configuration_error(self):
        # D3; security: never passed on, never cleaned
        backend = self.upstream()
        gateway = self.start(config(api([route("GET /x", backend.url)])))
        for name, value in (
            ("CRLF", "acme\r\nX-Admin: yes"),
            ("LF", "a\nb"),
            ("NUL", "a\0b"),
            ("tab", "a\tb"),
            ("DEL", "a\x7fb"),
        ):
            with self.subTest(name):
                response = gateway.get("/x", mint(tenant_id=value))
                self.assert_error(response, 500, b'{"message":null}', "AuthorizerConfigurationException")
                self.assertIn("tenantId", json.dumps(gateway.trace(response)), "the trace names the key")
        self.assert_untouched(backend)


class GatewayResponses(GatewayCase):
    def start_with(self, responses, **changes):
        backend = self.upstream()
        jwt = {"statements": [allow("${stageArn}/GET/a")]}
        return self.start(
            config(
                api(
                    [route("GET /a", backend.url), route("GET /b", backend.url)],
                    authorizers={"jwt": jwt_authorizer(jwt)},
                    gatewayResponses=responses,
                    **changes,
                )
            )
        )

    def test_status_headers_and_templates_apply(self):
        # E4, E5
        cors = {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}
        gateway = self.start_with(
            {
                "UNAUTHORIZED": {
                    "statusCode": "418",
                    "responseParameters": cors
                    | {
                        "gatewayresponse.header.WWW-Authenticate": "'Bearer realm=\"x\"'",
                        "gatewayresponse.header.X-Path": "context.path",
                        "gatewayresponse.header.X-Seen": "method.request.header.X-Mine",
                        "gatewayresponse.header.X-Stage": "stageVariables.colour",
                    },
                    "responseTemplates": {
                        "application/json": '{"why":$context.error.messageString,"type":"$context.error.responseType","id":"$context.requestId"}'
                    },
                },
                "ACCESS_DENIED": {
                    "responseParameters": cors,
                    "responseTemplates": {
                        "application/json": '{"tenant":"$context.authorizer.tenantId","who":"$context.authorizer.principalId","text":"$context.error.message"}'
                    },
                },
                "DEFAULT_4XX": {"statusCode": 404, "responseParameters": {"gatewayresponse.header.X-Default": "'4XX'"}},
            },
            stageVariables={"colour": "blue"},
        )
        response = gateway.get("/a", headers={"X-Mine": "hello"})
        self.assert_status(response, 418)
        self.assertEqual(
            {"why": "Unauthorized", "type": "UNAUTHORIZED", "id": response.get("x-amzn-RequestId")}, response.json()
        )
        for name, value in (
            ("Access-Control-Allow-Origin", "*"),
            ("WWW-Authenticate", 'Bearer realm="x"'),
            ("X-Path", "/a"),
            ("X-Seen", "hello"),
            ("X-Stage", "blue"),
            ("Content-Type", "application/json"),
            ("x-amzn-ErrorType", "UnauthorizedException"),
        ):
            self.assertEqual([value], response.all(name), name)
        self.assertEqual([], response.all("X-Default"), "the specific type hides DEFAULT_4XX")
        response = gateway.get("/b", mint(tenant_id="acme", sub="me"))
        self.assert_status(response, 403)
        self.assertEqual({"tenant": "acme", "who": "me", "text": json.loads(IMPLICIT_DENY)["Message"]}, response.json())
        self.assertEqual(["*"], response.all("Access-Control-Allow-Origin"))
        response = gateway.get("/unknown")
        self.assert_status(response, 404)
        self.assertEqual((["4XX"], []), (response.all("X-Default"), response.all("Access-Control-Allow-Origin")))
        self.assertEqual({"message": "Missing Authentication Token"}, response.json())
        self.assert_status(gateway.get("/a", mint(tenant_id="x")), 200)

    def test_a_default_without_a_status_keeps_each_types_own(self):
        gateway = self.start_with(
            {
                "DEFAULT_4XX": {
                    "responseParameters": {
                        "gatewayresponse.header.Access-Control-Allow-Origin": "'https://app.example'"
                    }
                }
            }
        )
        for name, headers, path, status in (
            ("401", {}, "/a", 401),
            ("403", bearer(mint()), "/b", 403),
            ("no route", {}, "/c", 403),
        ):
            with self.subTest(name):
                response = gateway.request("GET", path, headers)
                self.assert_status(response, status)
                self.assertEqual(["https://app.example"], response.all("Access-Control-Allow-Origin"))

    def test_a_header_from_the_request_cannot_break_the_answer(self):
        gateway = self.start_with(
            {"DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.X-Seen": "method.request.querystring.x"}}}
        )
        response = gateway.get("/a?x=1%0d%0aX-Evil:%20yes")
        self.assert_status(response, 401)
        self.assertEqual([], response.all("X-Evil"))

    def test_answers_made_here_are_told_from_answers_of_the_upstream(self):
        # F1
        backend = self.upstream(respond=lambda request: answer(b'{"message":"Unauthorized"}', "401 Unauthorized"))
        gateway = self.start(config(api([route("GET /x", backend.url)])), args=["--dev"])
        theirs, ours = gateway.get("/x", mint()), gateway.get("/x")
        self.assertEqual((401, 401), (theirs.status, ours.status))
        self.assertEqual([], theirs.all("x-amzn-ErrorType"))
        self.assertEqual(ours.get("x-amzn-RequestId") + "; reason=identity_missing", ours.get("x-gatehouse-trace"))
        self.assertEqual(theirs.get("x-amzn-RequestId") + "; reason=allowed", theirs.get("x-gatehouse-trace"))


if __name__ == "__main__":
    unittest.main()
