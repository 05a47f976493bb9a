"""A latency is read in the unit of whatever sent it, by what its sample shows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire_samples import HARDWARE_OF_PRODUCERS

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    Evidence,
    LatencyUnit,
    NotComputed,
    NotTracked,
    conclude,
    exact,
    plan,
)
from carbon_node.estimation.request import PLAUSIBLE_LATENCY_S
from carbon_node.hardware import HardwareMap, Preset, preset, shipped_catalogue
from carbon_node.pipeline.task import TaskInputs
from carbon_node.pipeline.translate import to_request
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

KNOWN = {each: HardwareMap(shipped_catalogue(), presets=preset(each)) for each in Preset}
GRID = CarbonIntensity(exact(400), "Testland", "TL", 2025, "test")
S, US, H = LatencyUnit.S, LatencyUnit.US, LatencyUnit.H
SECONDS = {S: 1.0, US: 1e-6, H: 3600.0}


def concluded(
    hardware: HWResource, preset_name: Preset = Preset.SUSTAINML
) -> Estimate | NotComputed:
    """Answer a task with this hardware."""
    inputs = TaskInputs(TaskKey(TaskId(1, 1), "w"), UserInput(), MLModel(model="m"), hardware)
    planned = plan(to_request(inputs, S, KNOWN[preset_name]), Assumptions())
    if isinstance(planned, NotComputed):
        return planned
    return conclude(planned, GRID, NotTracked())


def duration_s(estimate: Estimate) -> float:
    """Return the seconds of an inference that an estimate rests on."""
    (latency_h,) = (each.factor for each in estimate.factors if each.name == "latency_h")
    return latency_h.interval.value * 3600


def doubts_the_unit(estimate: Estimate) -> bool:
    """Whether a warning says that the latency may have been meant in another unit."""
    return any("is possible too" in warning for warning in estimate.warnings)


@pytest.mark.parametrize(
    ("producer", "unit", "evidence", "seconds"),
    [
        ("GPU simulator, 2025", S, Evidence.PLAUSIBILITY, 2.75),
        ("PIM simulator, 2025", S, Evidence.PLAUSIBILITY, 12.5),
        ("GPU simulator, 2026", H, Evidence.MEMORY_FOOTPRINT, 2.75),
        ("FPGA estimator, 2026", H, Evidence.LATENCY_H, 0.0008),
        ("FPGA estimator, 2026, without extra", H, Evidence.PLAUSIBILITY, 0.0008),
        ("Axelera, 2026", H, Evidence.LATENCY_H, 0.0144),
        ("board that no preset has", S, Evidence.SETTING, 0.25),
    ],
)
def test_a_sample_that_shows_its_unit_is_read_in_it(
    producer: str, unit: LatencyUnit, evidence: Evidence, seconds: float
) -> None:
    """Without a warning: nothing speaks for another unit."""
    estimate = concluded(HARDWARE_OF_PRODUCERS[producer])
    assert isinstance(estimate, Estimate)
    assert (estimate.latency_unit, estimate.latency_evidence) == (unit, evidence)
    assert duration_s(estimate) == pytest.approx(seconds, rel=1e-4)
    assert estimate.warnings == ()


@pytest.mark.parametrize(
    ("producer", "evidence", "said"),
    [
        (
            "GPU simulator, 2025, short",
            Evidence.HARDWARE_MAP,
            "latency 0.021 is read as s 0.021 s, but as h 75.6 s is possible",
        ),
        (
            "GPU simulator, 2026, memory lost",
            Evidence.HARDWARE_MAP,
            "latency 0.000763889 is read as s 0.000763889 s, but as h 2.75 s is possible",
        ),
        (
            "board of 2026 that no preset has",
            Evidence.SETTING,
            "latency 4e-06 is read as s 4e-06 s, but as h 0.0144 s is possible",
        ),
    ],
)
def test_two_possible_readings_are_said(producer: str, evidence: Evidence, said: str) -> None:
    """The earlier unit, or that of the settings, is used, and the other one named."""
    estimate = concluded(HARDWARE_OF_PRODUCERS[producer])
    assert isinstance(estimate, Estimate)
    assert (estimate.latency_unit, estimate.latency_evidence) == (S, evidence)
    (warning,) = estimate.warnings
    assert warning.startswith(said)
    assert len(warning) <= 160


@pytest.mark.parametrize(
    "producer", [name for name in HARDWARE_OF_PRODUCERS if "board" not in name]
)
@pytest.mark.parametrize("preset_name", [Preset.SUSTAINML_2025, Preset.SUSTAINML_2026])
def test_a_stated_generation_leaves_no_doubt(preset_name: Preset, producer: str) -> None:
    """Of names that the preset has, also where a sample shows something else."""
    result = concluded(HARDWARE_OF_PRODUCERS[producer], preset_name)
    if isinstance(result, Estimate):
        assert not doubts_the_unit(result)
        assert result.latency_evidence not in (Evidence.MEMORY_FOOTPRINT, Evidence.PLAUSIBILITY)


@given(
    st.sampled_from(["H100_x4", "A17Pro", "PIM_AI_24dimm", "Ultra96-V2", "Nova 1"]),
    st.floats(1e-12, 1e12),
    st.sampled_from([0.0, 512.0]),
    st.sampled_from(Preset),
)
def test_no_reading_hides_another_that_is_possible(
    name: str, latency: float, memory_mb: float, preset_name: Preset
) -> None:
    """Where both readings are durations of an inference, evidence decided or a warning says so."""
    result = concluded(HWResource(name, 100.0, latency, memory_mb), preset_name)
    known = KNOWN[preset_name].known(name)
    if isinstance(result, NotComputed) or known.later_latency_unit is None:
        return
    is_known = known.latency_unit is not None
    units = (known.latency_unit or S, known.later_latency_unit)
    shortest_s, longest_s = PLAUSIBLE_LATENCY_S
    possible = [unit for unit in units if shortest_s <= latency * SECONDS[unit] <= longest_s]
    is_told = memory_mb > 0 if is_known else memory_mb == 0
    assert doubts_the_unit(result) == (len(possible) == 2 and not is_told)
    if is_known and not is_told and len(possible) == 1:
        assert [result.latency_unit] == possible
    assert math.isclose(duration_s(result), latency * SECONDS[result.latency_unit])
