"""Measured quantities, their references and their bounds."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Statistic(StrEnum):
    """Which number of a figure a target bounds."""

    MEDIAN = "median"
    P99 = "p99"
    RATIO = "x reference"
    EXCESS = "above reference"


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure has to meet.

    Args:
        statistic: what is bounded; RATIO is the figure's median divided by the reference's, EXCESS
            their difference.
        at_most: largest value that meets it, in the figure's unit (RATIO has none).
        is_promise: whether it holds on every machine, however slow: a miss is a defect then.
    """

    statistic: Statistic
    at_most: float
    is_promise: bool = False


@dataclass(frozen=True, slots=True)
class Spread:
    """How measured values are distributed.

    Args:
        runs: how many there are, at least 1.
        median: of them.
        p95: 95th percentile, by nearest rank.
        p99: 99th percentile, by nearest rank.
    """

    runs: int
    median: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is measured against, in the same run and unit.

    Args:
        what: names it.
        spread: what was measured.
    """

    what: str
    spread: Spread


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Args:
        question: what was measured; unique within its module.
        unit: of all its numbers.
        spread: what was measured.
        reference: what it is measured against; None where nothing limits it.
        targets: bounds that it has to meet.
    """

    question: str
    unit: str
    spread: Spread
    reference: Reference | None = None
    targets: tuple[Target, ...] = ()

    @property
    def ratio(self) -> float | None:
        """Median divided by the reference's; None without a reference, or if that is 0."""
        if self.reference is None or self.reference.spread.median == 0:
            return None
        return self.spread.median / self.reference.spread.median

    def bounded(self, target: Target) -> float | None:
        """Return the value that a target bounds; None if it cannot be known."""
        match target.statistic:
            case Statistic.MEDIAN:
                return self.spread.median
            case Statistic.P99:
                return self.spread.p99
            case Statistic.RATIO:
                return self.ratio
            case Statistic.EXCESS if self.reference is not None:
                return self.spread.median - self.reference.spread.median
            case _:
                return None

    def meets(self, target: Target) -> bool:
        """Whether a target is met; one whose value cannot be known is not."""
        value = self.bounded(target)
        return value is not None and value <= target.at_most


def figure(
    question: str,
    unit: str,
    values: Sequence[float],
    reference: tuple[str, Sequence[float]] | None = None,
    *targets: Target,
) -> Figure:
    """Make a figure of runs.

    Args:
        question: what was measured.
        unit: of the values.
        values: one for each run, at least one.
        reference: what it is measured against, and its runs.
        targets: bounds that the figure has to meet.
    """
    against = None if reference is None else Reference(reference[0], spread_of(reference[1]))
    return Figure(question, unit, spread_of(values), against, targets)


def spread_of(values: Sequence[float]) -> Spread:
    """Summarise runs, at least one."""
    ordered = sorted(values)
    median = statistics.median(ordered)
    return Spread(len(ordered), median, _percentile(ordered, 0.95), _percentile(ordered, 0.99))


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
