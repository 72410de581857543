"""The same tokens through `gatehouse:jwt` and through a Lambda authorizer with PyJWT that does the same checks: one verdict, one context."""

import base64
import json
import time
import unittest
import urllib.request

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from support.case import EXPLICIT_DENY, IMPLICIT_DENY, UNAUTHORIZED, UNAVAILABLE, GatewayCase
from support.gateway import ROOT, api, config, jwt_authorizer
from support.issuer import Issuer
from support.oidc import OidcProvider
from support.process import wait_for
from support.tokens import AUDIENCE, SUBJECT, Key, base64url, default_claims, encode, hs256, mint
from support.upstream import Upstream

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
HANDLER = {"pyjwt_authorizer.py": (ROOT / "tests" / "integration" / "support" / "pyjwt_authorizer.py").read_text()}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:pyjwt"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
OURS, THEIRS = "in-process", "pyjwt"  # the authorizers, and the first segments of their paths, with the TTL behind
TTLS = (0, 300)


def statement(effect, resource, **when):
    made = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": "${stageArn}/" + resource}
    return made | ({"when": when} if when else {})


# What pyjwt_authorizer.statements says in Python.
STATEMENTS = [
    statement("Allow", "GET/*"),
    statement("Allow", "*", read_only={"exists": False}),
    statement("Deny", "*", roles="banned"),
]

# What may come out: the status, and the body and x-amzn-ErrorType of a refusal.
PASSES = (200, None, None)
UNAUTHORIZED_401 = (401, UNAUTHORIZED, "UnauthorizedException")
EXPLICIT_403 = (403, EXPLICIT_DENY, "AccessDeniedException")
IMPLICIT_403 = (403, IMPLICIT_DENY, "AccessDeniedException")
BROKEN_500 = (500, b'{"message":null}', "AuthorizerConfigurationException")
UNAVAILABLE_503 = (503, UNAVAILABLE, "AuthorizerFailureException")


def parity_config(backend, issuer, jwks_uri, theirs=None, jwks=None, **changes):
    """Paths below /in-process-0, /pyjwt-0, /in-process-300 and /pyjwt-300, all for the same places of the backend. Without `jwks_uri`
    the in-process authorizer finds the keys by discovery, and `theirs` says where they are for PyJWT."""
    jwt = {
        "issuer": issuer,
        "audience": [AUDIENCE],
        "jwksUri": jwks_uri,
        "jwks": jwks,
        "algorithms": ALGORITHMS,
        "statements": STATEMENTS,
    }
    authorizers = {}
    for ttl in TTLS:
        authorizers[f"{OURS}-{ttl}"] = jwt_authorizer(jwt, authorizerResultTtlInSeconds=ttl, **changes)
        authorizers[f"{THEIRS}-{ttl}"] = {
            "type": "TOKEN",
            "authorizerUri": FUNCTION,
            "authorizerResultTtlInSeconds": ttl,
        }
    integration = {"type": "HTTP_PROXY", "uri": f"{backend.url}/{{proxy}}"}
    routes = [
        {"routeKey": f"ANY /{name}/{{proxy+}}", "authorizer": name, "integration": integration} for name in authorizers
    ]
    function = {
        "command": ["/usr/bin/python3", RUNTIME, "pyjwt_authorizer.handler"],
        "directory": ".",
        "environment": {
            "ISSUER": issuer,
            "AUDIENCE": AUDIENCE,
            "JWKS_URI": theirs or jwks_uri,
            "ALGORITHMS": ",".join(ALGORITHMS),
        },
        "timeoutInMillis": 20000,
    }
    contexts = {"prefix": "X-Authorizer-", "requestContext": True}
    return config(api(routes, authorizers=authorizers, contextHeaders=contexts), functions={"pyjwt": function})


class Outcome:
    """What a request came to: the answer, and what reached the upstream, both without what each request has of its own."""

    def __init__(self, response, requests):
        self.response = response
        own = ("date", "x-amzn-requestid", "x-amz-apigw-id")
        fields = [pair for pair in response.fields if pair[0].lower() not in own]
        self.answer = (response.start_line, fields, response.body)
        self.requests = [self._shown(request) for request in requests]

    @staticmethod
    def _shown(request):
        own = ("x-amzn-trace-id", "x-amzn-request-context")
        fields = sorted(pair for pair in request.fields if pair[0].lower() not in own)
        context = json.loads(request.get("x-amzn-request-context"))["authorizer"]
        # README, "What is exact, and what differs": the in-process one has the claims beside, and no latency to tell.
        context = {name: value for name, value in context.items() if name not in ("claims", "integrationLatency")}
        return request.start_line, fields, context

    @property
    def verdict(self):
        if self.response.status == 200:
            return PASSES
        return self.response.status, self.response.body, self.response.get("x-amzn-ErrorType")

    @property
    def context(self):
        return self.requests[0][2]


class ParityCase(GatewayCase):
    """For classes or tests that have a `gateway` with parity_config and its `backend`."""

    def ask(self, authorizer, fields, method="GET"):
        self.backend.clear()
        response = self.gateway.request(method, f"/{authorizer}/items", fields)
        return Outcome(response, list(self.backend.requests))

    def both(self, fields, wanted, theirs=None, method="GET"):
        """Both authorizers without a cache and with one, each asked twice. `theirs` is the function's verdict if another."""
        outcomes = []
        for ttl in TTLS:
            for turn in ("first", "second"):
                for name, expected in ((OURS, wanted), (THEIRS, theirs or wanted)):
                    outcome = self.ask(f"{name}-{ttl}", fields, method)
                    what = f"{name}, TTL {ttl}, {turn}: {outcome.response!r}"
                    self.assertEqual(expected, outcome.verdict, what)
                    self.assertEqual(1 if expected == PASSES else 0, len(outcome.requests), what)
                    outcomes.append((outcome, what))
        return outcomes

    def assert_same(self, fields, wanted, method="GET"):
        """What is wanted of both, with the same answer to the byte and the same request at the upstream: the first outcome."""
        outcomes = self.both(fields, wanted, method=method)
        first = outcomes[0][0]
        for outcome, what in outcomes[1:]:
            self.assertEqual(first.answer, outcome.answer, what)
            self.assertEqual(first.requests, outcome.requests, what)
        return first


class Tokens(ParityCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rsa, cls.pss = Key.rsa("rsa"), Key.rsa("pss", alg="PS256")
        cls.ec, cls.ed = Key.ec("ec"), Key.ed("ed")
        cls.stranger = Key.ec("ec")
        cls.keys = (cls.rsa, cls.pss, cls.ec, cls.ed)
        encryption = cls.ec.jwk(kid="encryption", use="enc")
        cls.issuer = cls.share(Issuer(*cls.keys, encryption))
        cls.backend = cls.share(Upstream())
        cls.gateway = cls.share_gateway(
            parity_config(cls.backend, cls.issuer.issuer, cls.issuer.jwks_uri), files=HANDLER
        )

    def mint(self, key=None, header=None, **changes):
        return mint(key or self.ec, header, **({"iss": self.issuer.issuer} | changes))

    def bearer(self, *arguments, **changes):
        return {"Authorization": "Bearer " + self.mint(*arguments, **changes)}

    def claims(self, **changes):
        return default_claims({"iss": self.issuer.issuer} | changes)

    def signed(self, header, claims, key=None):
        """A token of any bytes, well signed."""
        key = key or self.ec
        if isinstance(header, dict):
            header = {"alg": key.alg, "kid": key.kid} | header
        return encode(header, claims, key.sign)

    def test_what_passes(self):
        now = int(time.time())
        alice = {"principalId": SUBJECT, "userId": SUBJECT, "tenantId": "default", "roles": "user"}
        null = self.claims() | {"tenant_id": None, "roles": None}
        zoe = {"principalId": "zoë", "userId": "zoë", "tenantId": "北"}
        rows = (  # name, token, what its context has other than alice's
            *((key.alg, self.mint(key), {}) for key in self.keys),
            ("aud is a list", self.mint(aud=["api://other", AUDIENCE]), {}),
            ("type at+jwt", self.mint(header={"typ": "at+jwt"}), {}),
            ("no type", self.mint(header={"typ": None}), {}),
            ("nbf and iat are past", self.mint(nbf=now - 10, iat=now - 10), {}),
            ("no iat", self.mint(iat=None), {}),
            ("dates with fractions", self.mint(exp=now + 100.5, nbf=now - 9.5, iat=now - 9.5), {}),
            ("exp is beyond all dates", self.mint(exp=1e300), {}),
            ("a key that the token brings", self.mint(header={"jwk": Key.ec("ec").jwk(), "jku": "http://x/"}), {}),
            ("another subject", self.mint(sub="bob"), {"principalId": "bob", "userId": "bob"}),
            ("beyond ASCII", self.mint(sub="zoë", tenant_id="北"), zoe),
            ("spaces at the ends", self.mint(tenant_id=" x "), {"tenantId": " x "}),
            ("a tenant", self.mint(tenant_id="acme"), {"tenantId": "acme"}),
            ("an empty tenant", self.mint(tenant_id=""), {"tenantId": ""}),
            ("tenant and roles null", self.signed({}, null), {}),
            ("tenant a number", self.mint(tenant_id=42), {"tenantId": "42"}),
            ("tenant a large number", self.mint(tenant_id=2**64 - 1), {"tenantId": str(2**64 - 1)}),
            ("tenant a fraction", self.mint(tenant_id=0.125), {"tenantId": "0.125"}),
            ("tenant a boolean", self.mint(tenant_id=True), {"tenantId": "true"}),
            ("roles", self.mint(roles=["admin", "user"]), {"roles": "admin,user"}),
            ("roles in one text", self.mint(roles="admin"), {"roles": "admin"}),
            ("roles that are numbers", self.mint(roles=[1, 2.5]), {"roles": "1,2.5"}),
            ("no roles", self.mint(roles=[]), {"roles": ""}),
            ("an empty role", self.mint(roles=["a", ""]), {"roles": "a,"}),
        )
        for name, token, context in rows:
            with self.subTest(name):
                outcome = self.assert_same({"Authorization": f"Bearer {token}"}, PASSES)
                self.assertEqual(alice | context, outcome.context)

    def test_what_is_not_authorized(self):
        now = int(time.time())
        header, claims, signature = self.mint().split(".")
        rs_header, rs_claims, rs_signature = self.mint(self.rsa).split(".")
        other = base64url(json.dumps(self.claims(sub="root")).encode())
        der = self.ec.private.sign(f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        issuer = self.issuer.issuer
        good = self.claims()
        latin = json.dumps(good | {"x": "é"}, ensure_ascii=False).encode("latin-1")
        bare = base64url(b'{"alg":"ES256","kid":"ec"}')
        rows = (
            ("expired", self.mint(exp=now - 1)),
            ("expires now", self.mint(exp=now)),
            ("expired long ago", self.mint(exp=-1)),
            ("no exp", self.mint(exp=None)),
            ("exp null", self.signed({}, good | {"exp": None})),
            ("exp no date", self.mint(exp="tomorrow")),
            ("exp a text, and past", self.mint(exp=str(now - 100))),
            ("exp a boolean", self.mint(exp=True)),
            ("exp a list", self.mint(exp=[now + 100])),
            ("not yet valid", self.mint(nbf=now + 100)),
            ("nbf no date", self.mint(nbf="yesterday")),
            ("nbf null", self.signed({}, good | {"nbf": None})),
            ("issued in the future", self.mint(iat=now + 100)),
            ("iat no date", self.mint(iat="yesterday")),
            ("wrong aud", self.mint(aud="api://other")),
            ("aud longer", self.mint(aud=AUDIENCE + "/")),
            ("aud in capitals", self.mint(aud=AUDIENCE.upper())),
            ("aud among words", self.mint(aud=f"{AUDIENCE} api://other")),
            ("aud list of others", self.mint(aud=["api://other", ""])),
            ("aud list with a number", self.mint(aud=[AUDIENCE, 5])),
            ("aud list in a list", self.mint(aud=[[AUDIENCE]])),
            ("aud list empty", self.mint(aud=[])),
            ("aud an object", self.mint(aud={AUDIENCE: True})),
            ("aud null", self.signed({}, good | {"aud": None})),
            ("no aud", self.mint(aud=None)),
            ("wrong iss", self.mint(iss="https://evil.example/")),
            ("iss without its slash", self.mint(iss=issuer.rstrip("/"))),
            ("iss with another slash", self.mint(iss=issuer + "/")),
            ("iss in capitals", self.mint(iss=issuer.upper())),
            ("iss a list", self.mint(iss=[issuer])),
            ("no iss", self.mint(iss=None)),
            ("no sub", self.mint(sub=None)),
            ("sub empty", self.mint(sub="")),
            ("sub null", self.signed({}, good | {"sub": None})),
            ("sub a number", self.mint(sub=5)),
            ("sub a list", self.mint(sub=["root"])),
            ("unknown kid", self.mint(self.ec.as_(kid="other"))),
            ("kid in capitals", self.mint(self.ec.as_(kid="EC"))),
            ("no kid", self.mint(header={"kid": None})),
            ("kid empty", self.signed({"kid": ""}, good)),
            ("kid a number", self.mint(header={"kid": 7})),
            ("kid a list", self.mint(header={"kid": ["ec"]})),
            ("kid of another kind of key", self.mint(self.ec.as_(kid="rsa"))),
            ("kid of a key for encryption", self.mint(self.ec.as_(kid="encryption"))),
            ("alg none", encode({"alg": "none", "kid": "ec"}, good, lambda _: b"")),
            ("alg None, signed", self.signed({"alg": "None"}, good)),
            ("no alg", self.signed({"alg": None}, good)),
            ("alg in small letters", self.signed({"alg": "es256"}, good)),
            ("alg not allowed", self.signed({"alg": "ES384"}, good)),
            ("alg of another kind of key", self.signed({"alg": "RS256"}, good)),
            ("HS256 with the public key's PEM", hs256(self.rsa.public_pem(), {"iss": issuer}, "rsa")),
            ("HS256 with a guessed secret", hs256(b"secret", {"iss": issuer}, "rsa")),
            ("crit", self.mint(header={"crit": ["exp"]})),
            ("crit empty", self.mint(header={"crit": []})),
            ("b64 false", self.mint(header={"b64": False, "crit": ["b64"]})),
            ("other key of that kid", self.mint(Key.ec("ec"))),
            ("other key of that kid, and the token brings it", self.mint(self.stranger, {"jwk": self.stranger.jwk()})),
            ("tampered claims", f"{header}.{other}.{signature}"),
            ("tampered header", f"{bare}.{claims}.{signature}"),
            ("tampered signature", f"{header}.{claims}.{'AAAA' if signature[:4] != 'AAAA' else 'BBBB'}{signature[4:]}"),
            ("tampered RSA signature", f"{rs_header}.{rs_claims}.{rs_signature[:-8]}AAAAAAAA"),
            ("signature of another token", f"{header}.{claims}.{self.mint().rsplit('.', 1)[1]}"),
            ("signature cut", f"{header}.{claims}.{signature[:-4]}"),
            ("signature longer", f"{header}.{claims}.{signature}AAAA"),
            ("signature of zeros", f"{header}.{claims}.{base64url(bytes(64))}"),
            ("signature in DER", f"{header}.{claims}.{base64url(der)}"),
            ("no signature", f"{header}.{claims}."),
            ("claims that are a list", self.signed({}, [good])),
            ("claims that are no JSON", self.signed({}, b"{")),
            ("claims with bytes behind", self.signed({}, json.dumps(good).encode() + b"\0")),
            ("claims in Latin-1", self.signed({}, latin)),
            ("header that is a list", self.signed(b"[]", good)),
            ("header that is no JSON", self.signed(b"{", good)),
            ("no header", self.signed(b"", good)),
            ("two parts", f"{header}.{claims}"),
            ("one part", header),
            ("four parts", f"{header}.{claims}.{signature}.{signature}"),
            ("five parts", f"{header}.{claims}.{signature}.{signature}.{signature}"),
            ("dots", ".."),
            ("garbage", "garbage"),
        )
        for name, token in rows:
            with self.subTest(name):
                self.assert_same({"Authorization": f"Bearer {token}"}, UNAUTHORIZED_401)

    def test_how_the_header_is_written(self):
        token = self.mint()
        rows = (  # name, values of Authorization, what comes of it
            ("none", [], UNAUTHORIZED_401),
            ("empty", [""], UNAUTHORIZED_401),
            ("the scheme alone", ["Bearer"], UNAUTHORIZED_401),
            ("the token alone", [token], UNAUTHORIZED_401),
            ("another scheme", [f"Basic {token}"], UNAUTHORIZED_401),
            ("a longer scheme", [f"Bearers {token}"], UNAUTHORIZED_401),
            ("no space", [f"Bearer{token}"], UNAUTHORIZED_401),
            ("a colon", [f"Bearer: {token}"], UNAUTHORIZED_401),
            ("a tab", [f"Bearer\t{token}"], UNAUTHORIZED_401),
            ("the scheme twice", [f"Bearer Bearer {token}"], UNAUTHORIZED_401),
            ("in quotes", [f'Bearer "{token}"'], UNAUTHORIZED_401),
            ("two tokens", [f"Bearer {token} {token}"], UNAUTHORIZED_401),
            ("a list", [f"Bearer {token}, Bearer {token}"], UNAUTHORIZED_401),
            ("a comma", [f"Bearer {token},"], UNAUTHORIZED_401),
            ("null", ["Bearer null"], UNAUTHORIZED_401),
            ("beyond ASCII", [f"Bearer {token}é"], UNAUTHORIZED_401),
            ("twice", [f"Bearer {token}", f"Bearer {token}"], UNAUTHORIZED_401),
            ("two spaces", [f"Bearer  {token}"], PASSES),
            ("spaces around", [f"  Bearer {token}  "], PASSES),
            ("small letters", [f"bearer {token}"], PASSES),
            ("capitals", [f"BEARER {token}"], PASSES),
        )
        for name, values, wanted in rows:
            with self.subTest(name):
                self.assert_same([("Authorization", value) for value in values], wanted)

    def test_policies(self):
        rows = (  # name, claims, of GET, of POST
            ("everything", {}, PASSES, PASSES),
            ("reading", {"read_only": True}, PASSES, IMPLICIT_403),
            ("nothing", {"roles": ["user", "banned"]}, EXPLICIT_403, EXPLICIT_403),
            ("nothing, in one text", {"roles": "banned"}, EXPLICIT_403, EXPLICIT_403),
            ("a Deny beats what else is there", {"roles": ["banned"], "read_only": 1}, EXPLICIT_403, EXPLICIT_403),
            ("another word", {"roles": ["Banned", "banned ", "unbanned"]}, PASSES, PASSES),
        )
        for name, claims, reading, writing in rows:
            with self.subTest(name):
                fields = self.bearer(**claims)
                self.assert_same(fields, reading, method="GET")
                self.assert_same(fields, writing, method="POST")

    def test_a_context_that_cannot_be_a_header(self):
        for name, claims in (
            ("a line feed in the tenant", {"tenant_id": "a\nX-Authorizer-userId: root"}),
            ("a NUL in the tenant", {"tenant_id": "a\0"}),
            ("a tab in the tenant", {"tenant_id": "a\tb"}),
            ("DEL in a role", {"roles": ["a\x7f"]}),
            ("a line feed in the subject", {"sub": "a\nb"}),
        ):
            with self.subTest(name):
                self.assert_same(self.bearer(**claims), BROKEN_500)

    def test_where_they_differ(self):
        good = self.claims()
        now = int(time.time())
        header, claims, signature = self.mint().split(".")
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        same_bytes = alphabet[alphabet.index(signature[-1]) + 1]  # in the bits that no byte of the signature has
        text = json.dumps(good)

        def with_member(member):
            return self.signed({}, (text[:-1] + "," + member + "}").encode())

        refused_here = (  # what makes PyJWT, or a handler as the guides write it, laxer
            ("int() makes a number of a text (RFC 7519 2: NumericDate is a number)", self.mint(exp=str(now + 100))),
            ("the same of nbf", self.mint(nbf="0")),
            ("and of a boolean", self.mint(nbf=True)),
            ("typ is not looked at (RFC 8725 3.11)", self.mint(header={"typ": "logout+jwt"})),
            ("nor that it is a text", self.mint(header={"typ": 5})),
            ("nor cty (RFC 7519 5.2)", self.mint(header={"cty": "JWT"})),
            ("b64 true is taken for nothing", self.mint(header={"b64": True})),
            ("a key's own alg is not looked at (RFC 7517 4.4)", self.mint(self.rsa.as_("PS256"))),
            ("the other way round", self.mint(self.pss.as_("RS256"))),
            ("of a member that is there twice the last counts", with_member('"sub":"root"')),
            ("of a header's too", self.signed(b'{"alg":"none","alg":"ES256","kid":"ec"}', good)),
            ("NaN is taken for JSON", with_member('"x":NaN')),
            ("and a number that no double holds", with_member('"x":1e999')),
            ("UTF-16 is taken for JSON", self.signed({}, text.encode("utf-16"))),
            ("bits behind the last byte of base64url are dropped", f"{header}.{claims}.{signature[:-1]}{same_bytes}"),
            ("padding is taken", f"{header}.{claims}.{signature}=="),
            ("a list is joined, whatever is in its elements", self.mint(roles=["user,admin"])),
            ("an object becomes Python's text of it", self.mint(roles={"a": 1})),
        )
        for reason, token in refused_here:
            with self.subTest(reason):
                self.both({"Authorization": f"Bearer {token}"}, UNAUTHORIZED_401, PASSES)

        # README, "What the upstream receives" and "Functions": an object makes the token useless, a list is joined;
        # as a function's both are 500.
        with self.subTest("an object as a context value"):
            self.both(self.bearer(tenant_id={"a": 1}), UNAUTHORIZED_401, BROKEN_500)
        with self.subTest("a list as a context value"):
            outcomes = self.both(self.bearer(tenant_id=["a", "b"]), PASSES, BROKEN_500)
            self.assertEqual("a,b", outcomes[0][0].context["tenantId"])

    def test_numbers_that_are_no_integers(self):
        # A function's have the text that Java gives them, the in-process ones the shortest.
        for number, ours, theirs in ((1.0, "1", "1.0"), (1e7, "10000000", "1.0E7"), (1e-5, "1e-05", "1.0E-5")):
            with self.subTest(number):
                outcomes = self.both(self.bearer(tenant_id=number), PASSES)
                for (outcome, what), tenant in zip(outcomes, (ours, theirs) * 4):
                    self.assertEqual(tenant, outcome.context["tenantId"], what)

    def test_both_are_cached(self):
        for name in (OURS, THEIRS):
            for claims in ({}, {"roles": ["banned"]}):
                for ttl, calls in ((0, 3), (300, 1)):
                    with self.subTest(name, ttl=ttl, claims=claims):
                        fields = self.bearer(**claims)
                        before = self.gateway.metrics().total("gatehouse_authorizer_calls_total")
                        for _ in range(3):
                            self.ask(f"{name}-{ttl}", fields)
                        after = self.gateway.metrics().total("gatehouse_authorizer_calls_total")
                        self.assertEqual(calls, after - before)


class Times(ParityCase):
    """Where time passes the two differ, as the README says under "What is exact, and what differs"."""

    def serve(self, *keys, jwks=None, ready=True, listening=True, **changes):
        self.issuer = self.using(Issuer(*keys, listening=listening))
        self.backend = self.upstream()
        configuration = parity_config(self.backend, self.issuer.issuer, self.issuer.jwks_uri, jwks=jwks, **changes)
        self.gateway = self.start(configuration, files=HANDLER, ready=ready)

    def bearer(self, key, **claims):
        return {"Authorization": "Bearer " + mint(key, iss=self.issuer.issuer, **claims)}

    def verdicts(self, fields):
        names = [f"{name}-{ttl}" for name in (OURS, THEIRS) for ttl in TTLS]
        return {name: self.ask(name, fields).response.status for name in names}

    def test_a_token_that_expires_in_the_cache(self):
        key = Key.ec("ec")
        for limited, kept in ((True, 401), (False, 200)):
            with self.subTest(limitToExpiration=limited):
                self.serve(key, limitToExpiration=limited)
                self.verdicts(self.bearer(key))  # so that the function is there
                fields = self.bearer(key, exp=int(time.time()) + 3)
                self.assertEqual({200}, set(self.verdicts(fields).values()))
                wait_for(lambda: self.ask(f"{THEIRS}-0", fields).response.status == 401, "the token's end")
                self.assertEqual(
                    {f"{OURS}-0": 401, f"{OURS}-300": kept, f"{THEIRS}-0": 401, f"{THEIRS}-300": 200},
                    self.verdicts(fields),
                )

    def test_a_key_that_leaves_the_key_set(self):
        key, successor = Key.ec("old"), Key.ec("new")
        self.serve(key, jwks={"refreshInSeconds": 1})
        fields = self.bearer(key)
        self.assertEqual({200}, set(self.verdicts(fields).values()))
        self.issuer.keys = [successor]
        wait_for(lambda: self.ask(f"{OURS}-300", fields).response.status == 401, "the entry to leave the cache")
        # PyJWKClient fetches anew after 300 s, or for a kid that it does not have: then the old one is gone there too.
        self.assertEqual({200}, {self.ask(f"{THEIRS}-{ttl}", fields).response.status for ttl in TTLS})
        self.assertEqual({200}, set(self.verdicts(self.bearer(successor)).values()))
        self.assertEqual(
            {f"{OURS}-0": 401, f"{OURS}-300": 401, f"{THEIRS}-0": 401, f"{THEIRS}-300": 200}, self.verdicts(fields)
        )

    def test_keys_that_are_away(self):
        key = Key.ec("ec")
        self.serve(key, listening=False, ready=False)
        fields = self.bearer(key)
        self.both(fields, UNAVAILABLE_503, UNAUTHORIZED_401)
        self.issuer.up()
        wait_for(lambda: set(self.verdicts(fields).values()) == {200}, "the issuer's keys")
        self.assert_same(fields, PASSES)


class Provider(ParityCase):
    def test_tokens_of_a_real_openid_provider(self):
        provider = self.using(OidcProvider("RS256", "ES256", "EdDSA"))
        with urllib.request.urlopen(provider.issuer + "/.well-known/openid-configuration", timeout=20) as reply:
            jwks_uri = json.load(reply)["jwks_uri"]
        self.backend = self.upstream()
        jwks = {"cooldownInSeconds": 1}
        configuration = parity_config(self.backend, provider.issuer, None, theirs=jwks_uri, jwks=jwks)
        self.gateway = self.start(configuration, files=HANDLER)
        machine = {"principalId": "machine", "userId": "machine", "tenantId": "acme", "roles": "admin,user"}
        for generation in ("first", "rotated"):
            for algorithm in ("RS256", "ES256", "EdDSA"):
                with self.subTest(algorithm, generation=generation):
                    token = provider.token(algorithm=algorithm)
                    header, claims, signature = token.split(".")
                    self.assertEqual(algorithm, json.loads(base64.urlsafe_b64decode(header + "=="))["alg"])
                    fields = {"Authorization": f"Bearer {token}"}
                    wait_for(lambda: self.ask(f"{OURS}-0", fields).response.status == 200, "the key", 10)
                    self.assertEqual(machine, self.assert_same(fields, PASSES).context)
                    for name, bad in (
                        ("tampered", f"{header}.{claims}.{signature[::-1]}"),
                        ("without signature", f"{header}.{claims}."),
                        ("for others", provider.token(resource="api://other", algorithm=algorithm)),
                        ("opaque", provider.opaque_token()),
                    ):
                        with self.subTest(name):
                            self.assert_same({"Authorization": f"Bearer {bad}"}, UNAUTHORIZED_401)
            provider.rotate()


if __name__ == "__main__":
    unittest.main()
