"""`carbon-node hardware`: what is known of named hardware, and under which names."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from carbon_node.cli.options import ConfigOption, JsonOption
from carbon_node.hardware import Entry, Hardware, HardwareMap, preset, shipped_catalogue
from carbon_node.hardware.names import near, normalised, shown
from carbon_node.settings import load
from carbon_node.settings.hardware import entries_of

hardware_app = typer.Typer(
    help="Find hardware by its name: catalogue, hardware map and preset.", no_args_is_help=True
)

MAX_NEAR = 10
"""Similar names that are shown."""

NAME_WIDTH = 42
"""Characters of the column of names; a longer name moves the others."""


class Part(StrEnum):
    """What a list holds."""

    MAP = "map"
    ACCELERATORS = "accelerators"
    PROCESSORS = "processors"


@dataclass(frozen=True, slots=True)
class Found:
    """One line: a name, and what is known under it."""

    name: str
    is_exact: bool
    known_as: str
    entry: str
    count: int
    rated_w: float | None
    power_w: tuple[float, float, float] | None
    latency_unit: str
    later_latency_unit: str
    source: str


@hardware_app.command()
def find(
    text: Annotated[str, typer.Argument(help="Name, or part of one.")],
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> int:
    """Show what a task that names this would be computed with, then similar names.

    Ends with status 1 if nothing is known under exactly this name.
    """
    hardware_map, entries = _map(config)
    exact = _found(hardware_map, text, is_exact=True)
    is_known = bool(exact.known_as or exact.entry)
    others = [
        _found(hardware_map, name, is_exact=False)
        for name in near(text, _names(entries), MAX_NEAR)
        if normalised(name) != normalised(text)
    ]
    if as_json:
        _print([exact, *others] if is_known else others, as_json=True)
        return 0 if is_known else 1
    if is_known:
        print(_line(exact), *_details(exact), sep="\n    ")
    _print(others, as_json=False)
    if not is_known:
        print("nothing is known under exactly this name; similar names are never taken for it")
    return 0 if is_known else 1


@hardware_app.command("list")
def list_all(
    part: Annotated[Part | None, typer.Argument(help="Only this part.")] = None,
    config: ConfigOption = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """List the entries of the hardware map, then the catalogue."""
    hardware_map, entries = _map(config)
    names = [] if part not in (None, Part.MAP) else [entry.name for entry in entries]
    found = [_found(hardware_map, name, is_exact=True) for name in names]
    if part is not Part.MAP:
        found += [_catalogued(device) for device in _devices(part)]
    _print(found, as_json=as_json)


def _map(config: Path | None) -> tuple[HardwareMap, tuple[Entry, ...]]:
    settings = load({}, config=config).settings
    own = entries_of(settings.hardware)
    shipped = preset(settings.hardware_preset)
    return HardwareMap(shipped_catalogue(), own, shipped), (*own, *shipped)


def _devices(part: Part | None) -> Iterator[Hardware]:
    for device in shipped_catalogue():
        if part is None or part.value == f"{device.kind.value}s":
            yield device


def _names(entries: Iterable[Entry]) -> list[str]:
    devices = (device.name for device in shipped_catalogue())
    return [*(entry.name for entry in entries), *devices]


def _found(hardware_map: HardwareMap, name: str, *, is_exact: bool) -> Found:
    known = hardware_map.known(name)
    power = known.power
    return Found(
        name=name,
        is_exact=is_exact,
        known_as=known.known_as,
        entry=known.entry,
        count=known.count,
        rated_w=known.rated_w,
        power_w=None
        if power is None
        else (power.interval.low, power.interval.value, power.interval.high),
        latency_unit=known.latency_unit or "",
        later_latency_unit=known.later_latency_unit or "" if known.latency_unit else "",
        source="" if power is None else power.source,
    )


def _catalogued(device: Hardware) -> Found:
    watts = device.power.interval
    return Found(
        name=device.name,
        is_exact=True,
        known_as=device.name,
        entry="",
        count=1,
        rated_w=device.rated_w,
        power_w=(watts.low, watts.value, watts.high),
        latency_unit="",
        later_latency_unit="",
        source=device.power.source,
    )


def _print(found: Iterable[Found], *, as_json: bool) -> None:
    if as_json:
        keys = Found.__slots__
        print(json.dumps([{key: getattr(each, key) for key in keys} for each in found]))
        return
    for each in found:
        print(_line(each))


def _line(found: Found) -> str:
    mark = " " if found.is_exact else "~"
    times = "" if found.count == 1 else f"{found.count} x "
    device = "" if found.known_as in ("", found.name) else f" = {times}{found.known_as}"
    later = f" or {found.later_latency_unit}" if found.later_latency_unit else ""
    unit = f", latency in {found.latency_unit}{later}" if found.latency_unit else ""
    name = f"{shown(found.name)}{device}"
    return f"{mark} {name:{NAME_WIDTH}} {_watts(found)}{unit}"


def _watts(found: Found) -> str:
    if found.power_w is None:
        return "no power known"
    low_w, _, high_w = found.power_w
    return f"{low_w:g} W" if low_w == high_w else f"{low_w:g} to {high_w:g} W"


def _details(found: Found) -> Iterator[str]:
    """Say where the line of a name comes from, one short line each."""
    if found.power_w is not None:
        rated = "" if found.rated_w is None else f", rated {found.rated_w:g} W"
        yield f"most likely {found.power_w[1]:g} W under load{rated}"
        yield found.source
    if found.entry:
        yield f"by {found.entry}"
