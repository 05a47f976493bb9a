"""`carbon-node history`: the results that a node has kept, also while it runs."""

import re
import sys
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carbon_node.cli.options import JsonOption
from carbon_node.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from carbon_node.store.database import Database
    from carbon_node.store.history import Query

# The store, settings and rich are imported where they are used: other commands start without.

history_app = typer.Typer(
    help="Show the results that a node has kept, also while it runs.", invoke_without_command=True
)

LAST_SHOWN = 20
"""Results in the table unless another number is asked for; exports have all."""

LAST_DRAWN = 200
"""Results in the chart unless another number is asked for."""

_AGE = re.compile(r"(\d+(?:\.\d+)?) ?([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

StateDirOption = Annotated[
    Path | None,
    typer.Option(show_default=False, help="State directory of the node, if not as configured."),
]
ModelOption = Annotated[str, typer.Option(show_default=False, help="Part of the model id.")]
HardwareOption = Annotated[str, typer.Option(show_default=False, help="Part of the hardware.")]
PlaceOption = Annotated[
    str, typer.Option(show_default=False, help="Place code, or part of the place as sent.")
]
SinceOption = Annotated[
    str,
    typer.Option(
        show_default=False, help="Accepted from then on: 2026-05-01, 2026-05-01T12:30, or 24h, 7d."
    ),
]
UntilOption = Annotated[
    str, typer.Option(show_default=False, help="Accepted before then; times without zone are UTC.")
]
LastOption = Annotated[
    int | None, typer.Option(min=1, show_default=False, help="Only so many, the newest ones.")
]


@history_app.callback()
def history(
    context: typer.Context,
    state_dir: StateDirOption = None,
    model: ModelOption = "",
    hardware: HardwareOption = "",
    place: PlaceOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    last: LastOption = None,
    parquet: Annotated[
        Path | None, typer.Option(show_default=False, help="Write a Parquet file (needs pyarrow).")
    ] = None,
    *,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """Show the results that a node has kept, also while it runs."""
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    query = _query(model, hardware, place, since, until, last)
    with _opened(state_dir) as database:
        if parquet is not None:
            _write_parquet(database, query, parquet)
        elif as_json or as_csv:
            _print_rows(database, query, as_json=as_json)
        else:
            _print_table(database, query)


@history_app.command()
def plot(
    output: Annotated[Path, typer.Option(help="File to draw to: .svg or .png.")],
    state_dir: StateDirOption = None,
    model: ModelOption = "",
    hardware: HardwareOption = "",
    place: PlaceOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    last: LastOption = LAST_DRAWN,
) -> None:
    """Draw the footprint of each task with its interval, and of each model and place."""
    from carbon_node.cli.chart import draw
    from carbon_node.store.history import editions

    query = replace(_query(model, hardware, place, since, until, last), has_numbers=True)
    with _opened(state_dir) as database:
        count = draw(editions(database, query), output)
    print(f"{output}: {count} results")


def _refuse_options(context: typer.Context) -> None:
    """Options before the subcommand would be lost: say so."""
    given = [name for name, value in context.params.items() if value not in (None, "", False)]
    if given:
        option = given[0].removeprefix("as_").replace("_", "-")
        name = context.invoked_subcommand
        raise ConfigError(f"--{option} comes after {name}: carbon-node history {name} --{option}")


@contextmanager
def _opened(state_dir: Path | None) -> "Iterator[Database]":
    from carbon_node.store.history import open_history

    with closing(open_history(state_dir or _configured_state_dir())) as database:
        yield database


def _configured_state_dir() -> Path:
    from carbon_node.settings import load

    return load({}).settings.state_dir


def _query(
    model: str, hardware: str, place: str, since: str, until: str, last: int | None
) -> "Query":
    from carbon_node.store.history import Query

    now = datetime.now(UTC)
    return Query(
        model=model,
        hardware=hardware,
        place=place,
        since=_time(since, now) if since else None,
        until=_time(until, now) if until else None,
        last=last,
    )


def _time(text: str, now: datetime) -> datetime:
    """Return the time that a text names: a date, a date with time, or an age such as 24h."""
    if age := _AGE.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[age[2]]: float(age[1])})
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no time: write 2026-05-01, 2026-05-01T12:30, or an age such as 24h or 7d"
        ) from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def _write_parquet(database: "Database", query: "Query", path: Path) -> None:
    from carbon_node.cli.export import write_parquet
    from carbon_node.store.history import editions

    write_parquet(editions(database, query), path)
    print(path)


def _print_rows(database: "Database", query: "Query", *, as_json: bool) -> None:
    from carbon_node.cli.export import write_csv, write_json
    from carbon_node.store.history import editions, totals

    if as_json:
        write_json(editions(database, query), totals(database, query), sys.stdout)
    else:
        write_csv(editions(database, query), sys.stdout)


def _print_table(database: "Database", query: "Query") -> None:
    from carbon_node.cli.history_table import print_history
    from carbon_node.store.history import editions, totals

    shown = replace(query, last=query.last or LAST_SHOWN)
    print_history(list(editions(database, shown)), totals(database, query))
