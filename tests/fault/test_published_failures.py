"""Every way a measurement can fail ends in a published result that names it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fault.guarded import (
    AMPLE_DEADLINE_S,
    DEADLINES_S,
    begun_and_work,
    config_of,
    has_begun,
    measure_well,
)
from tests.fault.test_tracking import ENDING, ENDLESS
from tests.pipelines import running_world

from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio


class Misbehaving:
    """A real pool whose measuring processes behave as one of `tracking_workloads`.

    Args:
        pool: measures that workload, whatever it is asked.
        behaviour: name of the workload.
        deadline_s: of each measurement.
    """

    def __init__(self, pool: TrackerPool, behaviour: str, deadline_s: float) -> None:
        self._pool = pool
        self._behaviour = behaviour
        self._deadline_s = deadline_s

    def can_run(self, run: ModelRun) -> bool:  # noqa: ARG002 - tasks of the test declare power
        """Never."""
        return False

    async def measure(
        self,
        run: Run,  # noqa: ARG002 - see the class
        on_begin: Callable[[], None],
    ) -> Measurement:
        """Misbehave."""
        behaviour = ModelRun(self._behaviour)
        return await self._pool.measure(behaviour, self._deadline_s, on_begin=on_begin)


@pytest.mark.parametrize(("behaviour", "failure"), (ENDLESS | ENDING).items())
async def test_the_task_gets_the_formulas_number_with_the_failure_named(
    behaviour: str, failure: str, tmp_path: Path
) -> None:
    """Whatever the measuring process does, the declared numbers go out, and say so."""
    begun, work = begun_and_work(tmp_path)
    config = config_of(work, environment=(("BEGUN", str(begun)),))
    for deadline_s in DEADLINES_S if behaviour in ENDLESS else (AMPLE_DEADLINE_S,):
        async with (
            TrackerPool(config) as pool,
            running_world(Misbehaving(pool, behaviour, deadline_s)) as world,
        ):
            # The forkserver is warm from here on.
            await measure_well(pool)
            world.submit()
            await world.answered()
            output = world.outputs[0]
        assert output.energy_consumption == pytest.approx(300 * 1 / 3.6e6 * 1.58, rel=1e-12)
        if behaviour in ENDING or has_begun(begun):
            assert json.loads(output.extra_data)["tracker"]["failure"] == failure
            return
    pytest.fail(f"{behaviour} did not begin")
