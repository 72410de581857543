"""The shipped JSON Schema and the program say the same of a configuration, and the shipped example is good to both."""

import copy
import json
import re
import unittest

import jsonschema

from support.case import GatewayCase
from support.gateway import ROOT, Folder, command

SCHEMA = ROOT / "config" / "gatehouse.schema.json"
EXAMPLE = ROOT / "config" / "gatehouse.example.json"

# Objects whose member names are the user's own.
MAPS = (
    "functions",
    "environment",
    "stageVariables",
    "authorizers",
    "context",
    "requestParameters",
    "responseTemplates",
    "gatewayResponses",
    "responseParameters",
    "when",
)

EVERYTHING = {
    "$schema": "./gatehouse.schema.json",
    "listeners": [{"address": "127.0.0.1", "port": 8080}],
    "admin": {"address": "127.0.0.1", "port": 9901, "token": ""},
    "threads": 0,
    "limits": {
        "requestLineBytes": 10240,
        "headerBytes": 10240,
        "headerCount": 100,
        "bodyBytes": 10485760,
        "connections": 10000,
    },
    "timeouts": {
        "headerInMillis": 10000,
        "bodyInMillis": 30000,
        "bodyTotalInMillis": 300000,
        "keepAliveInMillis": 75000,
        "writeInMillis": 30000,
        "connectInMillis": 3000,
        "upstreamIdleInMillis": 29000,
        "drainInMillis": 25000,
    },
    "accessLog": {"format": "json", "path": "-"},
    "functions": {
        "behind": {"endpoint": "http://127.0.0.1:9000"},
        "run": {
            "command": ["node", "app.handler"],
            "directory": "authz",
            "environment": {"A": "b"},
            "concurrency": 2,
            "timeoutInMillis": 3000,
        },
    },
    "apis": [
        {
            "name": "users",
            "protocolType": "REST",
            "apiId": "local",
            "stageName": "prod",
            "region": "us-east-1",
            "accountId": "123456789012",
            "basePath": "/prod",
            "domainNames": ["a.example"],
            "stageVariables": {"backend": "127.0.0.1:3000"},
            "contextHeaders": {"prefix": "X-Authorizer-", "requestContext": False},
            "headerHandling": "service",
            "encodedSlash": "keep",
            "methodOverride": False,
            "denyMessages": "2026",
            "binaryMediaTypes": ["image/*"],
            "authorizers": {
                "function": {
                    "type": "REQUEST",
                    "identitySource": "method.request.header.Auth, stageVariables.backend",
                    "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:behind",
                },
                "jwt": {
                    "type": "TOKEN",
                    "identitySource": "method.request.header.Authorization",
                    "identityValidationExpression": "^Bearer .+$",
                    "authorizerResultTtlInSeconds": 300,
                    "limitToExpiration": True,
                    "requirePrincipalId": False,
                    "authorizerUri": "gatehouse:jwt",
                    "jwt": {
                        "issuer": "https://i.example/",
                        "audience": ["api://a"],
                        "jwksUri": "https://i.example/jwks.json",
                        "jwks": {
                            "refreshInSeconds": 300,
                            "cooldownInSeconds": 10,
                            "maxStaleInSeconds": 3600,
                            "timeoutInMillis": 2000,
                        },
                        "algorithms": ["RS256"],
                        "clockSkewInSeconds": 0,
                        "requireExpiration": True,
                        "requireKeyId": True,
                        "context": {
                            "userId": {"claim": "sub"},
                            "tenantId": {"claim": "tenant_id", "default": "default"},
                            "roles": {"claim": "roles", "default": ["user"], "join": ","},
                        },
                        "resource": "stage",
                    },
                },
                "several": {
                    "type": "TOKEN",
                    "authorizerUri": "gatehouse:jwt",
                    "jwt": {
                        "providers": [
                            {
                                "issuer": "https://i.example/",
                                "audience": ["api://a"],
                                "jwksUri": "https://i.example/jwks.json",
                                "jwks": {"refreshInSeconds": 60},
                                "algorithms": ["ES256"],
                            }
                        ],
                        "statements": [
                            {
                                "Sid": "A",
                                "Effect": "Allow",
                                "Action": "execute-api:Invoke",
                                "Resource": ["${stageArn}/GET/*"],
                                "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
                                "when": {
                                    "roles": "admin",
                                    "plan": {"in": ["gold"]},
                                    "email": {"matches": "@a$"},
                                    "level": {"exists": True},
                                },
                            }
                        ],
                    },
                },
            },
            "routes": [
                {
                    "routeKey": "GET /items/{id}",
                    "authorizer": "jwt",
                    "authorizationScopes": ["items:read"],
                    "integration": {
                        "type": "HTTP_PROXY",
                        "uri": "http://${stageVariables.backend}/items/{id}",
                        "timeoutInMillis": 29000,
                        "requestParameters": {"integration.request.header.X-User-Id": "context.authorizer.userId"},
                    },
                },
                {
                    "routeKey": "GET /other",
                    "authorizer": "several",
                    "integration": {"type": "HTTP_PROXY", "uri": "http://127.0.0.1:3000/"},
                },
                {
                    "routeKey": "GET /function",
                    "authorizer": "function",
                    "integration": {
                        "type": "AWS_PROXY",
                        "uri": "arn:aws:lambda:us-east-1:123456789012:function:run:live",
                        "httpMethod": "POST",
                        "timeoutInMillis": 3000,
                    },
                },
                {
                    "routeKey": "GET /health",
                    "authorizer": "NONE",
                    "integration": {"type": "MOCK", "responseTemplates": {"application/json": '{"ok":true}'}},
                },
            ],
            "gatewayResponses": {
                "UNAUTHORIZED": {
                    "statusCode": 401,
                    "responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
                    "responseTemplates": {"application/json": '{"message":$context.error.messageString}'},
                },
                "DEFAULT_5XX": {"statusCode": "500"},
            },
        },
        {
            "name": "http",
            "protocolType": "HTTP",
            "apiId": "http",
            "stageName": "$default",
            "basePath": "/http",
            "corsConfiguration": {
                "allowOrigins": ["https://app.example"],
                "allowMethods": ["GET"],
                "allowHeaders": ["authorization"],
                "exposeHeaders": ["x-a"],
                "maxAge": 600,
                "allowCredentials": False,
            },
            "authorizers": {
                "jwt": {
                    "type": "JWT",
                    "identitySource": ["$request.header.Authorization"],
                    "jwtConfiguration": {
                        "issuer": "https://i.example/",
                        "audience": ["api://a"],
                        "jwksUri": "https://i.example/jwks.json",
                        "jwks": {"refreshInSeconds": 300},
                    },
                },
                "function": {
                    "type": "REQUEST",
                    "identitySource": ["$request.header.Auth", "$context.routeKey"],
                    "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:behind",
                    "authorizerPayloadFormatVersion": "2.0",
                    "enableSimpleResponses": True,
                    "authorizerResultTtlInSeconds": 60,
                },
            },
            "routes": [
                {
                    "routeKey": "GET /a/{id}",
                    "authorizer": "jwt",
                    "authorizationScopes": ["a"],
                    "integration": {
                        "type": "HTTP_PROXY",
                        "uri": "http://127.0.0.1:3000/{id}",
                        "timeoutInMillis": 30000,
                        "payloadFormatVersion": "1.0",
                        "requestParameters": {
                            "append:header.X-A": "$request.path.id",
                            "overwrite:path": "/x",
                            "remove:querystring.a": "''",
                        },
                    },
                },
                {
                    "routeKey": "$default",
                    "authorizer": "function",
                    "integration": {
                        "type": "AWS_PROXY",
                        "uri": "arn:aws:lambda:us-east-1:123456789012:function:behind",
                        "payloadFormatVersion": "2.0",
                    },
                },
            ],
        },
        {
            "name": "native",
            "basePath": "/native",
            "apiId": "native",
            "authorizers": {
                "jwt": {
                    "type": "JWT",
                    "identitySource": "method.request.header.Authorization",
                    "jwtConfiguration": {
                        "defaultAlgorithms": ["RS256"],
                        "issuers": [{"issuer": "https://i.example/", "audiences": ["a"]}],
                    },
                }
            },
            "routes": [
                {
                    "routeKey": "GET /a",
                    "authorizer": "jwt",
                    "integration": {"type": "HTTP_PROXY", "uri": "http://127.0.0.1:3000/"},
                }
            ],
        },
    ],
}


def without_comments(text):
    """JSON from the configuration's own form: // and /* */ outside strings go."""
    pattern = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
    return json.loads(pattern.sub(lambda match: match.group(1) or " ", text))


def objects(document, pointer=()):
    """Pointers of all objects whose member names are the contract's."""
    if isinstance(document, dict):
        if not pointer or pointer[-1] not in MAPS:
            yield pointer
        for name, value in document.items():
            if name != "Condition":  # operators and condition keys are IAM's
                yield from objects(value, (*pointer, name))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from objects(value, (*pointer, number))


def at(document, pointer):
    for step in pointer:
        document = document[step]
    return document


class Schema(GatewayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schema = json.loads(SCHEMA.read_text())
        cls.validator = jsonschema.validators.validator_for(cls.schema)
        cls.validator.check_schema(cls.schema)

    def by_schema(self, document):
        return self.validator(self.schema).is_valid(document)

    def by_program(self, document):
        folder = Folder(document)
        try:
            done = command("check", folder.config)
        finally:
            folder.close()
        self.assertIn(done.status, (0, 2), done)
        return done.status == 0

    def test_the_shipped_example(self):
        document = without_comments(EXAMPLE.read_text())
        errors = [
            f"{list(error.absolute_path)}: {error.message}"
            for error in self.validator(self.schema).iter_errors(document)
        ]
        self.assertEqual([], errors)
        for example in sorted((ROOT / "config" / "examples").glob("*.json")):
            with self.subTest(example.name):
                self.assertTrue(self.by_schema(without_comments(example.read_text())))

    def test_every_key_of_the_contract_is_known(self):
        errors = [
            f"{list(error.absolute_path)}: {error.message}"
            for error in self.validator(self.schema).iter_errors(EVERYTHING)
        ]
        self.assertEqual([], errors)
        self.assertTrue(self.by_program(EVERYTHING))

    def test_every_key_is_described(self):
        missing = []

        def walk(node, path):
            if isinstance(node, dict):
                for name, value in (
                    node.get("properties", {}).items() if isinstance(node.get("properties"), dict) else ()
                ):
                    if (
                        isinstance(value, dict)
                        and "description" not in value
                        and "$ref" not in value
                        and "const" not in value
                    ):
                        missing.append(path + "/" + name)
                for name, value in node.items():
                    walk(value, path + "/" + name)
            elif isinstance(node, list):
                for number, value in enumerate(node):
                    walk(value, f"{path}/{number}")

        walk(self.schema, "")
        self.assertEqual([], missing)

    def test_unknown_keys_are_refused_everywhere_by_both(self):
        for pointer in objects(EVERYTHING):
            with self.subTest("/" + "/".join(map(str, pointer))):
                document = copy.deepcopy(EVERYTHING)
                at(document, pointer)["nonsense"] = 1
                self.assertFalse(self.by_schema(document), "schema")
                self.assertFalse(self.by_program(document), "program")

    def test_wrong_values_are_refused_by_both(self):
        authorizer, jwt, first = (
            ("apis", 0, "authorizers", "jwt"),
            ("apis", 0, "authorizers", "jwt", "jwt"),
            ("apis", 0, "routes", 0),
        )
        for pointer, value in (
            (("threads",), -1),
            (("threads",), "many"),
            (("listeners", 0, "port"), 65536),
            (("listeners", 0, "port"), -1),
            (("limits", "bodyBytes"), "a lot"),
            (("timeouts", "drainInMillis"), -5),
            (("accessLog",), "json"),
            (("apis",), {}),
            (("apis",), []),
            (("apis", 0, "protocolType"), "SOAP"),
            (("apis", 0, "headerHandling"), "other"),
            (("apis", 0, "encodedSlash"), "decode"),
            (("apis", 0, "denyMessages"), "1999"),
            (("apis", 0, "methodOverride"), "yes"),
            (("apis", 0, "contextHeaders"), True),
            (("apis", 0, "basePath"), 1),
            (("apis", 0, "domainNames"), "a.example"),
            ((*authorizer, "type"), "MAGIC"),
            ((*authorizer, "authorizerResultTtlInSeconds"), 3601),
            ((*authorizer, "authorizerResultTtlInSeconds"), -1),
            ((*authorizer, "limitToExpiration"), 1),
            ((*jwt, "audience"), []),
            ((*jwt, "audience"), "api://a"),
            ((*jwt, "algorithms"), ["HS256"]),
            ((*jwt, "algorithms"), []),
            ((*jwt, "clockSkewInSeconds"), 301),
            ((*jwt, "resource"), "world"),
            ((*jwt, "context", "userId"), "sub"),
            ((*first, "authorizationScopes"), "items:read"),
            ((*first, "integration", "timeoutInMillis"), 10),
            ((*first, "integration", "timeoutInMillis"), 30000),
            ((*first, "integration", "type"), "AWS_PROXY2"),
            (("functions", "a b"), {"endpoint": "http://127.0.0.1:9000"}),
            (("functions", "behind"), {}),
            (("functions", "behind", "endpoint"), "ftp://127.0.0.1"),
            (("functions", "behind", "concurrency"), 2),
            (("functions", "run", "command"), []),
            (("functions", "run", "command"), "node app.handler"),
            (("functions", "run", "directory"), ""),
            (("functions", "run", "environment"), {"A": 1}),
            (("functions", "run", "concurrency"), 0),
            (("functions", "run", "concurrency"), 65),
            (("functions", "run", "timeoutInMillis"), 49),
            (("functions", "run", "timeoutInMillis"), 900001),
            (("apis", 0, "authorizers", "function", "jwt"), {}),
            (("apis", 0, "authorizers", "function", "limitToExpiration"), True),
            (("apis", 0, "authorizers", "function", "identityValidationExpression"), "x"),
            (("apis", 0, "authorizers", "function", "authorizerUri"), "behind"),
            (("apis", 0, "binaryMediaTypes"), ["image"]),
            (("apis", 0, "gatewayResponses", "NOTHING"), {}),
            (("apis", 0, "corsConfiguration"), {"allowOrigins": ["*"]}),
            (("apis", 1, "gatewayResponses"), {}),
            (("apis", 1, "headerHandling"), "plain"),
            (("apis", 1, "binaryMediaTypes"), ["image/*"]),
            (("apis", 1, "methodOverride"), True),
            (("apis", 1, "denyMessages"), "2015"),
            (("apis", 1, "corsConfiguration", "allowOrigins"), ["app.example"]),
            (("apis", 1, "corsConfiguration", "allowMethods"), ["get"]),
            (("apis", 1, "corsConfiguration", "maxAge"), 86401),
            (("apis", 1, "authorizers", "jwt", "type"), "TOKEN"),
            (("apis", 1, "authorizers", "jwt", "identitySource"), "$request.header.Authorization"),
            (("apis", 1, "authorizers", "jwt", "authorizerUri"), "gatehouse:jwt"),
            (("apis", 1, "authorizers", "jwt", "authorizerResultTtlInSeconds"), 5),
            (("apis", 1, "authorizers", "jwt", "jwtConfiguration", "audience"), []),
            (("apis", 1, "authorizers", "function", "authorizerPayloadFormatVersion"), "3.0"),
            (("apis", 1, "authorizers", "function", "identityValidationExpression"), "x"),
            (("apis", 1, "routes", 0, "integration", "type"), "MOCK"),
            (("apis", 1, "routes", 0, "integration", "timeoutInMillis"), 30001),
            (("apis", 1, "routes", 0, "integration", "payloadFormatVersion"), "3.0"),
            (
                ("apis", 1, "routes", 0, "integration", "requestParameters"),
                {"integration.request.header.X": "'a'"},
            ),
            (("apis", 2, "routes", 0, "routeKey"), "$default"),
            (("apis", 2, "routes", 0, "integration", "payloadFormatVersion"), "1.0"),
            (("apis", 2, "authorizers", "jwt", "identitySource"), ["$request.header.A"]),
            (("apis", 2, "authorizers", "jwt", "jwtConfiguration", "defaultAlgorithms"), ["HS256"]),
            (("apis", 2, "authorizers", "jwt", "jwtConfiguration", "issuers"), []),
            (("apis", 0, "gatewayResponses", "UNAUTHORIZED", "statusCode"), 99),
        ):
            with self.subTest("/".join(map(str, pointer)) + " = " + json.dumps(value)):
                document = copy.deepcopy(EVERYTHING)
                at(document, pointer[:-1])[pointer[-1]] = value
                self.assertFalse(self.by_program(document), "program")
                self.assertFalse(self.by_schema(document), "schema")

    def test_keys_that_must_be_there(self):
        for pointer in (
            ("apis",),
            ("apis", 0, "routes", 0, "authorizer"),
            ("apis", 0, "routes", 0, "routeKey"),
            ("apis", 0, "routes", 0, "integration"),
            ("apis", 0, "routes", 0, "integration", "type"),
            ("apis", 0, "routes", 0, "integration", "uri"),
            ("apis", 0, "authorizers", "jwt", "type"),
            ("apis", 0, "authorizers", "jwt", "jwt", "audience"),
            ("apis", 0, "authorizers", "jwt", "jwt", "issuer"),
            ("apis", 1, "authorizers", "jwt", "jwtConfiguration"),
            ("apis", 1, "authorizers", "function", "authorizerUri"),
            ("apis", 1, "corsConfiguration", "allowOrigins"),
            ("apis", 2, "authorizers", "jwt", "jwtConfiguration", "issuers", 0, "audiences"),
        ):
            with self.subTest("/".join(map(str, pointer))):
                document = copy.deepcopy(EVERYTHING)
                del at(document, pointer[:-1])[pointer[-1]]
                self.assertFalse(self.by_program(document), "program")
                self.assertFalse(self.by_schema(document), "schema")

    def test_numbers_and_switches_may_be_references(self):
        document = copy.deepcopy(EVERYTHING)
        document["threads"] = "${THREADS:-2}"
        document["listeners"][0]["port"] = "${PORT:-8080}"
        document["apis"][0]["methodOverride"] = "${OVERRIDE:-false}"
        self.assertTrue(self.by_program(document))
        self.assertTrue(self.by_schema(document))


if __name__ == "__main__":
    unittest.main()
