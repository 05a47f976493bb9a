"""The supervisor's end of a real notification socket."""

import contextlib
import itertools
import os
import socket
import time
from collections.abc import Iterator

from tests.program.processes import PATIENCE_S

_numbers = itertools.count(1)


class Notifications:
    """What a program tells its supervisor.

    Args:
        address: of the socket, in the abstract namespace.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.messages: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))

    def wait_for(self, start: str, timeout_s: float = PATIENCE_S) -> str:
        """The next message that starts so; those before it are kept in `messages`, too."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            message = self._receive(deadline_s - time.monotonic())
            if message is None:
                raise AssertionError(f"no message {start!r}, only {self.messages}")
            if message.startswith(start):
                return message

    def during(self, seconds: float) -> list[str]:
        """All messages that come within a time."""
        deadline_s = time.monotonic() + seconds
        found = []
        while (message := self._receive(deadline_s - time.monotonic())) is not None:
            found.append(message)
        return found

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _receive(self, timeout_s: float) -> str | None:
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            message = self._socket.recv(65536).decode()
        except TimeoutError:
            return None
        self.messages.append(message)
        return message


@contextlib.contextmanager
def notified() -> Iterator[Notifications]:
    """A notification socket of its own."""
    notifications = Notifications(f"@carbon-node-test-{os.getpid()}-{next(_numbers)}")
    try:
        yield notifications
    finally:
        notifications.close()
