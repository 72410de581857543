"""Names of backends: looked up again when their time is over, and kept while no name server answers."""

import time
import unittest

from support.case import FAULT, GatewayCase
from support.gateway import api, config, jwt_authorizer, route
from support.names import SERVER_FAILURE, NameServer
from support.process import wait_for
from support.tokens import mint
from support.upstream import answer


class Names(GatewayCase):
    def setUp(self):
        super().setUp()
        self.names = self.using(NameServer())

    def pair(self):
        """Two backends on one port of two addresses."""
        a = self.upstream(respond=lambda request: answer(b"a"))
        b = self.upstream(respond=lambda request: answer(b"b"), address="127.0.0.2", port=a.port)
        return a, b

    def gate(self, uri, **changes):
        routes = [route("ANY /{proxy+}", uri, "NONE")]
        return self.start(
            config(api(routes, authorizers={}), threads=1, resolver={"servers": [self.names.address]}, **changes)
        )

    def upstreams(self, port, **rules):
        # No idle connections: each request asks for the name.
        return {"users": {"targets": [f"http://users.test:{port}"], "maxIdleConnections": 0} | rules}

    def body(self, gateway):
        response = gateway.get("/x")
        return response.body.decode() if response.status == 200 else response.status

    def test_a_change_is_followed(self):
        a, b = self.pair()
        self.names.names["users.test"] = [a.address]
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port))
        self.assertEqual("a", self.body(gateway))
        self.assertEqual([f"users.test:{a.port}"], a.requests[0].all("Host"))
        self.names.names["users.test"] = [b.address]
        wait_for(lambda: self.body(gateway) == "b", "the other address")
        self.assertEqual("bbb", "".join(self.body(gateway) for _ in range(3)))

    def test_a_name_is_good_for_as_long_as_it_says(self):
        a, b = self.pair()
        self.names.ttl = 200
        self.names.names["users.test"] = [a.address]
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port))
        self.assertEqual("a", self.body(gateway))
        self.names.names["users.test"] = [b.address]
        end = time.monotonic() + 2.5  # longer than the least
        while time.monotonic() < end:
            self.assertEqual("a", self.body(gateway))
        self.assertEqual(1, len(self.names.asked))

    def test_a_host_without_an_upstream(self):
        a, b = self.pair()
        a.respond = lambda request: answer(b"a", headers=[("Connection", "close")])
        self.names.names["users.test"] = [a.address]
        gateway = self.gate(f"http://users.test:{a.port}/{{proxy}}")
        self.assertEqual("a", self.body(gateway))
        self.names.names["users.test"] = [b.address]
        wait_for(lambda: self.body(gateway) == "b", "the other address")

    def test_addresses_are_tried_in_turn(self):
        a, b = self.pair()
        a.down()
        self.names.names["users.test"] = [a.address, b.address]
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port))
        self.assertEqual("bbb", "".join(self.body(gateway) for _ in range(3)))

    def test_while_nobody_answers_the_last_addresses_serve(self):
        for name, break_it in (
            ("silence", lambda: self.names.silent.add("*")),
            ("failure", lambda: setattr(self.names, "fault", SERVER_FAILURE)),
        ):
            with self.subTest(name):
                self.names.silent.clear()
                self.names.fault = 0
                a, b = self.pair()
                self.names.names["users.test"] = [a.address]
                # Less than a look-up takes that nobody answers: who asks meanwhile does not wait for its end.
                gateway = self.gate(
                    "http://users/{proxy}", upstreams=self.upstreams(a.port), timeouts={"connectInMillis": 1500}
                )
                self.assertEqual("a", self.body(gateway))
                break_it()
                seen = len(self.names.asked)
                found = set()

                def go_on():
                    found.add(self.body(gateway))
                    return len(self.names.asked) > seen + 3

                wait_for(go_on, "look-ups that fail")
                self.assertEqual({"a"}, found)
                # And when it answers again, it is believed.
                self.names.silent.clear()
                self.names.fault = 0
                self.names.names["users.test"] = [b.address]
                wait_for(lambda: self.body(gateway) == "b", "the other address")

    def test_a_name_that_goes_takes_its_addresses_with_it(self):
        a, _ = self.pair()
        self.names.names["users.test"] = [a.address]
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port))
        self.assertEqual("a", self.body(gateway))
        self.names.names.clear()
        wait_for(lambda: self.body(gateway) == 502, "the name to go")
        self.assertEqual([502, 502], [self.body(gateway) for _ in range(2)])

    def test_a_name_that_is_not_there_and_comes(self):
        a, _ = self.pair()
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port))
        response = gateway.get("/x")
        self.assert_error(response, 502, FAULT, "InternalServerErrorException")
        self.assertEqual("upstream_unresolved", gateway.trace(response)["reason"])
        self.names.names["users.test"] = [a.address]
        wait_for(lambda: self.body(gateway) == "a", "the name")

    def test_that_a_name_is_not_there_is_not_asked_each_time(self):
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(1))
        began = time.monotonic()
        for _ in range(50):
            self.assertEqual(502, self.body(gateway))
        self.assertLessEqual(self.names.asked.count("users.test"), time.monotonic() - began + 2)

    def test_another_target_where_one_has_no_name(self):
        a, _ = self.pair()
        rules = {"targets": ["http://gone.test:1", a.url]}
        gateway = self.gate("http://users/{proxy}", upstreams=self.upstreams(a.port, **rules))
        self.assertEqual("aaaa", "".join(self.body(gateway) for _ in range(4)))

    def test_a_name_server_that_hangs_holds_up_its_own_names_alone(self):
        # security.md 7, 11, 12
        backend = self.upstream()
        self.names.silent.add("slow.test")
        self.names.names["fast.test"] = ["127.0.0.1"]
        gateway = self.start(
            config(
                api(
                    [
                        route("GET /slow", f"http://slow.test:{backend.port}/", "NONE"),
                        route("GET /fast", f"http://fast.test:{backend.port}/", "NONE"),
                        route("GET /keys", backend.url),
                    ],
                    authorizers={"jwt": jwt_authorizer({"jwksUri": f"http://slow.test:{backend.port}/jwks.json"})},
                ),
                threads=1,
                timeouts={"connectInMillis": 300},
                resolver={"servers": [self.names.address]},
            ),
            ready=False,
        )
        for _ in range(3):
            response = gateway.get("/slow")
            reason = gateway.trace(response)["reason"]
            # Late, or the look-up has just ended.
            self.assertIn((response.status, reason), ((504, "upstream_connect_timeout"), (502, "upstream_unresolved")))
            self.assert_status(gateway.get("/fast"), 200)
        self.assert_status(gateway.get("/keys", mint()), 503)
        gateway.get("/slow")
        self.assertEqual(0, gateway.process.stop(20), "SIGTERM ends it while a look-up still hangs")

    def test_the_hosts_file_comes_first(self):
        backend = self.upstream()
        gateway = self.gate(f"http://localhost:{backend.port}/{{proxy}}")
        self.assertEqual("ok", self.body(gateway))
        self.assertEqual([], self.names.asked)

    def test_another_resolver_takes_a_restart(self):
        a, _ = self.pair()
        gateway = self.gate(f"http://127.0.0.1:{a.port}/{{proxy}}")
        gateway.folder.write(
            "gatehouse.json",
            config(api([route("ANY /{proxy+}", a.url, "NONE")], authorizers={}), threads=1, resolver={"servers": ["127.0.0.1"]}),
        )
        reply = gateway.admin("POST", "/reload")
        self.assertEqual(422, reply.status)
        self.assertRegex("\n".join(reply.json()["problems"]), "/resolver: .*restart")


if __name__ == "__main__":
    unittest.main()
