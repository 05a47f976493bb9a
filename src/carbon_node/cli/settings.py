"""`carbon-node settings`: what a node would run with, whether a file is valid, what can be set."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from carbon_node.cli.options import ConfigOption
from carbon_node.estimation import Place
from carbon_node.hardware import Preset, preset
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.settings import Loaded, Origin, Source, load
from carbon_node.settings.catalogue import catalogue, flat, shown
from carbon_node.settings.catalogue import schema as json_schema
from carbon_node.settings.loading import problems_of_file
from carbon_node.settings.persisted import persisted_path

settings_app = typer.Typer(
    help="Show, check and describe the settings of the node.", no_args_is_help=True
)

_PIPE_WIDTH = 2000
"""Columns of the table where no terminal says how many there are: no line is broken for a pipe."""

_COLUMNS = {"Setting": 0, "Value": 0, "From": 0, "Allowed": 96, "Changes": 0, "Meaning": 150}
"""Columns of the table, and how wide the terminal must be for each."""


@settings_app.command()
def show(
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show every setting of a node that is started now, with where its value comes from."""
    loaded = load({}, config=config)
    if as_json:
        print(json.dumps(_as_json(loaded), indent=2))
    else:
        _print_table(loaded)


@settings_app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Configuration file in TOML.")],
) -> int:
    """Check a configuration file; status 2 and one line for each problem if it is not valid."""
    problems = problems_of_file(file) or _place_problems(file)
    for line in problems or (f"{file} is valid",):
        print(line)
    return 2 if problems else 0


def _place_problems(file: Path) -> tuple[str, ...]:
    """Say what of the file's place is not understood; a node would start, and leave it out."""
    place = load({}, {}, config=file).settings.place
    problem = IntensityLookup(IntensityConfig()).not_understood(Place(place))
    return () if problem is None else (f"place is not understood ({file}): {problem}",)


@settings_app.command()
def schema() -> None:
    """Print the JSON schema of a configuration file."""
    print(json.dumps(json_schema(), indent=2))


def _as_json(loaded: Loaded) -> dict[str, object]:
    values, origins = flat(loaded.settings), loaded.configuration.origins
    return {
        "settings": {
            key: {
                "value": shown(values[key]),
                "unit": entry.unit,
                "origin": str(origins[key]),
                "default": shown(entry.default),
                "allowed": entry.allowed,
                "changeable": not entry.fixed,
                "description": entry.description,
            }
            for key, entry in catalogue().items()
        },
        "hardware_preset": [
            {
                "name": entry.name,
                "same_as": entry.same_as,
                "count": entry.count,
                "latency_unit": entry.latency_unit,
                "later_latency_unit": entry.later_latency_unit,
                "pue": entry.pue,
            }
            for entry in preset(loaded.settings.hardware_preset)
        ],
        "files": [str(path) for path in loaded.files],
        "warnings": list(loaded.warnings),
    }


def _print_table(loaded: Loaded) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH)
    console.print(_table(loaded, console.width))
    for line in _notes(loaded):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(loaded: Loaded, width: int) -> Table:
    columns = [name for name, needed in _COLUMNS.items() if width >= needed]
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name == "Setting")
    for cells, origin in _rows(loaded):
        style = "" if origin.source is Source.DEFAULT else "bold"
        table.add_row(*(Text(cells[name]) for name in columns), style=style)
    return table


def _rows(loaded: Loaded) -> Iterator[tuple[dict[str, str], Origin]]:
    values, origins = flat(loaded.settings), loaded.configuration.origins
    for key, entry in catalogue().items():
        cells = {
            "Setting": key,
            "Value": _words(values[key], entry.unit),
            "From": str(origins[key]),
            "Allowed": entry.range or entry.noun,
            "Changes": "at restart" if entry.fixed else "any time",
            "Meaning": entry.description,
        }
        yield cells, origins[key]


def _words(value: object, unit: str) -> str:
    match shown(value):
        case None | "" | []:
            return "-"
        case bool() as fact:
            return "true" if fact else "false"
        case int() | float() as number:
            return f"{number:.12g} {unit}".rstrip()
        case list() as parts:
            return ", ".join(map(str, parts))
        case dict() as table:
            return ", ".join(table) or "-"
        case other:
            return str(other)


def _preset(name: Preset) -> str:
    names = ", ".join(entry.name for entry in preset(name))
    return f"Preset {name} of the hardware map: {names or 'no entries'}"


def _notes(loaded: Loaded) -> Iterable[str]:
    settings = loaded.settings
    yield ""
    yield "Files read: " + (", ".join(map(str, loaded.files)) or "none")
    if settings.persist_configuration:
        yield f"Changes by request are kept in {persisted_path(settings)}"
    yield _preset(settings.hardware_preset)
    for warning in loaded.warnings:
        yield f"Warning: {warning}"
    yield "These are the settings of a node that this user starts here and now."
    if settings.http_listen != "off":
        yield f"A running node tells its own at /api/settings of {settings.http_listen}."
