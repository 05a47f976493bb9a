"""`carbon-node service`: the node as a systemd service."""

import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.service_unit import SYSTEM_UNITS, UNIT_NAME, UnitOptions, unit_text
from carbon_node.errors import ConfigError, ServiceError

service_app = typer.Typer(help="Run the node as a systemd service.", no_args_is_help=True)

_SYSTEMD_RUNS = Path("/run/systemd/system")
"""Exists if systemd is the service manager, see sd_booted(3)."""

PythonOption = Annotated[
    Path, typer.Option(help="Interpreter that has carbon_node installed; this one by default.")
]
UserOption = Annotated[
    str | None, typer.Option(help="Existing user to run as; systemd creates one by default.")
]
ConfigOption = Annotated[
    Path | None, typer.Option(help="Configuration file; the standard ones by default.")
]
UnitDirOption = Annotated[Path, typer.Option(help="Directory of the unit.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only print what would be done.")]

_THIS_PYTHON = Path(sys.executable)


@service_app.command("print")
def print_unit(
    python: PythonOption = _THIS_PYTHON, user: UserOption = None, config: ConfigOption = None
) -> None:
    """Print the unit."""
    print(unit_text(UnitOptions(python, user, config)), end="")


@service_app.command()
def install(
    python: PythonOption = _THIS_PYTHON,
    user: UserOption = None,
    config: ConfigOption = None,
    unit_dir: UnitDirOption = SYSTEM_UNITS,
    *,
    dry_run: DryRunOption = False,
) -> None:
    """Write the unit and have systemd read it; starts nothing."""
    text = unit_text(UnitOptions(python, user, config))
    _check_user(user)
    path = unit_dir / UNIT_NAME
    _do(f"write {path}", lambda: path.write_text(text), dry_run=dry_run)
    _systemctl("daemon-reload", dry_run=dry_run)
    print("Start it now and at every boot: systemctl enable --now carbon-node")


@service_app.command()
def uninstall(unit_dir: UnitDirOption = SYSTEM_UNITS, *, dry_run: DryRunOption = False) -> None:
    """Stop the service and remove its unit; results and settings stay."""
    path = unit_dir / UNIT_NAME
    if not path.exists():
        raise ServiceError(f"{path} does not exist: nothing is installed there")
    _systemctl("disable", "--now", UNIT_NAME, dry_run=dry_run)
    _do(f"remove {path}", path.unlink, dry_run=dry_run)
    _systemctl("daemon-reload", dry_run=dry_run)
    print("Results stay in /var/lib/carbon-node, settings in /etc/carbon-node.")


def _check_user(user: str | None) -> None:
    try:
        if user is not None:
            pwd.getpwnam(user)
    except KeyError as error:
        raise ConfigError(f"user {user} does not exist; create it, or leave out --user") from error


def _do(what: str, action: Callable[[], object], *, dry_run: bool) -> None:
    print(f"{'Would ' if dry_run else ''}{what}")
    if dry_run:
        return
    try:
        action()
    except OSError as error:
        raise ServiceError(f"cannot {what}: {error.strerror}; run this as root") from error


def _systemctl(*arguments: str, dry_run: bool) -> None:
    systemctl = shutil.which("systemctl")
    if systemctl is None or not _SYSTEMD_RUNS.is_dir():
        print(f"systemd is not running here: skipped systemctl {' '.join(arguments)}")
        return
    command = (systemctl, *arguments)
    _do(f"run {' '.join(command)}", lambda: _run(command), dry_run=dry_run)


def _run(command: tuple[str, ...]) -> None:
    # The arguments are this module's own, and the path is the system's systemctl.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        raise ServiceError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
