"""Answers leave the node: one at a time, oldest task first, when the readers are ready for it."""

import asyncio
import heapq
import itertools
import sys
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Protocol

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.outputs import Outputs
from carbon_node.pipeline.pacing import Pacing
from carbon_node.tasks.answer import Kept, Outcome
from carbon_node.wire import extra_data
from carbon_node.wire.samples import TaskId

FIRST = -sys.maxsize
"""First of the positions before every task's, for what readers should have had long ago."""

LAST = sys.maxsize
"""Position behind every task's, for what may wait until no output does; one at a time."""

log = structlog.get_logger(__name__)


class Readers(Protocol):
    """The readers that have to keep up with what leaves."""

    def has_room(self) -> bool:
        """Whether another answer may leave now."""
        ...

    async def room(self) -> None:
        """Wait until another answer may leave."""
        ...


class Outbox:
    """Queue of answers that wait for their turn.

    Unbounded: an answer costs a few kB and is never dropped. `run` has to be running for anything
    to leave. An answer that has its turn at once leaves at once, without yielding to the loop.

    Args:
        pacing: says when the next answer may leave.
        readers: have to keep up.
    """

    def __init__(self, pacing: Pacing, readers: Readers) -> None:
        self._pacing = pacing
        self._readers = readers
        self._is_idle = False
        self._waiting: list[tuple[int, Callable[[], None], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()

    async def send(self, position: int, write: Callable[[], None]) -> None:
        """Wait for the turn of an answer, and write it.

        Args:
            position: unique place of the task in the order of starts; the lowest goes first.
            write: writes the answer.

        Raises:
            TransportError: what `write` raised.
        """
        if self._has_turn():
            self._pacing.left()
            write()
            return
        await self._queued(position, write)

    def post(self, position: int, write: Callable[[], None]) -> None:
        """Let an answer that nobody waits for be written in its turn.

        Args:
            position: unique place of the task in the order of starts; the lowest goes first.
            write: writes the answer; must not raise.
        """
        self._queued(position, write)

    def _queued(self, position: int, write: Callable[[], None]) -> asyncio.Future[None]:
        sent = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (position, write, sent))
        self._arrived.set()
        return sent

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        while True:
            self._is_idle = not self._waiting
            await self._arrived.wait()
            self._is_idle = False
            # Even without a gap, tasks whose output has left go on before the next one leaves.
            await asyncio.sleep(0)
            await self._pacing.due()
            await self._readers.room()
            _, write, sent = heapq.heappop(self._waiting)
            if not self._waiting:
                self._arrived.clear()
            if sent.cancelled():
                continue
            self._pacing.left()
            _settle(sent, write)

    def _has_turn(self) -> bool:
        is_next = self._is_idle and not self._waiting
        return is_next and self._readers.has_room() and self._pacing.is_due()


class Publishing:
    """Publishes answers in turn.

    Args:
        outputs: writes them.
        announcer: announces each task's end, before its output leaves.
        baseline: remembers each output.
        pacing: says when the next output may leave.
    """

    def __init__(
        self,
        outputs: Outputs,
        announcer: StatusAnnouncer,
        baseline: Baseline,
        pacing: Pacing,
    ) -> None:
        self._outputs = outputs
        self._announcer = announcer
        self._baseline = baseline
        self._outbox = Outbox(pacing, outputs)
        self._first = itertools.count(FIRST)

    def services(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Return what has to run: it lets answers leave, follows them, and ends those taken.

        Each runs until it is cancelled.
        """
        in_turn = partial(self._outbox.send, LAST)
        return self._outbox.run(), self._outputs.run(), self._outputs.end_taken(in_turn)

    async def settle(self) -> None:
        """Give readers a moment to receive what left last."""
        await self._outputs.confirm()

    async def rejoin(self, rejoin: Callable[[], None]) -> int:
        """Let the transport join again, and queue what readers have lost, to leave in turn.

        Args:
            rejoin: joins again.

        Returns:
            How many outputs leave again.

        Raises:
            TransportError: it could not join again.
        """
        lost = await self._outputs.rejoin(rejoin)
        for task_id in lost:
            # Not awaited: while peers may have lost the node once more, nothing leaves, and only
            # whoever called this can end that.
            self._outbox.post(next(self._first), partial(self._publish_lost, task_id))
        return len(lost)

    def _publish_lost(self, task_id: TaskId) -> None:
        try:
            self._outputs.publish_lost(task_id)
        except TransportError as error:
            log.error("output not published again", task_id=task_id, error=str(error))  # noqa: TRY400 - the message says it all

    def go_on(self) -> None:
        """Let outputs leave again: peers find this node again by themselves."""
        self._outputs.go_on()

    def task_started(self, task_id: TaskId) -> None:
        """Take back the output of an earlier task of the same id.

        A restarted orchestrator counts from (1, 1) again: what its predecessor's task got must not
        reach it as the answer to its own.

        Raises:
            TransportError: it could not be retired.
        """
        self._announcer.task_started(task_id)
        self._outputs.end(task_id)

    def answered_before(self, kept: Kept) -> None:
        """Note an answer that has left in an earlier life of the node."""
        self._baseline.remember(kept.answer.footprint)

    async def publish(self, position: int, kept: Kept) -> None:
        """Wait for the turn of an answer, and publish it.

        Args:
            position: unique place of the task in the order of starts.
            kept: the answer, which is on disk.

        Raises:
            TransportError: it could not be written.
        """
        await self._outbox.send(position, lambda: self._write(kept))

    def _write(self, kept: Kept) -> None:
        footprint = kept.answer.footprint
        is_failed = kept.answer.outcome is Outcome.NOT_COMPUTED
        error = extra_data.error_in(footprint.extra_data) if is_failed else None
        self._announcer.task_ended(footprint.task_id, error)
        self._outputs.publish(kept)
        self._baseline.remember(footprint)


def _settle(sent: asyncio.Future[None], write: Callable[[], None]) -> None:
    try:
        write()
    except Exception as error:  # noqa: BLE001 - handed to the task that waits, whose border logs it
        sent.set_exception(error)
    else:
        sent.set_result(None)
