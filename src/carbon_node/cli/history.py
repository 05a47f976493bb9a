"""`carbon-node history`: the results that a node has kept, also while it runs."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.export import write_csv, write_json, write_parquet
from carbon_node.cli.history_query import (
    HardwareOption,
    LastOption,
    ModelOption,
    PlaceOption,
    SinceOption,
    StateDirOption,
    UntilOption,
    opened,
    query_of,
)
from carbon_node.cli.history_table import print_history
from carbon_node.cli.lazy import Lazy, LazyGroup
from carbon_node.cli.options import JsonOption
from carbon_node.errors import ConfigError
from carbon_node.store.database import Database
from carbon_node.store.history import Query, editions, totals

LAST_SHOWN = 20
"""Results in the table unless another number is asked for; exports have all."""


# matplotlib takes half a second to import
_COMMANDS = {
    "plot": Lazy(
        "carbon_node.cli.plot:plot",
        "Draw the footprint of each task with its interval, and of each model and place.",
    )
}


class _Commands(LazyGroup):
    table = _COMMANDS


history_app = typer.Typer(
    cls=_Commands,
    help="Show the results that a node has kept, also while it runs.",
    invoke_without_command=True,
)


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
    query = query_of(model, hardware, place, since, until, last)
    with opened(state_dir) as database:
        if parquet is not None:
            _write_parquet(database, query, parquet)
        elif as_json or as_csv:
            _print_rows(database, query, as_json=as_json)
        else:
            _print_table(database, query)


def _refuse_options(context: typer.Context) -> None:
    """Refuse options before the subcommand, which would be ignored."""
    given = [name for name, value in context.params.items() if value not in (None, "", False)]
    if given:
        option = given[0].removeprefix("as_").replace("_", "-")
        name = context.invoked_subcommand
        raise ConfigError(f"--{option} comes after {name}: carbon-node history {name} --{option}")


def _write_parquet(database: Database, query: Query, path: Path) -> None:
    write_parquet(editions(database, query), path)
    print(path)


def _print_rows(database: Database, query: Query, *, as_json: bool) -> None:
    if as_json:
        write_json(editions(database, query), totals(database, query), sys.stdout)
    else:
        write_csv(editions(database, query), sys.stdout)


def _print_table(database: Database, query: Query) -> None:
    shown = replace(query, last=query.last or LAST_SHOWN)
    print_history(list(editions(database, shown)), totals(database, query))
