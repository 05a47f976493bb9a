"""The command line: the only place that prints, and that ends the process.

Exit status: 0 after a graceful end, 1 when the work could not be done, 2 for arguments or settings
that cannot be used. Every failure is one line on stderr that says what to do next.
"""

import signal
import sys
from typing import Annotated, NoReturn

import typer

from carbon_node import __version__
from carbon_node.cli.lazy import Lazy, LazyGroup
from carbon_node.errors import CarbonNodeError, ConfigError

_COMMANDS = {
    "run": Lazy(
        "carbon_node.cli.run:run",
        "Run the node until SIGTERM or SIGINT; this is also what happens without a command.",
    ),
    "demo": Lazy(
        "carbon_node.cli.demo:demo",
        "Start a node and let simulated peers submit three tasks to it; print what it publishes.",
    ),
    "doctor": Lazy(
        "carbon_node.cli.doctor:doctor",
        "Say what can be measured here, what is missing, and the command or setting that fixes it.",
    ),
    "submit": Lazy(
        "carbon_node.cli.submit:submit",
        "Submit tasks as the other nodes of a pipeline would; print one line per result.",
    ),
    "estimate": Lazy(
        "carbon_node.cli.estimate:estimate",
        "Estimate energy and carbon of inferences; several machines or places are compared.",
    ),
    "place": Lazy(
        "carbon_node.cli.place:place_app",
        "Say what the text of a place means, and which intensity it has.",
    ),
    "status": Lazy(
        "carbon_node.cli.status:status",
        "Show what a running node does and has done; never joins the DDS domain.",
    ),
    "hardware": Lazy(
        "carbon_node.cli.hardware:hardware_app",
        "Find hardware by its name: catalogue, hardware map and preset.",
    ),
    "history": Lazy(
        "carbon_node.cli.history:history_app",
        "Show the results that a node has kept, also while it runs.",
    ),
    "service": Lazy(
        "carbon_node.cli.service:service_app",
        "Run the node as a systemd service.",
    ),
    "settings": Lazy(
        "carbon_node.cli.settings:settings_app",
        "Show, check and describe the settings of the node.",
    ),
}


class _Commands(LazyGroup):
    table = _COMMANDS


app = typer.Typer(
    name="carbon-node",
    cls=_Commands,
    help="Carbon footprint node of a SustainML pipeline.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(*, is_asked: bool) -> None:
    if is_asked:
        print(f"carbon-node {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        # Eager: what typer checks after it imports pydantic, which takes longer than all the rest.
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    """Carbon footprint node of a SustainML pipeline; without a command it runs the node."""


def main() -> NoReturn:
    """Run the command of this process, and end the process with its exit status."""
    # A shell that starts a command in the background has SIGINT ignored in it, and Python keeps to
    # that: every command can be stopped all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(_status_of_command())


def _status_of_command() -> int:
    try:
        status = app(sys.argv[1:] or ["run"], standalone_mode=False)
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
    # Needed by failures only.
    from carbon_node.observability.logs import STDERR_FD, write_at_once

    # Not through sys.stderr: a disk that is full would turn the exit status into 120.
    line = " ".join(message.split())
    write_at_once(STDERR_FD, f"carbon-node: {line}\n")
    return status
