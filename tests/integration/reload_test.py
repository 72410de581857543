"""A running gateway takes another configuration: by SIGHUP, by --watch, by the admin API. No request is lost, and a bad one changes nothing."""

import collections
import json
import os
import pathlib
import re
import signal
import socket
import threading
import time
import unittest

from support.case import NO_ROUTE, GatewayCase
from support.gateway import ROOT, api, config, jwt_authorizer, mock, route
from support.process import is_running, wait_for
from support.tokens import ec_key, jwks, mint
from support.wire import build

RUNTIME = str(ROOT / "tests" / "support" / "lambda_runtime.py")
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:backend"
DONE = r"configuration \S+ reloaded"
TOKEN = {"Authorization": "Bearer admin-secret"}


def body(text):
    return json.dumps({"is": text}, separators=(",", ":"))


class ReloadCase(GatewayCase):
    def write(self, gateway, *apis, **changes):
        """The gateway's file becomes another; what is bound stays as it was asked for."""
        gateway.folder.write("gateway.new", config(*apis, **changes))
        os.replace(pathlib.Path(gateway.folder.path) / "gateway.new", gateway.folder.config)

    def hang_up(self, gateway, outcome=DONE):
        seen = len(gateway.process.stderr.all())
        gateway.process.signal(signal.SIGHUP)
        match = gateway.process.stderr.wait(outcome, start=seen)
        self.assertTrue(match, f"no {outcome!r} after SIGHUP")
        return match

    def reload(self, gateway, status=200):
        response = gateway.admin("POST", "/reload")
        self.assert_status(response, status)
        return response.json()


class Hangup(ReloadCase):
    def test_the_next_request_meets_the_new_configuration(self):
        # H3, G7
        gateway = self.start(config(api([mock("GET /a", body=body("old")), mock("GET /gone")], authorizers={})))
        with gateway.connect() as client:
            self.assertEqual({"is": "old"}, client.exchange("GET", "/a").json())
            self.write(gateway, api([mock("GET /a", body=body("new")), mock("GET /more")], authorizers={}))
            self.hang_up(gateway)
            # The same connection: it is not closed for that.
            self.assertEqual({"is": "new"}, client.exchange("GET", "/a").json())
            self.assert_status(client.exchange("GET", "/more"), 200)
            refused = client.exchange("GET", "/gone")
            self.assertEqual((403, NO_ROUTE), (refused.status, refused.body))

    def test_a_bad_configuration_changes_nothing_and_says_why(self):
        gateway = self.start(config(api([mock("GET /a", body=body("old"))], authorizers={})))
        good = config(api([mock("GET /a", body=body("new"))], authorizers={}))
        rows = (
            ("no JSON", "{", r"gatehouse\.json:1: is not valid JSON"),
            ("unknown key", good | {"treads": 1}, r"/treads: .*did you mean \"threads\""),
            ("no such authorizer", config(api([route("GET /a", "http://127.0.0.1:9")], authorizers={})), "no authorizer"),
            ("a pattern that is none", config(api([mock("GET /a", "jwt")], authorizers={"jwt": jwt_authorizer(
                identityValidationExpression="(")})), "identityValidationExpression"),
            ("devOverride without --dev", good | {"devOverride": {"secret": "x" * 32}}, "--dev"),
            ("a log that cannot be opened", good | {"accessLog": {"path": "/nonexistent/folder/log"}}, "/nonexistent/folder/log"),
            ("other listeners", good | {"listeners": [{"address": "127.0.0.1", "port": 1}]}, "/listeners: .*restart"),
            ("other admin", good | {"admin": {"address": "127.0.0.1", "port": 1}}, "/admin: .*restart"),
            ("other threads", good | {"threads": 1}, "/threads: .*restart"),
            ("decisions", good | {"decision": {"port": 0, "form": "nginx"}}, "/decision: .*restart"),
        )
        for name, text, why in rows:
            with self.subTest(name):
                gateway.folder.write("gatehouse.json", text)
                self.hang_up(gateway, "not reloaded: .*" + why)
                problems = self.reload(gateway, 422)["problems"]
                self.assertRegex("\n".join(problems), why)
                self.assertEqual({"is": "old"}, gateway.get("/a").json())
                self.assertTrue(gateway.ready())
        gateway.folder.config.unlink()
        self.hang_up(gateway, "not reloaded: .*gatehouse.json")
        self.assertEqual({"is": "old"}, gateway.get("/a").json())
        gateway.folder.write("gatehouse.json", good)
        self.hang_up(gateway)
        self.assertEqual({"is": "new"}, gateway.get("/a").json())

    def test_a_request_in_flight_ends_by_the_configuration_it_began_with(self):
        go_on = threading.Event()

        def script(connection):
            connection.read()
            go_on.wait(30)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

        backend = self.upstream(script=script)
        gateway = self.start(config(api([route("GET /slow", backend.url, "NONE")], authorizers={})))
        client = self.begin(gateway, "/slow", [])
        backend.wait_requests(1)
        self.write(gateway, api([mock("GET /other")], authorizers={}))
        self.hang_up(gateway)
        self.assertEqual(403, gateway.get("/slow").status)
        go_on.set()
        response = client.read()
        self.assertEqual((200, b"done"), (response.status, response.body))
        # Its trace has the names that it was judged by.
        steps = {step["step"]: step for step in gateway.trace(response)["steps"]}
        self.assertEqual("GET /slow", steps["route"]["route"])

    def test_limits_times_and_the_access_log_change_too(self):
        gateway = self.start(config(api([mock("GET /a")], authorizers={}), limits={"headerBytes": 500}))
        long = {"X-Long": "x" * 20000}
        self.assertEqual(431, gateway.get("/a", headers=long).status)
        log = pathlib.Path(gateway.folder.path) / "access.log"
        self.write(
            gateway,
            api([mock("GET /a")], authorizers={}),
            limits={"headerBytes": 60000},
            accessLog={"path": str(log), "format": "now $context.requestId $context.status"},
        )
        with gateway.connect() as client:
            self.assert_status(client.exchange("GET", "/a"), 200)
            self.hang_up(gateway)
            self.assert_status(client.exchange("GET", "/a", long), 200)
        # Among lines that a worker had made before, and not handed over yet.
        wait_for(lambda: log.exists() and re.search(r"(?m)^now \S+ 200$", log.read_text()), "a line in the new log")
        self.write(gateway, api([mock("GET /a")], authorizers={}), accessLog={"format": "off"})
        self.hang_up(gateway)
        response = gateway.get("/a")
        self.assert_status(response, 200)
        self.assert_status(gateway.get("/a"), 200)
        self.assertEqual(0, gateway.process.stop())  # all lines are written
        self.assertNotIn(response.get("x-amzn-RequestId"), log.read_text())

    def test_the_environment_is_read_again(self):
        backend = self.upstream()
        gateway = self.start(
            None,
            env={"UPSTREAM_URL": backend.url, "EXPECTED_ISSUER": "https://issuer.example/", "EXPECTED_AUDIENCE": "a",
                 "JWKS_URL": "file:jwks.json", "GATEHOUSE_LISTEN": "127.0.0.1:0", "GATEHOUSE_ADMIN": "127.0.0.1:0"},
            ready=False,
        )
        self.assertIn("changed: nothing", self.hang_up(gateway, DONE + "; .*").group())


class Cache(ReloadCase):
    def test_policies_of_what_has_not_changed_stay(self):
        # C16
        backend = self.upstream()
        routes = [route("GET /a", backend.url, "one"), route("GET /b", backend.url, "two"), route("GET /c", backend.url, "three")]
        all_three = {name: jwt_authorizer() for name in ("one", "two", "three")}
        gateway = self.start(config(api(routes, authorizers=all_three)))
        token = mint()

        def ask():
            for path in ("/a", "/b", "/c"):
                self.assert_status(gateway.get(path, token), 200)

        ask()
        self.assertEqual(3, len(gateway.cache_entries()))
        self.write(gateway, api(routes + [mock("GET /new")], authorizers=all_three))
        report = self.reload(gateway)
        self.assertEqual({"routes": {"added": ["users: GET /new"]}}, report["changes"])
        self.assertEqual({"entries": 0, "authorizers": []}, report["dropped"])
        calls = gateway.metrics().total("gatehouse_authorizer_calls_total")
        ask()
        self.assertEqual(calls, gateway.metrics().total("gatehouse_authorizer_calls_total"))

        # Any option of an authorizer: its entries go, and no others.
        changed = all_three | {"two": jwt_authorizer(authorizerResultTtlInSeconds=10)}
        self.write(gateway, api(routes, authorizers=changed))
        report = self.reload(gateway)
        self.assertEqual({"changed": ["users: two"]}, report["changes"]["authorizers"])
        self.assertEqual(
            {"entries": 1, "authorizers": [{"apiId": "local", "stage": "prod", "authorizer": "two", "entries": 1}]},
            report["dropped"],
        )
        self.assertEqual(["one", "three"], sorted(entry["authorizer"] for entry in gateway.cache_entries()))
        ask()
        self.assertEqual(calls + 1, gateway.metrics().total("gatehouse_authorizer_calls_total"))

    def test_a_stricter_policy_counts_at_once(self):
        backend = self.upstream()
        allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "${stageArn}/*"}
        deny = {"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": "${stageArn}/GET/a"}

        def made_of(*statements):
            return api([route("GET /a", backend.url)], authorizers={"jwt": jwt_authorizer({"statements": list(statements)})})

        gateway = self.start(config(made_of(allow)))
        token = mint()
        self.assert_status(gateway.get("/a", token), 200)
        self.write(gateway, made_of(allow, deny))
        self.assertEqual({"changed": ["users: jwt"]}, self.reload(gateway)["changes"]["policies"])
        self.assert_status(gateway.get("/a", token), 403)

    def test_an_issuer_that_is_gone_is_neither_fetched_nor_waited_for(self):
        backend = self.upstream()
        away = jwt_authorizer({"issuer": "https://away.example/", "jwksUri": "http://127.0.0.1:9/jwks.json"})
        gateway = self.start(config(api([route("GET /a", backend.url)], authorizers={"jwt": away})), ready=False)
        wait_for(lambda: gateway.metrics().total("gatehouse_jwks_fetch_failures_total") > 0, "a fetch to fail")
        self.assertFalse(gateway.ready())
        self.write(gateway, api([route("GET /a", backend.url)]))
        self.hang_up(gateway)
        gateway.wait_ready()
        self.assertNotIn("away.example", gateway.admin("GET", "/report").text())
        self.assertNotIn("away.example", gateway.metrics().text)
        self.assert_status(gateway.get("/a", mint()), 200)


class Watch(ReloadCase):
    def test_the_file_is_watched(self):
        gateway = self.start(config(api([mock("GET /a", body=body("old"))], authorizers={})), args=["--watch"])
        self.write(gateway, api([mock("GET /a", body=body("new"))], authorizers={}))
        gateway.wait_log(DONE)
        self.assertEqual({"is": "new"}, gateway.get("/a").json())
        gateway.folder.write("gatehouse.json", "{")
        gateway.wait_log("not reloaded")
        self.assertEqual({"is": "new"}, gateway.get("/a").json())
        self.write(gateway, api([mock("GET /a", body=body("newer"))], authorizers={}))
        wait_for(lambda: gateway.get("/a").json() == {"is": "newer"}, "the good file")

    def test_key_files_are_watched(self):
        backend = self.upstream()
        gateway = self.start(config(api([route("GET /a", backend.url)])), args=["--watch"])
        self.assert_status(gateway.get("/a", mint()), 200)
        gateway.folder.write("jwks.json", jwks(ec_key()))
        gateway.wait_log(DONE)
        # What the retired key had verified is gone with it.
        wait_for(lambda: gateway.get("/a", mint()).status == 401, "the retired key to be refused")

    def test_a_link_that_moves_is_a_change(self):
        # As Kubernetes changes a ConfigMap.
        gateway = self.start(config(api([mock("GET /a", body=body("old"))], authorizers={})))
        folder = pathlib.Path(gateway.folder.path)
        for name in ("1", "2"):
            (folder / name).mkdir()
            text = json.dumps(config(api([mock("GET /a", body=body(name))], authorizers={})))
            (folder / name / "gatehouse.json").write_text(text)
        (folder / "now").symlink_to("1")
        linked = self.start(None, args=["-c", str(folder / "now" / "gatehouse.json"), "--watch"])
        self.assertEqual({"is": "1"}, linked.get("/a").json())
        (folder / "next").symlink_to("2")
        os.replace(folder / "next", folder / "now")
        linked.wait_log(DONE)
        self.assertEqual({"is": "2"}, linked.get("/a").json())


class Admin(ReloadCase):
    def guarded(self, *apis, **changes):
        return config(*apis, admin={"address": "127.0.0.1", "port": 0, "token": "admin-secret"}, **changes)

    def test_a_configuration_is_sent(self):
        gateway = self.start(self.guarded(api([mock("GET /a", body=body("old"))], authorizers={})))
        sent = json.dumps(self.guarded(api([mock("GET /a", body=body("sent"))], authorizers={}))).encode()
        self.assert_status(gateway.admin("PUT", "/configuration", body=sent), 401)
        self.assertEqual({"is": "old"}, gateway.get("/a").json())
        answer = gateway.admin("PUT", "/configuration", TOKEN, body=b'{"apis": [], "x": 1}')
        self.assert_status(answer, 422)
        self.assertRegex("\n".join(answer.json()["problems"]), r"the configuration that was sent:1: /apis: is empty")
        self.assertEqual({"is": "old"}, gateway.get("/a").json())
        answer = gateway.admin("PUT", "/configuration", TOKEN, body=sent)
        self.assert_status(answer, 200)
        self.assertEqual({"changed": ["users: GET /a"]}, answer.json()["changes"]["routes"])
        self.assertEqual({"is": "sent"}, gateway.get("/a").json())
        # The file is still there to go back to.
        self.assert_status(gateway.admin("POST", "/reload", TOKEN), 200)
        self.assertEqual({"is": "old"}, gateway.get("/a").json())

    def test_another_admin_token_counts_at_once(self):
        gateway = self.start(self.guarded(api([mock("GET /a")], authorizers={})))
        self.write(gateway, api([mock("GET /a")], authorizers={}), admin={"address": "127.0.0.1", "port": 0, "token": "other"})
        self.assert_status(gateway.admin("POST", "/reload", TOKEN), 200)
        self.assert_status(gateway.admin("GET", "/report", TOKEN), 401)
        self.assert_status(gateway.admin("GET", "/report", {"Authorization": "Bearer other"}), 200)

    def test_what_may_not_be(self):
        gateway = self.start(config(api([mock("GET /a", body=body("old"))], authorizers={})))
        sent = json.dumps(config(api([mock("GET /a", body=body("sent"))], authorizers={}))).encode()
        for name, method, path, headers, status in (
            ("no token is set", "PUT", "/configuration", {}, 403),
            ("by GET", "GET", "/configuration", {}, 405),
            ("by GET", "GET", "/reload", {}, 405),
            ("from a page", "POST", "/reload", {"Origin": "http://evil.example"}, 403),
            ("across sites", "POST", "/reload", {"Sec-Fetch-Site": "cross-site"}, 403),
        ):
            with self.subTest(name):
                self.assert_status(gateway.admin(method, path, headers, body=sent if method == "PUT" else None), status)
                self.assertEqual({"is": "old"}, gateway.get("/a").json())
        self.assertEqual(403, gateway.admin("POST", "/reload", host="evil.example").status)


class Functions(ReloadCase):
    HANDLER = "import os\ndef handle(event, context):\n    return {'statusCode': 200, 'body': str(os.getpid()) + ' %s'}\n"

    def function(self, **changes):
        return {"backend": {"command": ["/usr/bin/python3", RUNTIME, "handler.handle"], "timeoutInMillis": 20000} | changes}

    def test_functions_follow_the_configuration(self):
        call = {"routeKey": "GET /f", "authorizer": "NONE", "integration": {"type": "AWS_PROXY", "uri": FUNCTION}}
        files = {"handler.py": self.HANDLER % "old"}
        gateway = self.start(config(api([call], authorizers={}), functions=self.function()), files=files)
        first = gateway.get("/f").text()
        self.assertTrue(first.endswith(" old"), first)
        # What has not changed is not started anew.
        self.write(gateway, api([call, mock("GET /x")], authorizers={}), functions=self.function())
        self.hang_up(gateway)
        self.assertEqual(first, gateway.get("/f").text())
        gateway.folder.write("handler.py", self.HANDLER % "newer")  # of another length: Python compares times in seconds
        self.write(gateway, api([call], authorizers={}), functions=self.function(environment={"A": "b"}))
        self.hang_up(gateway)
        second = gateway.get("/f").text()
        self.assertTrue(second.endswith(" newer"), second)
        wait_for(lambda: not is_running(int(first.split()[0])), "the old process to end")
        self.assertEqual(second, gateway.get("/f").text())
        self.write(gateway, api([mock("GET /x")], authorizers={}))
        self.hang_up(gateway)
        wait_for(lambda: not is_running(int(second.split()[0])), "the function that nobody has to end")

    def test_a_call_in_flight_is_not_cut_off(self):
        handler = "def handle(event, context):\n    open('released').close()\n    return {'statusCode': 200, 'body': 'done'}\n"
        call = {"routeKey": "GET /f", "authorizer": "NONE", "integration": {"type": "AWS_PROXY", "uri": FUNCTION}}
        gateway = self.start(config(api([call], authorizers={}), functions=self.function()), files={"handler.py": handler})
        fifo = self.fifo(gateway)
        client = self.begin(gateway, "/f", [])
        wait_for(lambda: gateway.metrics().total("gatehouse_connections_open") >= 1, "the request")
        self.write(gateway, api([mock("GET /x")], authorizers={}))
        self.hang_up(gateway)
        self.assert_waiting([client])
        with self.let_go(fifo):
            response = client.read()
        self.assertEqual((200, b"done"), (response.status, response.body))


class Load(ReloadCase):
    def test_no_request_is_lost_while_the_configuration_changes(self):
        # H14: neither a reset nor a 403 nor a 5xx.
        backend = self.upstream()
        tokens = [mint(sub=f"user-{i}") for i in range(8)]

        def version(number):
            # Each is another authorizer, another route, another limit.
            jwt = jwt_authorizer(authorizerResultTtlInSeconds=100 + number)
            return api([route("GET /a", backend.url), mock(f"GET /v{number}")], authorizers={"jwt": jwt})

        gateway = self.start(config(version(0)))
        stop, outcomes = threading.Event(), collections.Counter()

        def work(token):
            while not stop.is_set():
                with gateway.connect() as client:
                    for _ in range(50):
                        client.send(build("GET", "/a", [("Authorization", f"Bearer {token}")]))
                        response = client.read()
                        outcomes["none" if response is None else response.status] += 1

        threads = [threading.Thread(target=work, args=(token,), daemon=True) for token in tokens]
        for thread in threads:
            thread.start()
        for number in range(1, 21):
            served = outcomes[200]
            self.write(gateway, version(number))
            self.reload(gateway)
            self.assert_status(gateway.get(f"/v{number}"), 200)
            wait_for(lambda served=served: outcomes[200] > served + 20, "load on the new configuration")
        stop.set()
        for thread in threads:
            thread.join(30)
        self.assertEqual({200}, set(outcomes), outcomes)
        self.assertEqual(0, gateway.process.stop())


class DrainDelay(ReloadCase):
    def test_listens_on_until_the_delay_is_over(self):
        gateway = self.start(
            config(api([mock("GET /x")], authorizers={}), timeouts={"drainInMillis": 20000, "drainDelayInMillis": 3000})
        )
        idle = gateway.connect()
        self.addCleanup(idle.close)
        self.assert_status(idle.exchange("GET", "/x"), 200)
        started = time.monotonic()
        gateway.process.signal(signal.SIGTERM)
        gateway.wait_log("draining")
        self.assertFalse(gateway.ready())
        # A connection that is kept, and one that is new, are told by their answers, once the workers have heard of it.
        for client in (idle, gateway.connect()):
            self.addCleanup(client.close)

            def told(client=client):
                response = client.exchange("GET", "/x")
                self.assert_status(response, 200)
                return response.get("Connection", "").lower() == "close"

            wait_for(told, "the last answer")
            self.assertTrue(client.at_end())
        self.assertEqual(0, gateway.process.wait())
        self.assertGreaterEqual(time.monotonic() - started, 2.9)
        with self.assertRaises(OSError):
            socket.create_connection(gateway.address, 1)

    def test_a_second_order_ends_the_delay(self):
        gateway = self.start(config(api([mock("GET /x")], authorizers={}), timeouts={"drainDelayInMillis": 600000}))
        gateway.process.signal(signal.SIGTERM)
        gateway.wait_log("draining")
        gateway.process.signal(signal.SIGINT)
        self.assertEqual(0, gateway.process.wait(10))


if __name__ == "__main__":
    unittest.main()
