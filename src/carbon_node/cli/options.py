"""Options that several commands share, and where tools that play the other nodes go."""

from typing import Annotated

import typer

PRIVATE_DOMAIN = 77
"""Domain of the tools that play the other nodes, unless one is named: away from domain 0, where
real pipelines live,
and low enough that its ports stay below the ephemeral ones."""

DomainOption = Annotated[
    int | None, typer.Option(min=0, max=232, show_default=False, help="DDS domain id.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def tool_domain(domain: int | None) -> int:
    """Choose the domain of a tool that plays the other nodes.

    Args:
        domain: as given by option; None if it was not.

    Returns:
        The domain that was named by option, environment or file; a private one if none was.

    Raises:
        ConfigError: the settings cannot be used.
    """
    from carbon_node.settings import Source, load  # loads pydantic, which other commands do without

    configuration = load({"domain": domain}).configuration
    named = configuration.origins["domain"].source is not Source.DEFAULT
    return configuration.settings.domain if named else PRIVATE_DOMAIN
