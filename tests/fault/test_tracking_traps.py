"""CarbonTracker's known wrong numbers: each is put right, or refused by name."""

import asyncio
from collections.abc import Iterable

import pytest
from tests.fault.guarded import Outcome, measurement_in, outcome_of
from tests.trackers import tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun, Run, SimulatedRun
from carbon_node.tracking import FailureName
from carbon_node.tracking.pool import TrackerPool

J_PER_KWH = 3.6e6

FAILURES = {
    "gpu_without_power": FailureName.CRITICAL_LOG_LINE,
    "gpu_of_nan_watts": FailureName.NOT_FINITE,
    "gpu_of_zero_watts": FailureName.ZERO,
    "gpu_lost_from_the_bus": FailureName.SEVERAL_DEVICES,
    "rapl_unreadable": FailureName.CRITICAL_LOG_LINE,
    "rapl_wrapped": FailureName.ZERO,
    "rapl_without_counters": FailureName.TOO_SHORT,
    "no_component": FailureName.EXIT_70,
    "unknown_component": FailureName.EXIT_70,
    "error_in_its_thread": FailureName.EXIT_70,
    "nothing_collected": FailureName.TOO_SHORT,
    "wall_clock_jumps": FailureName.CLOCK_JUMPED,
}
POWERS_W = {"four_gpus": 1200.0, "rapl": 120.0}
DECLARED_W = (5e-5, 0.1, 300.0, 1e7)


@pytest.fixture(scope="module")
def outcomes() -> dict[Run, Outcome]:
    """Run every trap once, in one pool."""
    traps = [*FAILURES, *POWERS_W, "host_without_meters"]
    # Once for all tests of the module, each of which has a loop of its own.
    return asyncio.run(_outcomes([*map(ModelRun, traps), *map(SimulatedRun, DECLARED_W)]))


async def _outcomes(runs: Iterable[Run]) -> dict[Run, Outcome]:
    config = tracker_config(workload="tests.fault.tracking_traps:run", window_s=0.1, workers=4)
    async with TrackerPool(config) as pool:
        return {run: await outcome for run, outcome in _started(pool, runs)}


def _started(pool: TrackerPool, runs: Iterable[Run]) -> list[tuple[Run, asyncio.Task[Outcome]]]:
    return [(run, asyncio.create_task(outcome_of(pool, run, 30.0))) for run in runs]


@pytest.mark.parametrize(("trap", "failure"), FAILURES.items())
def test_number_that_cannot_be_right_is_refused(
    trap: str, failure: FailureName, outcomes: dict[Run, Outcome]
) -> None:
    """What CarbonTracker would report as a number ends in a named failure."""
    outcome = outcomes[ModelRun(trap)]
    assert isinstance(outcome, TrackerError)
    assert outcome.failure == failure


@pytest.mark.parametrize(("trap", "power_w"), POWERS_W.items())
def test_devices_of_a_component_are_summed(
    trap: str, power_w: float, outcomes: dict[Run, Outcome]
) -> None:
    """Where CarbonTracker gives the mean of several devices, the measurement has their sum."""
    measurement = measurement_in(outcomes, ModelRun(trap))
    measured_w = measurement.device_energy_kwh * J_PER_KWH / measurement.duration_s
    assert measured_w == pytest.approx(power_w, rel=0.03)
    assert not measurement.power_is_guessed


def test_window_waits_for_a_slow_meter(outcomes: dict[Run, Outcome]) -> None:
    """RAPL takes a second for its first reading; a shorter window is drawn out to that."""
    assert measurement_in(outcomes, ModelRun("rapl")).duration_s > 1.0


def test_each_device_is_named(outcomes: dict[Run, Outcome]) -> None:
    """A measurement says which devices it covers."""
    assert measurement_in(outcomes, ModelRun("rapl")).components == ("cpu:cpu:0", "cpu:dram:0")


def test_guessed_power_is_said_to_be_one(outcomes: dict[Run, Outcome]) -> None:
    """On a host without meters the measurement says that its power is a guess."""
    measurement = measurement_in(outcomes, ModelRun("host_without_meters"))
    assert (measurement.components, measurement.power_is_guessed) == (("cpu:Processor",), True)


@pytest.mark.parametrize("power_w", DECLARED_W)
def test_declared_power_gives_the_closed_formula(
    power_w: float, outcomes: dict[Run, Outcome]
) -> None:
    """Simulated hardware of any power gives power times time, all of it and without PUE."""
    measurement = measurement_in(outcomes, SimulatedRun(power_w))
    formula_kwh = power_w * measurement.duration_s / J_PER_KWH
    assert measurement.device_energy_kwh == pytest.approx(formula_kwh, rel=0.03)
