"""What a user types and sees: every call of the program, its exit status, its advice, its end."""

import array
import collections
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import termios
import threading
import time
import unittest
import urllib.request

from support import tokens
from support.case import GatewayCase
from support.gateway import (
    ADMIN_LINE,
    DATA_LINE,
    ROOT,
    Folder,
    api,
    binary,
    command,
    config,
    environment,
    jwt_authorizer,
    mock,
    route,
)
from support.issuer import Issuer
from support.process import Process, run, wait_for
from support.tokens import bearer, ec_key, mint, rsa_key
from support.upstream import ClosedPort, answer
from support.wire import Client, WireError

CALLS = ("serve", "demo", "check", "token", "explain", "health", "version")


class CliCase(GatewayCase):
    def folder(self, configuration=None, files=None):
        return self.using(Folder(configuration, files))

    def assert_exit(self, status, done):
        self.assertEqual(status, done.status, done)
        self.assertNotRegex(done.output, r"(?i)terminate called|sanitizer|core dumped|runtime error")
        return done


class Usage(CliCase):
    def test_help_is_there_for_every_call(self):
        done = self.assert_exit(0, command("--help"))
        for call in CALLS:
            self.assertRegex(done.stdout, rf"(?m)\b{call}\b")
        for call in CALLS:
            with self.subTest(call):
                done = self.assert_exit(0, command(call, "--help"))
                self.assertGreater(len(done.stdout), 60)
        for option in ("--config", "--listen", "--admin", "--threads", "--log-level", "--dev", "--watch"):
            self.assertIn(option, command("serve", "--help").stdout)

    def test_version_names_compiler_and_libraries(self):
        done = self.assert_exit(0, command("version"))
        for word in (r"\d+\.\d+\.\d+", r"(?i)gcc|g\+\+|clang", "(?i)boost", "(?i)openssl"):
            self.assertRegex(done.stdout, word)

    def test_bad_usage_is_2(self):
        config_file = self.folder(config(api([mock("GET /x")], authorizers={}))).config
        for arguments in (
            (),
            ("nothing",),
            ("--nothing",),
            ("serve", "--nothing"),
            ("serve", "-c"),
            ("serve", "-c", ""),
            ("check", ""),
            ("check", "/dev/zero"),
            ("serve", "-c", config_file, "extra"),
            ("serve", "-c", config_file, "--listen", "nonsense"),
            ("serve", "-c", config_file, "--listen", "127.0.0.1:99999"),
            ("serve", "-c", config_file, "--listen", "127.0.0.1"),
            ("serve", "-c", config_file, "--threads", "-1"),
            ("serve", "-c", config_file, "--threads", "many"),
            ("serve", "-c", config_file, "--log-level", "loud"),
            ("check",),
            ("explain",),
            ("explain", "-c", config_file),
            ("explain", "-c", config_file, "GET"),
            ("token", "--expires-in", "soon"),
            ("token", "--claim", "novalue", "--key", "x"),
            ("token", "--override", "Allow"),
            ("token", "--override", "allow"),
            ("token", "--override", "Allow", "-c", config_file),
            ("token", "--override", "Allow", "--expires-in", "61m"),
            ("token", "--override", "Deny", "--key", "x"),
            ("token", "--method-arn", "*"),
            ("demo", "--only", "nothing"),
            ("version", "extra"),
            ("health", "--admin", "nonsense"),
        ):
            with self.subTest(" ".join(str(word) for word in arguments)):
                done = command(*arguments)
                self.assert_exit(2, done)
                self.assertGreater(len(done.output.strip()), 10, "says what is wrong")

    def test_serve_without_anything_to_serve_gives_advice(self):
        folder = self.folder()
        done = self.assert_exit(2, command("serve", cwd=folder.path))
        for word in ("config/gatehouse.json", "UPSTREAM_URL"):
            self.assertIn(word, done.stderr)

    def test_a_file_and_the_environment_are_ambiguous(self):
        folder = self.folder()
        (folder.path / "config").mkdir()
        (folder.path / "config" / "gatehouse.json").write_text(
            json.dumps(config(api([mock("GET /x")], authorizers={})))
        )
        done = self.assert_exit(
            2,
            command(
                "serve",
                cwd=folder.path,
                env={
                    "UPSTREAM_URL": "http://127.0.0.1:9",
                    "EXPECTED_ISSUER": "https://i.example/",
                    "EXPECTED_AUDIENCE": "a",
                },
            ),
        )
        self.assertRegex(done.stderr, r"(?i)ambiguous|both")

    def test_a_port_in_use_is_1(self):
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        for name, changes in (
            ("data", {"listeners": [{"address": "127.0.0.1", "port": port}]}),
            ("admin", {"admin": {"address": "127.0.0.1", "port": port}}),
        ):
            with self.subTest(name):
                folder = self.folder(config(api([mock("GET /x")], authorizers={}), **changes))
                done = self.assert_exit(1, command("serve", "-c", folder.config))
                self.assertIn(str(port), done.stderr)

    def test_a_file_that_is_not_there_is_2(self):
        for call in (("serve", "-c"), ("check",), ("explain", "-c")):
            with self.subTest(call[0]):
                more = ("GET", "/") if call[0] == "explain" else ()
                done = self.assert_exit(2, command(*call, "/does/not/exist.json", *more))
                self.assertIn("/does/not/exist.json", done.stderr + done.stdout)


class Check(CliCase):
    def test_a_good_file_gets_one_line_per_route(self):
        # A3
        folder = self.folder(
            config(
                api(
                    [
                        route("GET /items", "http://127.0.0.1:3000/items"),
                        route("ANY /files/{proxy+}", "http://127.0.0.1:3001/{proxy}"),
                        route(
                            "GET /exact/{id}",
                            "http://127.0.0.1:3001/{id}",
                            requestParameters={"integration.request.path.id": "method.request.path.id"},
                        ),
                        mock("GET /health"),
                    ]
                )
            )
        )
        done = self.assert_exit(0, command("check", folder.config))
        for path, words in (
            ("/items", ("GET", "jwt", "TOKEN", "HTTP_PROXY")),
            ("/files/{proxy+}", ("ANY", "jwt", "differs from the service: needs integration.request.path.proxy")),
            ("/exact/{id}", ("GET", "jwt")),
            ("/health", ("GET", "NONE", "MOCK")),
        ):
            lines = [line for line in done.stdout.splitlines() if path in line]
            self.assertEqual(1, len(lines), done)
            for word in words:
                self.assertIn(word, lines[0])
        self.assertNotIn("integration.request.path.id", done.stdout)

    def test_the_shipped_example_is_good(self):
        example = ROOT / "config" / "gatehouse.example.json"
        done = command("check", example)
        self.assert_exit(0, done)

    def test_every_error_is_listed_with_its_place(self):
        folder = self.folder(
            """{
  "apis": [ {
    "name": "users",
    "nmae": "x",
    "authorizers": {
      "jwt": { "type": "TOKEN", "authorizerUri": "gatehouse:jwt", "authorizerResultTtlInSeconds": 4000,
               "jwt": { "issuer": "https://i.example/", "audience": ["a"], "algorithms": ["none"] } }
    },
    "routes": [
      { "routeKey": "GET /a", "integration": { "type": "MOCK" } },
      { "routeKey": "GET /b", "authorizer": "jtw", "integration": { "type": "MOCK" } },
      { "routeKey": "FETCH /c", "authorizer": "NONE", "integration": { "type": "MOCK" } },
      { "routeKey": "GET /d", "authorizer": "NONE", "integration": { "type": "HTTP_PROXY", "uri": "ftp://x/", "timeoutInMillis": "soon" } }
    ]
  } ],
  "threads": -1
}
"""
        )
        done = self.assert_exit(2, command("check", folder.config))
        for place, line, word in (
            ("/apis/0/nmae", 4, "name"),
            ("/apis/0/authorizers/jwt/authorizerResultTtlInSeconds", 6, "3600"),
            ("/apis/0/authorizers/jwt/jwt/algorithms", 7, "RS256"),
            ("/apis/0/routes/0", 10, "authorizer"),
            ("/apis/0/routes/1/authorizer", 11, "did you mean"),
            ("/apis/0/routes/2/routeKey", 12, "GET"),
            ("/apis/0/routes/3/integration/uri", 13, "http"),
            ("/apis/0/routes/3/integration/timeoutInMillis", 13, ""),
            ("/threads", 16, ""),
        ):
            with self.subTest(place):
                self.assertRegex(
                    done.output, rf"(?m)gatehouse\.json:{line}: {re.escape(place)}[^\n]*{re.escape(word)}", done
                )
        self.assert_exit(2, command("serve", "-c", folder.config))

    def test_files_that_are_no_configuration(self):
        good = json.dumps(config(api([mock("GET /x")], authorizers={})))
        for name, text in (
            ("empty", ""),
            ("no JSON", "listen 80;"),
            ("cut", good[:-1]),
            ("trailing", good + "x"),
            ("list", "[]"),
            ("a name twice", good[:-1] + ',"apis":[]}'),
            ("no API", '{"apis":[]}'),
            ("nothing", "{}"),
            ("not UTF-8", b'{"apis":"\xff"}'),
            ("deep", "[" * 5000 + "]" * 5000),
            ("unset reference", good.replace('"users"', '"${NOT_SET_ANYWHERE}"')),
        ):
            with self.subTest(name):
                folder = self.folder()
                done = self.assert_exit(2, command("check", folder.write("gatehouse.json", text)))
                self.assertIn("gatehouse.json", done.output)

    def test_nothing_is_silently_open(self):
        # A1, A2, A4, A7, C4, C5: refused by name at load
        jwt = jwt_authorizer()

        def one(**changes):
            return api([route("GET /x", "http://127.0.0.1:1/") | changes])

        rows = (
            ("no authorizer", api([{"routeKey": "GET /x", "integration": {"type": "MOCK"}}]), "authorizer"),
            ("empty authorizer", one(authorizer=""), "authorizer"),
            ("null authorizer", one(authorizer=None), "authorizer"),
            ("unknown authorizer", one(authorizer="jwt2"), "jwt2"),
            ("none in small letters", one(authorizer="none"), "none"),
            ("unsupported type", api([mock("GET /x")], authorizers={"a": {"type": "MAGIC"}}), "MAGIC"),
            (
                "later type",
                api(
                    [mock("GET /x")],
                    authorizers={"a": {"type": "AWS_IAM"}},
                ),
                "AWS_IAM",
            ),
            (
                "authorizer by ARN with no endpoint",
                api(
                    [mock("GET /x")],
                    authorizers={
                        "a": {"type": "TOKEN", "authorizerUri": "arn:aws:lambda:us-east-1:123456789012:function:f"}
                    },
                ),
                "authorizerUri",
            ),
            (
                "API keys that nobody names",
                api([mock("GET /x") | {"apiKeyRequired": True}], authorizers={}, apiKeySource="AUTHORIZER"),
                "apiKeyRequired",
            ),
            ("HTTP API with a mock", api([mock("GET /x")], authorizers={}, protocolType="HTTP"), "HTTP_PROXY"),
            ("WebSocket API", api([mock("GET /x")], authorizers={}, protocolType="WEBSOCKET"), "WEBSOCKET"),
            ("scopes on an open route", api([mock("GET /x") | {"authorizationScopes": ["a"]}]), "authorizationScopes"),
            (
                "statements and resource",
                api([mock("GET /x")], authorizers={"a": jwt_authorizer({"resource": "stage", "statements": []})}),
                "statements",
            ),
            ("two APIs in one place", None, "basePath"),
            ("two routes in one place", api([mock("GET /x/{a}"), mock("GET /x/{b}")], authorizers={}), "routes"),
            (
                "negative TTL",
                api([mock("GET /x")], authorizers={"a": jwt | {"authorizerResultTtlInSeconds": -1}}),
                "authorizerResultTtlInSeconds",
            ),
            (
                "TTL above 3600",
                api([mock("GET /x")], authorizers={"a": jwt | {"authorizerResultTtlInSeconds": 3601}}),
                "3600",
            ),
            (
                "symmetric algorithm",
                api([mock("GET /x")], authorizers={"a": jwt_authorizer({"algorithms": ["HS256"]})}),
                "HS256",
            ),
            ("no audience", api([mock("GET /x")], authorizers={"a": jwt_authorizer({"audience": None})}), "audience"),
            ("empty audience", api([mock("GET /x")], authorizers={"a": jwt_authorizer({"audience": []})}), "audience"),
            ("no issuer", api([mock("GET /x")], authorizers={"a": jwt_authorizer({"issuer": None})}), "issuer"),
            (
                "identity source of another kind",
                api([mock("GET /x")], authorizers={"a": jwt | {"identitySource": "method.request.querystring.token"}}),
                "identitySource",
            ),
            (
                "broken expression",
                api([mock("GET /x")], authorizers={"a": jwt | {"identityValidationExpression": "("}}),
                "identityValidationExpression",
            ),
            (
                "unknown statement element",
                api(
                    [mock("GET /x")],
                    authorizers={
                        "a": jwt_authorizer(
                            {"statements": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Wenn": {}}]}
                        )
                    },
                ),
                "Wenn",
            ),
            (
                "unknown condition operator",
                api(
                    [mock("GET /x")],
                    authorizers={
                        "a": jwt_authorizer(
                            {
                                "statements": [
                                    {
                                        "Effect": "Allow",
                                        "Action": "*",
                                        "Resource": "*",
                                        "Condition": {"Magic": {"aws:SourceIp": "1.2.3.4"}},
                                    }
                                ]
                            }
                        )
                    },
                ),
                "Magic",
            ),
            ("WebSocket", api([mock("GET /x")], authorizers={}, protocolType="WEBSOCKET"), "WEBSOCKET"),
        )
        for name, one_api, word in rows:
            with self.subTest(name):
                apis = (
                    [one_api]
                    if one_api
                    else [
                        api([mock("GET /x")], name="a", authorizers={}),
                        api([mock("GET /y")], name="b", authorizers={}),
                    ]
                )
                folder = self.folder(config(*apis))
                done = self.assert_exit(2, command("check", folder.config))
                self.assertIn(word, done.output, done)

    def test_comments_and_references(self):
        text = """// a comment
{ /* another */ "listeners": [ { "address": "${HOST:-127.0.0.1}", "port": "${PORT}" } ], "admin": { "port": 0 },
  "apis": [ { "name": "users", "routes": [ { "routeKey": "GET /x", "authorizer": "NONE",
    "integration": { "type": "MOCK", "responseTemplates": { "application/json": "$${x} ${BODY:-nobody} ${lower}" } } } ] } ] } // the end
"""
        gateway = self.start(text, env={"PORT": "0"})
        self.assertEqual(b"${x} nobody ${lower}", gateway.get("/x").body)
        gateway = self.start(text, env={"PORT": "0", "BODY": "// no comment"})
        self.assertEqual(b"${x} // no comment ${lower}", gateway.get("/x").body)
        folder = self.folder(text)
        self.assert_exit(2, command("check", folder.config, env={"PORT": "many"}))


    def test_errors_show_nothing_that_came_from_the_environment(self):
        # A secret at the wrong place is refused by the name of its variable.
        secret = "correct-horse-battery"
        text = """{
  "listeners": [ { "address": "${SECRET}" } ],
  "admin": { "address": "0.0.0.0", "port": 0, "token": "${SECRET} and more" },
  "threads": "${SECRET}",
  "accessLog": { "format": "${SECRET}" },
  "apis": [ { "name": "users", "region": "${SECRET}!", "stageVariables": { "s": "${SECRET}!" },
    "authorizers": { "jwt": { "type": "${SECRET}", "authorizerUri": "gatehouse:jwt", "identitySource": "${SECRET}",
      "jwt": { "issuer": "${SECRET}", "audience": ["a"], "algorithms": ["${SECRET}"] } } },
    "routes": [ { "routeKey": "${SECRET}", "authorizer": "${SECRET}",
                  "integration": { "type": "HTTP_PROXY", "uri": "redis://user:${SECRET}@x/" } } ] } ]
}
"""
        folder = self.folder(text)
        for call in (("check",), ("serve", "-c"), ("explain", "-c")):
            with self.subTest(call[0]):
                more = ("GET", "/") if call[0] == "explain" else ()
                done = self.assert_exit(2, command(*call, folder.config, *more, env={"SECRET": secret}))
                self.assertGreaterEqual(done.stderr.count("${SECRET}"), 7, done)
                self.assertNotIn("horse", done.output)
        for name, changes in (
            ("upstream", {"UPSTREAM_URL": f"ftp://user:{secret}@x/"}),
            ("keys", {"JWKS_URL": f"redis://:{secret}@x/"}),
            ("admin token", {"GATEHOUSE_ADMIN_TOKEN": secret + " and more"}),
        ):
            with self.subTest(name):
                whole = {
                    "UPSTREAM_URL": "http://127.0.0.1:9",
                    "EXPECTED_ISSUER": "https://i.example/",
                    "EXPECTED_AUDIENCE": "a",
                }
                done = self.assert_exit(2, command("serve", cwd=self.folder().path, env=whole | changes))
                self.assertNotIn("horse", done.output)


class Readme(CliCase):
    """What the README says is so."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.text = (ROOT / "README.md").read_text()

    def rows(self, heading):
        """The cells of all tables below a heading."""
        section = self.text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
        lines = [line for line in section.splitlines() if line.startswith("|") and not line.startswith("|---")]
        return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]

    def test_every_configuration_in_it_loads(self):
        blocks = re.findall(r"```jsonc\n(.*?)```", self.text, re.S)
        self.assertGreaterEqual(len(blocks), 5)
        for number, block in enumerate(blocks):
            with self.subTest(number):
                done = self.assert_exit(0, command("check", self.folder(block).config))
                self.assertEqual("", done.stderr, "neither problem nor warning")

    def test_its_limits_are_the_defaults(self):
        definitions = json.loads((ROOT / "config" / "gatehouse.schema.json").read_text())["definitions"]
        told = {row[0].strip("`"): row[1] for row in self.rows("Limits and times")}
        for group in ("limits", "timeouts"):
            for name, schema in definitions[group]["properties"].items():
                with self.subTest(name):
                    self.assertEqual(str(schema["default"]), told.get(name))

    def test_its_options_of_upstreams_have_the_defaults(self):
        definitions = json.loads((ROOT / "config" / "gatehouse.schema.json").read_text())["definitions"]
        told = {}
        for row in self.rows("Upstreams")[1:]:
            names = re.findall(r"`(\w+)`", row[0].split(" of ")[0])
            told |= dict(zip(names, [cell.strip("`") for cell in row[1].split(", ")], strict=True))
        for group in ("upstream", "healthCheck", "ejection", "retryBudget"):
            for name, schema in definitions[group]["properties"].items():
                with self.subTest(f"{group}: {name}"):
                    self.assertIn(name, told)
                    if "default" in schema:
                        self.assertEqual(str(schema["default"]), told[name])

    def test_its_reasons_exist(self):
        known = set(re.findall(r"X\((\w+),", (ROOT / "include" / "gatehouse" / "core" / "errc.hpp").read_text()))
        named = [
            name for row in self.rows("Troubleshooting by reason")[1:] for name in re.findall(r"`(\w+)`", row[1])
        ]
        self.assertGreater(len(named), 50)
        self.assertEqual([], [name for name in named if name not in known])
        self.assertEqual(len(named), len(set(named)), "each once")

    def test_its_options_and_variables_are_in_the_help(self):
        shown = command("serve", "--help").stdout
        rows = [row for row in self.rows("Running it") if row[0].startswith("`-")]
        self.assertEqual(7, len(rows))
        for row in rows:
            for word in re.findall(r"--[a-z-]+|GATEHOUSE_[A-Z_]+", row[0] + row[1]):
                self.assertIn(word, shown)
        for word in re.findall(r"--[a-z-]+|GATEHOUSE_[A-Z_]+", shown.replace("--help", "")):
            self.assertIn(word, self.text)

    def test_its_links_lead_somewhere(self):
        headings = {
            re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")
            for heading in re.findall(r"(?m)^## (.*)$", self.text)
        }
        links = re.findall(r"\]\(#([^)]*)\)", self.text)
        self.assertGreater(len(links), 10)
        self.assertEqual([], [link for link in links if link not in headings])
        for path in set(re.findall(r"`((?:config|docker|src)/[\w./-]+)`", self.text)) - {"config/gatehouse.json"}:
            self.assertTrue((ROOT / path).exists(), path)


class Explain(CliCase):
    def explain(self, folder, *arguments):
        return command("explain", "-c", folder.config, *arguments, cwd=folder.path)

    def test_decisions_are_printed_step_by_step(self):
        jwt = {
            "statements": [
                {
                    "Sid": "Read",
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": "${stageArn}/GET/items/*",
                },
                {
                    "Sid": "Secret",
                    "Effect": "Deny",
                    "Action": "execute-api:Invoke",
                    "Resource": "${stageArn}/*/items/secret",
                },
            ]
        }
        folder = self.folder(
            config(
                api(
                    [route("ANY /items/{id}", "http://127.0.0.1:9/{id}"), mock("GET /open")],
                    authorizers={"jwt": jwt_authorizer(jwt)},
                )
            )
        )
        token = mint()
        header = ("-H", f"Authorization: Bearer {token}")
        for name, arguments, status, words in (
            ("allowed", (*header, "GET", "/items/7"), 0, ["ANY /items/{id}", "Read", "local/prod/GET/items/7"]),
            ("explicit deny", (*header, "GET", "/items/secret"), 3, ["Secret", "explicit_deny", "403"]),
            ("implicit deny", (*header, "POST", "/items/7"), 3, ["implicit_deny", "403"]),
            ("no token", ("GET", "/items/7"), 3, ["identity_missing", "401"]),
            ("bad token", ("-H", "Authorization: Bearer x.y.z", "GET", "/items/7"), 3, ["401"]),
            ("expired", ("-H", f"Authorization: Bearer {mint(exp=1)}", "GET", "/items/7"), 3, ["token_expired", "401"]),
            ("no route", (*header, "GET", "/nothing"), 3, ["route_unmatched", "403"]),
            ("bad path", (*header, "GET", "/items/../x"), 3, ["target_dot_segment", "400"]),
            ("open", ("GET", "/open"), 0, ["open_route"]),
        ):
            with self.subTest(name):
                done = self.assert_exit(status, self.explain(folder, *arguments))
                for word in words:
                    self.assertIn(word, done.stdout, done)
                self.assert_no_token(done.output, token, "explain")

    def test_a_bad_configuration_is_2(self):
        folder = self.folder('{"apis": 1}')
        self.assert_exit(2, self.explain(folder, "GET", "/"))

    def test_an_unreachable_gateway_is_1(self):
        closed = self.using(ClosedPort())
        trace = ("explain", "--trace", "00000000-0000-4000-8000-000000000000", "--admin", f"http://{closed.authority}")
        done = self.assert_exit(1, command(*trace))
        self.assertIn(closed.authority, done.stderr)


class Token(CliCase):
    def decode(self, token):
        return [json.loads(tokens.base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2]]

    def test_tokens_are_minted_with_private_keys(self):
        backend = self.upstream()
        jwt = {"algorithms": ["RS256", "ES256"]}
        gateway = self.start(config(api([route("GET /x", backend.url)], authorizers={"jwt": jwt_authorizer(jwt)})))
        for name, key, content in (
            ("RSA JWK", rsa_key(), rsa_key().jwk(private=True)),
            ("EC JWK", ec_key(), ec_key().jwk(private=True)),
        ):
            with self.subTest(name):
                file = gateway.folder.write("private.json", content)
                done = self.assert_exit(
                    0,
                    command(
                        "token",
                        "--key",
                        file,
                        "--sub",
                        "me",
                        "--claim",
                        f'iss="{tokens.ISSUER}"',
                        "--claim",
                        f'aud=["{tokens.AUDIENCE}"]',
                        "--claim",
                        'roles=["a","b"]',
                        "--claim",
                        "level=3",
                        "--expires-in",
                        "2h",
                    ),
                )
                token = done.stdout.strip()
                self.assertRegex(token, r"\A[\w-]+\.[\w-]+\.[\w-]+\Z")
                header, claims = self.decode(token)
                self.assertEqual((key.alg, key.kid), (header["alg"], header["kid"]))
                self.assertEqual(("me", ["a", "b"], 3), (claims["sub"], claims["roles"], claims["level"]))
                self.assertAlmostEqual(time.time() + 7200, claims["exp"], delta=60)
                self.assert_status(gateway.get("/x", token), 200)
        for name, pem in (("RSA PEM", rsa_key().pem()), ("EC PEM", ec_key().pem())):
            with self.subTest(name):
                file = gateway.folder.write("private.pem", pem)
                header, claims = self.decode(
                    self.assert_exit(0, command("token", "--key", file, "--sub", "me")).stdout.strip()
                )
                self.assertEqual(("RS256" if "RSA" in name else "ES256", "me"), (header["alg"], claims["sub"]))
                self.assertAlmostEqual(time.time() + 3600, claims["exp"], delta=60)

    def test_keys_that_cannot_sign(self):
        folder = self.folder()
        for name, content in (
            ("public JWK", rsa_key().jwk()),
            ("public PEM", rsa_key().public_pem()),
            ("no key", "hello"),
            ("empty", ""),
            ("symmetric", {"kty": "oct", "k": "AAAA"}),
        ):
            with self.subTest(name):
                done = command("token", "--key", folder.write("key", content))
                self.assert_exit(2, done)
                self.assertEqual("", done.stdout)
        self.assert_exit(2, command("token", "--key", "/does/not/exist"))
        self.assert_exit(2, command("token", "--key", folder.write("key", rsa_key().pem()), "--claim", "=1"))


class Health(CliCase):
    def test_ready_or_not(self):
        gateway = self.start(config(api([mock("GET /x")], authorizers={})))
        self.assert_exit(0, command("health", "--admin", gateway.admin_url))
        self.assert_exit(0, command("health", env={"GATEHOUSE_ADMIN": f"127.0.0.1:{gateway.admin_address[1]}"}))
        gateway.process.stop()
        self.assert_exit(1, command("health", "--admin", gateway.admin_url))


class StartReport(CliCase):
    """The log at the start says of each route who guards it (A3)."""

    def lines(self, gateway):
        found = {}
        for line in gateway.process.stderr.all():
            match = re.search(r" route (\S+) (\S+) (\S+): authorizer (\S*) \((.*?)\), (enforced|no check); ", line)
            if match:
                found[match.groups()[:3]] = match.groups()[3:]
            else:
                self.assertNotRegex(line, r" info route ", "a route's line that says too little")
        return found

    def test_each_route_is_named_as_enforced_or_as_open(self):
        keyed = mock("GET /keyed") | {"apiKeyRequired": True}
        authorizers = {"jwt": jwt_authorizer(), "uncached": jwt_authorizer(authorizerResultTtlInSeconds=0)}
        to = "http://127.0.0.1:9/"
        configuration = config(
            api(
                [
                    route("GET /a", to),
                    route("POST /a", to, "uncached"),
                    route("ANY /signed", to, "AWS_IAM"),
                    mock("GET /guarded", "jwt"),
                    mock("GET /open"),
                    route("OPTIONS /{proxy+}", to, "NONE"),
                    keyed,
                ],
                authorizers=authorizers,
                apiId="one",
            ),
            api([route("GET /a", to, "NONE")], name="other", basePath="/other", apiId="two"),
            accessKeys=[{"accessKeyId": "AKIDEXAMPLE", "secretAccessKey": "s" * 40, "principalId": "me"}],
        )
        gateway = self.start(configuration)
        token = "TOKEN gatehouse:jwt"
        self.assertEqual(
            {
                ("users", "GET", "/a"): ("jwt", token, "enforced"),
                ("users", "POST", "/a"): ("uncached", token, "enforced"),
                ("users", "ANY", "/signed"): ("AWS_IAM", "SigV4, 1 access key", "enforced"),
                ("users", "GET", "/guarded"): ("jwt", token, "enforced"),
                ("users", "GET", "/open"): ("NONE", "open", "no check"),
                ("users", "OPTIONS", "/{proxy+}"): ("NONE", "open", "no check"),
                ("users", "GET", "/keyed"): ("NONE", "open, API key", "enforced"),
                ("other", "GET", "/a"): ("NONE", "open", "no check"),
            },
            self.lines(gateway),
        )
        # And it is true.
        for path, status in (("/guarded", 401), ("/open", 200), ("/keyed", 403), ("/a", 401), ("/signed", 403)):
            self.assert_status(gateway.get(path), status)

    def test_without_a_file_too(self):
        env = {
            "GATEHOUSE_LISTEN": "127.0.0.1:0",
            "GATEHOUSE_ADMIN": "127.0.0.1:0",
            "UPSTREAM_URL": "http://127.0.0.1:9",
            "EXPECTED_ISSUER": tokens.ISSUER,
            "EXPECTED_AUDIENCE": tokens.AUDIENCE,
            "GATEHOUSE_OPEN_ROUTES": "GET /health",
        }
        folder = self.folder()
        env["JWKS_URL"] = f"file:{folder.path}/jwks.json"
        lines = self.lines(self.start(None, env=env))
        self.assertEqual(
            {("GET", "/health")},
            {key[1:] for key, (_, _, guard) in lines.items() if guard == "no check"},
        )
        enforced = {key[1:]: name for key, (name, _, guard) in lines.items() if guard == "enforced"}
        self.assertIn(("ANY", "/{proxy+}"), enforced)
        self.assertTrue(all(name not in ("", "NONE") for name in enforced.values()), enforced)


class Strength(CliCase):
    def test_options_beat_the_environment_which_beats_the_file(self):
        folder = self.folder(config(api([mock("GET /x")], authorizers={})))
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        free = Process(
            [binary(), "serve", "-c", folder.config, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
            env=environment({"GATEHOUSE_LISTEN": f"127.0.0.1:{port}", "GATEHOUSE_ADMIN": f"127.0.0.1:{port}"}),
        )
        self.addCleanup(free.kill)
        self.assertTrue(free.stderr.wait(DATA_LINE) and free.stderr.wait(ADMIN_LINE), free.tail())
        self.assertEqual(0, free.stop())
        done = self.assert_exit(1, command("serve", "-c", folder.config, env={"GATEHOUSE_LISTEN": f"127.0.0.1:{port}"}))
        self.assertIn(str(port), done.stderr)
        byname = Process(
            [binary(), "serve"],
            env=environment({"GATEHOUSE_CONFIG": str(folder.config), "GATEHOUSE_LOG_LEVEL": "info"}),
        )
        self.addCleanup(byname.kill)
        self.assertTrue(byname.stderr.wait(DATA_LINE), byname.tail())
        self.assertEqual(0, byname.stop())


class EnvironmentMode(CliCase):
    def test_everything_is_guarded_but_what_is_named(self):
        backend = self.upstream()
        issuer = self.using(Issuer(rsa_key()))
        base = {
            "GATEHOUSE_LISTEN": "127.0.0.1:0",
            "GATEHOUSE_ADMIN": "127.0.0.1:0",
            "UPSTREAM_URL": backend.url,
            "EXPECTED_ISSUER": issuer.issuer,
            "EXPECTED_AUDIENCE": "api://one,api://two",
            "GATEHOUSE_OPEN_ROUTES": "GET /health,OPTIONS /{proxy+}",
        }
        gateway = self.start(None, env=base | {"JWKS_URL": issuer.jwks_uri})
        for name, method, path, headers, status in (
            ("no token", "GET", "/a/b?c=d", {}, 401),
            ("root without token", "GET", "/", {}, 401),
            ("post without token", "POST", "/health", {}, 401),
            ("below an open route", "GET", "/health/x", {}, 401),
            ("first audience", "GET", "/a/b?c=d", bearer(mint(iss=issuer.issuer, aud="api://one")), 200),
            ("second audience", "GET", "/", bearer(mint(iss=issuer.issuer, aud="api://two")), 200),
            ("another audience", "GET", "/", bearer(mint(iss=issuer.issuer, aud="api://three")), 401),
            ("another algorithm", "GET", "/", bearer(mint(ec_key(), iss=issuer.issuer, aud="api://one")), 401),
            ("slash at the end", "GET", "/a/", bearer(mint(iss=issuer.issuer, aud="api://one")), 200),
            ("slash and query", "GET", "/a/b/?c", bearer(mint(iss=issuer.issuer, aud="api://one")), 200),
            ("open", "GET", "/health", {}, 200),
            ("open with a slash at the end", "GET", "/health/", {}, 200),
            ("open by pattern", "OPTIONS", "/any/thing", {}, 200),
        ):
            with self.subTest(name):
                backend.clear()
                self.assert_status(gateway.request(method, path, headers, b"" if method == "POST" else None), status)
                self.assertEqual([path] if status == 200 else [], [request.target for request in backend.requests])
        backend.respond = lambda request: b"HTTP/1.1 200 OK\r\nServer: theirs\r\nContent-Length: 0\r\n\r\n"
        self.assertEqual(["theirs"], gateway.get("/health").all("Server"), "plain headers")
        with self.subTest("discovery"):
            gateway = self.start(None, env=base)
            self.assert_status(gateway.get("/x", mint(iss=issuer.issuer, aud="api://one")), 200)

    def test_missing_variables_are_named(self):
        whole = {
            "UPSTREAM_URL": "http://127.0.0.1:9",
            "EXPECTED_ISSUER": "https://i.example/",
            "EXPECTED_AUDIENCE": "a",
        }
        folder = self.folder()
        for missing in ("EXPECTED_ISSUER", "EXPECTED_AUDIENCE"):
            with self.subTest(missing):
                done = self.assert_exit(
                    2,
                    command(
                        "serve", cwd=folder.path, env={name: value for name, value in whole.items() if name != missing}
                    ),
                )
                self.assertIn(missing, done.stderr)
        for name, changes in (
            ("no URL", {"UPSTREAM_URL": "nonsense"}),
            ("bad open route", {"GATEHOUSE_OPEN_ROUTES": "/health"}),
            ("empty audience", {"EXPECTED_AUDIENCE": ""}),
        ):
            with self.subTest(name):
                self.assert_exit(2, command("serve", cwd=folder.path, env=whole | changes))


class Demo(CliCase):
    def start_demo(self, *arguments):
        folder = self.folder()
        process = Process([binary(), "demo", *arguments], env=environment({"HOME": str(folder.path)}), cwd=folder.path)
        self.addCleanup(process.kill)
        return process, folder

    def wait_block(self, process):
        """Until the block is on the screen whole: its last words say how to end the demo."""
        wait_for(
            lambda: "Ctrl-C" in process.stdout.text() + process.stderr.text() or process.poll() is not None,
            "the demo's commands",
        )

    def commands(self, process):
        text = "\n".join(process.stdout.all() + process.stderr.all())
        return [re.sub(r"^\s*\$?\s*", "", line) for line in text.splitlines() if re.match(r"\s*(\$ )?curl ", line)]

    def test_the_printed_commands_work_as_typed(self):
        process, folder = self.start_demo()
        self.wait_block(process)
        self.assertIsNone(process.poll(), process.tail())
        self.assertGreaterEqual(len(self.commands(process)), 4)
        statuses, hits = [], 0
        printed = [line.strip() for line in process.stdout.all() + process.stderr.all() if line.strip()]
        for line in self.commands(process):
            with self.subTest(line[:60]):
                announced = re.search(r"\b(200|401|403)\b", printed[printed.index(line) - 1])
                done = run(
                    ["sh", "-c", line], env=environment({"HOME": str(folder.path), "no_proxy": "*"}), cwd=folder.path
                )
                self.assertEqual(0, done.status, done)
                if announced and " -i " in line:
                    self.assertRegex(done.stdout, rf"\AHTTP/1\.1 {announced.group(1)} ")
                self.assertNotIn("Traceback", done.output)
                statuses += [
                    int(status) for status in re.findall(r"(?:HTTP/1\.1 |^|\s)(200|401|403)\b", done.stdout, re.M)
                ]
                hits += "hit" in done.output.lower()
        self.assertLessEqual({200, 401, 403}, set(statuses))
        self.assertGreaterEqual(hits, 1, "a cache hit can be seen")
        with self.subTest("a token of one's own"):
            typed = next(line for line in printed if re.search(r"\btoken --", line))
            arguments = re.sub(r".*?\btoken --", "token --", typed)
            done = run(["sh", "-c", f"'{binary()}' {arguments}"], env=environment(), cwd=folder.path)
            self.assertEqual(0, done.status, done)
            gateway = re.search(r"http://[0-9.]+:[0-9]+/items", " ".join(self.commands(process))).group()
            answered = run(
                [
                    "curl",
                    "-s",
                    "-o",
                    "/dev/null",
                    "-w",
                    "%{http_code}",
                    "--noproxy",
                    "*",
                    "-H",
                    f"Authorization: Bearer {done.stdout.strip()}",
                    gateway,
                ]
            )
            self.assertEqual("200", answered.stdout)
        self.assertEqual(0, process.stop())

    def test_two_demos_find_ports_of_their_own(self):
        processes = []
        for _ in range(2):
            process, _ = self.start_demo()
            processes.append(process)
            self.wait_block(process)
            self.assertIsNone(process.poll(), process.tail())
        urls = [set(re.findall(r"http://[0-9.a-z]+:\d+", " ".join(self.commands(process)))) for process in processes]
        self.assertEqual(set(), urls[0] & urls[1])
        self.assertEqual([0, 0], [process.stop() for process in processes])

    def test_a_mock_provider_alone(self):
        process, _ = self.start_demo("--only", "issuer")
        found = wait_for(
            lambda: re.search(r"http://127\.0\.0\.1:(\d+)", "\n".join(process.stdout.all() + process.stderr.all()))
            or process.poll(),
            "the issuer's address",
        )
        self.assertIsNone(process.poll(), process.tail())
        port = int(found.group(1))
        with Client(("127.0.0.1", port)) as client:
            document = client.exchange("GET", "/.well-known/openid-configuration", host=f"127.0.0.1:{port}").json()
        self.assertTrue(document["issuer"] and document["jwks_uri"])
        with Client(("127.0.0.1", port)) as client:
            keys = client.exchange(
                "GET", re.sub(r"\Ahttp://[^/]*", "", document["jwks_uri"]), host=f"127.0.0.1:{port}"
            ).json()["keys"]
        self.assertTrue(keys and all("d" not in key for key in keys))
        self.assertEqual(0, process.stop())


    def test_the_parts_of_the_sidecar_example_fit(self):
        # As docker/compose.yaml has them: the image's variable for the address, RS256, a token asked for inside.
        provider = Process(
            [binary(), "demo", "--only", "issuer", "--algorithm", "RS256"],
            env=environment({"GATEHOUSE_LISTEN": "127.0.0.1:0"}),
        )
        self.addCleanup(provider.kill)
        url = provider.stdout.wait(r"listening on (http://127\.0\.0\.1:\d+)").group(1)
        backend = self.upstream()
        gateway = self.start(
            None,
            env={
                "GATEHOUSE_LISTEN": "127.0.0.1:0",
                "GATEHOUSE_ADMIN": "127.0.0.1:0",
                "UPSTREAM_URL": backend.url,
                "EXPECTED_ISSUER": url,
                "EXPECTED_AUDIENCE": "api://demo",
            },
        )
        self.assert_status(gateway.get("/"), 401)
        token = self.assert_exit(0, command("token", env={"GATEHOUSE_ISSUER": url})).stdout.strip()
        self.assert_status(gateway.get("/", token), 200)
        self.assertEqual(0, provider.stop())
        compose = (ROOT / "docker" / "compose.yaml").read_text()
        for words in (
            "--algorithm, RS256",
            "EXPECTED_AUDIENCE: api://demo",
            "GATEHOUSE_ISSUER: http://127.0.0.1:8080",
        ):
            self.assertIn(words, compose)


class Ending(CliCase):
    """SIGTERM and SIGINT: no new connections, requests in flight finish, exit 0 (H10)."""

    def in_flight(self, drain=20000):
        backend = self.upstream()
        go_on = threading.Event()

        def script(connection):
            connection.read()
            go_on.wait(30)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

        backend.script = script
        gateway = self.start(
            config(
                api([route("GET /slow", backend.url, "NONE"), mock("GET /x")], authorizers={}),
                timeouts={"drainInMillis": drain},
            )
        )
        client = gateway.connect()
        self.addCleanup(client.close)
        client.send(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        backend.wait_requests(1)
        return backend, gateway, client, go_on

    def test_a_log_that_nobody_reads_stalls_nothing(self):
        noise = "while [ ! -e go ]; do sleep 0.02; done; yes noise | head -c 1000000; exec sleep 1000"
        function = "arn:aws:lambda:us-east-1:123456789012:function:noisy"
        call = {"routeKey": "GET /f", "authorizer": "NONE", "integration": {"type": "AWS_PROXY", "uri": function}}
        folder = self.using(
            Folder(
                config(
                    api([mock("GET /x"), call], authorizers={}),
                    functions={"noisy": {"command": ["/bin/sh", "-c", noise]}},
                )
            )
        )
        process = subprocess.Popen(
            [binary(), "serve", "-c", folder.config],
            env=environment(),
            cwd=folder.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        ports = {}
        while len(ports) < 2:
            line = process.stderr.readline().decode()
            self.assertTrue(line, "the gateway ended")
            for pattern in (DATA_LINE, ADMIN_LINE):
                if match := re.search(pattern, line):
                    ports[pattern] = int(match.group(2))
        (pathlib.Path(folder.path) / "go").touch()
        waiting = array.array("i", [0])

        def is_full():
            fcntl.ioctl(process.stderr, termios.FIONREAD, waiting)
            return waiting[0] >= 60000

        wait_for(is_full, "the log to be full")
        for port, path in ((ports[DATA_LINE], "/x"), (ports[ADMIN_LINE], "/health/live")):
            with self.subTest(path):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
                    self.assertEqual(200, response.status)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(30))
        self.assertIn(b"noise", process.stderr.read())

    def test_requests_in_flight_finish(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                backend, gateway, client, go_on = self.in_flight()
                idle = gateway.connect()
                self.addCleanup(idle.close)
                self.assert_status(idle.exchange("GET", "/x"), 200)
                gateway.process.signal(number)

                def refused():
                    try:
                        with gateway.connect(timeout=1) as late:
                            late.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                            return late.read() is None
                    except (OSError, WireError):
                        return True

                wait_for(refused, "new connections to be refused", 10)
                self.assertTrue(idle.at_end(), "idle connections are closed")
                self.assertIsNone(gateway.process.poll(), "waits for the request in flight")
                go_on.set()
                response = client.read()
                self.assertEqual(
                    (200, b"done", "close"), (response.status, response.body, response.get("Connection", "").lower())
                )
                started = time.monotonic()
                self.assertEqual(0, gateway.process.wait())
                self.assertLess(time.monotonic() - started, 10, "ends as soon as it is done")

    def test_readiness_ends_before_the_requests_do(self):
        # Load balancers must learn of it while the gateway still works for those who are there.
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name):
                _, gateway, client, go_on = self.in_flight()
                self.assert_status(gateway.admin("GET", "/health/ready"), 200)
                gateway.process.signal(number)
                gateway.wait_log(f"signal {number.value}: draining")
                ready = gateway.admin("GET", "/health/ready")
                self.assert_status(ready, 503)
                self.assertEqual({"ready": False, "reasons": ["draining"]}, ready.json())
                self.assert_exit(1, command("health", "--admin", gateway.admin_url))
                self.assert_status(gateway.admin("GET", "/health/live"), 200)
                self.assertEqual(0, gateway.metrics().total("gatehouse_ready"))
                self.assertIsNone(gateway.process.poll(), "waits for the request in flight")
                go_on.set()
                self.assertEqual((200, b"done"), ((response := client.read()).status, response.body))
                self.assertEqual(0, gateway.process.wait())

    def test_a_second_order_ends_it_at_once(self):
        for first, second in (
            (signal.SIGTERM, signal.SIGTERM),
            (signal.SIGTERM, signal.SIGINT),
            (signal.SIGINT, signal.SIGTERM),
        ):
            with self.subTest(f"{first.name}, {second.name}"):
                _, gateway, client, _ = self.in_flight()
                gateway.process.signal(first)
                gateway.wait_log(f"signal {first.value}: draining")
                self.assertIsNone(gateway.process.poll(), "waits for the request in flight")
                started = time.monotonic()
                gateway.process.signal(second)
                self.assertEqual(0, gateway.process.wait())
                self.assertLess(time.monotonic() - started, 10, "does not wait for the drain's limit of 20 s")
                self.assertIsNone(self.read_or_none(client))

    def test_a_hangup_does_not_cut_a_drain_short(self):
        _, gateway, client, go_on = self.in_flight()
        gateway.process.signal(signal.SIGTERM)
        gateway.wait_log("draining")
        gateway.process.signal(signal.SIGHUP)
        self.assert_status(gateway.admin("GET", "/health/live"), 200)
        go_on.set()
        self.assertEqual(b"done", client.read().body)
        self.assertEqual(0, gateway.process.wait())

    def test_a_request_that_is_still_being_sent_finishes(self):
        # Its head, or its content, is half there when the order comes.
        content = b"x" * 1000
        for name, first, rest in (
            ("half a head", b"GET /x HTTP/1.1\r\nHos", b"t: x\r\n\r\n"),
            ("a head", b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", content),
            ("half its content", b"POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + content[:500], content[500:]),
        ):
            with self.subTest(name):
                backend = self.upstream()
                gateway = self.start(
                    config(
                        api([route("POST /up", backend.url, "NONE"), mock("GET /x")], authorizers={}),
                        timeouts={"drainInMillis": 20000},
                    )
                )
                with gateway.connect() as client:
                    self.assert_status(client.exchange("GET", "/x"), 200)
                    client.send(first)
                    if b"POST" in first:
                        wait_for(lambda: backend.seen("POST /"), "the head at the upstream")
                    else:
                        # Another connection of each worker has been served since: the half head was read before.
                        for _ in range(4):
                            self.assert_status(gateway.get("/x"), 200)
                    gateway.process.signal(signal.SIGTERM)
                    gateway.wait_log("draining")
                    self.assert_status(gateway.admin("GET", "/health/ready"), 503)
                    client.send(rest)
                    response = client.read()
                self.assert_status(response, 200)
                self.assertEqual("close", response.get("Connection", "").lower())
                self.assertEqual(0, gateway.process.wait())
                if b"POST" in first:
                    self.assertEqual(content, backend.one().body)

    def ask(self, client, send=True):
        """What becomes of a request: "answered", "answered, the last", or what came instead of an answer."""
        try:
            if send and not client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"):
                return "reset"
            data = b""
            while not data.endswith(b'{"ok":true}'):
                more = client.sock.recv(65536)
                if not more:
                    return "closed"
                data += more
            return "answered, the last" if b"\r\nConnection: close\r\n" in data else "answered"
        except ConnectionResetError:
            return "reset"

    def connected(self, count):
        """A gateway, and connections to it that have been used and wait for more."""
        gateway = self.start(config(api([mock("GET /x")], authorizers={}), timeouts={"drainInMillis": 20000}))
        clients = [gateway.connect() for _ in range(count)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual("answered", self.ask(client))
        return gateway, clients

    def test_requests_that_came_before_the_order_are_answered(self):
        # They wait in the sockets of kept connections, unread, when the gateway learns that it is to end: it stands still until both
        # are there. More connections than one look at the sockets gives.
        for _ in range(3):
            gateway, clients = self.connected(600)
            gateway.process.signal(signal.SIGSTOP)
            status = pathlib.Path(f"/proc/{gateway.process.pid}/status")
            wait_for(lambda: re.search(r"(?m)^State:\s+T", status.read_text()), "the gateway to stand still")
            for client in clients:
                client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            gateway.process.signal(signal.SIGTERM)
            gateway.process.signal(signal.SIGCONT)
            outcomes = collections.Counter(self.ask(client, send=False) for client in clients)
            for client in clients:
                client.close()
            # Those that a worker had read before it knew were not told; their connections ended idle.
            self.assertEqual([], [outcome for outcome in outcomes if not outcome.startswith("answered")], outcomes)
            self.assertEqual(0, gateway.process.wait())

    def test_connections_that_came_before_the_order_are_answered(self):
        # As above, with connections that wait to be accepted.
        for _ in range(3):
            gateway, _ = self.connected(1)
            gateway.process.signal(signal.SIGSTOP)
            status = pathlib.Path(f"/proc/{gateway.process.pid}/status")
            wait_for(lambda: re.search(r"(?m)^State:\s+T", status.read_text()), "the gateway to stand still")
            clients = [gateway.connect() for _ in range(100)]
            for client in clients:
                self.addCleanup(client.close)
                client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            gateway.process.signal(signal.SIGTERM)
            gateway.process.signal(signal.SIGCONT)
            outcomes = collections.Counter(self.ask(client, send=False) for client in clients)
            for client in clients:
                client.close()
            self.assertEqual([], [outcome for outcome in outcomes if not outcome.startswith("answered")], outcomes)
            self.assertEqual(0, gateway.process.wait())

    def test_busy_clients_lose_nothing_that_they_sent_before_the_order(self):
        for _ in range(3):
            gateway, clients = self.connected(24)
            lost, served, ordered = [], [], threading.Event()

            def work(client, lost=lost, served=served, ordered=ordered):
                outcome = "answered"
                while outcome == "answered":
                    client.send(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                    before = not ordered.is_set()
                    outcome = self.ask(client, send=False)
                    served.append(outcome)
                client.close()
                # What was sent after the order may meet a closed connection: its client knows to ask elsewhere.
                if before and outcome != "answered, the last":
                    lost.append(outcome)

            threads = [threading.Thread(target=work, args=(client,), daemon=True) for client in clients]
            for thread in threads:
                thread.start()
            wait_for(lambda: len(served) > 500, "some load")
            ordered.set()
            gateway.process.signal(signal.SIGTERM)
            for thread in threads:
                thread.join(30)
            self.assertEqual([], lost)
            self.assertEqual(0, gateway.process.wait())

    def test_an_order_to_stop_counts_from_the_first_moment(self):
        folder = self.folder(config(api([mock("GET /x")], authorizers={})))
        for _ in range(10):
            process = Process([binary(), "serve", "-c", folder.config], env=environment())
            self.addCleanup(process.kill)
            self.assertTrue(process.stderr.wait(DATA_LINE), process.tail())
            self.assertEqual(0, process.stop())

    def test_the_drain_has_a_limit(self):
        _, gateway, client, _ = self.in_flight(drain=700)
        started = time.monotonic()
        self.assertEqual(0, gateway.process.stop())
        self.assertLess(time.monotonic() - started, 15)
        self.assertIsNone(self.read_or_none(client))

    def read_or_none(self, client):
        try:
            response = client.read()
        except WireError:
            return None
        return None if response is None or response.status == 503 else response

    def test_a_second_gateway_can_take_the_port_over(self):
        gateway = self.start(config(api([mock("GET /x")], authorizers={})))
        with gateway.connect() as client:
            self.assert_status(client.exchange("GET", "/x"), 200)
            gateway.process.stop()
        other = self.start(
            config(api([mock("GET /x")], authorizers={}), listeners=[{"address": "127.0.0.1", "port": gateway.port}])
        )
        self.assert_status(other.get("/x"), 200)


class Reload(CliCase):
    def test_a_hangup_loses_no_request(self):
        # H14: a signal that service managers send for a reload does no harm
        backend = self.upstream()
        gateway = self.start(config(api([route("GET /x", backend.url)])))
        with gateway.connect() as client:
            for _ in range(20):
                gateway.process.signal(signal.SIGHUP)
                self.assert_status(client.exchange("GET", "/x", bearer(mint())), 200)


class Offline(CliCase):
    def test_starts_on_a_read_only_home_with_nothing_around(self):
        # H9
        folder = self.folder(config(api([route("GET /x", "http://127.0.0.1:9/")])))
        process = Process([binary(), "serve", "-c", folder.config], env={"PATH": "/nonexistent"}, cwd="/")
        self.addCleanup(process.kill)
        match = process.stderr.wait(DATA_LINE)
        self.assertTrue(match, process.tail())
        with Client((match.group(1), int(match.group(2)))) as client:
            self.assert_status(client.exchange("GET", "/x"), 401)
        self.assertEqual(0, process.stop())

    def serve(self, argv, cwd, env=None):
        """Runs it until it listens; gives the process and the data listener's address."""
        process = Process(argv, env=environment(env), cwd=cwd)
        self.addCleanup(process.kill)
        match = process.stderr.wait(DATA_LINE)
        self.assertTrue(match, process.tail())
        return process, (match.group(1), int(match.group(2)))

    def assert_works(self, address, backend):
        with Client(address) as client:
            self.assert_status(client.exchange("GET", "/x"), 401)
            self.assert_status(client.exchange("GET", "/x", bearer(mint())), 200)
            self.assertEqual(b"echo", client.exchange("POST", "/x", bearer(mint()), b"echo").body)
        self.assertEqual(2, len(backend.requests))

    def test_files_are_beside_the_configuration_wherever_it_is_started(self):
        # The key file is named relative to the configuration, not to the working directory.
        for name, cwd, path in (
            ("absolute, from the root", lambda folder: "/", lambda folder: folder.config),
            ("by name, beside it", lambda folder: folder.path, lambda folder: "gatehouse.json"),
            ("from above", lambda folder: folder.path.parent, lambda folder: f"{folder.path.name}/gatehouse.json"),
            ("from below", lambda folder: folder.path / "below", lambda folder: "../gatehouse.json"),
        ):
            with self.subTest(name):
                backend = self.upstream(respond=lambda request: answer(request.body))
                folder = self.folder(config(api([route("ANY /x", backend.url)])))
                (folder.path / "below").mkdir()
                (folder.path / "below" / "jwks.json").write_text('{"keys": []}')
                self.assert_exit(0, command("check", path(folder), cwd=cwd(folder)))
                process, address = self.serve([binary(), "serve", "-c", path(folder)], cwd(folder))
                self.assert_works(address, backend)
                self.assertEqual(0, process.stop())

    def read_only(self):
        """The start of a command line that runs the rest where nothing can be written, as nobody where that is possible."""
        remount = 'while read -r _ where _; do mount -o remount,bind,ro "$where" 2>/dev/null; done </proc/self/mounts; exec "$@"'
        root = os.geteuid() == 0
        argv = ["unshare", "--mount", "--propagation", "private", *([] if root else ["--map-root-user"])]
        argv += ["sh", "-c", remount, "sh"]
        nobody = ["setpriv", "--reuid", "65532", "--regid", "65532", "--clear-groups", "--no-new-privs"]
        if root and shutil.which("setpriv") and run([*nobody, "test", "-x", binary()]).status == 0:
            argv += nobody
        return argv

    def test_serves_on_a_read_only_file_system(self):
        backend = self.upstream(respond=lambda request: answer(request.body))
        folder = self.folder(config(api([route("ANY /x", backend.url)])))
        folder.path.chmod(0o777)
        probe = 'for place in "$PWD" /tmp /var/tmp /dev/shm /; do touch "$place/gatehouse-probe" 2>/dev/null && echo "$place"; done; id -u'
        try:
            done = run([*self.read_only(), "sh", "-c", probe], env=environment(), cwd=folder.path)
        except OSError as error:
            self.skipTest(f"unshare: {error}")
        if done.status != 0:
            self.skipTest(f"no mounts of one's own here: {done.stderr.strip()}")
        self.assertNotRegex(done.stdout, "/", "the file system can be written")
        process, address = self.serve([*self.read_only(), binary(), "serve", "-c", "gatehouse.json"], folder.path)
        self.assert_works(address, backend)
        self.assertEqual(0, process.stop())
        self.assertCountEqual(["gatehouse.json", "jwks.json"], [entry.name for entry in folder.path.iterdir()])
        with self.subTest("a log that cannot be written is an error, not silence"):
            log = folder.path / "access.log"
            folder.write("gatehouse.json", config(api([route("ANY /x", backend.url)]), accessLog={"path": str(log)}))
            done = run([*self.read_only(), binary(), "serve", "-c", "gatehouse.json"], environment(), folder.path)
            self.assert_exit(1, done)
            self.assertIn(str(log), done.stderr)
            self.assertNotRegex(done.stderr, DATA_LINE)


if __name__ == "__main__":
    unittest.main()
