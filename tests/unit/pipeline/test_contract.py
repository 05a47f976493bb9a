"""What the pipeline owes its consumers, whatever comes in, as a peer of the whole node sees it.

The orchestrator parses outputs without a guard, takes a repeated one for a new result, and waits
for one without a timeout.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.pipelines import NODE, World, running_world
from tests.stores import store_config
from tests.transports import PEERS

from carbon_node.errors import TransportError
from carbon_node.pipeline.keeping import KeepingPolicy
from carbon_node.pipeline.ports import TaskStore
from carbon_node.store import open_store
from carbon_node.tasks.decision import Republish
from carbon_node.wire.contract import BaselinePolicy, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    NodeStatus,
    Sample,
    Status,
    TaskId,
    UserInput,
)

IN_FLIGHT = 51
"""One task more than the node of the pipeline's own can have in flight."""

TOKEN = "hf_" + "S3cretOfTheUser" * 2

pytestmark = pytest.mark.anyio


def content(footprint: CO2Footprint) -> dict[str, Any]:
    """The parsed extra_data of an output."""
    parsed: dict[str, Any] = json.loads(footprint.extra_data.decode("utf-8"))
    return parsed


async def settle() -> None:
    """Let everything that can happen at once happen."""
    for _ in range(30):
        await asyncio.sleep(0.001)


async def output_for(
    world: World,
    user: bytes = b"",
    model: MLModel | None = None,
    hardware: HWResource | None = None,
) -> CO2Footprint:
    """Submit a task of its own, and wait for its output."""
    number = len(world.outputs) + 1
    task_id = TaskId(number, 1)
    model, hardware = model or MLModel(model="m"), hardware or HWResource("hw", 300.0, 1.0)
    world.peer.publish(Topic.USER_INPUT, UserInput(extra_data=user, task_id=task_id))
    world.peer.publish(Topic.ML_MODEL, _with_id(model, task_id))
    world.peer.publish(Topic.HW_RESOURCE, _with_id(hardware, task_id))
    await world.answered(number)
    return world.outputs[-1]


def _with_id(sample: Any, task_id: TaskId) -> Any:  # noqa: ANN401 - either type
    values = {name: getattr(sample, name) for name in sample.__dataclass_fields__}
    return type(sample)(**values | {"task_id": task_id})


async def test_tasks_in_flight_are_all_answered(world: World) -> None:
    """However many measurements wait at once, each task gets its output and no task two."""
    for number in range(1, IN_FLIGHT + 1):
        world.submit(number)
    await world.begun(IN_FLIGHT)
    world.tracker.may_end.set()
    await world.answered(IN_FLIGHT)
    await settle()
    assert Counter(output.task_id.problem_id for output in world.outputs) == dict.fromkeys(
        range(1, IN_FLIGHT + 1), 1
    )


async def test_a_topic_that_is_published_again_gives_no_second_output(world: World) -> None:
    """Neither before the answer nor after it, whichever of the three it is."""
    world.tracker.may_end.set()
    for _ in range(2):
        task_id = world.submit()
        world.peer.publish(Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0, task_id=task_id))
        await world.answered()
        await settle()
    assert len(world.outputs) == 1


async def test_the_node_is_idle_before_the_output_leaves(world: World) -> None:
    """The orchestrator hands out the next task as soon as it has the output of the last."""
    world.tracker.may_end.set()
    await output_for(world)
    order = [
        "output" if isinstance(each, CO2Footprint) else each.node_status
        for each in world.received
        if isinstance(each, CO2Footprint | NodeStatus)
    ]
    assert order[:4] == [Status.IDLE, Status.RUNNING, Status.IDLE, "output"]


@pytest.mark.parametrize(
    ("model", "hardware"),
    [
        (MLModel(model="Error"), None),
        (MLModel(model="NO_MODEL", model_path="N/A"), None),
        (MLModel(model="m", extra_data=b'{"error": "no such model"}'), None),
        (None, HWResource("Error", 300.0, 1.0)),
        (None, HWResource("hw", 0.0, 0.0)),
        (None, HWResource("hw", 300.0, 1.0, extra_data=b'{"error": "no such board"}')),
        (None, HWResource("hw", math.nan, math.inf)),
    ],
)
async def test_a_failed_task_has_one_output_that_keeps_its_readers_alive(
    world: World, model: MLModel | None, hardware: HWResource | None
) -> None:
    """Intensity 0 marks it, no double is infinite, and the error stands beside what is indexed."""
    world.tracker.may_end.set()
    output = await output_for(world, b'{"num_outputs": 3}', model, hardware)
    assert (output.carbon_footprint, output.energy_consumption) == (0.0, 0.0)
    assert output.carbon_intensity == 0.0
    assert content(output)["num_outputs"] == 3
    assert content(output)["model_restrains"] == [(model or MLModel(model="m")).model]
    assert content(output)["error"]
    await settle()
    assert len(world.outputs) == 1
    assert world.statuses[-1].node_status is Status.IDLE


async def test_the_footprint_is_exactly_energy_times_intensity(world: World) -> None:
    """In kWh, gCO2e/kWh and gCO2e: 300 W for 1 s with the default PUE, at 100 g/kWh."""
    world.tracker.may_end.set()
    output = await output_for(world)
    assert output.carbon_footprint == output.energy_consumption * output.carbon_intensity
    assert output.carbon_intensity == 100.0
    assert output.energy_consumption == pytest.approx(300.0 * 1.0 / 3.6e6 * 1.58)
    assert content(output)["units"] == {
        "carbon_footprint": "gCO2e",
        "energy_consumption": "kWh",
        "carbon_intensity": "gCO2e/kWh",
    }
    assert "error" not in content(output)


async def test_the_users_token_stays_in_the_node(world: World) -> None:
    """It is in no output and in no line of the log, even where a peer repeats it."""
    world.tracker.may_end.set()
    user = json.dumps({"hf_token": TOKEN, "model_restrains": [TOKEN]}).encode()
    with capture_logs() as lines:
        output = await output_for(world, user, MLModel(model=f"m?{TOKEN}"))
    assert TOKEN.encode() not in output.extra_data
    assert TOKEN not in str(lines)


async def test_a_task_without_an_id_gets_no_output(world: World) -> None:
    """Whoever does not number tasks could not tell their outputs apart; a single 0 is a number."""
    world.tracker.may_end.set()
    world.peer.publish(Topic.USER_INPUT, UserInput())
    world.peer.publish(Topic.ML_MODEL, MLModel(model="m"))
    world.peer.publish(Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0))
    numbered = world.submit(0)
    await world.answered()
    await settle()
    assert [output.task_id for output in world.outputs] == [numbered] == [(0, 1)]


async def test_a_user_input_brings_the_baseline() -> None:
    """Before model and hardware have come: the model provider needs it for its choice."""
    async with running_world(baseline_policy=BaselinePolicy.ALWAYS) as world:
        world.tracker.may_end.set()
        output = await output_for(world)
        world.peer.publish(Topic.USER_INPUT, UserInput(task_id=TaskId(1, 2)))
        node = world.node
        assert isinstance(node, MemoryTransport)
        await world.until(lambda: len(node.retained[Topic.BASELINE]) == 2)
        first, second = (each.sample for each in node.retained[Topic.BASELINE].values())
    assert first == CO2Footprint(task_id=TaskId(1, 1))
    assert isinstance(second, CO2Footprint)
    assert second.carbon_footprint == output.carbon_footprint
    assert second.extra_data == output.extra_data


async def test_an_output_that_cannot_be_written_costs_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log names its task, and the next one is answered."""
    write = world.node.publish

    def publish(topic: Topic, sample: Sample) -> None:
        if isinstance(sample, CO2Footprint) and sample.task_id == TaskId(1, 1):
            raise TransportError("the writer is full")
        write(topic, sample)

    monkeypatch.setattr(world.node, "publish", publish)
    world.tracker.may_end.set()
    with capture_logs() as lines:
        world.submit(1)
        await world.until(lambda: any(line["log_level"] == "error" for line in lines))
    (line,) = (line for line in lines if line["log_level"] == "error")
    assert (line["event"], line["task_id"]) == ("output not published", "1.1")
    world.submit(2)
    await world.answered()
    assert world.outputs[0].task_id == (2, 1)


@asynccontextmanager
async def life(
    bus: MemoryBus, peer: MemoryTransport, store: TaskStore, budget_s: float = 0.0
) -> AsyncIterator[World]:
    """One life of a node whose results outlast it; its stop waits so long for running tasks."""
    node = MemoryTransport(bus, NODE)
    await node.open()
    node.connect()
    world = World(node, peer, None, store, KeepingPolicy(Republish.NONE, rerun_on_change=False))
    world.announcer.open()
    world.announcer.ready()
    async with asyncio.TaskGroup() as group:
        reading = [group.create_task(world.read()), group.create_task(world.watch())]
        running = group.create_task(world.pipeline.run(world.stop, budget_s))
        yield world
        world.stop.set()
        await running
        for each in reading:
            each.cancel()
    await node.close()


@asynccontextmanager
async def peer_and_store() -> AsyncIterator[tuple[MemoryBus, MemoryTransport, TaskStore]]:
    """What outlasts the lives of a node."""
    bus = MemoryBus()
    peer = MemoryTransport(bus, PEERS)
    await peer.open()
    peer.connect()
    async with open_store(store_config(None), lambda _: None) as store:
        yield bus, peer, store
    await peer.close()


async def test_a_restart_computes_no_task_again() -> None:
    """Peers deliver every task that they retain to the new node: only what is new is computed."""
    async with peer_and_store() as (bus, peer, store):
        async with life(bus, peer, store) as first:
            first.tracker.may_end.set()
            first.submit(1)
            await first.answered()
        async with life(bus, peer, store) as second:
            second.tracker.may_end.set()
            second.submit(2)
            await second.answered()
            await settle()
            assert [output.task_id for output in second.outputs] == [(2, 1)]
            assert second.tracker.begun_count == 1


async def test_a_stop_lets_running_tasks_end_and_takes_no_more() -> None:
    """What runs is answered within the budget; what comes then is left to the next start."""
    async with (
        peer_and_store() as (bus, peer, store),
        life(bus, peer, store, PATIENCE_S) as world,
    ):
        running = world.submit(1)
        await world.begun()
        world.stop.set()
        await world.until(lambda: world.pipeline.is_stopping)
        world.submit(2)
        await settle()
        world.tracker.may_end.set()
        await world.answered()
        await settle()
        assert [output.task_id for output in world.outputs] == [running]


async def test_what_outlasts_the_budget_of_a_stop_comes_again_at_the_next_start() -> None:
    """It gets no output before, and its whole computation then."""
    async with peer_and_store() as (bus, peer, store):
        async with life(bus, peer, store) as first:
            task_id = first.submit(1)
            await first.begun()
        assert first.outputs == []
        assert first.tracker.cancelled_count == 1
        async with life(bus, peer, store) as second:
            second.tracker.may_end.set()
            await second.answered()
            assert [output.task_id for output in second.outputs] == [task_id]
