"""A soak in short form, with faults: everything goes wrong at once, for a while, and then descriptors are back and memory is level.

GATEHOUSE_SOAK_SECONDS makes it longer (30 by default): an hour is 3600."""

import collections
import contextlib
import os
import pathlib
import random
import signal
import socket
import threading
import unittest

from support.case import GatewayCase
from support.gateway import api, config, jwt_authorizer, mock, route
from support.issuer import Issuer
from support.process import wait_for
from support.tokens import Key, mint
from support.upstream import Upstream
from support.wire import WireError, build

SECONDS = float(os.environ.get("GATEHOUSE_SOAK_SECONDS", "30"))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BIG = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300000
# What the gateway may answer to whom: never a status that nobody asked for.
KNOWN = {200, 400, 401, 403, 408, 413, 414, 431, 500, 502, 503, 504}


class Backend(Upstream):
    """Answers well, and in every bad way."""

    BAD = (
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100000,
    )

    def __init__(self):
        self.chance = random.Random(1)
        super().__init__(script=self.serve)

    def serve(self, connection):
        while True:
            request = connection.read()
            connection.received.clear()  # nothing is kept here either
            self.clear()
            if request is None or not request.complete:
                return
            choice = self.chance.random()
            if choice < 0.85:
                connection.send(OK)
            elif choice < 0.9:
                connection.send(BIG)
            elif choice < 0.95:
                connection.send(self.chance.choice(self.BAD))
                return
            else:
                connection.reset()
                return


class Soak(GatewayCase):
    def version(self, number):
        jwt = jwt_authorizer(
            {
                "issuer": self.issuer.issuer,
                "jwksUri": self.issuer.jwks_uri,
                "algorithms": ["ES256"],
                "jwks": {"refreshInSeconds": 1, "cooldownInSeconds": 1},
            },
            authorizerResultTtlInSeconds=60 + number % 2,
        )
        routes = [route("ANY /{proxy+}", self.backend.url + "/{proxy}"), mock(f"GET /v{number % 5}")]
        return config(
            api(routes, authorizers={"jwt": jwt}),
            accessLog={"format": "off"},
            timeouts={"headerInMillis": 500, "bodyInMillis": 500, "keepAliveInMillis": 1000, "writeInMillis": 500},
        )

    def client(self, number):
        chance = random.Random(number)
        key = self.key
        known = [mint(key, iss=self.issuer.issuer, sub=f"known-{i}") for i in range(20)]

        def bearer(token):
            return [("Authorization", f"Bearer {token}")]

        while not self.stop.is_set():
            with contextlib.suppress(OSError, WireError), self.gateway.connect(5) as client:
                for _ in range(chance.randrange(1, 30)):
                    if self.stop.is_set():
                        return
                    choice = chance.random()
                    if choice < 0.5:
                        client.send(build("GET", "/a", bearer(chance.choice(known))))
                    elif choice < 0.65:  # a token for each request
                        client.send(build("GET", "/b", bearer(mint(key, iss=self.issuer.issuer))))
                    elif choice < 0.75:
                        client.send(build("POST", "/c", bearer(chance.choice(known)), b"x" * chance.randrange(100000)))
                    elif choice < 0.8:
                        client.send(build("GET", "/d", bearer("not.a.token")))
                    elif choice < 0.85:
                        client.send(build("GET", "/../e" if chance.random() < 0.5 else "/v1"))
                    elif choice < 0.9:
                        client.send(build("GET", "/f", [("X-Long", "y" * 20000)]))
                    elif choice < 0.94:  # half a head, and gone, or slow
                        client.send(b"GET /g HTTP/1.1\r\nHost: x\r\nAuthor")
                        if chance.random() < 0.5:
                            client.reset()
                            break
                    elif choice < 0.97:  # content that never comes
                        client.send(b"POST /h HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" +
                                    f"Authorization: Bearer {known[0]}\r\n\r\nhalf".encode())
                    else:
                        client.send(build("GET", "/a", bearer(known[0])))
                        client.reset()  # does not wait for its answer
                        break
                    response = client.read()
                    self.outcomes["closed" if response is None else response.status] += 1
                    if response is None or response.get("Connection", "").lower() == "close":
                        break

    def trouble(self):
        """The issuer rotates, vanishes and talks nonsense; the configuration changes."""
        number = 0
        while not self.stop.wait(0.4):
            number += 1
            self.issuer.mode = ("ok", "error", "ok", "garbage", "ok", "html", "cut")[number % 7]
            self.issuer.keys = [self.key, Key.ec(f"other-{number}")]
            if number % 3 == 0:
                self.gateway.folder.write("gatehouse.json", self.version(number) | self.bound)
                self.gateway.process.signal(signal.SIGHUP)
        self.issuer.mode = "ok"

    def press(self, seconds):
        self.stop = threading.Event()
        threads = [threading.Thread(target=self.client, args=(i,), daemon=True) for i in range(6)]
        threads.append(threading.Thread(target=self.trouble, daemon=True))
        for thread in threads:
            thread.start()
        self.stop.wait(seconds)  # the load itself is the test
        self.stop.set()
        for thread in threads:
            thread.join(30)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.gateway.process.pid}/fd"))

    def settle(self):
        """Without clients and without idle connections, all descriptors that the load took are back."""
        for connection in list(self.backend.connections):
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads, too
            connection.close()
        self.backend.connections.clear()
        wait_for(lambda: self.descriptors() <= self.baseline, f"descriptors back at {self.baseline}")

    def resident(self):
        status = pathlib.Path(f"/proc/{self.gateway.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def test_descriptors_come_back_and_memory_is_level(self):
        self.key = Key.ec("known")
        self.issuer = self.using(Issuer(self.key))
        self.backend = self.using(Backend())
        self.outcomes = collections.Counter()
        first = self.version(0)
        self.bound = {name: first[name] for name in ("listeners", "admin", "threads")}
        self.gateway = self.start(first)
        self.baseline = self.descriptors()
        self.press(SECONDS / 3)
        self.settle()
        warm = self.resident()
        self.press(SECONDS * 2 / 3)
        self.settle()
        grown = self.resident() - warm
        self.assertEqual(set(), set(self.outcomes) - KNOWN - {"closed"}, self.outcomes)
        self.assertGreater(self.outcomes[200], SECONDS * 10, self.outcomes)
        self.assertIn("reloaded", self.gateway.log())
        # A sanitizer keeps what was freed, to catch who still uses it.
        maps = pathlib.Path(f"/proc/{self.gateway.process.pid}/maps").read_text()
        if "libasan" not in maps and "libtsan" not in maps:
            self.assertLess(grown, 12 * 1024 * 1024, f"{warm} bytes before, {grown} more after; {self.outcomes}")
        self.assertEqual(0, self.gateway.process.stop())


if __name__ == "__main__":
    unittest.main()
