"""Child processes in groups of their own, with their output at hand, that never outlive the tests."""

import atexit
import ctypes
import os
import re
import signal
import subprocess
import threading
import time

# Generous, since the same tests run against sanitizer builds on small machines; nothing waits this long when all is well.
PATIENCE = 30.0

_live = set()
_libc = ctypes.CDLL(None, use_errno=True)


def wait_for(condition, what, timeout=PATIENCE, interval=0.01):
    """Polls until `condition()` is true and returns its value; an error after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {timeout:.1f} s in vain for {what}")
        time.sleep(interval)


class Lines:
    """Lines of a stream as a thread reads them."""

    def __init__(self, stream):
        self._lines = []
        self._changed = threading.Condition()
        self._closed = False
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._stream:
            with self._changed:
                self._lines.append(line.decode("utf-8", "backslashreplace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def all(self):
        with self._changed:
            return list(self._lines)

    def text(self):
        return "\n".join(self.all())

    def wait(self, pattern, timeout=PATIENCE, start=0):
        """The first match of `pattern` in a line, or None when the stream ends or time is up."""
        end = time.monotonic() + timeout
        expression = re.compile(pattern)
        with self._changed:
            position = start
            while True:
                while position < len(self._lines):
                    match = expression.search(self._lines[position])
                    if match:
                        return match
                    position += 1
                left = end - time.monotonic()
                if self._closed or left <= 0:
                    return None
                self._changed.wait(left)

    def join(self, timeout=5):
        self._thread.join(timeout)


def _in_child():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a test run that is killed leaves nothing behind


class Process:
    """A running program; `stop` or `kill` end its whole process group."""

    def __init__(self, argv, env=None, cwd=None, stdin=None, pass_fds=()):
        self.argv = [str(word) for word in argv]
        self._popen = subprocess.Popen(
            self.argv,
            env=env,
            cwd=cwd,
            stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
            preexec_fn=_in_child,
        )
        _live.add(self)
        self.stdin = self._popen.stdin
        self.stdout = Lines(self._popen.stdout)
        self.stderr = Lines(self._popen.stderr)

    @property
    def pid(self):
        return self._popen.pid

    def poll(self):
        return self._popen.poll()

    def signal(self, number):
        if self._popen.poll() is None:
            os.kill(self._popen.pid, number)

    def wait(self, timeout=PATIENCE):
        """The exit status; an error when the program does not end in time."""
        try:
            status = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.argv[0]} did not end within {timeout} s\n{self.tail()}") from None
        self._close()
        return status

    def stop(self, timeout=PATIENCE):
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        try:
            os.killpg(self._popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()
        self._close()

    def _close(self):
        _live.discard(self)
        self.stdout.join()
        self.stderr.join()
        for stream in (self._popen.stdout, self._popen.stderr, self._popen.stdin):
            if stream:
                stream.close()

    def tail(self, lines=40):
        return "\n".join(self.stderr.all()[-lines:])


class Finished:
    """What a short command gave."""

    def __init__(self, status, stdout, stderr):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def output(self):
        return self.stdout + self.stderr

    def __repr__(self):
        return f"exit {self.status}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


def run(argv, env=None, cwd=None, timeout=PATIENCE, stdin=b""):
    """Runs a command to its end; its process group is killed when it takes too long."""
    popen = subprocess.Popen(
        [str(word) for word in argv],
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=_in_child,
    )
    try:
        stdout, stderr = popen.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        os.killpg(popen.pid, signal.SIGKILL)
        stdout, stderr = popen.communicate()
        raise AssertionError(f"{argv} did not end within {timeout} s: {stdout!r} {stderr!r}") from None
    return Finished(
        popen.returncode, stdout.decode("utf-8", "backslashreplace"), stderr.decode("utf-8", "backslashreplace")
    )


def is_running(pid):
    """Whether the process exists and is no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


@atexit.register
def _kill_all():
    for process in list(_live):
        process.kill()
