"""The restrictions of the unit, reproduced, let through what the node needs and nothing else."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE_S
from tests.program.sandbox import sandboxed

NEEDS = """
import json, os, pathlib, socket, subprocess, sys
from multiprocessing import shared_memory

def multicast():
    group, loopback = "239.255.77.1", socket.inet_aton("127.0.0.1")
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind((group, 0))
    membership = socket.inet_aton(group) + loopback
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    receiver.settimeout(60)
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, loopback)
    sender.sendto(b"announcement", receiver.getsockname())
    return receiver.recv(100) == b"announcement"

def unicast():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(60)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", receiver.getsockname())
    return receiver.recv(10) == b"x"

def shared():
    segment = shared_memory.SharedMemory(create=True, size=1 << 20)
    segment.buf[0] = 7
    child = subprocess.run([sys.executable, "-c",
        "import sys; print(open('/dev/shm/' + sys.argv[1], 'rb').read(1)[0])", segment.name],
        capture_output=True, text=True)
    segment.close(); segment.unlink()
    return child.stdout == "7\\n"

def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()
    return True

def scheduler():
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True

def state():
    path = pathlib.Path(sys.argv[1], "results.db")
    path.write_text("x")
    return path.read_text() == "x"

def private_tmp():
    pathlib.Path("/tmp/scratch").write_text("x")
    return True

def cpu_facts():
    facts = pathlib.Path("/proc/cpuinfo").read_text() + pathlib.Path("/proc/loadavg").read_text()
    return "processor" in facts

def new_session():
    return subprocess.run(["true"], start_new_session=True).returncode == 0

def tried(action):
    try:
        return action()
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"

print(json.dumps({a.__name__: tried(a) for a in
    (multicast, unicast, shared, netlink, scheduler, state, private_tmp, cpu_facts, new_session)}))
"""

REFUSALS = """
import ctypes, errno, json, mmap, os, pathlib, socket, sys

libc = ctypes.CDLL(None, use_errno=True)

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")

def root(): pathlib.Path("/carbon-node-was-here").write_text("x")
def system(): pathlib.Path("/usr/carbon-node-was-here").write_text("x")
def kernel(): pathlib.Path("/sys/kernel/mm/ksm/run").write_text("0")
def home(): pathlib.Path(sys.argv[1]).read_text()
def packet(): socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
def crypto(): socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)
def vsock(): socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
def namespace(): checked(libc.unshare(0x10000000))
def become_root(): os.setuid(0)
def writable_code(): mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)
def realtime(): os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
def mount(): checked(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))
def nice(): os.nice(-5)
def affinity(): os.sched_setaffinity(0, os.sched_getaffinity(0))
def device(): pathlib.Path("/dev/mem").read_bytes()
def clock():
    import time
    time.clock_settime(time.CLOCK_REALTIME, time.time())

def refusal(action):
    try:
        action()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "allowed"

print(json.dumps({a.__name__: refusal(a) for a in
    (root, system, kernel, home, packet, crypto, vsock, namespace, become_root, writable_code,
     realtime, mount, nice, affinity, device, clock)}))
"""


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory where the sandbox can reach it."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def run_inside(program: str, state: Path, argument: Path) -> dict[str, Any]:
    """Run a program of the standard library in the sandbox; what it printed as JSON."""
    command = sandboxed([sys.executable, "-I", "-c", program, argument], state)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome


def test_the_sandbox_lets_through_what_fast_dds_and_the_tracker_need(state: Path) -> None:
    """Multicast and unicast on loopback, shared memory, child processes, the state directory."""
    worked = run_inside(NEEDS, state, state)
    assert worked == dict.fromkeys(worked, True)
    assert (state / "results.db").read_text() == "x"


def test_the_sandbox_refuses_everything_else(state: Path, tmp_path: Path) -> None:
    """The system, homes, other address families, privileges and writable code are out of reach."""
    secret = tmp_path / "secret"
    secret.write_text("x")
    refused = run_inside(REFUSALS, state, secret)
    assert "allowed" not in refused.values(), refused
    assert refused["root"] == refused["system"] == "EROFS"
    assert refused["home"] == "ENOENT"
    assert refused["packet"] == refused["crypto"] == refused["vsock"] == "EAFNOSUPPORT"
    assert refused["namespace"] == refused["become_root"] == refused["writable_code"] == "EPERM"
