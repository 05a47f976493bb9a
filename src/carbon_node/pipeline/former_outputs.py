"""Outputs that a former life of the node has left with the readers end before new ones leave.

To a reader, an instance lives as long as its writer. When a writer leaves or its lease ends, every
instance that it had written turns into a sample without a writer. A reader that takes one sample
for each notification, as the orchestrator does, takes those first and falls behind by as many
results. An instance that ends by itself brings a notification of its own.
"""

import asyncio
from collections.abc import Iterable

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.ports import TaskStore, Transport
from carbon_node.tasks.answer import Kept
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, TaskId

FORMER_GAP_S = 0.03
"""Seconds between two ends: readers take one sample for each notification. Real orchestrators of
0.2 and main took 45 ends at this distance without falling behind."""

RECEIPT_S = 1.0
"""Seconds that an end waits for its acknowledgment at most. A reader may know this life a little
later than it is known; all that left before would then reach it at once, with few notifications."""

LEASE_SHARE = 0.5
"""Share of the lease in which all ends leave, however many: the dead participant's lease, of which
a restart has used up some, ends after two thirds of it at the earliest."""

LATE_READERS_S = 1.0
"""Seconds beyond a lease in which further readers are found that knew the former life."""

log = structlog.get_logger(__name__)


class FormerOutputs:
    """Ends what a former life has left, once for all readers that are there.

    A reader that turns up later, as long as it may still hold something, makes all of it end again;
    to the others that says nothing new.

    Args:
        transport: where it ends.
        store: records what has ended.
        left: what readers may hold, oldest first.
        lease_duration_s: seconds after which readers have noticed a former life's death, > 0.
    """

    def __init__(
        self, transport: Transport, store: TaskStore, left: Iterable[Kept], lease_duration_s: float
    ) -> None:
        self._transport = transport
        self._store = store
        self._lease_duration_s = lease_duration_s
        self._left: dict[TaskId, list[Kept]] = {}
        for kept in left:
            self._left.setdefault(kept.key.task_id, []).append(kept)
        self._done_count = 0
        self._done = asyncio.Event()

    def are_ended(self) -> bool:
        """Whether no reader that is there holds anything of a former life."""
        return not self._left or self._reader_count() <= self._done_count

    async def wait(self) -> None:
        """Wait until no reader that is there holds anything of a former life."""
        while not self.are_ended():
            self._done.clear()
            await self._done.wait()

    def forget(self, published: Kept) -> None:
        """Leave the instance of an answer alone: from now on it is this life's."""
        for kept in self._left.pop(published.key.task_id, ()):
            if (kept.key, kept.edition) != (published.key, published.edition):
                self._store.mark_ended(kept)

    async def run(self) -> None:
        """End what is left with every reader that turns up in time; then nothing is left."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._lease_duration_s + LATE_READERS_S
        while self._left and await self._transport.wait_for_match(
            Topic.FOOTPRINT, self._done_count + 1, timeout_s=max(0.0, until_s - loop.time())
        ):
            reader_count = self._reader_count()
            await self._end_all()
            self._done_count = reader_count
            self._done.set()
        for same_id in self._left.values():
            for kept in same_id:
                self._store.mark_ended(kept)
        self._left.clear()
        self._done.set()

    async def _end_all(self) -> None:
        # In the order of their keys, in which readers of Fast DDS take what waits for them.
        left = sorted(self._left)
        gap_s = min(FORMER_GAP_S, LEASE_SHARE * self._lease_duration_s / max(1, len(left)))
        is_acknowledged = True
        for task_id in left:
            if task_id in self._left:
                self._end(task_id)
                # A reader that does not answer must not hold up all others once for each end.
                is_acknowledged = is_acknowledged and await self._receipt()
                await asyncio.sleep(gap_s)
        log.info("outputs of a former life ended", count=len(left), readers=self._reader_count())

    async def _receipt(self) -> bool:
        try:
            return await self._transport.wait_for_acknowledgments(Topic.FOOTPRINT, RECEIPT_S)
        except TransportError:
            return False

    def _end(self, task_id: TaskId) -> None:
        key = CO2Footprint(task_id=task_id)
        try:
            self._transport.adopt(Topic.FOOTPRINT, key)
            self._transport.retire(Topic.FOOTPRINT, key)
        except TransportError as error:
            log.warning("an output of a former life goes on", task_id=task_id, error=str(error))

    def _reader_count(self) -> int:
        return self._transport.matched(Topic.FOOTPRINT) or 0
