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


def warnings(
    assumptions: Assumptions | None = None,
    **changes: Any,  # noqa: ANN401 - any field
) -> tuple[str, ...]:
    """Return the warnings of the task with other values."""
    planned = plan(dataclasses.replace(TASK, **changes), assumptions or Assumptions())
    assert isinstance(planned, Plan)
    result = conclude(planned, GRID, NotTracked())
    assert isinstance(result, Estimate)
    return result.warnings


@pytest.mark.parametrize("power_w", [1, 1400, 1679, 1680])
def test_a_power_up_to_the_rating_is_no_doubt(power_w: float) -> None:
    """A fifth above the rating is still taken without a word."""
    assert warnings(power_w=power_w) == ()


def test_a_power_just_above_is_a_doubt() -> None:
    """The bound is what docs/numbers.md says."""
    assert "is 1.2 times the 1400 W" in warnings(power_w=1680.1)[0]


def test_a_power_far_above_the_rating_says_what_it_would_be() -> None:
    """1.2 MW for four cards are milliwatts, most likely."""
    assert warnings(power_w=1_200_500) == (
        "declared power 1.2005e+06 W is 858 times the 1400 W that 4 x NVIDIA H100 PCIe is rated;"
        " read as mW it would be 1200.5 W",
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


@pytest.mark.parametrize(
    ("latency", "unit"),
    [(300, LatencyUnit.S), (1e-6, LatencyUnit.S), (1, LatencyUnit.US), (300_000, LatencyUnit.MS)],
)
def test_the_longest_and_the_shortest_latency_are_no_doubt(
    latency: float, unit: LatencyUnit
) -> None:
    """From a microsecond to five minutes, both included."""
    assert warnings(latency=latency, latency_unit=unit) == ()


@pytest.mark.parametrize(
    ("latency", "hint"),
    [
        (300_000, "; it would be as ms 300 s, as us 0.3 s"),
        (301_000, "; it would be as ms 301 s, as us 0.301 s"),
        (1e-7, "; it would be as h 0.00036 s"),
        (1e12, ""),
    ],
)
def test_a_latency_out_of_bounds_names_them(latency: float, hint: str) -> None:
    """The reader sees how the number was read, what is plausible, and what else it could be."""
    assumed = dataclasses.replace(Assumptions(), plausible_latency_s=(1e-6, 301), max_latency_h=1e9)
    (warning,) = warnings(assumed, latency=latency)
    assert warning == (
        f"latency {latency:g} read as s is {latency:g} s an inference, outside 1e-06 to 301 s{hint}"
    )


def test_one_device_is_named_without_a_count() -> None:
    """Only several are counted."""
    one = dataclasses.replace(H100_X4, count=1, rated_w=350)
    assert "times the 350 W that NVIDIA H100 PCIe is rated" in warnings(known=one)[0]


def test_hours_that_name_their_unit_are_not_doubted() -> None:
    """latency_h says what it is."""
    assert warnings(explicit=ExplicitHardware(latency_h=2.0)) == ()
