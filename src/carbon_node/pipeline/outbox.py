"""Outputs leave one at a time, oldest task first, with a gap between them.

The orchestrator takes one sample per notification, and notifications of outputs written back to
back merge: without a gap, parts of a burst stay in its reader for good.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable


class Outbox:
    """Queue of answers that wait for their turn.

    Unbounded: an answer costs a few kB and is never dropped. `run` has to be running for anything
    to leave.

    Args:
        gap_s: tells the least time between two outputs in seconds; asked anew for each, since it
            can change at run time.
        room: waits until another answer may leave.
    """

    def __init__(self, gap_s: Callable[[], float], room: Callable[[], Awaitable[None]]) -> None:
        self._gap_s = gap_s
        self._room = room
        self._waiting: list[tuple[int, Callable[[], None], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    @property
    def waiting_count(self) -> int:
        """How many answers wait for their turn."""
        return len(self._waiting)

    async def send(self, position: int, write: Callable[[], None]) -> None:
        """Wait for the turn of an answer, and write it.

        Args:
            position: unique place of the task in the order of starts; the lowest goes first.
            write: writes the answer.

        Raises:
            TransportError: what `write` raised.
        """
        sent = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (position, write, sent))
        self._arrived.set()
        await sent

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        loop = asyncio.get_running_loop()
        next_turn_s = 0.0
        while True:
            await self._arrived.wait()
            await asyncio.sleep(max(0.0, next_turn_s - loop.time()))
            await self._room()
            _, write, sent = heapq.heappop(self._waiting)
            if not self._waiting:
                self._arrived.clear()
            if sent.cancelled():
                continue
            _settle(sent, write)
            next_turn_s = loop.time() + self._gap_s()


def _settle(sent: asyncio.Future[None], write: Callable[[], None]) -> None:
    try:
        write()
    except Exception as error:  # noqa: BLE001 - handed to the task that waits, whose border logs it
        sent.set_exception(error)
    else:
        sent.set_result(None)
