"""What becomes of each sample that arrives, and of those that wait for others."""

import asyncio
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import pytest
from structlog.testing import capture_logs
from tests.memory_transport import MemoryTransport
from tests.pipelines import World, running_world

from carbon_node.errors import TransportError
from carbon_node.pipeline import reception
from carbon_node.pipeline.join import Join, JoinBounds
from carbon_node.wire.contract import Arrival, BaselinePolicy, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

Lines: TypeAlias = list[MutableMapping[str, Any]]


@contextmanager
def told() -> Iterator[Lines]:
    """Collect the lines that an operator reads of samples and tasks."""
    with capture_logs() as lines:
        yield lines


def named(lines: Lines, event: str) -> Lines:
    """The lines that say one thing."""
    return [line for line in lines if line["event"] == event]


@asynccontextmanager
async def joining(**bounds: float) -> AsyncIterator[World]:
    """A pipeline whose incomplete tasks have other bounds, and are looked at all the time."""
    values: dict[str, Any] = {
        **{"incomplete_count": 100, "incomplete_age_s": 3600.0, "remembered_blocks": 100},
        **{"newer_wait_s": 3600.0, **bounds},
    }
    async with running_world() as world:
        world.reception._join = Join(JoinBounds(**values))
        yield world


def inputs(task_id: TaskId) -> list[tuple[Topic, UserInput | MLModel | HWResource]]:
    """The samples of a task."""
    return [
        (Topic.USER_INPUT, UserInput(task_id=task_id)),
        (Topic.ML_MODEL, MLModel(model="m", task_id=task_id)),
        (Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0, task_id=task_id)),
    ]


@pytest.fixture
def _looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the node look at what waits every few milliseconds."""
    monkeypatch.setattr(reception, "UPKEEP_PERIOD_S", 0.002)


async def test_a_sample_of_no_task_is_named_with_its_topic(world: World) -> None:
    """Its sender has to be found."""
    with told() as lines:
        world.peer.publish(Topic.ML_MODEL, MLModel(model="m"))
        await world.until(lambda: bool(named(lines, "sample rejected")))
    (line,) = named(lines, "sample rejected")
    assert (line["topic"], line["log_level"]) == (Topic.ML_MODEL.dds_name, "warning")
    assert "invalid task id (0, 0)" in line["reason"]


async def test_an_input_of_a_started_task_is_named_and_changes_nothing(world: World) -> None:
    """The task is answered once."""
    with told() as lines:
        task_id = world.submit()
        await world.begun()
        world.peer.publish(Topic.USER_INPUT, UserInput(task_id=task_id))
        await world.until(lambda: bool(named(lines, "repeated input ignored")))
        world.tracker.may_end.set()
        await world.answered()
    (line,) = named(lines, "repeated input ignored")
    assert (line["topic"], line["task_id"]) == (Topic.USER_INPUT.dds_name, task_id)
    assert world.tracker.begun_count == 1


async def test_too_many_incomplete_tasks_are_given_up_when_another_comes() -> None:
    """The line says what was missing, and why the task was given up."""
    async with joining(incomplete_count=1) as world:
        with told() as lines:
            for number in (1, 2):
                world.peer.publish(Topic.USER_INPUT, UserInput(task_id=TaskId(number, 1)))
            await world.until(lambda: bool(named(lines, "incomplete task given up")))
        assert named(lines, "incomplete task given up") == [
            {
                "event": "incomplete task given up",
                "log_level": "warning",
                "task_id": TaskId(1, 1),
                "missing": ("ML model", "hardware resource"),
                "reason": "more than 1 incomplete tasks",
            }
        ]
        assert world.reception.incomplete_count == 1


@pytest.mark.usefixtures("_looking")
async def test_old_incomplete_tasks_are_given_up_though_nothing_comes() -> None:
    """The node looks by itself."""
    async with joining(incomplete_age_s=0.01) as world:
        with told() as lines:
            world.peer.publish(Topic.HW_RESOURCE, HWResource("hw", task_id=TaskId(1, 1)))
            await world.until(lambda: bool(named(lines, "incomplete task given up")))
        assert world.reception.incomplete_count == 0


@pytest.mark.usefixtures("_looking")
async def test_a_task_starts_with_older_samples_when_nothing_newer_comes() -> None:
    """Its output says which of them are doubtful; until then the log says what it waits for."""
    async with joining(newer_wait_s=0.01) as world:
        world.tracker.may_end.set()
        written_ns = {Topic.USER_INPUT: 10**12, Topic.ML_MODEL: 10**12, Topic.HW_RESOURCE: 0}

        async def arriving() -> AsyncIterator[Arrival]:
            for topic, sample in inputs(TaskId(1, 1)):
                yield Arrival(topic, sample, TaskId(1, 1), topic.name, written_ns[topic])
            await world.stop.wait()

        with told() as lines:
            receiving = asyncio.create_task(world.reception.run(arriving()))
            await world.answered()
            receiving.cancel()
        (line,) = named(lines, "task waits for inputs of its own session")
        assert (line["used_before"], line["older_than_its_user_input"]) == (
            (),
            ("hardware resource",),
        )
        assert b"older than the user input" in world.outputs[0].extra_data


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_a_user_input_brings_the_baseline_wherever_it_comes(place: int) -> None:
    """Also where it completes its task; models and hardware bring none."""
    async with running_world(baseline_policy=BaselinePolicy.ALWAYS) as world:
        assert isinstance(world.node, MemoryTransport)
        user_input, *others = inputs(TaskId(1, 1))
        others.insert(place, user_input)
        for topic, sample in others:
            world.peer.publish(topic, sample)
        await world.begun()
        (baseline,) = world.node.retained[Topic.BASELINE].values()
        assert baseline.key == TaskId(1, 1)


async def test_a_baseline_that_cannot_be_written_costs_no_task(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log says so."""

    def refuse(*_: object) -> None:
        raise TransportError("the writer is full")

    async with running_world() as world:
        monkeypatch.setattr(world.reception._baseline, "user_input_arrived", refuse)
        with told() as lines:
            task_id = world.submit()
            await world.begun()
        (line,) = named(lines, "baseline not published")
        assert (line["task_id"], line["error"]) == (task_id, "the writer is full")


async def test_a_model_alone_brings_no_baseline() -> None:
    """There is no task yet that it would be for."""
    async with running_world(baseline_policy=BaselinePolicy.ALWAYS) as world:
        assert isinstance(world.node, MemoryTransport)
        world.peer.publish(Topic.ML_MODEL, MLModel(model="m", task_id=TaskId(1, 1)))
        await world.until(lambda: world.reception.incomplete_count == 1)
        assert not world.node.retained[Topic.BASELINE]
