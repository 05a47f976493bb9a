"""Measured quantities beside their references."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Args:
        question: what was measured, and what the reference is.
        unit: of the numbers.
        runs: how many there were.
        median: of the runs.
        p95: 95th percentile.
        p99: 99th percentile.
        reference: median of the reference in the same run, None if there is none.
    """

    question: str
    unit: str
    runs: int
    median: float
    p95: float
    p99: float
    reference: float | None = None


def figure_of(
    question: str, unit: str, values: Sequence[float], reference: Sequence[float] = ()
) -> Figure:
    """Summarise runs.

    Args:
        question: what was measured.
        unit: of the values.
        values: one for each run, at least one.
        reference: the reference's runs, if there are any.
    """
    ordered = sorted(values)
    return Figure(
        question,
        unit,
        len(ordered),
        statistics.median(ordered),
        _percentile(ordered, 0.95),
        _percentile(ordered, 0.99),
        statistics.median(reference) if reference else None,
    )


def _percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_table(figures: Iterable[Figure]) -> None:
    """Print figures for people."""
    print(f"{'question':56} {'unit':5} {'runs':>5} {'median':>9} {'p95':>9} {'p99':>9} reference")
    for figure in figures:
        reference = "" if figure.reference is None else f"{figure.reference:9.3g}"
        print(
            f"{figure.question:56} {figure.unit:5} {figure.runs:5} {figure.median:9.3g} "
            f"{figure.p95:9.3g} {figure.p99:9.3g} {reference}"
        )
