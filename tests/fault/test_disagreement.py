"""A tracker whose number is believable and wrong: the domain alone decides that it disagrees."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fault.guarded import config_of
from tests.pipelines import running_world

from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio


class GuardedTracker:
    """Measures in guarded processes.

    Args:
        pool: of the processes.
    """

    def __init__(self, pool: TrackerPool) -> None:
        self._pool = pool

    def can_run(self, run: ModelRun) -> bool:  # noqa: ARG002 - all are the same
        """Never: the run is simulated."""
        return False

    async def measure(self, run: Run, on_begin: Callable[[], None]) -> Measurement:
        """Measure with time for the forkserver to get warm."""
        return await self._pool.measure(run, 30.0, on_begin=on_begin)


async def test_a_task_whose_tracker_disagrees_is_published_as_such(tmp_path: Path) -> None:
    """A real process reports a tenth too much: the formula's number goes out, and says so."""
    config = config_of(tmp_path, workload="tests.fault.tracking_workloads:overstate")
    async with TrackerPool(config) as pool, running_world(GuardedTracker(pool)) as world:
        world.submit()
        await world.answered()
        await world.until(lambda: world.register.open_count == 0)

    (output,) = world.outputs
    content = json.loads(output.extra_data)
    tracker = content["tracker"]
    assert (tracker["agrees"], tracker["agreement"]) == (False, pytest.approx(0.1))
    assert "failure" not in tracker
    assert content["warnings"] == [
        "CarbonTracker differs from the formula by +10.0%; the formula is used"
    ]
    # 300 W for a second, a PUE of 1.58 and 100 g/kWh.
    assert output.carbon_footprint == pytest.approx(300 / 3.6e6 * 1.58 * 100)
    assert world.metrics.tasks == {"estimated": 1}
    assert world.metrics.tracker_failures == {}
