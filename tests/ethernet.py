"""A cable between hosts that are network namespaces: `python -m tests.ethernet HOSTS SEED`.

Each host is an anonymous namespace with one interface, `eth0`, whose frames pass through this
process: it hands each to all other hosts, or loses it. That needs no more of the kernel than TAP
devices, where losing packets in the kernel needs a module that many have not.

Prints one line of JSON when the hosts are up: its process id, and for each host its address and the
descriptor of its namespace. Then it obeys lines of standard input, which `tests.hosts` writes. When
that ends, whatever ended it, every process on the hosts is killed, and with them the hosts go.
"""

import ctypes
import fcntl
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

CLONE_NEWNET = 0x4000_0000
TUNSETIFF = 0x4004_54CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
FRAME_OCTETS = 65_535

INTERFACE = "eth0"
SET_UP = """
link set lo up
link set eth0 txqueuelen 10000 up
address add {address}/24 dev eth0
route add default dev eth0
"""


class Ethernet:
    """Hosts and the frames between them.

    Args:
        count: hosts.
        seed: decides which frames are lost, by their number.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.addresses = [f"10.77.0.{number}" for number in range(1, count + 1)]
        self.namespaces: list[int] = []
        self._taps = [self._new_host(address) for address in self.addresses]
        self._is_cut = [False] * count
        self._loss = 0.0
        self._chance = random.Random(seed)  # noqa: S311 - fates of frames, not keys

    def run(self) -> None:
        """Pass frames on until standard input ends."""
        poll = select.poll()
        for descriptor in (sys.stdin.fileno(), *self._taps):
            poll.register(descriptor, select.POLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor in self._taps:
                    self._pass_on(self._taps.index(descriptor))
                elif not self._obey(os.read(descriptor, FRAME_OCTETS)):
                    return

    def end(self) -> None:
        """Kill what runs on the hosts."""
        own = {os.fstat(namespace).st_ino for namespace in self.namespaces}
        for process in Path("/proc").iterdir():
            if process.name.isdecimal() and int(process.name) != os.getpid():
                with suppress(OSError):
                    if (process / "ns" / "net").stat().st_ino in own:
                        os.kill(int(process.name), signal.SIGKILL)

    def _new_host(self, address: str) -> int:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"no network namespace: {os.strerror(number)}")
        self.namespaces.append(os.open("/proc/self/ns/net", os.O_RDONLY))
        tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", b"eth0", IFF_TAP | IFF_NO_PI))
        # Hosts that talk IPv6 to nobody would only use up fates.
        with suppress(OSError):
            Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
        commands = SET_UP.format(address=address)
        subprocess.run(["ip", "-batch", "-"], input=commands, text=True, check=True)  # noqa: S607
        return tap

    def _pass_on(self, sender: int) -> None:
        with suppress(BlockingIOError):
            while frame := os.read(self._taps[sender], FRAME_OCTETS):
                for receiver, tap in enumerate(self._taps):
                    if receiver != sender and not self._is_lost(sender, receiver):
                        os.write(tap, frame)

    def _is_lost(self, sender: int, receiver: int) -> bool:
        is_unlucky = self._chance.random() < self._loss
        return is_unlucky or self._is_cut[sender] or self._is_cut[receiver]

    def _obey(self, octets: bytes) -> bool:
        for line in octets.decode().splitlines():
            order, value = line.split()
            match order:
                case "loss":
                    self._loss = float(value)
                case "cut":
                    self._is_cut[int(value)] = True
                case "join":
                    self._is_cut[int(value)] = False
                case _:
                    raise ValueError(f"no such order: {line}")
            tell("done")
        return bool(octets)


def tell(line: str) -> None:
    """Answer the process that started this one."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Be the cable."""
    ethernet = Ethernet(int(sys.argv[1]), int(sys.argv[2]))
    hosts = list(zip(ethernet.addresses, ethernet.namespaces, strict=True))
    tell(json.dumps({"pid": os.getpid(), "hosts": hosts}))
    try:
        ethernet.run()
    finally:
        ethernet.end()


if __name__ == "__main__":
    main()
