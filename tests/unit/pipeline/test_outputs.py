"""Outputs leave as the rule says, end once they are taken, and after those of a former life."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.loads import outputs_asked
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.pipelines import NODE
from tests.stores import store_config
from tests.transports import PEERS
from tests.unit.store.samples import answer, summary, task

from carbon_node.pipeline import former_outputs, outputs
from carbon_node.pipeline.former_outputs import FormerOutputs
from carbon_node.pipeline.outputs import Outputs
from carbon_node.store import Store, open_store, store
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered
from carbon_node.wire.contract import LEASE_DURATION_S, Receipt, Topic
from carbon_node.wire.samples import CO2Footprint, TaskId

ASKED = 3

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing take time that these tests do not ask about."""
    monkeypatch.setattr(outputs, "TAKEN_S", 0.0)
    monkeypatch.setattr(outputs, "END_GAP_S", 0.0)
    monkeypatch.setattr(outputs, "MEETING_S", 0.0)
    monkeypatch.setattr(outputs, "CONFIRM_S", 0.001)
    monkeypatch.setattr(store, "_LONG_LINGER_S", 0.0)
    monkeypatch.setattr(former_outputs, "FORMER_GAP_S", 0.001)


class Node(MemoryTransport):
    """The node's end, whose readers acknowledge only while the test lets them."""

    are_acknowledging = True
    is_one_silent = False

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Wait as long as is asked for, if they do not."""
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

    def __init__(self, node: Node, results: Store, left: Iterable[Kept]) -> None:
        self.node = node
        self.store = results
        self.former = FormerOutputs(node, results, left, LEASE_DURATION_S)
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
async def reader(domain: Domain) -> AsyncIterator[Reader]:
    """A reader that is there for a while."""
    transport = MemoryTransport(domain.node._bus, PEERS)
    await transport.open()
    transport.connect(Topic.FOOTPRINT)
    yield Reader(transport)
    await transport.close()


async def at_once(write: Callable[[], None]) -> None:
    """Let an end leave in its turn, which is now."""
    write()


@asynccontextmanager
async def outputs_of(*left: int) -> AsyncIterator[Domain]:
    """Outputs that are followed, of a node whose former life left some."""
    node = Node(MemoryBus(), NODE)
    async with open_store(store_config(None), lambda _: None) as opened:
        await node.open()
        node.connect()
        former = Domain(node, opened, ())
        domain = Domain(node, opened, [await former.saved(number) for number in left])
        following = [
            asyncio.create_task(work)
            for work in (
                domain.outputs.run(),
                domain.outputs.end_taken(at_once),
                domain.former.run(),
            )
        ]
        yield domain
        for work in following:
            work.cancel()
        await node.close()


async def until(fact: Callable[[], bool]) -> None:
    """Let everything run until a fact holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not fact():  # noqa: ASYNC110 - facts of all kinds
            await asyncio.sleep(0.001)


async def test_an_output_that_was_taken_ends_and_a_late_reader_gets_nothing_of_it() -> None:
    """Neither does the next life have to end it."""
    async with outputs_of() as domain:
        async with reader(domain) as first:
            await domain.publish(1)
            assert first.take() == [(1, ASKED)]
            await until(lambda: not domain.node.retained_problems())
            assert first.take() == [(1, ASKED), (1, None)]
        async with reader(domain) as late:
            assert late.take() == []
        await domain.leaves_with_readers()


async def test_an_output_that_was_not_acknowledged_stays() -> None:
    """It is not lost to a reader that has not got it, nor forgotten by a later life."""
    async with outputs_of() as domain, reader(domain):
        domain.node.are_acknowledging = False
        await domain.publish(1)
        await asyncio.sleep(0.05)
        assert domain.node.retained_problems() == [1]
        await domain.leaves_with_readers(1)


async def test_an_output_that_a_silent_reader_lacks_is_noted_and_stays_for_it() -> None:
    """After a crash those that have it do not get it again; a reader that wakes up gets it."""
    async with outputs_of() as domain, reader(domain):
        domain.node.is_one_silent = True
        for number in (1, 2):
            await domain.publish(number)
        await domain.acknowledged(1, 2)
        assert domain.node.retained_problems() == [1, 2]
        domain.node.is_one_silent = False
        await until(lambda: not domain.node.retained_problems())


async def test_what_only_a_silent_reader_lacked_ends_when_all_are_gone() -> None:
    """A late reader would take it for a new result."""
    async with outputs_of() as domain:
        async with reader(domain):
            domain.node.is_one_silent = True
            await domain.publish(1)
            await domain.acknowledged(1)
        await until(lambda: not domain.node.retained_problems())


async def test_an_output_that_nobody_was_there_for_orders_nothing_of_a_late_reader() -> None:
    """It waits with `num_outputs` 1, and ends once that reader has it."""
    async with outputs_of() as domain:
        await domain.publish(1)
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]
            await until(lambda: not domain.node.retained_problems())


async def test_what_readers_leave_behind_orders_nothing_of_those_that_come() -> None:
    """Readers that left before they acknowledged an output may not have seen it."""
    async with outputs_of() as domain:
        domain.node.are_acknowledging = False
        async with reader(domain) as first:
            await domain.publish(1)
            await until(lambda: first.take() == [(1, ASKED)])
        (before,) = domain.node.retained[Topic.FOOTPRINT].values()
        await until(lambda: before not in domain.node.retained[Topic.FOOTPRINT].values())
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]


async def test_what_a_former_life_left_ends_before_anything_leaves() -> None:
    """With the readers that are there, in the order of their keys; and only once."""
    async with outputs_of(2, 1) as domain:
        await domain.leaves_with_readers(2, 1)
        async with reader(domain) as first:
            held = first.transport.readers[Topic.FOOTPRINT]
            held.alive |= {(TaskId(1, 1),), (TaskId(2, 1),)}
            assert not domain.outputs.has_room()
            await domain.publish(3)
            assert first.take() == [(1, None), (2, None), (3, ASKED)]


async def test_without_a_reader_nothing_waits_for_the_former_life() -> None:
    """An answer to a task of the same id takes the former's place."""
    async with outputs_of(1) as domain:
        await domain.publish(1)
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]
            await until(lambda: not domain.node.retained_problems())
            assert late.take() == [(1, 1), (1, None)]
