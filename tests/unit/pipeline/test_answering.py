"""What is seen of a task while it is answered."""

import pytest
from tests.pipelines import running_world

pytestmark = pytest.mark.anyio


async def test_a_task_without_a_worker_waits() -> None:
    """It counts as running once a worker is free, and both times are told apart."""
    async with running_world() as world:
        world.tracker.has_worker.clear()
        world.submit()
        await world.begun()
        assert (world.register.open_count, world.register.running()) == (1, [])

        world.tracker.has_worker.set()
        await world.until(lambda: len(world.register.running()) == 1)
        (progress,) = world.register.running()
        assert progress.current_stage == "tracker"

        world.tracker.may_end.set()
        await world.answered()
        await world.until(lambda: world.register.open_count == 0)
        assert {"worker", "tracker"} <= world.metrics.stages.keys()
