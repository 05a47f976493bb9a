"""`carbon-node doctor`: what can be measured on this host, what is missing, and what fixes it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer

from carbon_node.cli import host, host_hardware
from carbon_node.cli.host import Finding
from carbon_node.cli.options import ConfigOption
from carbon_node.errors import BindingUnavailable, ConfigError
from carbon_node.http.address import exposure, parse_address
from carbon_node.http.token import read_token
from carbon_node.settings import Settings, load
from carbon_node.transport.choice import library_problem
from carbon_node.transport.sustainml.transport import LIMITATIONS


def doctor(
    config: ConfigOption = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what can be measured here, what is missing, and the command or setting that fixes it."""
    settings = load({}, config=config).settings
    found = (
        *host.findings(settings.tracker.model_roots),
        *host_hardware.findings(settings),
        _fast_dds(),
        _sustainml(),
        _local_interface(settings),
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


def _print(found: Iterable[Finding]) -> None:
    for finding in found:
        print(f"{'ok' if finding.is_usable else '--':3}{finding.name:15}{finding.detail}")
        if finding.fix:
            print(f"{'':18}fix: {finding.fix}")


def _fast_dds() -> Finding:
    try:
        from carbon_node.transport import binding  # noqa: F401 - whether it loads is the question
    except BindingUnavailable as error:
        return Finding("fast_dds", is_usable=False, detail=str(error), fix="scripts/setup")
    return Finding("fast_dds", is_usable=True, detail="the embedded Fast DDS can be loaded")


def _sustainml() -> Finding:
    problem = library_problem()
    if problem is not None:
        detail = f"{problem}; the embedded transport is used"
        fix = "needed in a SustainML workspace only: source its install/setup.bash"
        return Finding("sustainml_py", is_usable=False, detail=detail, fix=fix)
    detail = f"sustainml_py can be loaded; a node on it: {'; '.join(LIMITATIONS)}"
    return Finding("sustainml_py", is_usable=True, detail=detail)


def _local_interface(settings: Settings) -> Finding:
    name, token_file = "http_listen", settings.http_token_file
    try:
        if token_file is not None:
            read_token(token_file)
        address = parse_address(settings.http_listen)
    except ConfigError as error:
        fix = "without its token the node does not serve the local interface"
        return Finding(name, is_usable=False, detail=str(error), fix=fix)
    problem = exposure(address, has_token=token_file is not None)
    if problem is not None:
        detail, _, fix = problem.partition(": ")
        return Finding(name, is_usable=False, detail=detail, fix=fix)
    who = "whoever knows the token" if token_file is not None else "users of this host"
    detail = f"{settings.http_listen}, for {who}" if address else "no local interface is served"
    return Finding(name, is_usable=True, detail=detail)
