"""Programs under test. Whatever was started is stopped, however the bench ends."""

import atexit
import ctypes
import os
import signal
import subprocess
import time

from machine import family

ENDINGS = {signal.SIGINT, signal.SIGTERM}
_running = []
_libc = ctypes.CDLL(None)


def in_child(core):
    bench = os.getpid()

    def prepare():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a bench that is killed leaves nothing behind
        if os.getppid() != bench:  # it was killed before that
            os._exit(1)
        if core is not None:
            os.sched_setaffinity(0, {core})

    return prepare


class Program:
    """A process in a group of its own, on one core (None: anywhere). Its output goes to `log`, or is read."""

    def __init__(self, command, core=None, log=None, cwd=None, env=None, reads=False, writes=False):
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # so that none is started and not yet known when it has to end
        try:
            self.popen = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.PIPE if writes else subprocess.DEVNULL,
                stdout=subprocess.PIPE if reads else log,
                stderr=log,
                text=True,
                cwd=cwd,
                env=env,
                start_new_session=True,
                preexec_fn=in_child(core),
            )
            _running.append(self)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    @property
    def pid(self):
        return self.popen.pid

    def family(self):
        return family(self.pid)

    def is_running(self):
        return self.popen.poll() is None

    def stop(self, how=signal.SIGTERM):
        if self in _running:
            _running.remove(self)
        for number in (how, signal.SIGKILL):
            if self.popen.poll() is not None:
                break
            try:
                os.killpg(self.pid, number)
                self.popen.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass
        for stream in (self.popen.stdin, self.popen.stdout):
            if stream:
                stream.close()


@atexit.register
def stop_all():
    for program in list(_running):
        program.stop(signal.SIGKILL)


def wait_for(condition, what, seconds=20, program=None):
    """The value of `condition` once it is true; an error when that does not come, or the program ends."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if program is not None and not program.is_running():
            raise RuntimeError(f"{what}: the program has ended")
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)
