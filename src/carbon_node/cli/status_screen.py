"""What a node answered about itself, laid out for a terminal."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from carbon_node.tasks.answer import WORDS, Outcome

# An object of the interface's JSON.
Fields: TypeAlias = dict[str, Any]

_STATE_STYLES = {"IDLE": "green", "RUNNING": "cyan", "INITIALIZING": "yellow"}
_SI_PREFIXES = {-4: "p", -3: "n", -2: "µ", -1: "m", 0: "", 1: "k", 2: "M", 3: "G"}
_WH_PER_KWH = 1000

_RESULT_COLUMNS = {
    "Task": 0,
    "Ago": 0,
    "Outcome": 0,
    "Energy": 0,
    "Carbon": 0,
    "g/kWh": 0,
    "Model": 0,
    "Place": 96,
    "Hardware": 116,
    "Mode": 132,
}
"""Columns of the table of results, and how wide the terminal must be for each."""

_NUMBERS = ("Ago", "Energy", "Carbon", "g/kWh", "Since")
_NAMES = ("Model", "Place", "Hardware")
# What all columns but the names take together.
_OTHERS_WIDTH = 70
# Least and most that a name takes.
_NAME_WIDTHS = (8, 32)


def screen(status: Fields, results: Sequence[Fields], now: datetime, width: int) -> RenderableType:
    """Return the screen.

    Args:
        status: answer of `/api/status`.
        results: answer of `/api/results`, newest first.
        now: current time, with its zone.
        width: columns of the terminal.
    """
    node = status["node"]
    parts: list[RenderableType] = [_overview(node, status["totals"])]
    parts += [Text(f"  no progress: {reason}", style="bold red") for reason in node["stalled"]]
    parts += [Text(f"  degraded: {reason}", style="yellow") for reason in node["degraded"]]
    parts += [Text(f"  warning: {reason}", style="yellow") for reason in node["warnings"]]
    if node["running"]:
        parts.append(_running(node["running"]))
    parts.append(_results(results, now, width) if results else _indented(Text("No results yet.")))
    return Group(*parts)


def quantity(value: float | None, unit: str) -> str:
    """Return a number with three digits and an SI prefix before its unit, "-" for none."""
    if value is None or not math.isfinite(value):
        return "-"
    if value == 0:
        return f"0 {unit}"
    rounded = float(f"{value:.2e}")
    power = math.floor(math.log10(abs(rounded)) / 3)
    power = min(max(power, min(_SI_PREFIXES)), max(_SI_PREFIXES))
    return f"{rounded / 1000.0**power:.3g} {_SI_PREFIXES[power]}{unit}"


def _overview(node: Fields, totals: Fields) -> Panel:
    counts = [
        (node["incomplete"], "wait for inputs"),
        (node["waiting"], "wait for a worker"),
        (len(node["running"]), "running"),
    ]
    counts += [(count, outcome) for outcome, count in sorted(totals["tasks"].items())]
    energy = quantity(totals["energy_kwh"] * _WH_PER_KWH, "Wh")
    lines = [
        Text.assemble(
            (f"● {node['state']}", f"bold {_STATE_STYLES.get(node['state'], 'red')}"),
            (f"   domain {node['domain']}   {node['transport']}   process {node['pid']}", "dim"),
        ),
        Text("   ".join(f"{count} {what}" for count, what in counts)),
        Text.assemble(
            f"{energy}   {quantity(totals['carbon_g'], 'g')} CO2e", ("   since the start", "dim")
        ),
    ]
    return Panel(
        Group(*lines),
        title=f"carbon_node {node['version']}",
        subtitle=f"up {timedelta(seconds=int(node['uptime_s']))}",
        title_align="left",
        subtitle_align="right",
        box=box.ROUNDED,
    )


def _running(tasks: Sequence[Fields]) -> RenderableType:
    table = _table("Running", ["Task", "Stage", "Since"], 0)
    for task in tasks:
        table.add_row(_task(task), Text(task["stage"]), f"{task['running_s']:.1f} s")
    return _indented(table)


def _results(results: Sequence[Fields], now: datetime, width: int) -> RenderableType:
    columns = [name for name, needed in _RESULT_COLUMNS.items() if width >= needed]
    table = _table("Latest results", columns, width)
    for result in results:
        cells = _cells(result, now)
        # Zero carbon marks a failed task.
        style = "" if result["carbon_g"] else "yellow"
        table.add_row(*(Text(cells[name], style=style) for name in columns))
    return _indented(table)


def _cells(result: Fields, now: datetime) -> dict[str, str]:
    energy_kwh, intensity = result["energy_kwh"], result["intensity_g_per_kwh"]
    return {
        "Task": _task(result),
        "Ago": _ago(result["finished_at"], now),
        "Outcome": WORDS[Outcome(result["outcome"])],
        "Energy": quantity(energy_kwh and energy_kwh * _WH_PER_KWH, "Wh"),
        "Carbon": quantity(result["carbon_g"], "g"),
        "g/kWh": "-" if intensity is None else f"{intensity:.0f}",
        "Model": result["model"],
        "Place": result["place_name"] or result["place"],
        "Hardware": result["hardware"],
        "Mode": result["mode"],
    }


def _task(fields: Fields) -> str:
    return f"{fields['problem_id']}.{fields['iteration_id']}"


def _ago(timestamp: str, now: datetime) -> str:
    seconds = (now - datetime.fromisoformat(timestamp)).total_seconds()
    for size_s, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _table(title: str, columns: Sequence[str], width: int) -> Table:
    """Return an empty table in which only names are cut, to what the terminal leaves for them."""
    least, most = _NAME_WIDTHS
    name_count = max(len([name for name in columns if name in _NAMES]), 1)
    name_width = min(max((width - _OTHERS_WIDTH) // name_count, least), most)
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        header_style="dim",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in _NUMBERS else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=name_width if name in _NAMES else None,
        )
    return table


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (1, 2, 0, 2))
