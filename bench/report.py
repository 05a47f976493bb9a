"""What a run found, for people and for the next run."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure, Reference, Spread, Statistic, Target
from bench.machine import Machine

COLUMNS = ("question", "unit", "runs", "median", "p95", "p99", "reference", "ratio", "target")

WIDTH = 100
"""Columns of prose beside the tables."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Args:
        machine: where.
        effort: "full" or "quick".
        figures: by the name of the benchmark.
        failures: what went wrong, by the name of the benchmark.
    """

    machine: Machine
    effort: str
    figures: dict[str, Sequence[Figure]]
    failures: dict[str, str]

    @property
    def broken_promises(self) -> list[str]:
        """What must hold on every machine and does not."""
        broken = (
            f"{figure.question} is {figure.bounded(target):g}, at most {target.at_most:g} is right"
            for figures in self.figures.values()
            for figure in figures
            for target in figure.targets
            if target.is_promise and not figure.meets(target)
        )
        return [*broken, *(f"{name} failed: {why}" for name, why in self.failures.items())]


def to_json(report: Report) -> str:
    """Write a report for the next run and other programs."""
    figures = {name: [*map(_written, rows)] for name, rows in report.figures.items()}
    return json.dumps({**asdict(report), "figures": figures}, indent=1)


def figures_to_json(figures: Sequence[Figure]) -> str:
    """Write the figures of one benchmark."""
    return json.dumps([*map(_written, figures)])


def figures_from_json(text: str) -> list[Figure]:
    """Read what `figures_to_json` wrote."""
    return [*map(_figure, json.loads(text))]


def _written(figure: Figure) -> dict[str, object]:
    targets = [_target(figure, target) for target in figure.targets]
    return {**asdict(figure), "ratio": figure.ratio, "targets": targets}


def _target(figure: Figure, target: Target) -> dict[str, object]:
    value = figure.bounded(target)
    return {**asdict(target), "value": value, "is_met": figure.meets(target)}


def read(path: Path) -> Report:
    """Read what `to_json` wrote.

    Raises:
        ValueError: it is no report.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Report(
            Machine(**content["machine"]),
            content["effort"],
            {name: [*map(_figure, rows)] for name, rows in content["figures"].items()},
            content["failures"],
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{path} is no result of scripts/bench ({type(error).__name__}: {error}); name a file"
            " that it has written"
        ) from error


def _figure(row: dict[str, Any]) -> Figure:
    reference = row["reference"]
    targets = (
        Target(Statistic(each["statistic"]), each["at_most"], each["is_promise"])
        for each in row["targets"]
    )
    return Figure(
        row["question"],
        row["unit"],
        Spread(**row["spread"]),
        reference and Reference(reference["what"], Spread(**reference["spread"])),
        tuple(targets),
    )


def table(report: Report) -> str:
    """Write a report as a table of Markdown for each benchmark, which reads well as it is."""
    parts = [textwrap.fill(report.machine.text(), WIDTH)]
    for name, figures in report.figures.items():
        rows = [COLUMNS, *map(_row, figures)]
        parts.append(f"### {name}\n\n" + _markdown(rows))
    return "\n\n".join(parts) + "\n"


def comparison(report: Report, earlier: Report) -> str:
    """Write a table of each figure's median divided by that of an earlier run."""
    rows = [
        ("benchmark", "question", "unit", "before", "now", "now / before"),
        *_ratios(report, earlier),
    ]
    return f"before: {earlier.machine.text()}\n\n{_markdown(rows)}\n"


def _ratios(report: Report, earlier: Report) -> Iterator[tuple[str, ...]]:
    before = {
        (name, figure.question): figure
        for name, figures in earlier.figures.items()
        for figure in figures
    }
    for name, figures in report.figures.items():
        for figure in figures:
            old = before.get((name, figure.question))
            if old is None:
                yield name, figure.question, figure.unit, "-", number(figure.spread.median), "-"
                continue
            was, now = old.spread.median, figure.spread.median
            ratio = f"{now / was:.2f}" if was else "-"
            yield name, figure.question, figure.unit, number(was), number(now), ratio


def _row(figure: Figure) -> tuple[str, ...]:
    spread, reference = figure.spread, figure.reference
    tail = (spread.p95, spread.p99) if spread.runs > 1 else ()
    against = "" if reference is None else f"{number(reference.spread.median)} ({reference.what})"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return (
        figure.question,
        figure.unit,
        str(spread.runs),
        number(spread.median),
        *(map(number, tail) if tail else ("", "")),
        against,
        ratio,
        "; ".join(_verdict(figure, target) for target in figure.targets),
    )


def _verdict(figure: Figure, target: Target) -> str:
    met = "met" if figure.meets(target) else "MISSED"
    return f"{target.statistic} <= {target.at_most:g} {met}"


def number(value: float) -> str:
    """Write a number with three significant digits, without an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    ruler = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], ruler, *lines[1:]])
