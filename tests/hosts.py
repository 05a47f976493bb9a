"""Hosts on one network, for tests of what a single host cannot show: see `tests.ethernet`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

NO_SHARED_MEMORY = {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
"""Hosts of a test share their machine's id and memory, through which Fast DDS would bypass the
network."""

PROFILES = "FASTDDS_DEFAULT_PROFILES_FILE"
"""Names a file that keeps participants on the loopback interface elsewhere in the tests."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host of a network.

    Args:
        number: its place in the network.
        address: its IPv4 address.
        namespace: path of its network namespace.
    """

    number: int
    address: str
    namespace: str

    def command(
        self, arguments: Sequence[str], variables: Mapping[str, str] | None = None
    ) -> list[str]:
        """Command that runs another one on this host, in the same process.

        Args:
            arguments: the other one.
            variables: of its environment, beside those that it has anyway.
        """
        if self is LOCALHOST:
            return list(arguments)
        environment = {**NO_SHARED_MEMORY, **(variables or {})}
        settings = [f"{name}={value}" for name, value in environment.items()]
        enter = ["nsenter", f"--net={self.namespace}", "env", f"--unset={PROFILES}"]
        return [*enter, *settings, *arguments]


LOCALHOST = Host(0, "127.0.0.1", "/proc/self/ns/net")
"""Where the test itself is, with what is on its loopback interface."""


class Network:
    """Hosts that reach each other.

    Args:
        cable: the process of `tests.ethernet`.
    """

    def __init__(self, cable: "subprocess.Popen[str]") -> None:
        self._cable = cable
        told = json.loads(self._answer())
        self.hosts = tuple(
            Host(number, address, f"/proc/{told['pid']}/fd/{descriptor}")
            for number, (address, descriptor) in enumerate(told["hosts"])
        )

    def lose(self, share: float) -> None:
        """Lose this share of all frames from now on, 0 to 1."""
        self._order(f"loss {share}")

    def cut(self, host: Host) -> None:
        """Unplug a host."""
        self._order(f"cut {host.number}")

    def join(self, host: Host) -> None:
        """Plug a host in again."""
        self._order(f"join {host.number}")

    def _order(self, line: str) -> None:
        assert self._cable.stdin is not None
        print(line, file=self._cable.stdin, flush=True)
        self._answer()

    def _answer(self) -> str:
        assert self._cable.stdout is not None
        line = self._cable.stdout.readline()
        if not line:
            raise RuntimeError("the network has ended; its complaint is above")
        return line


@contextmanager
def network(count: int = 2, *, seed: int = 1) -> Iterator[Network]:
    """Connect hosts, where no `obstacle` is; they end afterwards, with all that still runs on them.

    Args:
        count: hosts.
        seed: decides which frames are lost, where some are.
    """
    with _cable(count, seed) as cable:
        yield Network(cable)


@contextmanager
def _cable(count: int, seed: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.ethernet", str(count), str(seed)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as cable:
        yield cable


@cache
def obstacle() -> str | None:
    """Say why there can be no hosts here; None if there can."""
    missing = [tool for tool in ("ip", "nsenter") if shutil.which(tool) is None]
    if missing:
        return f"hosts need {', '.join(missing)}: apt-get install iproute2 util-linux"
    with _cable(1, 0) as probe:
        probe.communicate()
    if probe.returncode != 0:
        return "hosts need root, network namespaces and TAP devices (/dev/net/tun)"
    return None
