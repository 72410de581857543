"""Content of a known length, enough of it to go from socket to socket inside the kernel: whole at every size, cut short where it was cut, and no pipe is left."""

import contextlib
import glob
import hashlib
import os
import random
import resource
import threading
import unittest

from support.case import GatewayCase
from support.gateway import api, config, route
from support.process import wait_for
from support.upstream import answer
from support.wire import build

# Around what comes with a head, what is worth moving, what a pipe holds.
SIZES = (16000, 16383, 16384, 16385, 32767, 32768, 32769, 65536, 262143, 262144, 262145, 278529, 1 << 20, 5000001)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class LargeContent(GatewayCase):
    def setUp(self):
        super().setUp()
        self.backend = self.upstream()
        self.data = random.Random(7).randbytes(max(SIZES))

    def gate(self, **changes):
        return self.start(config(api([route("ANY /{proxy+}", f"{self.backend.url}/{{proxy}}", "NONE")]), threads=1, **changes))

    def pipes(self, gateway):
        """Ends of pipes that it has open."""
        count = 0
        for path in glob.glob(f"/proc/{gateway.process.pid}/fd/*"):
            with contextlib.suppress(FileNotFoundError):
                count += os.readlink(path).startswith("pipe:")
        return count

    def test_every_size_arrives_whole_both_ways(self):
        self.backend.respond = lambda request: answer(request.body[::-1])
        gateway = self.gate()
        with gateway.connect() as client:
            for size in SIZES:
                with self.subTest(size=size):
                    data = self.data[:size]
                    response = client.exchange("PUT", f"/{size}", body=data)
                    self.assertEqual((200, True, size), (response.status, response.complete, len(response.body)))
                    self.assertEqual(digest(data[::-1]), digest(response.body))
                    self.assertEqual(digest(data), digest(self.backend.requests[-1].body))
                    self.assertEqual({"request": size, "response": size}, gateway.trace(response)["bytes"])
        self.assertEqual(1, len({request.connection for request in self.backend.requests}), "a connection for all")

    def test_a_pipe_is_used_again_and_goes_when_it_is_not(self):
        self.backend.respond = lambda request: answer(self.data)
        gateway = self.gate()
        before = self.pipes(gateway)
        for _ in range(5):
            self.assertEqual(digest(self.data), digest(gateway.get("/a").body))
            self.assertLessEqual(self.pipes(gateway), before + 2)
        wait_for(lambda: self.pipes(gateway) == before, "the pipe to be closed")

    def test_what_follows_the_content_is_the_next_request(self):
        self.backend.respond = lambda request: answer(b"%d" % len(request.body))
        gateway = self.gate()
        with gateway.connect() as client:
            data = self.data[:100000]
            client.send(
                build("PUT", "/a", {"Content-Length": "100000"}) + data + build("PUT", "/b", {"Content-Length": "3"}) + b"abc"
            )
            self.assertEqual([b"100000", b"3"], [client.read().body, client.read().body])
        self.assertEqual(["/a", "/b"], [request.target for request in self.backend.requests])
        self.assertEqual(digest(data), digest(self.backend.requests[0].body))

    def test_an_answer_that_is_cut_looks_cut(self):
        size = 1 << 20
        gateway = self.gate()
        before = self.pipes(gateway)
        for sent in (0, 1, 16383, 16384, 40000, 300000, size - 16384, size - 1):
            for reset in (False, True):
                with self.subTest(sent=sent, reset=reset):

                    def script(connection, sent=sent, reset=reset):
                        connection.read()
                        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + self.data[:sent])
                        if reset:
                            connection.reset()
                        else:
                            connection.close()

                    self.backend.script = script
                    response = gateway.get("/a")
                    self.assertIsNotNone(response)
                    if response.status == 200:
                        self.assertFalse(response.complete)
                        self.assertEqual(self.data[: len(response.body)], response.body)
                        if not reset:
                            self.assertEqual(sent, len(response.body))
                    else:
                        self.assert_status(response, 502)
        self.backend.script = None
        self.backend.respond = lambda request: answer(self.data)
        self.assertEqual(digest(self.data), digest(gateway.get("/a").body))
        self.assertLessEqual(self.pipes(gateway), before + 2)

    def test_a_client_that_leaves_takes_its_pipe_with_it(self):
        gateway = self.gate()
        before = self.pipes(gateway)
        full, ended = threading.Semaphore(0), threading.Semaphore(0)

        def script(connection):
            connection.read()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
            connection.sock.settimeout(0.5)
            try:
                while True:
                    connection.sock.sendall(self.data)
            except TimeoutError:
                full.release()
            except OSError:
                pass
            connection.sock.settimeout(None)
            try:
                while True:
                    connection.sock.sendall(self.data)
            except OSError:
                ended.release()

        self.backend.script = script
        clients = [gateway.connect() for _ in range(5)]
        for client in clients:
            client.send(build("GET", "/a"))
        for _ in clients:
            self.assertTrue(full.acquire(timeout=60), "the upstream is never held up")
        self.assertEqual(before + 2 * len(clients), self.pipes(gateway), "one for each that is held up")
        for client in clients:
            client.close()
        for _ in clients:
            self.assertTrue(ended.acquire(timeout=30), "the upstream goes on sending to nobody")
        wait_for(lambda: self.pipes(gateway) == before, "the pipes with bytes in them to be closed")

    def test_a_request_that_is_cut_never_looks_whole(self):
        size = 1 << 20
        gateway = self.gate()
        for sent in (0, 16383, 40000, 300000, size - 1):
            with self.subTest(sent=sent):
                self.backend.clear()
                broken = threading.Event()

                def script(connection, broken=broken):
                    request = connection.read()
                    if request is None or not request.complete:
                        broken.set()

                self.backend.script = script
                with gateway.connect() as client:
                    client.send(build("PUT", "/a", {"Content-Length": str(size)}) + self.data[:sent])
                self.assertTrue(broken.wait(20), "the upstream waits for more, or has all")

    def test_an_early_answer_ends_the_upload(self):
        gateway = self.gate()

        def script(connection):
            connection.read_head()
            connection.send(b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            self.backend.hold()

        self.backend.script = script
        for _ in range(3):
            with gateway.connect() as client:
                client.send(build("PUT", "/a", {"Content-Length": "10000000"}) + self.data[:300000])
                response = client.read()
                self.assert_status(response, 413)
                self.assertEqual(b"no", response.body)
                self.assertEqual("close", response.get("Connection"))

    def test_a_slow_upstream_holds_the_client_up(self):
        size = 64 << 20
        gateway = self.gate(limits={"bodyBytes": size})
        before = self.pipes(gateway)
        go_on = threading.Event()

        def script(connection):
            connection.read_head()
            go_on.wait(60)
            left = size - len(connection.reader.buffer)
            while left > 0 and (got := connection.sock.recv(1 << 20)):
                left -= len(got)
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(str(left)), str(left).encode()))

        self.backend.script = script
        with gateway.connect() as client:
            client.send(build("PUT", "/a", {"Content-Length": str(size)}))
            client.sock.settimeout(0.5)
            sent = 0
            block = bytes(1 << 16)
            try:
                while sent < size:
                    sent += client.sock.send(block[: size - sent])
            except TimeoutError:
                pass
            self.assertLess(sent, size, "nobody is held up")
            self.assertEqual(before + 2, self.pipes(gateway))
            client.sock.settimeout(30)
            go_on.set()
            while sent < size:
                sent += client.sock.send(block[: size - sent])
            self.assertEqual(b"0", client.read().body)

    def test_without_descriptors_it_is_copied(self):
        self.backend.respond = lambda request: answer(self.data)
        gateway = self.gate()
        with gateway.connect() as client:
            self.backend.respond = lambda request: answer(b"small")
            self.assert_status(client.exchange("GET", "/a"), 200)  # both connections are there
            pipes = self.pipes(gateway)
            used = max(int(name) for name in os.listdir(f"/proc/{gateway.process.pid}/fd")) + 1
            resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (used, used))
            self.backend.respond = lambda request: answer(request.body[::-1] or self.data)
            for body in (None, self.data[:1000000]):
                response = client.exchange("GET" if body is None else "PUT", "/a", body=body)
                self.assert_status(response, 200)
                self.assertEqual(digest(self.data if body is None else body[::-1]), digest(response.body))
            self.assertLessEqual(self.pipes(gateway), pipes + 2)


if __name__ == "__main__":
    unittest.main()
