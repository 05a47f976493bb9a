"""Numbers that make no sense in the assumed unit are published, with what they would be."""

import dataclasses
from typing import Any

import pytest

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    Interval,
    LatencyUnit,
    NamedHardware,
    NotTracked,
    Plan,
    conclude,
    exact,
    plan,
)

GRID = CarbonIntensity(exact(400), "Testland", "TL", 2025, "test")
H100_X4 = NamedHardware(
    "NVIDIA H100 PCIe", count=4, power=Factor(Interval(420, 1064, 1400), "test"), rated_w=1400
)
TASK = EstimationRequest("m", hardware="H100_x4", known=H100_X4, power_w=1200, latency=2)


def warnings(**changes: Any) -> tuple[str, ...]:  # noqa: ANN401 - any field
    """Return the warnings of the task with other values."""
    planned = plan(dataclasses.replace(TASK, **changes), Assumptions())
    assert isinstance(planned, Plan)
    result = conclude(planned, GRID, NotTracked())
    assert isinstance(result, Estimate)
    return result.warnings


@pytest.mark.parametrize("power_w", [1, 1400, 1679])
def test_a_power_up_to_the_rating_is_no_doubt(power_w: float) -> None:
    """A fifth above the rating is still taken without a word."""
    assert warnings(power_w=power_w) == ()


def test_a_power_far_above_the_rating_says_what_it_would_be() -> None:
    """1.2 MW for four cards are milliwatts, most likely."""
    assert warnings(power_w=1_200_000) == (
        "declared power 1.2e+06 W is 857 times the 1400 W that 4 x NVIDIA H100 PCIe is rated;"
        " read as mW it would be 1200 W",
    )


def test_an_explicit_energy_is_checked_by_its_power() -> None:
    """An energy and its duration are a power too."""
    assert "rated" in warnings(explicit=ExplicitHardware(latency_h=0.001, energy_wh=14))[0]


@pytest.mark.parametrize(
    ("latency", "unit", "hint"),
    [
        (812, LatencyUnit.S, "as ms 0.812 s, as us 0.000812 s"),
        (2e-4, LatencyUnit.US, "as s 0.0002 s, as h 0.72 s"),
        (900, LatencyUnit.H, "as ms 0.9 s, as us 0.0009 s"),
    ],
)
def test_a_latency_that_makes_no_sense_says_what_it_would_be(
    latency: float, unit: LatencyUnit, hint: str
) -> None:
    """Every other unit in which the number makes sense is named."""
    (warning,) = warnings(latency=latency, latency_unit=unit)
    assert hint in warning


def test_hours_that_name_their_unit_are_not_doubted() -> None:
    """latency_h says what it is."""
    assert warnings(explicit=ExplicitHardware(latency_h=2.0)) == ()
