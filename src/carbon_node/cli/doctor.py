"""`carbon-node doctor`: what can be measured on this host, what is missing, and what mends it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carbon_node.errors import BindingUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from carbon_node.cli.host import Finding

# Settings and tracking are imported where they are used: other commands start without them.


def doctor(
    config: Annotated[
        Path | None, typer.Option(help="Configuration file instead of those at standard places.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what can be measured here, what is missing, and the command or setting that mends it."""
    from carbon_node.cli import host, host_hardware
    from carbon_node.settings import load

    settings = load({}, config=config).settings
    found = (
        *host.findings(settings.tracker.model_roots),
        *host_hardware.findings(settings),
        _fast_dds(),
        _sustainml(),
    )
    modes, power_source = host.modes(found), host.power_source(found)
    if as_json:
        findings = list(map(asdict, found))
        message = {"modes": modes, "power_source": power_source, "findings": findings}
        print(json.dumps(message, indent=2))
    else:
        _print(found)
        print(f"modes that work here: {', '.join(modes)}")
        print(f"power of a model that runs here: {power_source}")


def _print(found: "Iterable[Finding]") -> None:
    for finding in found:
        print(f"{'ok' if finding.is_usable else '--':3}{finding.name:15}{finding.detail}")
        if finding.mend:
            print(f"{'':18}mend: {finding.mend}")


def _fast_dds() -> "Finding":
    from carbon_node.cli.host import Finding

    try:
        from carbon_node.transport import binding  # noqa: F401 - whether it loads is the question
    except BindingUnavailable as error:
        return Finding("fast_dds", is_usable=False, detail=str(error), mend="scripts/setup")
    return Finding("fast_dds", is_usable=True, detail="the embedded Fast DDS can be loaded")


def _sustainml() -> "Finding":
    from carbon_node.cli.host import Finding
    from carbon_node.transport.choice import library_problem
    from carbon_node.transport.sustainml.transport import LIMITATIONS

    problem = library_problem()
    if problem is not None:
        detail = f"{problem}; the embedded transport is used"
        mend = "needed in a SustainML workspace only: source its install/setup.bash"
        return Finding("sustainml_py", is_usable=False, detail=detail, mend=mend)
    detail = f"sustainml_py can be loaded; a node on it: {'; '.join(LIMITATIONS)}"
    return Finding("sustainml_py", is_usable=True, detail=detail)
