"""Inputs that change, and answers that are known already."""

import asyncio
import json
from dataclasses import replace
from typing import cast

import pytest
from tests.pipelines import World, running_world
from tests.stores import store_config
from tests.unit.store.samples import answer, task

from carbon_node.pipeline.keeping import Keeping, KeepingPolicy
from carbon_node.pipeline.ports import TaskStore
from carbon_node.pipeline.task import Progress, TaskInputs
from carbon_node.store import open_store
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered, Compute, Republish
from carbon_node.wire import extra_data
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio


def change_power(world: World, task_id: TaskId, power_w: float) -> None:
    """Write the hardware of a task again."""
    world.peer.publish(Topic.HW_RESOURCE, HWResource("hw", power_w, 1.0, task_id=task_id))


async def settle() -> None:
    """Let everything that can happen at once happen."""
    for _ in range(50):
        await asyncio.sleep(0.001)


def powers(world: World) -> list[int]:
    """The power that each output was computed from."""
    return [round(output.energy_consumption / 1.58 * 3.6e6) for output in world.outputs]


async def test_inputs_that_change_while_the_task_runs_are_not_run() -> None:
    """The output is that of the inputs it began with, and there is one."""
    async with running_world() as world:
        task_id = world.submit()
        await world.begun()
        change_power(world, task_id, 50.0)
        await settle()
        world.tracker.may_end.set()
        await world.answered()
        await settle()
        assert powers(world) == [300]


async def test_the_task_is_run_again_after_its_output_where_that_is_wanted() -> None:
    """With rerun_on_change, changed inputs get an output of their own; equal ones do not."""
    async with running_world(rerun_on_change=True) as world:
        task_id = world.submit()
        await world.begun()
        change_power(world, task_id, 50.0)
        await settle()
        world.tracker.may_end.set()
        await world.answered(2)
        change_power(world, world.submit(2), 300.0)
        await world.answered(3)
        await settle()
        assert powers(world) == [300, 50, 300]


async def test_the_newest_inputs_win_while_the_task_waits() -> None:
    """What comes before the task begins is what it is computed from."""
    async with running_world() as world:
        world.tracker.may_end.set()
        world.pipeline.pause()
        task_id = world.submit()
        await settle()
        change_power(world, task_id, 50.0)
        await settle()
        world.pipeline.resume()
        await world.answered()
        assert powers(world) == [50]


@pytest.mark.parametrize(
    ("republish", "is_acknowledged", "is_due"),
    [
        (Republish.UNACKNOWLEDGED, False, True),
        (Republish.UNACKNOWLEDGED, True, False),
        (Republish.ALL, False, True),
        (Republish.ALL, True, True),
        (Republish.NONE, False, False),
        (Republish.NONE, True, False),
    ],
)
def test_a_stored_answer_leaves_again_as_the_operator_wants(
    republish: Republish, *, is_acknowledged: bool, is_due: bool
) -> None:
    """Then with the same numbers and one output: more would start another iteration."""
    first = answer(task())
    octets = extra_data.write(3, ["m"], {"schema": 1})
    kept = Kept(task(), 1, replace(first, footprint=replace(first.footprint, extra_data=octets)))
    policy = KeepingPolicy(republish, rerun_on_change=False)
    again = Keeping(cast(TaskStore, None), policy).republication(Answered(kept, is_acknowledged))
    assert (again is not None) == is_due
    if again is not None:
        sent = again.answer.footprint
        assert replace(sent, extra_data=octets) == kept.answer.footprint
        assert json.loads(sent.extra_data) == json.loads(octets) | {"num_outputs": 1}


@pytest.mark.parametrize("rerun_on_change", [False, True])
async def test_inputs_that_are_not_run_are_on_record(*, rerun_on_change: bool) -> None:
    """A restart that delivers them again then finds their task answered."""
    key = task()
    inputs = TaskInputs(key, UserInput(), MLModel(model="m"), HWResource("hw", 300.0, 1.0))
    changed = replace(inputs, hw_resource=HWResource("hw", 50.0, 1.0))
    async with open_store(store_config(None), lambda _: None) as store:
        keeping = Keeping(store, KeepingPolicy(Republish.NONE, rerun_on_change=rerun_on_change))
        progress = Progress(1, inputs)
        await keeping.decide(progress)
        assert not await keeping.has_to_run_again(progress, replace(inputs))
        assert await keeping.has_to_run_again(progress, changed) == rerun_on_change
        await keeping.keep(progress, answer(key))
        (edition,) = await store.editions(key)
        assert bool(edition.ignored_digest) != rerun_on_change
        again = await keeping.decide(Progress(2, changed))
        assert isinstance(again, Compute) == rerun_on_change
