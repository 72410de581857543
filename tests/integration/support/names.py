"""A name server on loopback that knows what a test says, and says nothing where a test wants silence."""

import contextlib
import socket
import struct
import threading

NO_ERROR, SERVER_FAILURE, NO_SUCH_NAME = 0, 2, 3
A, AAAA = 1, 28


class NameServer:
    """`names` has the IPv4 addresses of each name, `ttl` goes with all of them. A name in `silent` is not answered; with `fault` set,
    every answer is that code and nothing else. `asked` has the names of the questions for IPv4 addresses."""

    def __init__(self, names=None, ttl=1):
        self.names = names or {}
        self.ttl = ttl
        self.silent = set()
        self.fault = NO_ERROR
        self.asked = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                data, peer = self._socket.recvfrom(4096)
            except OSError:
                return
            if not data:  # shut down
                return
            answer = self._answer(data)
            if answer is not None:
                with contextlib.suppress(OSError):
                    self._socket.sendto(answer, peer)

    def _answer(self, data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1 : at + 1 + data[at]].decode())
            at += 1 + data[at]
        (kind,) = struct.unpack("!H", data[at + 1 : at + 3])
        question = data[12 : at + 5]
        name = ".".join(labels).lower()
        if kind == A:
            self.asked.append(name)
        if name in self.silent or "*" in self.silent:
            return None
        code = self.fault or (NO_ERROR if name in self.names else NO_SUCH_NAME)
        found = self.names.get(name, []) if kind == A and code == NO_ERROR else []
        records = b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", A, 1, self.ttl, 4) + socket.inet_aton(address) for address in found
        )
        return data[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, len(found), 0, 0) + question + records

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
