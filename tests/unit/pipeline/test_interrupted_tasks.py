"""What commands do to tasks: each is still answered exactly once for each time it was asked for."""

import json
from typing import Any

import pytest
from tests.pipelines import World

from carbon_node.pipeline.pipeline import MAX_RUNNING
from carbon_node.wire.samples import CO2Footprint, MLModel, Status, TaskId, TaskStatus

pytestmark = pytest.mark.anyio


def content(footprint: CO2Footprint) -> dict[str, Any]:
    """The parsed extra_data of an output."""
    parsed: dict[str, Any] = json.loads(footprint.extra_data)
    return parsed


async def test_a_running_task_that_is_stopped_is_answered_as_stopped(world: World) -> None:
    """Its measurement ends, and its one output says who asked for that."""
    task_id = world.submit()
    await world.begun()

    assert world.pipeline.stop_task(task_id, "STOP_TASK by TESTER")
    await world.answered()

    (output,) = world.outputs
    assert output.carbon_intensity == 0
    assert content(output)["error"] == "stopped: STOP_TASK by TESTER"
    assert content(output)["settings_revision"] == 0
    assert world.tracker.cancelled_count == 1
    ended = [one for one in world.statuses if one.task_status is TaskStatus.ERROR]
    assert [one.node_status for one in ended] == [Status.IDLE]


async def test_a_waiting_task_that_is_stopped_does_not_wait_for_a_place(world: World) -> None:
    """Where all places are taken, a stopped task is answered at once and was never computed."""
    for problem in range(1, MAX_RUNNING + 1):
        world.submit(problem)
    await world.begun(MAX_RUNNING)
    waiting = world.submit(MAX_RUNNING + 1)
    await world.until(lambda: world.register.open_count == MAX_RUNNING + 1)

    assert world.pipeline.stop_task(waiting, "why")
    await world.answered()

    assert [output.task_id for output in world.outputs] == [waiting]
    assert world.tracker.begun_count == MAX_RUNNING
    world.tracker.may_end.set()
    await world.answered(MAX_RUNNING + 1)


async def test_a_running_task_that_is_repeated_is_answered_once(world: World) -> None:
    """Its computation begins again, and one output comes."""
    task_id = world.submit()
    await world.begun()

    assert world.pipeline.repeat_task(task_id)
    await world.begun(2)
    world.tracker.may_end.set()
    await world.answered()
    await world.until(lambda: world.register.open_count == 0)

    assert world.tracker.cancelled_count == 1
    assert "error" not in content(world.outputs[0])
    assert world.register.answered_count == 1


async def test_an_answered_task_that_is_repeated_is_answered_again(world: World) -> None:
    """It is computed again and published again, because that was asked for."""
    world.tracker.may_end.set()
    task_id = world.submit()
    await world.answered()
    await world.until(lambda: world.register.open_count == 0)

    assert world.pipeline.repeat_task(task_id)
    await world.answered(2)

    assert world.tracker.begun_count == 2
    assert {output.task_id for output in world.outputs} == {task_id}


async def test_a_stopped_task_can_be_computed_after_all(world: World) -> None:
    """A repeat after a stop gives the numbers."""
    task_id = world.submit()
    await world.begun()
    world.pipeline.stop_task(task_id, "why")
    await world.answered()
    await world.until(lambda: world.register.open_count == 0)
    world.tracker.may_end.set()

    assert world.pipeline.repeat_task(task_id)
    await world.answered(2)

    assert ["error" in content(output) for output in world.outputs] == [True, False]


@pytest.mark.parametrize("problem_id", [1, 7])
async def test_unknown_tasks_cannot_be_stopped_or_repeated(problem_id: int, world: World) -> None:
    """A task without all its inputs, or of which nothing is known, is nothing to act on."""
    assert not world.pipeline.stop_task(TaskId(problem_id, 1), "why")
    assert not world.pipeline.repeat_task(TaskId(problem_id, 1))


async def test_a_task_with_large_inputs_is_not_kept_for_a_repeat(world: World) -> None:
    """A batch that travels with its model is not held in memory for later."""
    world.tracker.may_end.set()
    task_id = world.submit(1, MLModel(model="m", input_batch=("x" * 70_000,), task_id=TaskId(1, 1)))
    await world.answered()
    await world.until(lambda: world.register.open_count == 0)

    assert not world.pipeline.repeat_task(task_id)


async def test_a_paused_node_keeps_tasks_and_says_inactive(world: World) -> None:
    """Running tasks end, new ones wait, and both facts show in the status; resuming lets them."""
    running = world.submit(1)
    await world.begun()
    assert world.pipeline.pause()
    assert not world.pipeline.pause()
    waiting = world.submit(2)
    await world.until(lambda: world.register.open_count == 2)
    world.tracker.may_end.set()
    await world.answered()
    await world.until(lambda: world.announcer.status is Status.INACTIVE)
    assert [output.task_id for output in world.outputs] == [running]
    assert world.tracker.begun_count == 1

    assert world.pipeline.resume()
    assert not world.pipeline.resume()
    await world.answered(2)

    assert world.outputs[1].task_id == waiting
    await world.until(lambda: world.announcer.status is Status.IDLE)


async def test_a_place_that_gets_free_during_a_pause_is_not_taken(world: World) -> None:
    """A task that waited for a place when the node was paused waits on."""
    for problem in range(1, MAX_RUNNING + 2):
        world.submit(problem)
    await world.begun(MAX_RUNNING)
    await world.until(lambda: world.register.open_count == MAX_RUNNING + 1)
    world.pipeline.pause()
    world.tracker.may_end.set()
    await world.answered(MAX_RUNNING)
    await world.until(lambda: world.announcer.status is Status.INACTIVE)
    assert world.tracker.begun_count == MAX_RUNNING

    world.pipeline.resume()
    await world.answered(MAX_RUNNING + 1)


async def test_a_task_can_be_stopped_while_the_node_is_paused(world: World) -> None:
    """It is answered without being computed, and the node stays paused."""
    world.pipeline.pause()
    task_id = world.submit()
    await world.until(lambda: world.register.open_count == 1)

    assert world.pipeline.stop_task(task_id, "why")
    await world.answered()

    assert world.tracker.begun_count == 0
    await world.until(lambda: world.announcer.status is Status.INACTIVE)


async def test_a_stop_of_the_node_leaves_waiting_tasks_for_the_next_start(world: World) -> None:
    """A paused node with waiting tasks stops at once, and they are not answered."""
    world.pipeline.pause()
    world.submit()
    await world.until(lambda: world.register.open_count == 1)

    world.stop.set()
    await world.until(lambda: world.register.open_count == 0)

    assert world.outputs == []
    assert not world.pipeline.resume()
    assert world.announcer.status is Status.TERMINATING
