"""The previous footprint for the ML model provider, where no orchestrator publishes it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.transports import take

from carbon_node.pipeline.baseline import REMEMBERED_PROBLEMS, Baseline
from carbon_node.wire.contract import BaselinePolicy, Role, Topic
from carbon_node.wire.samples import CO2Footprint, Sample, TaskId

FIRST = CO2Footprint(2.0, 0.5, 4.0, b'{"num_outputs": 2}', TaskId(7, 1))

pytestmark = pytest.mark.anyio


class Domain:
    """A node with a baseline, and an ML model provider that reads it."""

    def __init__(self, policy: BaselinePolicy) -> None:
        self._bus = MemoryBus()
        self._node = MemoryTransport(self._bus, Role("NODE", (), (Topic.BASELINE,)))
        self._provider = MemoryTransport(self._bus, Role("ML_MODEL_NODE", (Topic.BASELINE,), ()))
        self._arrivals = self._provider.arrivals()
        self.baseline = Baseline(self._node, policy)

    async def open(self) -> None:
        """Let both join."""
        for transport in (self._node, self._provider):
            await transport.open()
            transport.connect()

    async def joined(self, name: str) -> MemoryTransport:
        """Let another participant join."""
        other = MemoryTransport(self._bus, Role(name, (), ()))
        await other.open()
        return other

    async def published(self, task_id: TaskId) -> Sample | None:
        """Let a user input arrive; what the provider gets then, None for nothing."""
        self.baseline.user_input_arrived(task_id)
        # This one tells, by coming first, that nothing came before it.
        self._node.publish(Topic.BASELINE, CO2Footprint(task_id=TaskId(999, 999)))
        (first, *_) = await take(self._arrivals, 1)
        if first.key == (999, 999):
            return None
        await take(self._arrivals, 1)
        return first.sample


@asynccontextmanager
async def domain(policy: BaselinePolicy) -> AsyncIterator[Domain]:
    """A domain in which the first iteration of problem 7 was answered."""
    opened = Domain(policy)
    await opened.open()
    opened.baseline.remember(FIRST)
    yield opened


async def test_the_next_iteration_gets_the_footprint_of_the_one_before() -> None:
    """Under the id of the new task, complete with its extra_data."""
    async with domain(BaselinePolicy.AUTO) as pipeline:
        assert await pipeline.published(TaskId(7, 2)) == CO2Footprint(
            2.0, 0.5, 4.0, b'{"num_outputs": 2}', TaskId(7, 2)
        )


@pytest.mark.parametrize("task_id", [TaskId(7, 1), TaskId(7, 3), TaskId(8, 2)])
async def test_without_a_footprint_of_the_iteration_before_it_is_empty(task_id: TaskId) -> None:
    """A first iteration has none, and that of another iteration or problem would mislead."""
    async with domain(BaselinePolicy.AUTO) as pipeline:
        assert await pipeline.published(task_id) == CO2Footprint(task_id=task_id)


async def test_an_orchestrator_publishes_the_baseline_itself() -> None:
    """While one is in the domain the node publishes none; others in it change nothing."""
    async with domain(BaselinePolicy.AUTO) as pipeline:
        await pipeline.joined("HW_RESOURCES_NODE")
        orchestrator = await pipeline.joined("ORCHESTRATOR_NODE")
        assert await pipeline.published(TaskId(7, 2)) is None
        await orchestrator.close()
        assert await pipeline.published(TaskId(7, 2)) is not None


@pytest.mark.parametrize(
    ("policy", "is_published"), [(BaselinePolicy.ALWAYS, True), (BaselinePolicy.NEVER, False)]
)
@pytest.mark.parametrize("other", ["ORCHESTRATOR_NODE", "HW_RESOURCES_NODE"])
async def test_the_operator_may_decide(
    policy: BaselinePolicy, other: str, *, is_published: bool
) -> None:
    """Always and never hold with and without an orchestrator."""
    async with domain(policy) as pipeline:
        await pipeline.joined(other)
        assert (await pipeline.published(TaskId(7, 2)) is not None) == is_published


async def test_the_latest_footprint_of_a_problem_counts() -> None:
    """As the iterations of a problem go on, each gets that of the one before."""
    async with domain(BaselinePolicy.AUTO) as pipeline:
        pipeline.baseline.remember(CO2Footprint(3.0, task_id=TaskId(7, 2)))
        assert await pipeline.published(TaskId(7, 3)) == CO2Footprint(3.0, task_id=TaskId(7, 3))


async def test_of_too_many_problems_the_one_that_rested_longest_is_forgotten() -> None:
    """Memory is bounded; a problem that goes on stays."""
    async with domain(BaselinePolicy.AUTO) as pipeline:
        for problem in range(100, 100 + REMEMBERED_PROBLEMS - 1):
            pipeline.baseline.remember(CO2Footprint(1.0, task_id=TaskId(problem, 1)))
        pipeline.baseline.remember(FIRST)
        pipeline.baseline.remember(CO2Footprint(1.0, task_id=TaskId(99, 1)))
        assert await pipeline.published(TaskId(7, 2)) == CO2Footprint(
            2.0, 0.5, 4.0, b'{"num_outputs": 2}', TaskId(7, 2)
        )
        assert await pipeline.published(TaskId(100, 2)) == CO2Footprint(task_id=TaskId(100, 2))
        assert await pipeline.published(TaskId(101, 2)) == CO2Footprint(1.0, task_id=TaskId(101, 2))
