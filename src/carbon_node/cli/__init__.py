"""The command line: the only place that prints, and that ends the process.

Exit status: 0 after a graceful end, 1 when the work could not be done, 2 for arguments or settings that cannot be used.
Every failure is one line on stderr that says what to do next.
"""

import sys
from typing import NoReturn

import click
import typer

from carbon_node.cli.settings import settings_app
from carbon_node.errors import CarbonNodeError, ConfigError

app = typer.Typer(
    name="carbon-node",
    help="Carbon footprint node of a SustainML pipeline.",
    no_args_is_help=False,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(settings_app, name="settings")


def main() -> NoReturn:
    """Run the command that the process was started with, and end the process with its exit status."""
    sys.exit(_status_of_command())


def _status_of_command() -> int:
    try:
        status = app(standalone_mode=False)
    except click.ClickException as error:
        return _fail(error.format_message(), 2)
    except ConfigError as error:
        return _fail(str(error), 2)
    except CarbonNodeError as error:
        return _fail(str(error), 1)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", 130)
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int) -> int:
    line = " ".join(message.split())
    print(f"carbon-node: {line}", file=sys.stderr)
    return status
