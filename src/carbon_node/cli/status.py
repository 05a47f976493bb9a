"""`carbon-node status`: what a running node does, asked through its local interface."""

import contextlib
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from carbon_node.cli.options import JsonOption
from carbon_node.cli.status_screen import screen
from carbon_node.errors import ConfigError, InterfaceError
from carbon_node.http.address import parse_address
from carbon_node.http.client import ask
from carbon_node.http.token import read_token
from carbon_node.settings import load

Ask: TypeAlias = Callable[[str], Any]
"""Returns the JSON that the node answers at a path."""

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
    http_token_file: Annotated[
        Path | None,
        typer.Option(show_default=False, help="File with the node's token, if not as configured."),
    ] = None,
    interval: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Seconds between refreshes with --watch.")
    ] = 1.0,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Refresh until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a running node does and has done; never joins the DDS domain."""
    node = _node(http_listen, http_token_file)
    if as_json:
        _print_json(node, interval if watch else None)
    elif watch:
        _watch(node, interval)
    else:
        console = Console()
        console.print(_screen(node, console.width))


def _node(http_listen: str | None, http_token_file: Path | None) -> Ask:
    options = {"http_listen": http_listen, "http_token_file": http_token_file}
    settings = load(options).settings
    address = parse_address(settings.http_listen)
    if address is None:
        raise ConfigError("http_listen is off: a node with this setting cannot be asked")
    token = "" if settings.http_token_file is None else read_token(settings.http_token_file)
    return partial(ask, address, token=token)


def _screen(node: Ask, width: int) -> RenderableType:
    results = node(f"/api/results?limit={RECENT_RESULTS}")
    return screen(node("/api/status"), results, datetime.now(UTC), width)


def _print_json(node: Ask, interval_s: float | None) -> None:
    while True:
        print(json.dumps(node("/api/status")), flush=True)
        if interval_s is None:
            return
        time.sleep(interval_s)


def _watch(node: Ask, interval_s: float) -> None:
    console = Console()
    shown = _screen(node, console.width)
    with contextlib.suppress(KeyboardInterrupt), Live(shown, console=console, screen=True) as live:
        while True:
            time.sleep(interval_s)
            try:
                shown = _screen(node, console.width)
                live.update(shown)
            except InterfaceError as error:
                # It may be restarting: keep trying.
                live.update(Group(Text(str(error), style="red"), shown))
