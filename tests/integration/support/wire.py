"""HTTP/1.1 as bytes on a socket: a client that sends exactly what it is told and reads exactly one answer at a time."""

import json as json_module
import re
import socket
import struct

from .process import PATIENCE


class WireError(AssertionError):
    """The other side did not keep to HTTP/1.1."""


class Message:
    """Fields and body, common to requests and answers."""

    def __init__(self):
        self.start_line = ""
        self.fields = []  # (name, value), in order, names as written
        self.body = b""
        self.head = b""  # as it came, the empty line included
        self.framing = "none"  # none, length, chunked, close
        self.complete = False

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def names(self):
        return [key for key, _ in self.fields]

    def text(self):
        return self.body.decode("utf-8", "backslashreplace")

    def json(self):
        return json_module.loads(self.body)


def shown(data):
    """Bytes of a head for people: lines as lines, everything else that is not plain text escaped."""
    return re.sub(
        r"[^\n -~]", lambda match: f"\\x{ord(match.group()):02x}", data.decode("latin-1").replace("\r\n", "\n")
    )


class Response(Message):
    def __init__(self):
        super().__init__()
        self.status = 0
        self.reason = ""
        self.version = ""
        self.interim = []  # 1xx answers that came before

    def __repr__(self):
        body = self.body[:600]
        more = "" if len(self.body) <= 600 else f" … {len(self.body)} bytes"
        state = "" if self.complete else " (cut short)"
        return f"{shown(self.head)}{body!r}{more}{state}"


class Request(Message):
    def __init__(self):
        super().__init__()
        self.method = ""
        self.target = ""
        self.version = ""
        self.connection = 0  # number of the upstream connection it came on

    def __repr__(self):
        return f"{shown(self.head)}{self.body[:200]!r}"


class Reader:
    """Buffered reading from a socket; every byte read is kept in `received`."""

    def __init__(self, sock, record=None):
        self.sock = sock
        self.buffer = b""
        self.eof = False
        self.received = record if record is not None else bytearray()

    def fill(self):
        """Reads once; False at the end of the stream or after a reset."""
        if self.eof:
            return False
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            self.eof = True
            return False
        self.buffer += data
        self.received += data
        return True

    def until(self, mark, limit=1 << 20):
        while mark not in self.buffer:
            if len(self.buffer) > limit:
                raise WireError(f"no {mark!r} within {limit} bytes")
            if not self.fill():
                return None
        head, self.buffer = self.buffer.split(mark, 1)
        return head + mark

    def exactly(self, count):
        """Up to `count` bytes: fewer when the stream ended before."""
        while len(self.buffer) < count and self.fill():
            pass
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self):
        while self.fill():
            pass
        data, self.buffer = self.buffer, b""
        return data


def parse_fields(message, lines):
    for line in lines:
        match = re.fullmatch(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*?)[ \t]*", line, re.DOTALL)
        if not match:
            raise WireError(f"not a field line: {line!r}")
        message.fields.append((match.group(1), match.group(2)))


def parse_head(message, head):
    message.head = head
    lines = head.decode("latin-1").split("\r\n")[:-2]
    if "\n" in "".join(lines) or "\r" in "".join(lines):
        raise WireError(f"bare CR or LF in a head: {head!r}")
    message.start_line = lines[0]
    parse_fields(message, lines[1:])


def read_chunked(reader, message):
    """A chunked body; `complete` stays False when it ends without its last chunk."""
    message.framing = "chunked"
    while True:
        line = reader.until(b"\r\n")
        if line is None:
            return
        match = re.fullmatch(rb"([0-9A-Fa-f]+)\r\n", line)
        if not match:
            raise WireError(f"chunk line with more than a size: {line!r}")
        size = int(match.group(1), 16)
        if size == 0:
            trailer = reader.until(b"\r\n")
            if trailer is None:
                return
            if trailer != b"\r\n":
                raise WireError(f"trailer: {trailer!r}")
            message.complete = True
            return
        data = reader.exactly(size)
        message.body += data
        if len(data) < size or reader.exactly(2) != b"\r\n":
            return


def read_length(reader, message, length):
    message.framing = "length"
    message.body = reader.exactly(length)
    message.complete = len(message.body) == length


def read_response(reader, method="GET"):
    """One answer, with the interim ones before it; None when the stream ended before any byte of it."""
    interim = []
    while True:
        head = reader.until(b"\r\n\r\n")
        if head is None:
            if reader.buffer:
                raise WireError(f"half an answer: {reader.buffer!r}")
            return None
        response = Response()
        parse_head(response, head)
        match = re.fullmatch(r"(HTTP/1\.[01]) ([1-5][0-9][0-9]) ?(.*)", response.start_line)
        if not match:
            raise WireError(f"not a status line: {response.start_line!r}")
        response.version, response.status, response.reason = match.group(1), int(match.group(2)), match.group(3)
        if 100 <= response.status < 200 and response.status != 101:
            interim.append(response)
            continue
        response.interim = interim
        break
    encodings, lengths = response.all("Transfer-Encoding"), response.all("Content-Length")
    if len(encodings) + len(lengths) > 1:
        raise WireError(f"framed twice: {head!r}")
    if method == "HEAD" or response.status in (204, 304):
        response.complete = True
    elif encodings:
        if encodings != ["chunked"]:
            raise WireError(f"Transfer-Encoding: {encodings}")
        read_chunked(reader, response)
    elif lengths:
        if not re.fullmatch("[0-9]+", lengths[0]):
            raise WireError(f"Content-Length: {lengths}")
        read_length(reader, response, int(lengths[0]))
    else:
        response.framing = "close"
        response.body = reader.rest()
        response.complete = True
    return response


def read_request(reader):
    """One request as a strict origin server reads it; None when the stream ended before any byte of it."""
    head = reader.until(b"\r\n\r\n")
    if head is None:
        if reader.buffer:
            raise WireError(f"half a request head: {reader.buffer!r}")
        return None
    request = Request()
    parse_head(request, head)
    match = re.fullmatch(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (\S+) (HTTP/1\.[01])", request.start_line)
    if not match:
        raise WireError(f"not a request line: {request.start_line!r}")
    request.method, request.target, request.version = match.groups()
    encodings, lengths = request.all("Transfer-Encoding"), request.all("Content-Length")
    if len(encodings) + len(lengths) > 1 or len(request.all("Host")) != 1:
        raise WireError(f"framing or Host not exactly once: {head!r}")
    if encodings:
        request.framing = "chunked"
    elif lengths:
        request.framing = "length"
    else:
        request.complete = True
    return request


def read_request_body(reader, request):
    if request.framing == "chunked":
        if request.all("Transfer-Encoding") != ["chunked"]:
            raise WireError(f"Transfer-Encoding: {request.all('Transfer-Encoding')}")
        read_chunked(reader, request)
    elif request.framing == "length":
        read_length(reader, request, int(request.get("Content-Length")))


def build(method, target, headers=None, body=None, host="127.0.0.1", version="HTTP/1.1"):
    """The bytes of a request. `headers` is a dict or a list of pairs; Host and Content-Length are added unless given."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers or [])
    names = {name.lower() for name, _ in pairs}
    if host is not None and "host" not in names:
        pairs.insert(0, ("Host", host))
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} {version}"] + [f"{name}: {value}" for name, value in pairs]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + (body or b"")


class Client:
    """A raw connection to the gateway."""

    def __init__(self, address, timeout=PATIENCE, remember=None):
        self.sock = socket.create_connection(address, timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)
        self._remember = remember

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        """Sends all of it; False when the other side has closed meanwhile, which refusing peers may."""
        try:
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def read(self, method="GET"):
        response = read_response(self.reader, method)
        if self._remember:
            self._remember(response)
        return response

    def exchange(self, method, target, headers=None, body=None, **options):
        self.send(build(method, target, headers, body, **options))
        response = self.read(method)
        if response is None:
            raise WireError(f"connection closed without an answer to {method} {target}")
        return response

    def at_end(self):
        """True when the other side closed and sent nothing more."""
        return not self.reader.buffer and not self.reader.fill()

    def finish_sending(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        self.sock.close()
