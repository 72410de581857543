"""The machine: its cores, what the kernel says of processes, free ports."""

import contextlib
import os
import pathlib
import platform
import resource
import shutil
import socket
import struct
import subprocess

PROXY_CORE, LOAD_CORE = 0, 1


def cores():
    return sorted(os.sched_getaffinity(0))


def core(which):
    """A core's number; where there is one only, proxy and load share it."""
    have = cores()
    return have[min(which, len(have) - 1)]


def free_ports(count):
    """Ports that are free now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def free_port():
    return free_ports(1)[0]


def raise_file_limit():
    """As many descriptors as may be had, for this process and what it starts. Returns how many, a million at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return 1000000 if hard == resource.RLIM_INFINITY else min(hard, 1000000)  # limits.connections takes no more


@contextlib.contextmanager
def awake(device="/dev/cpu_dma_latency"):
    """No core sleeps in the meantime (Linux: PM quality of service, as cyclictest asks for it). True where that is granted, which takes root as a rule.

    A proxy that waits for its only request lets its core sleep. To wake it is the processor's work, and on a virtual machine the hypervisor's, which
    takes several times as long as the proxy: without this a figure of few connections tells of the machine."""
    try:
        file = open(device, "wb", buffering=0)
    except OSError:
        yield False
        return
    with file:
        file.write(struct.pack("i", 0))  # microseconds; for as long as the file is open
        yield True


def family(pid):
    """The process and all its descendants."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            for child in (task / "children").read_text().split():
                found += family(int(child))
    return found


def _sum_kib(pid, file, names):
    total = 0
    for process in family(pid):
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{process}/{file}").read_text().splitlines():
                if line.split(":")[0] in names:
                    total += int(line.split()[1])
    return total


def private_kib(pid):
    return _sum_kib(pid, "smaps_rollup", ("Private_Clean", "Private_Dirty"))


def proportional_kib(pid):
    return _sum_kib(pid, "smaps_rollup", ("Pss",))


def resident_kib(pid):
    return _sum_kib(pid, "status", ("VmRSS",))


def version_of(*command):
    """The first line that a program says of itself; None when it is not there."""
    if not shutil.which(command[0]):
        return None
    said = subprocess.run(command, capture_output=True, text=True)
    return (said.stdout + said.stderr).strip().split("\n")[0]


def facts():
    """What a figure must be read with."""
    model = [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": model[0].split(":")[1].strip() if model else platform.machine(),
        "cores": len(cores()),
        "kernel": platform.release(),
        "load_average": os.getloadavg(),
        "nginx": version_of("nginx", "-v"),
        "haproxy": version_of("haproxy", "-v"),
        "node": version_of("node", "--version"),
    }
