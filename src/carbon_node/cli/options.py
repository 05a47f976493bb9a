"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from carbon_node.wire.contract import DOMAIN_RANGE

DomainOption = Annotated[
    int | None,
    typer.Option(
        min=DOMAIN_RANGE[0], max=DOMAIN_RANGE[-1], show_default=False, help="DDS domain id."
    ),
]
ConfigOption = Annotated[
    Path | None, typer.Option(help="Configuration file instead of those at standard places.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
