"""The declared numbers that count: their defaults, their bounds, and what goes with them."""

import dataclasses
import sys

import pytest

from carbon_node.estimation import (
    Assumptions,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    Interval,
    LatencyUnit,
    NamedHardware,
    NotComputed,
    Reason,
)
from carbon_node.estimation.declared import Declared, ExplicitEnergy, PowerAndLatency, declared

TASK = EstimationRequest("a/model", hardware="gpu-1", power_w=300, latency=2)
RATED = NamedHardware("GPU 1", power=Factor(Interval(90, 228, 300), "GPU 1"), rated_w=300)


def found(request: EstimationRequest, assumptions: Assumptions | None = None) -> Declared:
    """Return the numbers of a task that has some."""
    numbers = declared(request, assumptions or Assumptions())
    assert not isinstance(numbers, NotComputed), numbers
    return numbers


def refused(request: EstimationRequest) -> NotComputed:
    """Return why a task has no numbers."""
    numbers = declared(request, Assumptions())
    assert isinstance(numbers, NotComputed)
    return numbers


def energy(**numbers: float) -> ExplicitEnergy:
    """Return an explicit energy of a task that states these numbers."""
    numbers_ = found(dataclasses.replace(TASK, explicit=ExplicitHardware(**numbers)))
    assert isinstance(numbers_, ExplicitEnergy)
    return numbers_


def test_a_declared_power_is_within_its_tolerance_and_the_latency_is_exact() -> None:
    """300 W are 285 to 315 W, for exactly 2 s, and are the task's own."""
    numbers = found(TASK)
    assert isinstance(numbers, PowerAndLatency)
    low, value, high = dataclasses.astuple(numbers.power.interval)
    assert (low, value, high) == pytest.approx((285, 300, 315))
    assert numbers.latency.interval == Interval(2 / 3600, 2 / 3600, 2 / 3600)
    assert not numbers.is_catalogued
    assert (numbers.power.source, numbers.latency.source) == (
        "declared power",
        "declared latency 2, read as s",
    )


def test_an_explicit_energy_is_within_its_tolerance() -> None:
    """3 Wh are 2.85 to 3.15 Wh."""
    interval = energy(energy_wh=3).energy.interval
    assert dataclasses.astuple(interval) == pytest.approx((2.85, 3, 3.15))


def test_a_catalogued_power_steps_in_only_for_a_missing_one() -> None:
    """A declared power wins over what is known; a wrong one is refused and not replaced."""
    known = dataclasses.replace(TASK, known=RATED)
    declared_ = found(known)
    assert isinstance(declared_, PowerAndLatency)
    assert (declared_.power_w, declared_.is_catalogued) == (300, False)
    missing = found(dataclasses.replace(known, power_w=0))
    assert isinstance(missing, PowerAndLatency)
    assert (missing.power_w, missing.is_catalogued) == (228, True)
    assert refused(dataclasses.replace(known, power_w=-1)).reason is Reason.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("numbers", "power_w"),
    [
        ({"energy_wh": 3}, None),
        ({"energy_wh": 3, "power_w": 200}, 200),
        ({"energy_wh": 3, "latency_h": 0.01}, 300),
        ({"energy_wh": 3, "power_w": 301, "latency_h": 0.01}, 301),
        ({"energy_wh": 1e5, "latency_h": 0.01}, 1e7),
        ({"energy_wh": 1.01e5, "latency_h": 0.01}, None),
    ],
)
def test_the_power_of_an_explicit_energy(numbers: dict[str, float], power_w: float | None) -> None:
    """It is the stated one, or follows from the duration if a machine can draw so much."""
    assert energy(**numbers).power_w == (None if power_w is None else pytest.approx(power_w))


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"power_w": 10e6}, None),
        ({"power_w": 10_000_001}, Reason.OUT_OF_RANGE),
        ({"power_w": sys.float_info.min}, None),
        ({"power_w": sys.float_info.min / 2}, Reason.OUT_OF_RANGE),
        ({"latency_h": 8784}, None),
        ({"latency_h": 8784.001}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 10e6 * 8784}, None),
        ({"energy_wh": 10e6 * 8784.001}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 1, "power_w": 10_000_001}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 1, "latency_h": 8784.001}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 1, "power_w": 0, "latency_h": 0}, None),
        ({"energy_wh": 0, "power_w": 300, "latency_h": 0.01}, None),
    ],
)
def test_numbers_are_believed_up_to_their_bounds(
    numbers: dict[str, float], expected: Reason | None
) -> None:
    """10 MW, a leap year, and one for the time of the other, each inclusive."""
    request = dataclasses.replace(TASK, explicit=ExplicitHardware(**numbers))
    if expected is None:
        found(request)
    else:
        assert refused(request).reason is expected


@pytest.mark.parametrize(
    ("explicit", "what"),
    [
        (ExplicitHardware(energy_wh=-1), "extra_data energy_Wh is -1, outside 0 to 8.784e+10"),
        (ExplicitHardware(energy_wh=1, power_w=-1), "extra_data power_w is -1, outside 0 to 1e+07"),
        (ExplicitHardware(energy_wh=1, latency_h=-1), "extra_data latency_h is -1, outside 0 to"),
        (
            ExplicitHardware(energy_wh=9, power_w=300, latency_h=0.01),
            "extra_data states energy_Wh 9, but power_w 300 times latency_h 0.01 is 3",
        ),
    ],
)
def test_a_refusal_names_the_number_and_its_bound(explicit: ExplicitHardware, what: str) -> None:
    """Whoever sent it finds it."""
    assert refused(dataclasses.replace(TASK, explicit=explicit)).detail.startswith(what)


@pytest.mark.parametrize(
    ("hardware", "named"), [("", "(no name)"), (" \n ", "(no name)"), (" gpu-1 ", "(gpu-1)")]
)
def test_a_missing_power_names_the_hardware(hardware: str, named: str) -> None:
    """Spaces around a name are not part of it, and spaces alone are no name."""
    assert named in refused(dataclasses.replace(TASK, power_w=0, hardware=hardware)).detail


@pytest.mark.parametrize(
    ("unit", "latency", "hours"),
    [
        (LatencyUnit.S, 1800, 0.5),
        (LatencyUnit.MS, 1.8e6, 0.5),
        (LatencyUnit.US, 1.8e9, 0.5),
        (LatencyUnit.H, 0.5, 0.5),
    ],
)
def test_a_latency_is_read_in_its_unit(unit: LatencyUnit, latency: float, hours: float) -> None:
    """Half an hour in each."""
    numbers = found(dataclasses.replace(TASK, latency=latency, latency_unit=unit))
    assert isinstance(numbers, PowerAndLatency)
    assert numbers.latency.interval.value == hours
