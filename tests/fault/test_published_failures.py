"""Every way a measurement can fail ends in a published result that names it."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from tests.fault.guarded import config_of
from tests.fault.test_tracking import ENDING, ENDLESS
from tests.pipelines import running_world

from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.tracking import TrackerPool

DEADLINE_S = 0.5
LATEST_S = 2.0
"""Beyond the deadline, by when the result has to be published."""


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

    async def measure(self, run: Run) -> Measurement:  # noqa: ARG002 - see the class
        """Misbehave."""
        return await self._pool.measure(ModelRun(self._behaviour), self._deadline_s)


@pytest.mark.parametrize(("behaviour", "failure"), (ENDLESS | ENDING).items())
def test_the_task_gets_the_formulas_number_with_the_failure_named(
    behaviour: str, failure: str, tmp_path: Path
) -> None:
    """Whatever the measuring process does, the declared numbers go out in time, and say so."""
    deadline_s = DEADLINE_S if behaviour in ENDLESS else 10.0

    async def scenario() -> tuple[float, bytes, float]:
        async with (
            TrackerPool(config_of(tmp_path)) as pool,
            running_world(Misbehaving(pool, behaviour, deadline_s)) as world,
        ):
            await pool.measure(ModelRun("succeed"), 30.0)  # the forkserver is warm from here on
            since_s = time.monotonic()
            world.submit()
            await world.answered()
            output = world.outputs[0]
            return time.monotonic() - since_s, output.extra_data, output.energy_consumption

    seconds, extra_data, energy_kwh = asyncio.run(scenario())

    assert seconds < deadline_s + LATEST_S
    assert energy_kwh == pytest.approx(300 * 1 / 3.6e6 * 1.58, rel=1e-12)
    assert json.loads(extra_data)["tracker"]["failure"] == failure
