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
    "requestTemplates",
    "requestModels",
    "requestValidators",
    "models",
    "properties",
    "integrationResponses",
    "responseTemplates",
    "gatewayResponses",
    "responseParameters",
    "when",
    "userPools",
    "upstreams",
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
    "resolver": {"servers": ["127.0.0.1", "127.0.0.1:5353", "[::1]:5353", "::1"]},
    "upstreams": {
        "users": {
            "targets": ["http://10.0.0.1:8080", "https://users-b:8443"],
            "balance": "leastRequests",
            "healthCheck": {
                "path": "/health?deep=1",
                "intervalInMillis": 10000,
                "timeoutInMillis": 2000,
                "healthyThreshold": 2,
                "unhealthyThreshold": 3,
                "statusCodes": "200-299,304",
            },
            "ejection": {"consecutiveFailures": 5, "baseTimeInMillis": 30000, "maxPercent": 50},
            "retryBudget": {"percent": 20, "minPerSecond": 10},
            "maxRequests": 1000,
            "maxConnections": 100,
            "maxIdleConnections": 10,
            "tls": {"serverNameToVerify": "users.example"},
        }
    },
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
    "apiKeys": [{"id": "k1", "name": "One", "value": "value-of-the-first-key", "enabled": True}],
    "usagePlans": [
        {
            "id": "gold",
            "name": "Gold",
            "apiStages": [
                {
                    "apiId": "local",
                    "stage": "prod",
                    "throttle": {"/other/GET": {"rateLimit": 0.5, "burstLimit": 1}},
                }
            ],
            "keys": ["k1"],
            "throttle": {"rateLimit": 10, "burstLimit": 20},
            "quota": {"limit": 1000, "period": "WEEK", "offset": 1},
        }
    ],
    "throttle": {"rateLimit": 10000, "burstLimit": 5000},
    "devOverride": {"secret": "0123456789abcdef0123456789abcdef"},
    "accessKeys": [{"accessKeyId": "AKID", "secretAccessKey": "not a secret", "principalId": "alice"}],
    "decision": {"address": "127.0.0.1", "port": 8181, "form": "nginx"},
    "shared": {
        "redis": "redis://127.0.0.1:6379/0",
        "secret": "0123456789abcdef0123456789abcdef",
        "prefix": "gatehouse:",
        "timeoutInMillis": 100,
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
            "apiKeySource": "HEADER",
            "throttle": {"rateLimit": 100, "burstLimit": 50},
            "authorizers": {
                "cognito": {
                    "type": "COGNITO_USER_POOLS",
                    "providerARNs": ["arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Ab"],
                    "identityValidationExpression": "client-.*",
                    "userPools": {
                        "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Ab": {
                            "issuer": "http://127.0.0.1:9229/us-east-1_Ab",
                            "jwksUri": "http://127.0.0.1:9229/us-east-1_Ab/.well-known/jwks.json",
                        }
                    },
                },
                "opaque": {
                    "type": "TOKEN",
                    "authorizerUri": "gatehouse:introspection",
                    "introspection": {
                        "endpoint": "https://i.example/introspect",
                        "clientId": "gatehouse",
                        "clientSecret": "not a secret",
                        "authMethod": "client_secret_basic",
                        "timeoutInMillis": 2000,
                        "issuer": "https://i.example/",
                        "audience": ["api://a"],
                        "clockSkewInSeconds": 0,
                        "requireExpiration": False,
                        "requireSubject": True,
                        "context": {"userId": {"claim": "sub"}},
                        "resource": "stage",
                    },
                },
                "function": {
                    "type": "REQUEST",
                    "identitySource": "method.request.header.Auth, stageVariables.backend",
                    "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:behind",
                    "timeoutInMillis": 5000,
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
            "requestValidators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
            "models": {"Item": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}},
            "routes": [
                {
                    "routeKey": "POST /items",
                    "authorizer": "jwt",
                    "requestValidator": "all",
                    "requestParameters": {"method.request.querystring.page": True},
                    "requestModels": {"application/json": "Item", "$default": "Empty"},
                    "integration": {
                        "type": "HTTP",
                        "uri": "http://127.0.0.1:3000/items",
                        "httpMethod": "POST",
                        "requestParameters": {"integration.request.header.X-Name": "method.request.body.name"},
                        "requestTemplates": {"application/json": "{}"},
                        "passthroughBehavior": "NEVER",
                        "integrationResponses": {
                            "200": {
                                "statusCode": "200",
                                "responseParameters": {"method.response.header.X-A": "integration.response.header.X-A"},
                                "responseTemplates": {"application/json": "$input.json('$')"},
                            },
                            "400": {"selectionPattern": "4\\d{2}"},
                        },
                    },
                },
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
                    "apiKeyRequired": True,
                    "throttle": {"rateLimit": 1, "burstLimit": 1},
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
                    "routeKey": "GET /signed",
                    "authorizer": "AWS_IAM",
                    "integration": {"type": "HTTP_PROXY", "uri": "http://127.0.0.1:3000/"},
                },
                {
                    "routeKey": "GET /users/{id}",
                    "authorizer": "jwt",
                    "integration": {"type": "HTTP_PROXY", "uri": "http://users/{id}"},
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
                        "responseParameters": {
                            "200": {"append:header.X-A": "$response.header.X-B"},
                            "404": {"overwrite:statuscode": "403"},
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
        for example in sorted((ROOT / "config" / "examples").glob("**/*.json")):
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
        authorizer, jwt, first, mapped = (
            ("apis", 0, "authorizers", "jwt"),
            ("apis", 0, "authorizers", "jwt", "jwt"),
            ("apis", 0, "routes", 1),
            ("apis", 0, "routes", 0),
        )
        for pointer, value in (
            (("threads",), -1),
            (("threads",), "many"),
            (("resolver", "servers"), []),
            (("resolver", "servers"), ["dns.example"]),
            (("resolver", "servers"), "127.0.0.1"),
            (("upstreams",), []),
            (("upstreams", "a.b"), {"targets": ["http://127.0.0.1"]}),
            (("upstreams", "users"), {}),
            (("upstreams", "users", "targets"), []),
            (("upstreams", "users", "targets"), "http://127.0.0.1"),
            (("upstreams", "users", "targets"), ["127.0.0.1:80"]),
            (("upstreams", "users", "targets"), ["http://127.0.0.1/"]),
            (("upstreams", "users", "targets"), ["http://127.0.0.1", "http://127.0.0.1"]),
            (("upstreams", "users", "balance"), "random"),
            (("upstreams", "users", "healthCheck"), True),
            (("upstreams", "users", "healthCheck", "path"), "health"),
            (("upstreams", "users", "healthCheck", "intervalInMillis"), 49),
            (("upstreams", "users", "healthCheck", "timeoutInMillis"), 0),
            (("upstreams", "users", "healthCheck", "healthyThreshold"), 0),
            (("upstreams", "users", "healthCheck", "unhealthyThreshold"), 0),
            (("upstreams", "users", "healthCheck", "statusCodes"), [200]),
            (("upstreams", "users", "healthCheck", "statusCodes"), "2xx"),
            (("upstreams", "users", "ejection", "consecutiveFailures"), 0),
            (("upstreams", "users", "ejection", "baseTimeInMillis"), 0),
            (("upstreams", "users", "ejection", "maxPercent"), 101),
            (("upstreams", "users", "retryBudget", "percent"), -1),
            (("upstreams", "users", "retryBudget", "minPerSecond"), -1),
            (("upstreams", "users", "maxRequests"), -1),
            (("upstreams", "users", "maxConnections"), "many"),
            (("upstreams", "users", "maxIdleConnections"), -1),
            (("upstreams", "users", "tls", "serverNameToVerify"), "*"),
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
            ((*mapped, "requestParameters"), {"integration.request.header.A": True}),
            ((*mapped, "requestParameters"), {"method.request.querystring.page": "yes"}),
            ((*mapped, "requestModels"), {"json": "Item"}),
            ((*mapped, "requestValidator"), 1),
            (("apis", 0, "requestValidators", "all"), {}),
            (("apis", 0, "models", "Item"), []),
            (("apis", 0, "models", "Item", "const"), 1),
            (("apis", 0, "models", "Item", "type"), "text"),
            (("apis", 0, "models", "Item", "required"), []),
            (("apis", 0, "models", "Item", "properties", "name", "format"), "phone"),
            (("apis", 0, "models", "Item", "properties", "name", "minLength"), -1),
            ((*mapped, "integration", "passthroughBehavior"), "ALWAYS"),
            ((*mapped, "integration", "requestTemplates"), {"json": "{}"}),
            ((*mapped, "integration", "integrationResponses"), {}),
            ((*mapped, "integration", "integrationResponses", "600"), {}),
            ((*mapped, "integration", "integrationResponses", "400", "statusCode"), 600),
            ((*mapped, "integration", "statusCode"), 200),
            ((*mapped, "integration", "responseTemplates"), {"application/json": "{}"}),
            ((*first, "integration", "requestTemplates"), {"application/json": "{}"}),
            ((*first, "integration", "integrationResponses"), {"200": {}}),
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
            (("apis", 0, "authorizers", "function", "timeoutInMillis"), 49),
            (("apis", 0, "authorizers", "function", "timeoutInMillis"), 29001),
            (("apis", 0, "authorizers", "jwt", "timeoutInMillis"), 1000),
            (("apis", 0, "authorizers", "function", "limitToExpiration"), True),
            (("apis", 0, "authorizers", "function", "identityValidationExpression"), "x"),
            (("apis", 0, "authorizers", "function", "authorizerUri"), "behind"),
            (("apis", 0, "authorizers", "opaque", "jwt"), {}),
            (("apis", 0, "authorizers", "opaque", "introspection", "endpoint"), "file:x"),
            (("apis", 0, "authorizers", "opaque", "introspection", "clientSecret"), ""),
            (("apis", 0, "authorizers", "opaque", "introspection", "authMethod"), "none"),
            (("apis", 0, "authorizers", "opaque", "introspection", "audience"), []),
            (("apis", 0, "authorizers", "opaque", "introspection", "timeoutInMillis"), 49),
            (("apis", 0, "authorizers", "jwt", "introspection"), {}),
            (("apis", 0, "authorizers", "jwt", "providerARNs"), []),
            (("apis", 0, "authorizers", "jwt", "userPools"), {}),
            (("apis", 0, "authorizers", "cognito", "providerARNs"), []),
            (("apis", 0, "authorizers", "cognito", "providerARNs"), ["us-east-1_Ab"]),
            (("apis", 0, "authorizers", "cognito", "authorizerUri"), "gatehouse:jwt"),
            (("apis", 0, "authorizers", "cognito", "requirePrincipalId"), True),
            (("decision", "address"), 7),
            (("decision", "port"), 70000),
            (("decision", "form"), "traefik"),
            (("decision", "form"), ["nginx"]),
            (("decision",), []),
            (("shared",), []),
            (("shared", "redis"), "rediss://127.0.0.1"),
            (("shared", "redis"), "/run/redis.sock"),
            (("shared", "redis"), "redis://127.0.0.1?db=1"),
            (("shared", "redis"), 6379),
            (("shared", "secret"), "x" * 31),
            (("shared", "prefix"), ""),
            (("shared", "prefix"), "a b"),
            (("shared", "timeoutInMillis"), 4),
            (("shared", "timeoutInMillis"), 5001),
            (("shared", "tls"), True),
            (("accessKeys", 0, "accessKeyId"), "A/B"),
            (("accessKeys", 0, "secretAccessKey"), ""),
            (("accessKeys", 0, "principalId"), 7),
            (("apis", 0, "binaryMediaTypes"), ["image"]),
            (("apiKeys", 0, "value"), "nineteen-characters"),
            (("apiKeys", 0, "value"), "x" * 129),
            (("apiKeys", 0, "value"), "twenty characters and"),
            (("apiKeys", 0, "id"), "a b"),
            (("apiKeys", 0, "enabled"), "yes"),
            (("usagePlans", 0, "keys"), "k1"),
            (("usagePlans", 0, "quota", "limit"), -1),
            (("usagePlans", 0, "quota", "period"), "YEAR"),
            (("usagePlans", 0, "quota", "offset"), 7),
            (("usagePlans", 0, "quota"), {"limit": 1, "period": "DAY", "offset": 1}),
            (("usagePlans", 0, "quota"), {"limit": 1, "period": "MONTH", "offset": 28}),
            (("usagePlans", 0, "throttle"), {"rateLimit": 1}),
            (("usagePlans", 0, "throttle"), {"burstLimit": 1}),
            (("usagePlans", 0, "apiStages", 0, "throttle", "/other/GET"), 1),
            (("throttle", "rateLimit"), -0.5),
            (("throttle", "rateLimit"), 1000001),
            (("throttle", "burstLimit"), 1.5),
            (("apis", 0, "throttle"), 10),
            (("apis", 0, "apiKeySource"), "QUERY"),
            (("apis", 0, "routes", 1, "apiKeyRequired"), "yes"),
            (("devOverride", "secret"), "x" * 31),
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
            (("apis", 1, "authorizers", "function", "timeoutInMillis"), 10001),
            (("apis", 1, "routes", 0, "integration", "type"), "MOCK"),
            (("apis", 1, "routes", 0, "integration", "timeoutInMillis"), 30001),
            (("apis", 1, "routes", 0, "integration", "responseParameters"), {"100": {}}),
            (("apis", 1, "routes", 0, "integration", "responseParameters"), {"200": {"overwrite:path": "/"}}),
            (("apis", 2, "routes", 0, "integration", "responseParameters"), {}),
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
            ("apiKeys", 0, "value"),
            ("usagePlans", 0, "id"),
            ("usagePlans", 0, "apiStages", 0, "stage"),
            ("usagePlans", 0, "quota", "period"),
            ("throttle", "burstLimit"),
            ("devOverride", "secret"),
            ("apis", 0, "routes", 0, "integration", "integrationResponses"),
            ("apis", 0, "authorizers", "jwt", "type"),
            ("apis", 0, "authorizers", "jwt", "jwt", "audience"),
            ("apis", 0, "authorizers", "jwt", "jwt", "issuer"),
            ("decision", "port"),
            ("decision", "form"),
            ("shared", "redis"),
            ("shared", "secret"),
            ("accessKeys", 0, "accessKeyId"),
            ("accessKeys", 0, "secretAccessKey"),
            ("accessKeys", 0, "principalId"),
            ("apis", 0, "authorizers", "jwt", "authorizerUri"),
            ("apis", 0, "authorizers", "cognito", "providerARNs"),
            ("apis", 0, "authorizers", "opaque", "introspection"),
            ("apis", 0, "authorizers", "opaque", "introspection", "endpoint"),
            ("apis", 0, "authorizers", "opaque", "introspection", "clientId"),
            ("apis", 0, "authorizers", "opaque", "introspection", "clientSecret"),
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
