"""Inputs that change, and answers that are known already."""

import asyncio

import pytest
from tests.pipelines import World, running_world

from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import HWResource, TaskId

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
