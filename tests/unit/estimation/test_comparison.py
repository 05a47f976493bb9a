"""Which estimates can be told apart."""

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    Interval,
    NotTracked,
    Plan,
    conclude,
    indistinct,
    plan,
)


def estimated(low: float, value: float, high: float) -> Estimate:
    """Return an estimate for a grid of that intensity."""
    planned = plan(EstimationRequest("m", power_w=300, latency=2), Assumptions(power_tolerance=0))
    assert isinstance(planned, Plan)
    grid = CarbonIntensity(Interval(low, value, high), "Testland", "TL", 2025, "test")
    result = conclude(planned, grid, NotTracked())
    assert isinstance(result, Estimate)
    return result


def test_overlapping_intervals_are_indistinct() -> None:
    """The default PUE alone spans a factor of 1.8: 100 and 150 g/kWh cannot be told apart."""
    clean, less, dirty = estimated(90, 100, 110), estimated(140, 150, 160), estimated(900, 950, 999)
    assert indistinct([clean, less, dirty]) == ((1,), (0,), ())
    assert indistinct([clean, less, clean]) == ((1, 2), (0, 2), (0, 1))


def test_one_estimate_is_compared_with_nothing() -> None:
    """A single estimate is indistinct from none."""
    assert indistinct([estimated(1, 2, 3)]) == ((),)
