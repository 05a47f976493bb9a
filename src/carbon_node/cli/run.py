"""`carbon-node run`: the node in the foreground.

The node's parts are imported last: by then the log decides how structlog is loaded, and process 1
of a container has become an init, which should not hold the memory of a node.
"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.options import DomainOption
from carbon_node.daemon.process_one import leave_place_of_init
from carbon_node.observability.logs import (
    LogConfig,
    configure_logging,
    occupy_standard_descriptors,
)
from carbon_node.observability.redaction import Secrets
from carbon_node.settings import load


def run(
    domain: DomainOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            show_default=False, help="Configuration file (TOML) instead of the standard ones."
        ),
    ] = None,
    state_dir: Annotated[
        Path | None, typer.Option(show_default=False, help="Directory for what the node keeps.")
    ] = None,
    transport: Annotated[
        str | None, typer.Option(show_default=False, help="auto, fastdds or sustainml.")
    ] = None,
    http_listen: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="HOST:PORT or socket path of the local interface, or off."
        ),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(show_default=False, help="debug, info, warning or error.")
    ] = None,
) -> int:
    """Run the node until SIGTERM or SIGINT; this is also what happens without a command."""
    options = {
        "domain": domain,
        "state_dir": state_dir,
        "transport": transport,
        "http_listen": http_listen,
        "log_level": log_level,
    }
    occupy_standard_descriptors()
    if (status := leave_place_of_init()) is not None:
        return status
    loaded = load(options, config=config)
    settings, secrets = loaded.settings, Secrets()
    if settings.live_key is not None:
        secrets.register(settings.live_key.get_secret_value())
    configure_logging(LogConfig(settings.log_level, settings.log_format), secrets)
    # Last, see above.
    from carbon_node.daemon.serve import serve

    return serve(loaded, partial(load, options, config=config), secrets)
