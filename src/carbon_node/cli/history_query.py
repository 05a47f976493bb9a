"""Which results the history commands select, and where they are kept."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.errors import ConfigError
from carbon_node.settings import load
from carbon_node.store.database import Database
from carbon_node.store.history import Query, open_history

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


@contextmanager
def opened(state_dir: Path | None) -> Iterator[Database]:
    """Open the results for reading.

    Args:
        state_dir: state directory of the node; None for the one that its settings name.

    Raises:
        CarbonNodeError: there are none, or they cannot be read.
    """
    with closing(open_history(state_dir or load({}).settings.state_dir)) as database:
        yield database


def query_of(
    model: str, hardware: str, place: str, since: str, until: str, last: int | None
) -> Query:
    """Return the query that the options describe.

    Raises:
        ConfigError: a time cannot be read.
    """
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
    """Read a date, a date with time, or an age such as 24h."""
    if age := _AGE.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[age[2]]: float(age[1])})
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a time: write 2026-05-01, 2026-05-01T12:30, or an age such as 24h"
        ) from error
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
