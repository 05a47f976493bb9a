"""What reaches a real notification socket."""

import asyncio
import contextlib
import logging
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S

from carbon_node.observability.supervisor import NoSupervisor, Systemd, supervisor

pytestmark = pytest.mark.anyio

WATCHDOG_USEC = 90_000


class Listener:
    """The supervisor's end of a notification socket.

    Args:
        address: to bind; a leading `@` means the abstract namespace.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address.replace("@", "\0", 1))

    def receive(self, timeout_s: float = PATIENCE_S) -> str:
        """The next message, waited for."""
        self._socket.settimeout(timeout_s)
        return self._socket.recv(65536).decode()

    def drain(self) -> int:
        """Throw away what has arrived; how many messages that was."""
        self._socket.settimeout(0)
        count = 0
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(65536):
                count += 1
        return count

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def listener(request: pytest.FixtureRequest) -> Iterator[Listener]:
    """A notification socket of either kind."""
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory, "notify"))
        made = Listener(path if request.param == "path" else f"@carbon-node-test{path}")
        yield made
        made.close()


def test_every_message_arrives_as_the_protocol_has_it(listener: Listener) -> None:
    """Ready, status, reloading and stopping are sent in systemd's words, each in one datagram."""
    systemd = supervisor(listener.address, None)
    systemd.ready("idle")
    assert listener.receive() == "READY=1\nSTATUS=idle"
    systemd.status("2 waiting,\n1 running")
    assert listener.receive() == "STATUS=2 waiting, 1 running"
    before_us = time.monotonic_ns() // 1000
    systemd.reloading()
    reloading, stamp = listener.receive().splitlines()
    assert reloading == "RELOADING=1"
    assert before_us <= int(stamp.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    systemd.stopping()
    assert listener.receive() == "STOPPING=1"


async def test_the_watchdog_is_fed_within_its_deadline(listener: Listener) -> None:
    """While all goes well every deadline sees a ping."""
    deadline_s = 0.9

    watchdog_usec = int(deadline_s * 1e6)
    watching = asyncio.create_task(supervisor(listener.address, watchdog_usec).watch([]))
    for _ in range(3):
        message = await asyncio.to_thread(listener.receive, deadline_s)
        assert message == "WATCHDOG=1"
    watching.cancel()


def test_pings_stop_when_the_loop_is_frozen(listener: Listener) -> None:
    """A loop that runs nothing feeds no watchdog, and feeds it again when it runs again."""
    frozen, thaw = threading.Event(), threading.Event()

    def freeze() -> None:
        frozen.set()
        thaw.wait(PATIENCE_S)

    async def live() -> None:
        watching = asyncio.create_task(supervisor(listener.address, WATCHDOG_USEC).watch([]))
        await asyncio.to_thread(listener.receive)
        freeze()
        await asyncio.to_thread(listener.receive)
        watching.cancel()

    thread = threading.Thread(target=asyncio.run, args=(live(),))
    thread.start()
    assert frozen.wait(PATIENCE_S)
    listener.drain()
    with pytest.raises(TimeoutError):
        listener.receive(3 * WATCHDOG_USEC / 1e6)
    thaw.set()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


async def test_pings_stop_while_a_check_fails(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands still is told to the supervisor and the log instead of a ping."""
    stuck: list[str] = []
    with caplog.at_level(logging.ERROR):
        checks = [lambda: None, lambda: stuck[0] if stuck else None]
        watching = asyncio.create_task(supervisor(listener.address, WATCHDOG_USEC).watch(checks))
        assert await asyncio.to_thread(listener.receive) == "WATCHDOG=1"
        stuck.append("the store has answered nothing for 30 s")
        told = await asyncio.to_thread(listener.receive)
        assert told == "STATUS=no progress: the store has answered nothing for 30 s"
        stuck.clear()
        assert await asyncio.to_thread(listener.receive) == "WATCHDOG=1"
        watching.cancel()
    assert "no progress, the watchdog is not fed" in caplog.messages


@pytest.mark.parametrize("address", [None, ""])
async def test_nobody_listening_is_silent(address: str | None) -> None:
    """Without a notification socket every call does nothing."""
    nobody = supervisor(address, WATCHDOG_USEC)
    assert isinstance(nobody, NoSupervisor)
    nobody.ready("idle")
    nobody.status("idle")
    nobody.reloading()
    nobody.stopping()
    await nobody.watch([lambda: "stuck"])


async def test_a_watchdog_that_is_not_wanted_ends_at_once() -> None:
    """Systemd without WatchdogSec gets no pings."""
    await asyncio.wait_for(supervisor("/nowhere", None).watch([]), PATIENCE_S)


@pytest.mark.parametrize("address", ["/nowhere/at/all", "@nobody-listens-here", "/" + "x" * 200])
def test_a_supervisor_that_is_gone_does_no_harm(address: str) -> None:
    """A message to nobody is lost without a word: the node works without its supervisor."""
    Systemd(address, None).ready("idle")


def test_a_full_socket_does_not_block(listener: Listener) -> None:
    """A supervisor that does not read costs messages, not time."""
    systemd = supervisor(listener.address, None)
    for _ in range(5000):
        systemd.status("x" * 1000)
    assert 0 < listener.drain() < 5000


async def test_a_status_that_was_lost_is_said_with_a_ping(listener: Listener) -> None:
    """A supervisor that reads too slowly for a while still learns what the node does at last."""
    systemd = supervisor(listener.address, WATCHDOG_USEC)
    for number in range(5000):
        systemd.status(f"{number} done")
    listener.drain()
    watching = asyncio.create_task(systemd.watch([]))
    assert await asyncio.to_thread(listener.receive) == "WATCHDOG=1"
    assert await asyncio.to_thread(listener.receive) == "STATUS=4999 done"
    # Once is enough.
    assert await asyncio.to_thread(listener.receive) == "WATCHDOG=1"
    watching.cancel()
