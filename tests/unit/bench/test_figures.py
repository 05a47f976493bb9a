"""What is made of measured runs."""

import pytest
from bench.figures import Figure, Reference, Spread, Statistic, Target, figure, spread_of


def spread(median: float, p99: float | None = None) -> Spread:
    """A distribution of which only this matters."""
    return Spread(1, median, median, median if p99 is None else p99)


def test_percentiles_are_runs_that_happened() -> None:
    """Of 100 runs, the 95th percentile is the 96th smallest and the 99th the largest."""
    assert spread_of([float(value) for value in range(100, 0, -1)]) == Spread(100, 50.5, 96, 100)


def test_one_run_is_its_own_distribution() -> None:
    """A single run is median and percentile alike."""
    assert spread_of([7.0]) == Spread(1, 7.0, 7.0, 7.0)


@pytest.mark.parametrize(
    ("target", "is_met"),
    [
        (Target(Statistic.MEDIAN, 3.0), True),
        (Target(Statistic.MEDIAN, 2.9), False),
        (Target(Statistic.P99, 9.0), True),
        (Target(Statistic.P99, 8.9), False),
        (Target(Statistic.RATIO, 1.5), True),
        (Target(Statistic.RATIO, 1.4), False),
        (Target(Statistic.EXCESS, 1.0), True),
        (Target(Statistic.EXCESS, 0.9), False),
    ],
    ids=str,
)
def test_a_target_bounds_its_statistic(target: Target, *, is_met: bool) -> None:
    """A median of 3, a p99 of 9 and a reference of 2 meet the targets that they do not exceed."""
    measured = Figure("question", "ms", spread(3.0, 9.0), Reference("limit", spread(2.0)))
    assert measured.meets(target) is is_met


@pytest.mark.parametrize("statistic", [Statistic.RATIO, Statistic.EXCESS])
def test_what_cannot_be_known_is_not_met(statistic: Statistic) -> None:
    """Without a reference nothing is said to be within it."""
    assert not figure("question", "ms", [0.0]).meets(Target(statistic, 1e9))


def test_a_reference_of_zero_gives_no_ratio() -> None:
    """What took no measurable time cannot be divided by."""
    measured = figure("question", "ms", [1.0], ("limit", [0.0]))
    assert measured.ratio is None
