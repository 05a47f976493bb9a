"""What the supervisor (systemd) is told: ready, status, alive, reloading, stopping.

The protocol is one datagram of `NAME=value` lines per message to a Unix socket, see sd_notify(3).
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

_log = logging.getLogger(__name__)

ProgressCheck: TypeAlias = Callable[[], str | None]
"""Returns what has stopped making progress, or None; must not block."""

PINGS_PER_DEADLINE = 3
"""How often the watchdog is fed within its deadline: one late or lost ping kills nobody."""


class Supervisor(Protocol):
    """Whoever started the node and waits to hear from it; no call blocks or raises."""

    def ready(self, status: str) -> None:
        """Say that the node works, after its start or after a reload."""

    def status(self, text: str) -> None:
        """Say in one line what the node is doing."""

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""

    def stopping(self) -> None:
        """Say that the node ends."""

    async def watch(self, checks: Iterable[ProgressCheck]) -> None:
        """Feed the watchdog from the running loop as long as every check holds, until cancelled."""


class NoSupervisor:
    """Nobody asked to be told."""

    def ready(self, status: str) -> None:
        """Do nothing."""

    def status(self, text: str) -> None:
        """Do nothing."""

    def reloading(self) -> None:
        """Do nothing."""

    def stopping(self) -> None:
        """Do nothing."""

    async def watch(self, checks: Iterable[ProgressCheck]) -> None:
        """Return at once: there is no watchdog."""


class Systemd:
    """Notifies systemd; a message that its socket does not take at once is lost.

    A status that was lost is sent again with the next ping of the watchdog: until the next change
    it would show a node that works as idle, or the other way round.

    Args:
        address: of the notification socket; a leading `@` means the abstract namespace.
        watchdog_s: how long systemd waits for a ping before it kills the node, None for ever.
    """

    def __init__(self, address: str, watchdog_s: float | None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._watchdog_s = watchdog_s
        self._lost_status: str | None = None

    def ready(self, status: str) -> None:
        """Say that the node works, after its start or after a reload."""
        self._notify(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, text: str) -> None:
        """Say in one line what the node is doing."""
        is_sent = self._notify(f"STATUS={_one_line(text)}")
        self._lost_status = None if is_sent else text

    def reloading(self) -> None:
        """Say that the configuration is being read again; `ready` ends it."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the node ends."""
        self._notify("STOPPING=1")

    async def watch(self, checks: Iterable[ProgressCheck]) -> None:
        """Feed the watchdog from the running loop as long as every check holds, until cancelled.

        Args:
            checks: asked before every ping; while one names what stands still there is no ping.
        """
        if self._watchdog_s is None:
            return
        asked = tuple(checks)
        while True:
            self._ping(asked)
            await asyncio.sleep(self._watchdog_s / PINGS_PER_DEADLINE)

    def _ping(self, checks: tuple[ProgressCheck, ...]) -> None:
        stuck = [reason for reason in (check() for check in checks) if reason is not None]
        if not stuck:
            self._notify("WATCHDOG=1")
            if self._lost_status is not None:
                self.status(self._lost_status)
            return
        _log.error("no progress, the watchdog is not fed", extra={"stuck": stuck})
        self._notify(f"STATUS=no progress: {_one_line('; '.join(stuck))}")

    def _notify(self, message: str) -> bool:
        """Send a message if that is possible at once; whether it was."""
        try:
            with _datagram_socket() as sender:
                sender.sendto(message.encode(), self._address)
        except OSError:
            return False
        return True


def supervisor(notify_socket: str | None, watchdog_usec: int | None) -> Supervisor:
    """Return the supervisor that the environment names.

    Args:
        notify_socket: value of `NOTIFY_SOCKET`, None or empty where nobody listens.
        watchdog_usec: value of `WATCHDOG_USEC` in microseconds, None without a watchdog.
    """
    if not notify_socket:
        return NoSupervisor()
    return Systemd(notify_socket, None if watchdog_usec is None else watchdog_usec / 1e6)


def _datagram_socket() -> socket.socket:
    return socket.socket(
        socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
