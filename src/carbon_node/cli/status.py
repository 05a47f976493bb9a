"""`carbon-node status`: what a running node does, asked through its local interface."""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from carbon_node.cli.options import JsonOption
from carbon_node.cli.status_screen import screen
from carbon_node.errors import ConfigError, InterfaceError
from carbon_node.http.address import Address, parse_address
from carbon_node.http.client import ask
from carbon_node.settings import load

RECENT_RESULTS = 10
"""Results that the screen shows."""


def status(
    http_listen: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help="HOST:PORT or socket path of the node, if not as configured.",
        ),
    ] = None,
    interval: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between refreshes with --watch.")
    ] = 1.0,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a running node does and has done; never joins the DDS domain."""
    address = _address(http_listen)
    if as_json:
        _print_json(address, interval if watch else None)
    elif watch:
        _watch(address, interval)
    else:
        console = Console()
        console.print(_screen(address, console.width))


def _address(http_listen: str | None) -> Address:
    listen = load({"http_listen": http_listen}).settings.http_listen
    address = parse_address(listen)
    if address is None:
        raise ConfigError("http_listen is off: a node with this setting cannot be asked")
    return address


def _screen(address: Address, width: int) -> RenderableType:
    results = ask(address, f"/api/results?limit={RECENT_RESULTS}")
    return screen(ask(address, "/api/status"), results, datetime.now(UTC), width)


def _print_json(address: Address, interval_s: float | None) -> None:
    while True:
        print(json.dumps(ask(address, "/api/status")), flush=True)
        if interval_s is None:
            return
        time.sleep(interval_s)


def _watch(address: Address, interval_s: float) -> None:
    console = Console()
    shown = _screen(address, console.width)
    with contextlib.suppress(KeyboardInterrupt), Live(shown, console=console, screen=True) as live:
        while True:
            time.sleep(interval_s)
            try:
                shown = _screen(address, console.width)
                live.update(shown)
            except InterfaceError as error:
                # It may be restarting: keep trying.
                live.update(Group(Text(str(error), style="red"), shown))
