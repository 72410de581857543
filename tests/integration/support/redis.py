"""A real redis-server, that tests stop, pause and start again, and a client of four lines for it."""

import shutil
import signal
import socket
import tempfile

from .process import PATIENCE, Process, wait_for


class Redis:
    """Keeps nothing on disk: what ends has forgotten everything, unless `saves`."""

    def __init__(self, *options, password=None, saves=False):
        self.folder = tempfile.mkdtemp(prefix="gatehouse-redis-")
        self.options = list(options)
        self.saves = saves
        self.password = password
        if password:
            self.options += ["--requirepass", password]
        for _ in range(20):  # another may take the port in between
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
            if self.start():
                return
        raise AssertionError("redis-server does not start\n" + self.process.tail())

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    def start(self):
        """Begins, on the same port as before; whether it does."""
        argv = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder]
        argv += ["--save", "", "--appendonly", "yes" if self.saves else "no", "--appendfsync", "always"]
        self.process = Process([*argv, *self.options])
        return wait_for(lambda: self._answers() or self.process.poll() is not None, "redis-server") and self._answers()

    def _answers(self):
        try:
            return self.command("PING") is not None
        except OSError:
            return False

    def begin_again(self):
        wait_for(self.start, "redis-server to have its port again", interval=0.1)

    def kill(self):
        self.process.kill()

    def pause(self):
        self.process.signal(signal.SIGSTOP)

    def go_on(self):
        self.process.signal(signal.SIGCONT)

    def command(self, *words):
        """One command over a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            stream = connection.makefile("rwb")
            lines = [["AUTH", self.password]] if self.password else []
            for line in [*lines, words]:
                encoded = [word if isinstance(word, bytes) else str(word).encode() for word in line]
                stream.write(b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded))
                stream.flush()
                reply = self._read(stream)
            return reply

    def _read(self, stream):
        line = stream.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("redis-server has closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"*":
            return [self._read(stream) for _ in range(int(text))]
        if kind == b"$":
            return None if text == b"-1" else stream.read(int(text) + 2)[:-2]
        return int(text) if kind == b":" else text

    def names(self, beginning="gatehouse:"):
        return sorted(name.decode() for name in self.command("KEYS", beginning + "*"))

    def contents(self):
        """Everything that it keeps."""
        found = b""
        for name in self.names(""):
            found += name.encode() + b"\n"
            kind = self.command("TYPE", name)
            if kind == b"hash":
                found += b"\n".join(self.command("HGETALL", name)) + b"\n"
            else:
                found += self.command("GET", name) + b"\n"
        return found

    def close(self):
        self.process.signal(signal.SIGCONT)
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
