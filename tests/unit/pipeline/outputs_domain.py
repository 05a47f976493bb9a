"""A node's outputs with a store and readers in memory, for the tests of outputs."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

from tests.loads import outputs_asked
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.pipelines import NODE
from tests.stores import store_config
from tests.transports import PEERS
from tests.unit.store.samples import answer, summary, task

from carbon_node.pipeline.former_outputs import FormerOutputs
from carbon_node.pipeline.outputs import Outputs
from carbon_node.store import Store, open_store
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered
from carbon_node.wire.contract import LEASE_DURATION_S, Receipt, Topic
from carbon_node.wire.samples import CO2Footprint, TaskId

ASKED = 3
"""Outputs that every answer asks for."""


class Node(MemoryTransport):
    """The node's end, whose readers acknowledge only while the test lets them."""

    are_acknowledging = True
    is_one_silent = False
    doubts = False
    waits_s: tuple[float, ...] = ()
    """For how long acknowledgments were waited for."""

    def is_in_doubt(self) -> bool:
        """Whether peers may have lost it: as the test says."""
        return self.doubts

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Say at once that they do not."""
        self.waits_s = (*self.waits_s, timeout_s)
        return self.are_acknowledging and await super().wait_for_acknowledgments(topic, timeout_s)

    async def wait_for_receipt(self, topic: Topic, timeout_s: float) -> Receipt:
        """Tell that all have it but one that is silent, if there is such a one."""
        return (
            Receipt.ANSWERING
            if self.is_one_silent
            else await super().wait_for_receipt(topic, timeout_s)
        )

    def retained_problems(self) -> list[int]:
        """Problems of the outputs that a late reader would get."""
        return [arrival.key.problem_id for arrival in self.retained[Topic.FOOTPRINT].values()]


class Domain:
    """A node's outputs with their store, and readers that come and go."""

    def __init__(
        self, node: Node, results: Store, left: Iterable[Kept], lease_s: float = LEASE_DURATION_S
    ) -> None:
        self.node = node
        self.store = results
        self.left = tuple(left)
        self.former = FormerOutputs(node, results, self.left, lease_s)
        self.outputs = Outputs(node, results, self.former)

    async def saved(self, number: int) -> Kept:
        """An answer that asks for further iterations, as it is in the store."""
        found = answer(task(number))
        content = json.loads(found.footprint.extra_data) | {"num_outputs": ASKED}
        footprint = replace(found.footprint, extra_data=json.dumps(content).encode())
        return await self.store.save(
            task(number), "a", summary(), replace(found, footprint=footprint)
        )

    async def publish(self, number: int) -> None:
        """Publish the answer to a task when there is room."""
        kept = await self.saved(number)
        await self.outputs.room()
        self.outputs.publish(kept)

    async def leaves_with_readers(self, *problems: int) -> None:
        """Wait until these are the outputs that the next life would have to end."""
        async with asyncio.timeout(PATIENCE_S):
            while await self._left() != problems:  # noqa: ASYNC110 - asks the store
                await asyncio.sleep(0.001)

    async def acknowledged(self, *numbers: int) -> None:
        """Wait until the store has noted that readers have the answers to these tasks."""
        async with asyncio.timeout(PATIENCE_S):
            while not all([await self._is_acknowledged(number) for number in numbers]):  # noqa: ASYNC110 - asks the store
                await asyncio.sleep(0.001)

    async def _is_acknowledged(self, number: int) -> bool:
        decision = await self.store.accept(task(number), "a", summary())
        return isinstance(decision, Answered) and decision.is_acknowledged

    async def _left(self) -> tuple[int, ...]:
        left = await self.store.left_with_readers()
        return tuple(kept.key.task_id.problem_id for kept in left)


class Reader:
    """A reader of outputs: what it has taken, None for each that ended."""

    def __init__(self, transport: MemoryTransport) -> None:
        self.transport = transport
        self.taken: list[tuple[int, int | None]] = []

    def take(self) -> list[tuple[int, int | None]]:
        """Take what waits: problem, and outputs asked for or None for an end; return all."""
        for arrival in self.transport.readers[Topic.FOOTPRINT].take():
            sample = arrival.sample
            asked = outputs_asked(sample) if isinstance(sample, CO2Footprint) else None
            self.taken.append((arrival.key.problem_id, asked))
        return self.taken


@asynccontextmanager
async def reader(domain: Domain, *holds: int) -> AsyncIterator[Reader]:
    """A reader that is there for a while, and holds outputs of a former life."""
    transport = MemoryTransport(domain.node._bus, PEERS)
    await transport.open()
    transport.connect(Topic.FOOTPRINT)
    transport.readers[Topic.FOOTPRINT].alive |= {(TaskId(number, 1),) for number in holds}
    yield Reader(transport)
    await transport.close()


async def at_once(write: Callable[[], None]) -> None:
    """Let an end leave in its turn, which is now."""
    write()


@asynccontextmanager
async def outputs_of(*left: int, lease_s: float = LEASE_DURATION_S) -> AsyncIterator[Domain]:
    """Outputs that are followed, of a node whose former life left some."""
    node = Node(MemoryBus(), NODE)
    async with open_store(store_config(None), lambda _: None) as opened:
        await node.open()
        node.connect()
        former = Domain(node, opened, ())
        kept = [await former.saved(number) for number in left]
        domain = Domain(node, opened, kept, lease_s)
        following = [
            asyncio.create_task(work)
            for work in (
                domain.outputs.run(),
                domain.outputs.end_taken(at_once),
                domain.former.run(),
            )
        ]
        yield domain
        assert not any(work.done() for work in following[:2]), "outputs are followed no more"
        for work in following:
            work.cancel()
        await node.close()


async def until(fact: Callable[[], bool]) -> None:
    """Let everything run until a fact holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not fact():  # noqa: ASYNC110 - facts of all kinds
            await asyncio.sleep(0.001)


def never(*_: object) -> bool:
    """Acknowledge nothing."""
    return False
