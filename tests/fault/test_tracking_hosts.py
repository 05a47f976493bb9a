"""Hosts of many kinds: each is charged for what it draws, all of it and no more, or refused."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.fault.guarded import Outcome, measurement_in, outcome_of
from tests.trackers import tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation import Interval
from carbon_node.estimation.measurement import ModelRun
from carbon_node.tracking import FailureName, TrackerConfig, Unmetered
from carbon_node.tracking.pool import TrackerPool

J_PER_KWH = 3.6e6
SECOND_GPU_W = 110.0


@dataclass(frozen=True, slots=True)
class Case:
    """A faked host, and how it is to be measured."""

    host: str
    devices: tuple[str, ...] | None = None
    unmetered: Unmetered = Unmetered.EXCLUDE


REFUSE = Unmetered.REFUSE
SUMS_W = {
    Case("one_rapl"): 120.0,
    Case("two_sockets"): 240.0,
    Case("twelve_zones"): 1200.0,
    Case("eight_gpus", ("1",)): 100.0 + SECOND_GPU_W,
    Case("eight_gpus", ("GPU-00000001",), REFUSE): 100.0 + SECOND_GPU_W,
    Case("eight_gpus", ()): 100.0,
    Case("eight_gpus"): 100.0 + 1080.0,
    Case("one_gpu_without_meter"): 400.0,
    Case("one_gpu_without_meter", ("0",), REFUSE): 400.0,
    Case("mig_slices"): 400.0,
}
REFUSALS = {
    Case("one_gpu_without_meter", None, REFUSE): FailureName.UNMETERED_DEVICE,
    Case("mig_slices", ("1",), REFUSE): FailureName.UNMETERED_DEVICE,
    Case("mig_slices", ("MIG-4711",), REFUSE): FailureName.UNMETERED_DEVICE,
    Case("eight_gpus", ("8",)): FailureName.UNKNOWN_DEVICE,
    Case("eight_gpus", ("GPU-0000000",)): FailureName.UNKNOWN_DEVICE,
}
OTHERS = (Case("uneven"), Case("busy_gpu"), Case("two_unmetered_sockets"))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Outcome]:
    """Measure every host once, in one pool."""
    # Once for all tests of the module, each of which has a loop of its own.
    return asyncio.run(_outcomes(tmp_path_factory.mktemp("work")))


async def _outcomes(work_dir: Path) -> dict[Case, Outcome]:
    config = tracker_config(
        workload="tests.fault.tracking_hosts:run",
        window_s=0.2,
        work_dir=work_dir,
        processor_power_w=lambda: Interval(36, 180, 360),
    )
    async with TrackerPool(config) as pool:
        return {case: await _outcome(pool, config, case) for case in (*SUMS_W, *REFUSALS, *OTHERS)}


async def _outcome(pool: TrackerPool, config: TrackerConfig, case: Case) -> Outcome:
    config = replace(config, devices=case.devices, unmetered=case.unmetered)
    return await outcome_of(pool, ModelRun(case.host), 30.0, config)


@pytest.mark.parametrize(("case", "power_w"), SUMS_W.items(), ids=str)
def test_a_host_is_charged_for_all_of_its_chosen_devices(
    case: Case, power_w: float, outcomes: dict[Case, Outcome]
) -> None:
    """The sum over packages, memory and chosen GPUs, whatever CarbonTracker's mean says."""
    measurement = measurement_in(outcomes, case)
    measured_w = measurement.device_energy_kwh * J_PER_KWH / measurement.duration_s
    assert measured_w == pytest.approx(power_w, rel=0.03)
    assert not measurement.power_is_guessed


@pytest.mark.parametrize(("case", "failure"), REFUSALS.items(), ids=str)
def test_a_device_that_cannot_be_charged_is_refused_by_name(
    case: Case, failure: FailureName, outcomes: dict[Case, Outcome]
) -> None:
    """The detail says which device, and what to do."""
    outcome = outcomes[case]
    assert isinstance(outcome, TrackerError)
    assert outcome.failure == failure
    assert "tracker.devices" in outcome.detail


@pytest.mark.parametrize(
    ("case", "excluded"),
    [
        (Case("one_gpu_without_meter"), "Model 1 (GPU-00000001): its driver tells no power"),
        (
            Case("mig_slices"),
            "Model 1 (GPU-00000001): it is cut into MIG slices, and its meter counts all of them",
        ),
    ],
)
def test_a_device_without_a_meter_is_named(
    case: Case, excluded: str, outcomes: dict[Case, Outcome]
) -> None:
    """Where the operator excludes it, the result says so."""
    measurement = measurement_in(outcomes, case)
    assert measurement.excluded == (excluded,)
    assert measurement.components == ("gpu:Model 0", "cpu:cpu:0")


def test_zones_of_two_digits_are_named(outcomes: dict[Case, Outcome]) -> None:
    """Each package has the number that the kernel gives it."""
    names = measurement_in(outcomes, Case("twelve_zones")).components
    assert names == tuple(f"cpu:cpu:{number}" for number in range(12))


def test_meters_are_named(outcomes: dict[Case, Outcome]) -> None:
    """And the host that has them."""
    measurement = measurement_in(outcomes, Case("eight_gpus", ("1",)))
    assert measurement.meters == ("nvml", "rapl")
    assert measurement.host


def test_a_run_that_slows_down_has_a_wide_spread(outcomes: dict[Case, Outcome]) -> None:
    """Constant power, and three times the time of an inference in the second half."""
    spread = measurement_in(outcomes, Case("uneven")).spread
    assert spread.low < 0.8
    assert spread.high > 1.3


def test_other_work_on_a_gpu_is_said(outcomes: dict[Case, Outcome]) -> None:
    """It was seen before the run touched the GPU."""
    said = measurement_in(outcomes, Case("busy_gpu")).others
    assert "other work kept Model 0 63 % busy before the measurement" in said


def test_two_sockets_without_meters_are_guessed_for_both(outcomes: dict[Case, Outcome]) -> None:
    """By what one of them is rated, times two."""
    measurement = measurement_in(outcomes, Case("two_unmetered_sockets"))
    (guess,) = measurement.guesses
    assert guess.processor == "2 x AMD EPYC 9654 96-Core Processor"
    assert guess.power_w == Interval(72, 360, 720)
