"""What leaves again after the node has joined its domain again."""

import asyncio

import pytest
from tests.patience import PATIENCE_S
from tests.pipelines import World, running_world

from carbon_node.pipeline import outputs
from carbon_node.wire.samples import TaskId

pytestmark = pytest.mark.anyio


async def answer_two(world: World) -> None:
    """Let the pipeline answer two tasks."""
    world.tracker.may_end.set()
    for number in (1, 2):
        world.submit(number)
    await world.answered(2)


async def silent(*_: object) -> bool:
    """Acknowledge nothing."""
    return False


async def test_an_acknowledged_output_does_not_leave_again() -> None:
    """An orchestrator would take it for a new result."""
    async with running_world() as world, asyncio.timeout(PATIENCE_S):
        await answer_two(world)
        await world.publishing.settle()
        joined: list[str] = []
        assert await world.publishing.rejoin(lambda: joined.append("again")) == 0
        assert joined == ["again"]


async def test_readers_have_a_moment_to_take_before_the_node_joins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they have received and not taken would be gone with the former participant."""
    monkeypatch.setattr(outputs, "TAKING_S", 0.05)
    loop = asyncio.get_running_loop()
    async with running_world() as world, asyncio.timeout(PATIENCE_S):
        await answer_two(world)
        await world.publishing.settle()
        since_s, joined_s = loop.time(), list[float]()
        await world.publishing.rejoin(lambda: joined_s.append(loop.time()))
        assert joined_s[0] - since_s >= 0.05


async def test_what_no_reader_has_acknowledged_leaves_again_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unless its task has begun again: then the old answer is nobody's."""
    async with running_world() as world, asyncio.timeout(PATIENCE_S):
        monkeypatch.setattr(world.node, "wait_for_acknowledgments", silent)
        monkeypatch.setattr(world.node, "is_instance_acknowledged", lambda *_: False)
        await answer_two(world)

        def rejoin() -> None:
            world.publishing.task_started(TaskId(1, 1))

        assert await world.publishing.rejoin(rejoin) == 1
        await world.answered(3)
        first, again = (each for each in world.outputs if each.task_id == (2, 1))
        assert first == again
