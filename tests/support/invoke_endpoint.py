"""A Lambda Invoke API that says what it is told: the event's "say", or what an authorizer's or a proxy event has in its place.

Prints its port, ends with its input. GET tells which calls came, each as its path, its headers and its event.
"""

import http.server
import json
import os
import socket
import sys
import threading

ERROR = {"errorType": "Error", "errorMessage": "Unauthorized", "trace": ["Error: Unauthorized"]}
OTHER_ERROR = ERROR | {"errorMessage": "Unauthorized: expired"}
STATEMENT = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
GRANT = {"principalId": "user", "policyDocument": {"Version": "2012-10-17", "Statement": [STATEMENT]}}
counts = {"connections": 0, "calls": 0, "busy": 0, "most": 0}
calls = []
lock = threading.Lock()
gate = threading.Event()  # set by the say "open": lets go what waits


def told(event):
    """Words that a token or a path cannot have between them are joined by dashes there."""
    if "say" in event:
        return event["say"]
    if "authorizationToken" in event:
        return event["authorizationToken"].removeprefix("Bearer ").replace("-", " ")
    return (event.get("pathParameters") or {}).get("say", "echo").replace("-", " ")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        with lock:
            counts["connections"] += 1

    def log_message(self, *_):
        pass

    def reply(self, body, status=200, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data):
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def do_GET(self):
        with lock:
            body = json.dumps(calls).encode()
        self.reply(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = json.loads(body)
        say = told(event)
        with lock:
            calls.append({"path": self.path, "headers": dict(self.headers), "event": event})
            counts["calls"] += 1
            counts["busy"] += 1
            counts["most"] = max(counts["most"], counts["busy"])
        try:
            self.say(say, body)
        except OSError:
            self.close_connection = True
        finally:
            with lock:
                counts["busy"] -= 1

    def say(self, say, body):
        if say == "echo":
            headers = [[name.lower(), value] for name, value in self.headers.items()]
            self.reply(json.dumps({"path": self.path, "headers": headers, "event": json.loads(body)}).encode())
        elif say == "counts":
            self.reply(json.dumps(counts).encode())
        elif say == "open":
            gate.set()
            self.reply(b"{}")
        elif say == "wait":
            gate.wait()
            self.reply(b"{}")
        elif say == "chunked":
            self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        elif say == "function error":
            self.reply(json.dumps(ERROR).encode(), headers=[("X-Amz-Function-Error", "Unhandled")])
        elif say == "other error":
            self.reply(json.dumps(OTHER_ERROR).encode(), headers=[("X-Amz-Function-Error", "Unhandled")])
        elif say == "emulator error":
            self.reply(json.dumps(ERROR).encode())
        elif say == "other emulator error":
            self.reply(json.dumps(OTHER_ERROR).encode())
        elif say == "allow":
            self.reply(json.dumps(GRANT).encode())
        elif say == "created":
            self.reply(b'{"statusCode":201,"headers":{"X-Made":"yes"},"body":"made"}')
        elif say == "text":
            self.reply(b'"Unauthorized"')
        elif say == "null":
            self.reply(b"null")
        elif say == "no json":
            self.reply(b"<html>Unauthorized</html>")
        elif say == "half json":
            self.reply(b'{"statusCode":200,"policyDocument":')
        elif say == "empty":
            self.reply(b"")
        elif say == "500":
            self.reply(b'{"Message":"secret"}', 500)
        elif say == "404":
            self.reply(b'{"Message":"Function not found"}', 404)
        elif say == "redirect":
            self.reply(b"", 302, [("Location", "http://127.0.0.1:1/")])
        elif say == "huge":
            self.reply(b"x" * (100 << 20))
        elif say == "endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                self.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        elif say == "endless head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"A: " + b"x" * 1000 + b"\r\n")
        elif say == "garbage":
            self.raw(b"\x00\x01\x02 hello\r\n\r\n")
        elif say == "cut":
            self.raw(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"policyDocument":')
        elif say == "cut chunk":
            self.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n")
        elif say == "close":
            self.close_connection = True
        elif say == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            self.close_connection = True
        elif say == "two framings":
            self.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}")
        elif say == "interim":
            self.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        elif say == "more than asked":
            self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1')
        elif say == "last":
            self.reply(b"{}")  # says nothing of closing, and closes
            self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
