"""Outputs stay with the writer for late readers, and are followed until the readers have them.

Peers read 500 instances: beyond that a reader takes nothing more, so older outputs have to end. One
that a reader does not have yet would be lost to it, so such outputs stay as long as there is room,
and when there is none, the next output waits a while for acknowledgments.

Acknowledged means received, not taken: a reader that is slow to take sees an output as long as
fewer than `RETAINED` others have followed it.
"""

import asyncio
from collections import OrderedDict

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.ports import TaskStore, Transport
from carbon_node.tasks.answer import Kept
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, Sample, TaskId

RETAINED = 400
"""Outputs kept for readers that come late."""

MAX_RETAINED = 480
"""Outputs kept if the oldest are not acknowledged; fewer than the 500 instances of a peer's
reader."""

ROOM_WAIT_S = 5.0
"""Seconds that an output waits for the oldest to be acknowledged: the lease of a reader that died
unnoticed, and five times what one needs that lives."""

CONFIRM_S = 0.5
"""Seconds of one wait for acknowledgments, and between two looks for readers; a stop waits as long
at most."""

log = structlog.get_logger(__name__)


class Outputs:
    """Writes outputs, ends old ones, and tells the store which of them readers have.

    Args:
        transport: where outputs go.
        store: records what was published and acknowledged.
    """

    def __init__(self, transport: Transport, store: TaskStore) -> None:
        self._transport = transport
        self._store = store
        self._retained: OrderedDict[TaskId, Kept] = OrderedDict()
        self._unacknowledged: OrderedDict[TaskId, Kept] = OrderedDict()
        self._published = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._is_patient = True

    def has_room(self) -> bool:
        """Whether another output may leave now."""
        return not self._is_patient or not self._is_full()

    async def room(self) -> None:
        """Wait until another output may leave; a while at most."""
        if self.has_room():
            return
        self._acknowledged.clear()
        try:
            async with asyncio.timeout(ROOM_WAIT_S):
                await self._acknowledged.wait()
        except TimeoutError:
            # Waiting again for each output would hold up all other readers.
            self._is_patient = False
            log.warning(
                "outputs end although a reader has not acknowledged them",
                unacknowledged=len(self._unacknowledged),
                waited_s=ROOM_WAIT_S,
            )

    def publish(self, kept: Kept) -> None:
        """Write an answer; an earlier one of the same task id is replaced.

        Raises:
            TransportError: it could not be written, or an old one could not be ended.
        """
        footprint = kept.answer.footprint
        task_id = footprint.task_id
        self._transport.publish(Topic.FOOTPRINT, footprint)
        self._store.mark_published(kept)
        for outputs in (self._retained, self._unacknowledged):
            outputs[task_id] = kept
            outputs.move_to_end(task_id)
        self._published.set()
        self._end_old()

    def end(self, task_id: TaskId) -> None:
        """End the output of a task id, if there is one.

        Raises:
            TransportError: it could not be ended.
        """
        self._unacknowledged.pop(task_id, None)
        if self._retained.pop(task_id, None) is not None:
            self._transport.retire(Topic.FOOTPRINT, CO2Footprint(task_id=task_id))

    async def run(self) -> None:
        """Follow what was published until readers have it; runs until cancelled."""
        while True:
            await self._published.wait()
            if not await self.confirm():
                await asyncio.sleep(CONFIRM_S)
            if not self._unacknowledged:
                self._published.clear()

    async def confirm(self) -> bool:
        """Wait a moment until the matched readers have all that was published before.

        Returns:
            False if they do not, or if there is none.
        """
        waiting = list(self._unacknowledged.values())
        if not waiting:
            return True
        if not (self._has_reader() and await self._wait() and self._has_reader()):
            return False
        for kept in waiting:
            self._store.mark_acknowledged(kept)
            if self._unacknowledged.get(kept.key.task_id) is kept:
                del self._unacknowledged[kept.key.task_id]
        self._is_patient = True
        self._acknowledged.set()
        return True

    async def _wait(self) -> bool:
        try:
            return await self._transport.wait_for_acknowledgments(Topic.FOOTPRINT, CONFIRM_S)
        except TransportError as error:
            log.warning("acknowledgments cannot be followed", problem=str(error))
            return False

    def _has_reader(self) -> bool:
        return self._transport.matched(Topic.FOOTPRINT) > 0

    def _is_full(self) -> bool:
        oldest = next(iter(self._retained), None)
        is_full = len(self._retained) >= MAX_RETAINED and oldest in self._unacknowledged
        return is_full and self._has_reader()

    def _end_old(self) -> None:
        while len(self._retained) > RETAINED:
            oldest = next(iter(self._retained))
            is_wanted = oldest in self._unacknowledged and self._has_reader()
            if is_wanted and len(self._retained) <= MAX_RETAINED:
                return
            self.end(oldest)


class RetainedSamples:
    """Publishes on a topic and ends its oldest instances.

    A writer that never ended one would be full some day, and its readers before it. A reader that
    has not taken a sample when its instance ends never sees it, so the limit has to be wide.

    Args:
        transport: where samples go.
        topic: the topic of all of them.
        limit: instances that stay, >= 1; fewer than the 500 that peers read.
    """

    def __init__(self, transport: Transport, topic: Topic, limit: int) -> None:
        self._transport = transport
        self._topic = topic
        self._limit = limit
        self._keys: OrderedDict[Sample, None] = OrderedDict()

    def publish(self, sample: Sample, key: Sample) -> None:
        """Write a sample; an earlier one of the same instance is replaced.

        Args:
            sample: what is written.
            key: the same with nothing but its key members, so that little is kept of it.

        Raises:
            TransportError: it could not be written, or the oldest could not be ended.
        """
        self._transport.publish(self._topic, sample)
        self._keys[key] = None
        self._keys.move_to_end(key)
        if len(self._keys) > self._limit:
            self.retire(next(iter(self._keys)))

    def retire(self, key: Sample) -> None:
        """End an instance; nothing happens if it was not published, or ended before.

        Raises:
            TransportError: it could not be ended.
        """
        if key in self._keys:
            del self._keys[key]
            self._transport.retire(self._topic, key)
