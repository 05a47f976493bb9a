"""`carbon-node history plot`: the results that a node has kept as a picture."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.chart import draw
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
from carbon_node.store.history import editions

LAST_DRAWN = 200
"""Results in the chart unless another number is asked for."""


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
    query = replace(query_of(model, hardware, place, since, until, last), has_numbers=True)
    with opened(state_dir) as database:
        count = draw(editions(database, query), output)
    print(f"{output}: {count} results")
