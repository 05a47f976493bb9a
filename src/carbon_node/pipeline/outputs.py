"""Outputs are followed until their readers have taken them, and end then.

An output that stayed would reach whoever starts later: a restarted backend takes it for a result of
its own, and iterates. What leaves in which situation says `tasks.publication`.

Acknowledged means received, not taken, and of an instance that ends before it was taken nothing is
seen. So an output stays for `TAKEN_S` beyond its acknowledgment. One that nobody has acknowledged
stays for a late reader.

A reader that has not left and answers no more may be dead, or stand still for a while. The store
notes an output as acknowledged once all that answer have it, so that those that live do not get it
again after a crash. It stays until the silent one has it too or is gone.

Peers read 500 instances: beyond `RETAINED`, the oldest acknowledged end at
once, and when all are wanted, the next output waits a while for acknowledgments.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.former_outputs import FormerOutputs
from carbon_node.pipeline.ports import TaskStore, Transport
from carbon_node.tasks import publication
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.publication import Situation
from carbon_node.wire.contract import Receipt, Topic
from carbon_node.wire.samples import CO2Footprint, Sample, TaskId

TAKEN_S = 2.0
"""Seconds after its acknowledgment in which a reader has taken an output. A real orchestrator takes
it within milliseconds; it lost none with this, and restarted backends were spared."""

END_GAP_S = 0.1
"""Seconds between two ends: of a burst, a reader that needs as long for each output sees all."""

TAKING_S = 1.0
"""Seconds before the node joins again in which readers take what they have received: the rest goes
with the former participant, and a reader on the same machine may have stood still as well."""

MEETING_S = 5.0
"""Seconds that an output waits for a reader, where there is none and may be one soon. After a start
the reader that it is for may be discovered seconds after its task: participants announce themselves
every 3 s, and what they say in between may be lost. Where nobody reads, nobody waits."""

RETURN_S = 300.0
"""Seconds after the node has joined again in which nothing that is taken ends, as long as a reader
of before is missing: one that returns late still gets what has left meanwhile."""

RETURN_LOOK_S = 1.0
"""Seconds between two looks for readers that are to return."""

MEETING_AGAIN_S = 20.0
"""Seconds that outputs wait for all readers after the node has joined again: as long as a
participant of Fast DDS counts as living by default. Most are there after 0.1 s, but discovery now
and then waits for a peer's next announcement, which comes every 3 s by default, and a busy machine
loses some."""

RETAINED = 400
"""Outputs kept at most, but for those that a reader has not acknowledged."""

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
        store: records what was published, acknowledged and ended.
        former: ends what a former life has left, before anything is written.
    """

    def __init__(self, transport: Transport, store: TaskStore, former: FormerOutputs) -> None:
        self._transport = transport
        self._store = store
        self._former = former
        self._retained: OrderedDict[TaskId, Kept] = OrderedDict()
        self._unacknowledged: OrderedDict[TaskId, Kept] = OrderedDict()
        # Those of them that all readers have that answer.
        self._noted: dict[TaskId, Kept] = {}
        # By the time of their acknowledgment, in seconds of the loop's clock.
        self._received: OrderedDict[TaskId, tuple[Kept, float]] = OrderedDict()
        self._has_received = asyncio.Event()
        self._published = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._reader_count = 0
        self._lost: OrderedDict[TaskId, Kept] = OrderedDict()
        # Readers of before the node joined again, and until when they are waited for.
        self._return_count, self._return_until_s = 0, 0.0
        self._is_rejoining = False
        self._joined = asyncio.Event()
        self._is_patient = True
        self._expects_reader = True
        self._had_reader = False

    def has_room(self) -> bool:
        """Whether another output may leave now."""
        if self._is_in_doubt():
            return False
        return not self._misses_reader() and self._former.are_ended() and not self._has_to_wait()

    async def room(self) -> None:
        """Wait until another output may leave; a while at most."""
        await self._room()
        # Looked at last, so that nothing is written to a participant that is about to be replaced.
        while self._is_in_doubt():
            self._joined.clear()
            await self._joined.wait()
            await self._room()

    async def _room(self) -> None:
        if self._misses_reader():
            self._expects_reader = await self._transport.wait_for_match(
                Topic.FOOTPRINT, timeout_s=MEETING_S
            )
        await self._former.wait()
        if not self._has_to_wait():
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
        """Write an answer, as `tasks.publication` says; an earlier one of its id is replaced.

        Raises:
            TransportError: it could not be written, or an old one could not be ended.
        """
        self._had_reader = self._expects_reader = not self._is_alone()
        situation = Situation.READ if self._had_reader else Situation.UNREAD
        leaving = publication.leaving(kept, situation)
        if leaving is not None:
            self._write(leaving)
            self._published.set()
            self._end_old()

    def end(self, task_id: TaskId) -> None:
        """End the output of a task id, if there is one.

        Raises:
            TransportError: it could not be ended.
        """
        self._lost.pop(task_id, None)
        self._unacknowledged.pop(task_id, None)
        self._noted.pop(task_id, None)
        self._received.pop(task_id, None)
        kept = self._retained.pop(task_id, None)
        if kept is not None:
            self._transport.retire(Topic.FOOTPRINT, CO2Footprint(task_id=task_id))
            self._store.mark_ended(kept)

    async def rejoin(self, rejoin: Callable[[], None]) -> tuple[TaskId, ...]:
        """Let the transport join again; nothing leaves meanwhile.

        Its new writer has written nothing: what readers have acknowledged has ended, and the rest
        is to be published with `publish_lost`.

        Args:
            rejoin: joins again.

        Returns:
            Ids of the outputs that readers have not acknowledged, oldest first.

        Raises:
            TransportError: it could not join again.
        """
        self._is_rejoining = True
        try:
            # What readers have received in the last moment must not reach them twice.
            if not await self.confirm():
                self._note_received()
            if len(self._retained) > len(self._unacknowledged):
                await asyncio.sleep(TAKING_S)
                self._note_received()
            reader_count = max(self._reader_count, self._matched_count())
            is_shared = reader_count > 1
            rejoin()
            self._return_count = reader_count
            self._return_until_s = asyncio.get_running_loop().time() + RETURN_S
            self._lose(Situation.REJOINED_FOR_SEVERAL if is_shared else Situation.REJOINED)
            # What the first reader acknowledges ends, and the others would not get it any more.
            await self._transport.wait_for_match(
                Topic.FOOTPRINT, reader_count, timeout_s=MEETING_AGAIN_S
            )
        finally:
            self._is_rejoining = False
            self._joined.set()
        return tuple(self._lost)

    def go_on(self) -> None:
        """Let outputs leave again: peers find this node again by themselves."""
        self._joined.set()

    def publish_lost(self, task_id: TaskId) -> None:
        """Write an output that readers have lost, unless its task has begun again.

        Raises:
            TransportError: it could not be written.
        """
        kept = self._lost.pop(task_id, None)
        if kept is not None:
            self._write(kept)
            self._published.set()

    async def run(self) -> None:
        """Follow what was published until readers have it; runs until cancelled."""
        while True:
            await self._published.wait()
            if not await self.confirm():
                await self._pause()
            if not self._unacknowledged:
                self._published.clear()

    async def end_taken(self, in_turn: Callable[[Callable[[], None]], Awaitable[None]]) -> None:
        """End outputs that their readers have taken; runs until cancelled.

        Args:
            in_turn: calls what it is given once no output waits to leave: an end is a sample to its
                reader, with a notification that must not merge with that of an output.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._has_received.wait()
            oldest = next(iter(self._received.items()), None)
            if oldest is None:
                # All have ended meanwhile, or were lost with their writer.
                self._has_received.clear()
                continue
            task_id, (kept, since_s) = oldest
            await asyncio.sleep(since_s + TAKEN_S - loop.time())
            if self._misses_one_that_returns():
                await self._returned()
            try:
                await in_turn(partial(self._end_if_same, task_id, kept))
            except TransportError as error:
                log.warning("an output goes on", task_id=task_id, error=str(error))
            await asyncio.sleep(END_GAP_S)

    async def confirm(self) -> bool:
        """Wait a moment until the matched readers have all that was published before.

        Returns:
            False if they do not, or if there is none.
        """
        waiting = list(self._unacknowledged.values())
        if not waiting:
            return True
        if self._is_alone() and not self._is_in_doubt():
            self._readers_left()
        receipt = await self._receipt()
        if receipt is Receipt.NONE:
            return False
        self._note(waiting)
        if receipt is Receipt.ANSWERING:
            return False
        now_s = asyncio.get_running_loop().time()
        for kept in waiting:
            task_id = kept.key.task_id
            if self._unacknowledged.get(task_id) is kept:
                del self._unacknowledged[task_id]
                self._noted.pop(task_id, None)
                self._received[task_id] = kept, now_s
                self._has_received.set()
        self._is_patient = True
        self._acknowledged.set()
        return True

    async def _receipt(self) -> Receipt:
        if not self._has_reader():
            return Receipt.NONE
        try:
            receipt = await self._transport.wait_for_receipt(Topic.FOOTPRINT, CONFIRM_S)
        except TransportError as error:
            log.warning("acknowledgments cannot be followed", problem=str(error))
            return Receipt.NONE
        return receipt if self._has_reader() else Receipt.NONE

    def _note(self, acknowledged: Iterable[Kept]) -> None:
        for kept in acknowledged:
            task_id = kept.key.task_id
            if self._noted.get(task_id) is not kept:
                self._store.mark_acknowledged(kept)
            if self._unacknowledged.get(task_id) is kept:
                self._noted[task_id] = kept

    async def _pause(self) -> None:
        if self._noted.keys() < self._unacknowledged.keys():
            await asyncio.sleep(CONFIRM_S)
            return
        # Only readers that answer no more are waited for: what comes next is noted at once.
        self._published.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIRM_S):
                await self._published.wait()
        self._published.set()

    def _write(self, leaving: Kept) -> None:
        task_id = leaving.key.task_id
        self._transport.publish(Topic.FOOTPRINT, leaving.answer.footprint)
        self._reader_count = self._matched_count()
        self._former.forget(leaving)
        self._store.mark_published(leaving)
        self._received.pop(task_id, None)
        self._noted.pop(task_id, None)
        for outputs in (self._retained, self._unacknowledged):
            outputs[task_id] = leaving
            outputs.move_to_end(task_id)

    def _note_received(self) -> None:
        # A reader that is missing has acknowledged nothing that the others have.
        if self._matched_count() < max(self._reader_count, 1):
            return
        for task_id, kept in tuple(self._unacknowledged.items()):
            if self._transport.is_instance_acknowledged(
                Topic.FOOTPRINT, CO2Footprint(task_id=task_id)
            ):
                self._store.mark_acknowledged(kept)
                del self._unacknowledged[task_id]
                self._noted.pop(task_id, None)

    def _lose(self, situation: Situation) -> None:
        for task_id, kept in self._retained.items():
            if task_id in self._unacknowledged:
                leaving = publication.leaving(kept, situation)
                if leaving is not None:
                    self._lost[task_id] = leaving
            else:
                self._store.mark_ended(kept)
        for outputs in (self._retained, self._unacknowledged, self._noted, self._received):
            outputs.clear()
        self._expects_reader = True

    def _is_in_doubt(self) -> bool:
        return self._is_rejoining or self._transport.is_in_doubt()

    def _readers_left(self) -> None:
        """Let what readers have left behind unacknowledged order no more of those that come."""
        if not self._had_reader:
            return
        self._had_reader = False
        for task_id, kept in tuple(self._unacknowledged.items()):
            is_noted = task_id in self._noted
            situation = Situation.DESERTED_BY_SILENT if is_noted else Situation.DESERTED
            leaving = publication.leaving(kept, situation)
            if leaving is None:
                with suppress(TransportError):
                    self.end(task_id)
                continue
            with suppress(TransportError):
                self._transport.publish(Topic.FOOTPRINT, leaving.answer.footprint)
            self._retained[task_id] = self._unacknowledged[task_id] = leaving

    async def _returned(self) -> None:
        """Wait until a reader that was there before is back, and has taken what waited for it."""
        while self._misses_one_that_returns():  # noqa: ASYNC110 - nobody tells of the time
            await asyncio.sleep(RETURN_LOOK_S)
        await self._receipt()
        await asyncio.sleep(TAKEN_S)

    def _misses_one_that_returns(self) -> bool:
        has_returned = self._matched_count() >= self._return_count
        if has_returned or asyncio.get_running_loop().time() > self._return_until_s:
            self._return_count = 0
        return self._return_count > 0

    def _end_if_same(self, task_id: TaskId, kept: Kept) -> None:
        if self._retained.get(task_id) is kept:
            self.end(task_id)

    def _has_reader(self) -> bool:
        return self._matched_count() > 0

    def _matched_count(self) -> int:
        """How many readers are known to be there; 0 too if the transport does not know."""
        return self._transport.matched(Topic.FOOTPRINT) or 0

    def _is_alone(self) -> bool:
        """Whether no reader is there for certain; a transport may not know."""
        return self._transport.matched(Topic.FOOTPRINT) == 0

    def _misses_reader(self) -> bool:
        return self._expects_reader and self._is_alone()

    def _has_to_wait(self) -> bool:
        oldest = next(iter(self._retained), None)
        is_full = len(self._retained) >= MAX_RETAINED and oldest in self._unacknowledged
        return self._is_patient and is_full and self._has_reader()

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
