"""`carbon-node status`: what a running node does, asked through its local interface."""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from carbon_node.cli.options import JsonOption
from carbon_node.errors import ConfigError, InterfaceError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from carbon_node.http.address import Address

# Settings, http.client and rich are imported where they are used: other commands start without.

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
        float, typer.Option(min=0.1, max=3600, help="Seconds between two looks with --watch.")
    ] = 1.0,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a running node does and has done; never joins the DDS domain."""
    address = _address(http_listen)
    if as_json:
        _print_json(address, interval if watch else None)
    elif watch:
        _watch(address, interval)
    else:
        from rich.console import Console

        console = Console()
        console.print(_screen(address, console.width))


def _address(http_listen: str | None) -> "Address":
    from carbon_node.http.address import parse_address
    from carbon_node.settings import load

    listen = load({"http_listen": http_listen}).settings.http_listen
    address = parse_address(listen)
    if address is None:
        raise ConfigError("http_listen is off: a node that runs like this cannot be asked")
    return address


def _screen(address: "Address", width: int) -> "RenderableType":
    from carbon_node.cli.status_screen import screen
    from carbon_node.http.client import ask

    results = ask(address, f"/api/results?limit={RECENT_RESULTS}")
    return screen(ask(address, "/api/status"), results, datetime.now(UTC), width)


def _print_json(address: "Address", interval_s: float | None) -> None:
    from carbon_node.http.client import ask

    while True:
        print(json.dumps(ask(address, "/api/status")), flush=True)
        if interval_s is None:
            return
        time.sleep(interval_s)


def _watch(address: "Address", interval_s: float) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console()
    shown = _screen(address, console.width)
    with contextlib.suppress(KeyboardInterrupt), Live(shown, console=console, screen=True) as live:
        while True:
            time.sleep(interval_s)
            try:
                shown = _screen(address, console.width)
                live.update(shown)
            except InterfaceError as error:  # it may be restarting: go on looking
                live.update(Group(Text(str(error), style="red"), shown))
