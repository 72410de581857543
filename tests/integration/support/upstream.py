"""A scripted origin server: records every byte that reaches it and answers what, and when, a test says."""

import contextlib
import socket
import struct
import threading

from .process import PATIENCE, wait_for
from .wire import Reader, WireError, read_request, read_request_body


def answer(body=b"ok", status="200 OK", headers=(), framing="length"):
    """The bytes of an answer. `headers` is a list of pairs; framing: length, chunked (one chunk) or none."""
    lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in headers]
    if framing == "length":
        lines.append(f"Content-Length: {len(body)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


class Connection:
    """One accepted connection, for scripts."""

    def __init__(self, upstream, sock, number):
        self.upstream = upstream
        self.sock = sock
        self.number = number
        self.received = bytearray()
        self.reader = Reader(sock, self.received)
        self.error = None
        self.closed = False

    def read_head(self):
        return read_request(self.reader)

    def read(self):
        """A whole request, recorded; None when the gateway closed."""
        request = self.read_head()
        if request is None:
            return None
        self.finish(request)
        return request

    def finish(self, request):
        """Reads the rest of a request whose head was read, and records it."""
        request.connection = self.number
        read_request_body(self.reader, request)
        self.upstream.record(request)

    def send(self, data):
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def send_and_close(self, data):
        """The last bytes and the FIN in one segment: whoever reads them sees no second event."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        self.send(data)
        self.sock.shutdown(socket.SHUT_RDWR)
        self.close()

    def reset(self):
        """Closes with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        self.closed = True
        with contextlib.suppress(OSError):
            self.sock.close()


class Upstream:
    """Listens on a free port. By default every request is answered 200 `ok` on a kept-alive connection. `respond(request)` gives
    other bytes (None: close without an answer); `script(connection)` takes a whole connection over."""

    def __init__(self, respond=None, script=None, address="127.0.0.1", port=0):
        self.respond = respond or (lambda request: answer())
        self.script = script
        self.requests = []
        self.connections = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        # Keeps the port for up() after a down(): bound, and never listening.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.address = address
        self._port.bind((address, port))
        self.port = self._port.getsockname()[1]
        self.up()

    @property
    def authority(self):
        return f"{self.address}:{self.port}"

    @property
    def url(self):
        return f"http://{self.authority}"

    def record(self, request):
        with self._lock:
            self.requests.append(request)

    def clear(self):
        with self._lock:
            self.requests.clear()

    def one(self):
        """The only request since the last clear()."""
        with self._lock:
            if len(self.requests) != 1:
                raise AssertionError(f"{len(self.requests)} requests reached the upstream, not one: {self.requests!r}")
            return self.requests[0]

    def seen(self, text):
        """True when `text` occurs anywhere in the bytes received on any connection."""
        wanted = text.encode("latin-1") if isinstance(text, str) else text
        with self._lock:
            return any(wanted in connection.received for connection in self.connections)

    def wait_requests(self, count):
        wait_for(lambda: len(self.requests) >= count, f"{count} requests at the upstream")

    def hold(self, seconds=PATIENCE):
        """For scripts: stays until the test is over, so that the connection stalls rather than closes."""
        self._released.wait(seconds)

    def release(self):
        self._released.set()

    def up(self):
        """Listens (again)."""
        self._socket = socket.create_server((self.address, self.port), backlog=256)
        threading.Thread(target=self._accept, args=(self._socket,), daemon=True).start()

    def down(self):
        """Connects are refused from now on, and open connections close."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE * 2)
            with self._lock:
                connection = Connection(self, sock, len(self.connections))
                self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            (self.script or self._keep_alive)(connection)
        except (WireError, OSError) as error:
            connection.error = error
        finally:
            connection.close()

    def _keep_alive(self, connection):
        while True:
            request = connection.read()
            if request is None or not request.complete:
                return
            data = self.respond(request)
            if data is None:
                return
            connection.send(data)

    def errors(self):
        """What on any connection was no proper HTTP/1.1."""
        return [connection.error for connection in self.connections if isinstance(connection.error, WireError)]

    def close(self):
        self._released.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._port.close()
        for connection in list(self.connections):
            connection.close()


class ClosedPort:
    """A port that refuses connections, and that nobody else can take meanwhile."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"

    def close(self):
        self._socket.close()


class FullPort:
    """A port whose queue of connections is full, so that a connect neither succeeds nor fails."""

    def __init__(self):
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(0)
        self.port = self._socket.getsockname()[1]
        self.authority = f"127.0.0.1:{self.port}"
        self._fillers = []
        for _ in range(16):
            filler = socket.socket()
            filler.settimeout(0.2)
            self._fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return
        raise AssertionError("the queue of a listening socket did not fill")

    def close(self):
        for sock in [*self._fillers, self._socket]:
            sock.close()
