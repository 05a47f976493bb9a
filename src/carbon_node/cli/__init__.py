"""The command line: the only place that prints, and that ends the process.

Exit status: 0 after a graceful end, 1 when the work could not be done, 2 for arguments or settings
that cannot be used. Every failure is one line on stderr that says what to do next.
"""

import sys
from typing import Annotated, NoReturn

import typer

from carbon_node import __version__
from carbon_node.cli.demo import demo
from carbon_node.cli.doctor import doctor
from carbon_node.cli.estimate import estimate
from carbon_node.cli.hardware import hardware_app
from carbon_node.cli.history import history_app
from carbon_node.cli.run import run
from carbon_node.cli.service import service_app
from carbon_node.cli.settings import settings_app
from carbon_node.cli.status import status
from carbon_node.cli.submit import submit
from carbon_node.errors import CarbonNodeError, ConfigError

app = typer.Typer(
    name="carbon-node",
    help="Carbon footprint node of a SustainML pipeline.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(run)
app.command()(demo)
app.command()(doctor)
app.command()(submit)
app.command()(estimate)
app.command()(status)
app.add_typer(hardware_app, name="hardware")
app.add_typer(history_app, name="history")
app.add_typer(service_app, name="service")
app.add_typer(settings_app, name="settings")


@app.callback()
def run_without_command(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> int:
    """Carbon footprint node of a SustainML pipeline; without a command it runs the node."""
    if version:
        print(f"carbon-node {__version__}")
        raise typer.Exit
    return run() if context.invoked_subcommand is None else 0


def main() -> NoReturn:
    """Run the command of this process, and end the process with its exit status."""
    sys.exit(_status_of_command())


def _status_of_command() -> int:
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        return _fail(error.format_message(), 2)
    except ConfigError as error:
        return _fail(str(error), 2)
    except CarbonNodeError as error:
        return _fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int) -> int:
    from carbon_node.observability.logs import STDERR_FD, write_at_once

    # Not through sys.stderr: a disk that is full would turn the exit status into 120.
    line = " ".join(message.split())
    write_at_once(STDERR_FD, f"carbon-node: {line}\n")
    return status
