"""The table of `carbon-node history`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from carbon_node.store.editions import Edition
from carbon_node.store.history import Totals
from carbon_node.tasks.answer import Answer, Outcome

_PREFIXES = ((1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))

_CELL_LIMIT = 60
"""Characters of a cell; peers may send long texts."""

_PIPE_WIDTH = 200
"""Columns where no terminal says how many there are: no line is broken for a pipe."""


@dataclass(frozen=True, slots=True)
class _Column:
    """A column, and the width of the terminal from which on there is room for it."""

    name: str
    from_width: int = 0
    is_number: bool = False
    is_text: bool = False


_COLUMNS = (
    _Column("Accepted (UTC)"),
    _Column("Task"),
    _Column("Model", is_text=True),
    _Column("Hardware", from_width=110, is_text=True),
    _Column("Place", from_width=95, is_text=True),
    _Column("Intensity", from_width=130, is_number=True),
    _Column("Energy", is_number=True),
    _Column("Carbon", is_number=True),
    _Column("Interval", from_width=130, is_number=True),
    _Column("Outcome", is_text=True),
)


def print_history(editions: Sequence[Edition], totals: Totals) -> None:
    """Print editions, oldest first, and the totals below them."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    if editions:
        console.print(_table(editions, console.width))
        console.print()
    for line in _summary(len(editions), totals):
        console.print(line, highlight=False, soft_wrap=True)


def quantity(value: float, unit: str) -> str:
    """Return a number with a prefix that keeps it readable: `1.23 mWh`."""
    factor, prefix = next((pair for pair in _PREFIXES if abs(value) >= pair[0]), (1.0, ""))
    return f"{value / factor:.3g} {prefix}{unit}"


def _table(editions: Sequence[Edition], width: int) -> Table:
    columns = [column for column in _COLUMNS if width >= column.from_width]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            no_wrap=not column.is_text,
            overflow="fold",
        )
    for edition in editions:
        style = "dim" if edition.is_superseded or edition.answer is None else ""
        cells = _cells(edition)
        table.add_row(*(Text(cells[column.name]) for column in columns), style=style)
    return table


def _cells(edition: Edition) -> dict[str, str]:
    accepted = datetime.fromtimestamp(edition.accepted_at_ms / 1000, UTC)
    summary, answer = edition.summary, edition.answer
    code = answer.place_code if answer else ""
    cells = {
        "Accepted (UTC)": f"{accepted:%Y-%m-%d %H:%M:%S}",
        "Task": f"{edition.key.task_id.problem_id}.{edition.key.task_id.iteration_id}",
        "Model": _shown(summary.model),
        "Hardware": _shown(summary.hardware),
        "Place": _shown(" ".join(part for part in (code, summary.place) if part)),
        "Outcome": _outcome(edition),
    }
    numbers = _numbers(answer) if answer else ("-", "-", "-", "-")
    return cells | dict(zip(("Intensity", "Energy", "Carbon", "Interval"), numbers, strict=True))


def _shown(text: str) -> str:
    """Return text of a peer on one short line that gives the terminal no commands."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _CELL_LIMIT else f"{line[: _CELL_LIMIT - 1]}…"


def _numbers(answer: Answer) -> tuple[str, str, str, str]:
    intensity, energy, carbon = answer.intensity_g_per_kwh, answer.energy_kwh, answer.carbon_g
    ends = [end for end in (answer.carbon_low_g, answer.carbon_high_g) if end is not None]
    return (
        "-" if intensity is None else f"{intensity:.4g} g/kWh",
        "-" if energy is None else quantity(energy * 1000, "Wh"),
        "-" if carbon is None else quantity(carbon, "g"),
        "-" if len(ends) < 2 else " - ".join(quantity(end, "g") for end in ends),
    )


def _outcome(edition: Edition) -> str:
    answer = edition.answer
    if answer is None:
        return "unanswered"
    word = answer.mode if answer.outcome is Outcome.COMPUTED else f"not computed: {answer.reason}"
    return f"{word} (superseded)" if edition.is_superseded else word


def _summary(shown: int, totals: Totals) -> list[str]:
    if not totals.results and not totals.unanswered:
        return ["No result matches."]
    parts = [f"{totals.results:,} results of {totals.tasks:,} tasks"]
    if shown < totals.results + totals.unanswered:
        parts.append(f"the last {shown:,} shown")
    if totals.unanswered:
        parts.append(f"{totals.unanswered:,} unanswered")
    energy, carbon = quantity(totals.energy_kwh * 1000, "Wh"), quantity(totals.carbon_g, "gCO2e")
    return [
        "; ".join(parts) + ".",
        f"Newest answers of {totals.computed:,} tasks together: {energy}, {carbon}.",
    ]
