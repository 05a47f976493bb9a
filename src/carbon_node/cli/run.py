"""`carbon-node run`: the node in the foreground."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.options import DomainOption


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
    # Loaded here, because other commands do without Fast DDS and pydantic; the log comes first,
    # because it decides how structlog is loaded.
    from carbon_node.daemon.process_one import leave_place_of_init
    from carbon_node.observability.logs import (
        LogConfig,
        LogFormat,
        LogLevel,
        configure_logging,
        occupy_standard_descriptors,
    )
    from carbon_node.observability.redaction import Secrets
    from carbon_node.settings import load

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
    configure_logging(
        LogConfig(LogLevel(settings.log_level), LogFormat(settings.log_format)), secrets
    )
    from carbon_node.daemon.serve import serve

    return serve(loaded, partial(load, options, config=config), secrets)
