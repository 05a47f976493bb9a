"""The real node as a process: started, watched from outside, ended."""

import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.domains import fresh_domain
from tests.process_memory import forget_peak, memory_bytes
from tests.program.processes import environment

PATIENCE_S = 30.0
"""Longest wait for something that has to happen."""

FORMULA: Mapping[str, str] = {"CARBON_NODE_TRACKER__MODE": "formula"}
"""Tasks are answered by the closed formula, without a measurement."""

UNPACED: Mapping[str, str] = {"CARBON_NODE_OUTPUT_GAP_MS": "0"}
"""Outputs leave back to back. The default gap spares the orchestrator; it is no cost of the node,
and alone would bound it to 100 outputs a second."""


@dataclass(frozen=True, slots=True)
class Held:
    """What processes hold.

    Args:
        resident_mb: resident memory, 1e6 bytes.
        descriptors: open file descriptors.
    """

    resident_mb: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node that is ready.

    Args:
        process: its process.
        domain: DDS domain id.
        directory: where its state, its log and the socket of its local interface are.
        ready_s: seconds from its start to READY=1.
    """

    process: psutil.Process
    domain: int
    directory: Path
    ready_s: float

    @property
    def interface(self) -> Path:
        """Socket of the local interface."""
        return self.directory / "http.sock"

    def held(self) -> Held:
        """Tell what the daemon holds, without its children."""
        return _held([self.process])

    def held_by_children(self) -> Held:
        """Tell what all its children hold together; pages that they share count for each."""
        return _held(self.process.children(recursive=True))

    def processor_s(self) -> float:
        """Processor time of daemon and children so far, in seconds."""
        processes = [self.process, *self.process.children(recursive=True)]
        times = [process.cpu_times() for process in processes]
        return sum(each.user + each.system for each in times)

    def forget_peak(self) -> None:
        """Let `peak_mb` start again."""
        forget_peak(self.process.pid)

    def peak_mb(self) -> float:
        """Highest resident memory since `forget_peak`, 1e6 bytes."""
        return memory_bytes(self.process.pid, "VmHWM") / 1e6


@contextmanager
def running(
    *settings: Mapping[str, str], has_interface: bool = False, below: Path | None = None
) -> Iterator[Node]:
    """Run a node in a domain of its own on loopback; it is ended afterwards.

    Args:
        settings: environment variables beside the defaults.
        has_interface: whether the local interface is on.
        below: where its directory is made; None takes the folder for temporary files.
    """
    with (
        tempfile.TemporaryDirectory(prefix="carbon-node-bench-", dir=below) as place,
        living(fresh_domain(), Path(place), *settings, has_interface=has_interface) as node,
    ):
        yield node


@contextmanager
def living(
    domain: int, directory: Path, *settings: Mapping[str, str], has_interface: bool = False
) -> Iterator[Node]:
    """Run a node in a given domain and directory, which earlier ones may have left.

    Args:
        domain: DDS domain id.
        directory: where its state, its log and its sockets are.
        settings: environment variables beside the defaults.
        has_interface: whether the local interface is on.
    """
    notify = directory / "notify"
    notify.unlink(missing_ok=True)
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor,
        Path(directory, "log").open("ab") as log,
    ):
        supervisor.bind(str(notify))
        supervisor.settimeout(PATIENCE_S)
        listen = directory / "http.sock" if has_interface else "off"
        options = [f"--domain={domain}", f"--state-dir={directory}", f"--http-listen={listen}"]
        overrides = {name: value for each in settings for name, value in each.items()}
        overrides["NOTIFY_SOCKET"] = str(notify)
        since_s = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "carbon_node", "run", *options],
            env=environment(overrides),
            stdin=subprocess.DEVNULL,
            stderr=log,
        ) as process:
            try:
                _wait_for_ready(supervisor, directory / "log")
                ready_s = time.monotonic() - since_s
                yield Node(psutil.Process(process.pid), domain, directory, ready_s)
            finally:
                process.send_signal(signal.SIGTERM)


def _wait_for_ready(supervisor: socket.socket, log: Path) -> None:
    try:
        while not supervisor.recv(65536).startswith(b"READY=1"):
            pass
    except TimeoutError:
        raise RuntimeError(f"the node was not ready in time; its log:\n{log.read_text()}") from None


def _held(processes: list[psutil.Process]) -> Held:
    resident_bytes = sum(process.memory_info().rss for process in processes)
    return Held(resident_bytes / 1e6, sum(process.num_fds() for process in processes))
