"""The hardware map: what the names that tasks use stand for.

Entries come from the operator and from the shipped preset. An exact name beats a pattern, and among
patterns the one that requires most characters wins. Where the operator and the preset both have an
entry, the operator's values win one by one, and what it leaves open is the preset's.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from importlib.resources import files
from typing import Final, Self

from carbon_node.errors import ConfigError
from carbon_node.estimation import (
    MAX_POWER_W,
    MAX_PUE,
    Factor,
    Interval,
    LatencyUnit,
    NamedHardware,
    exact,
)
from carbon_node.hardware.catalogue import Catalogue, Hardware, Kind
from carbon_node.hardware.names import (
    MAX_NAME,
    is_pattern,
    normalised,
    normalised_pattern,
    own_characters,
    shown,
)

MAX_COUNT: Final = 100_000
"""No task names more devices at once; the cause is a wrong number."""

MAX_ENTRIES: Final = 1000
"""Of the operator; each result looks at every pattern."""

MIN_OWN_CHARACTERS: Final = 2
"""Letters and digits that a pattern must have, so that it cannot catch everything."""

_SUSTAINML: Final = "sustainml.json"

HERE: Final = frozenset(map(normalised, ("localhost", "this host", "here")))
"""Names that always mean this host."""


class Preset(StrEnum):
    """Shipped maps.

    With a year the operator states which generation of nodes runs; without, each task is read by
    what it shows.
    """

    SUSTAINML = "sustainml"
    SUSTAINML_2025 = "sustainml-2025"
    SUSTAINML_2026 = "sustainml-2026"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one name, or one pattern of names, stands for. None or empty where it does not say.

    Args:
        name: a name, or a shell-style pattern such as `H100_x*`.
        origin: whose entry it is, e.g. "settings", "preset sustainml".
        same_as: name of the device in the catalogue.
        count: how many of them.
        power_w: watts under load of all devices together.
        latency_unit: unit in which its node sends latencies.
        later_latency_unit: unit in which a later generation of nodes sends them.
        measured_on: host name or worker's label where models are measured for it.
        pue: facility energy over device energy where it stands.

    Raises:
        ConfigError: the entry means nothing, or everything.
    """

    name: str
    origin: str
    same_as: str = ""
    count: int | None = None
    power_w: Interval | None = None
    latency_unit: LatencyUnit | None = None
    later_latency_unit: LatencyUnit | None = None
    measured_on: str = ""
    pue: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no task could mean."""
        if not normalised_pattern(self.name):
            raise self._refused("a name needs a letter or a digit, and at most 200 characters")
        if is_pattern(self.name) and own_characters(self.name) < MIN_OWN_CHARACTERS:
            raise self._refused(
                f"this pattern catches everything; give it {MIN_OWN_CHARACTERS} letters or digits"
            )
        if self.count is not None and not 1 <= self.count <= MAX_COUNT:
            raise self._refused(f"count is {self.count}; it must lie between 1 and {MAX_COUNT}")
        if self.power_w is not None and self.power_w.high > MAX_POWER_W:
            raise self._refused(
                f"power_w reaches {self.power_w.high:g} W; {MAX_POWER_W:g} W is the limit"
            )
        if self.pue is not None and not (math.isfinite(self.pue) and 1 <= self.pue <= MAX_PUE):
            raise self._refused(f"pue is {self.pue:g}; it must lie between 1 and {MAX_PUE:g}")

    def with_power(self, power_w: Interval) -> Self:
        """Return the entry with a power.

        Raises:
            ConfigError: it is more than any hardware draws.
        """
        return replace(self, power_w=power_w)

    def _refused(self, why: str) -> ConfigError:
        return ConfigError(f"{self.label}: {why}")

    @property
    def label(self) -> str:
        """What results call the entry."""
        return f'hardware."{shown(self.name)}" ({self.origin})'


def power_of(watts: float | Iterable[float]) -> Interval:
    """Read the watts of an entry: one value, or low, value and high.

    Args:
        watts: as an operator wrote them.

    Raises:
        ConfigError: they are no interval of positive numbers.
    """
    numbers = (watts,) if isinstance(watts, int | float) else tuple(watts)
    if len(numbers) not in (1, 3):
        raise ConfigError(f"power_w has {len(numbers)} numbers; give one, or low, value and high")
    try:
        return exact(numbers[0]) if len(numbers) == 1 else Interval(*numbers)
    except ValueError as error:
        raise ConfigError(f"power_w is impossible: {error}") from error


def preset(name: Preset) -> tuple[Entry, ...]:
    """Read a shipped map.

    Args:
        name: which; `off` has no entry.
    """
    if name is Preset.OFF:
        return ()
    text = (files("carbon_node.hardware") / "data" / _SUSTAINML).read_text(encoding="utf-8")
    table = json.loads(text)
    later = LatencyUnit(table["later_latency_unit"])
    return tuple(
        Entry(
            **row | _units(LatencyUnit(row["latency_unit"]), later, name),
            name=each,
            origin=f"preset {name}",
        )
        for each, row in table["hardware"].items()
    )


def _units(earlier: LatencyUnit, later: LatencyUnit, name: Preset) -> dict[str, LatencyUnit]:
    match name:
        case Preset.SUSTAINML_2025:
            return {"latency_unit": earlier}
        case Preset.SUSTAINML_2026:
            return {"latency_unit": later, "later_latency_unit": later}
        case _:
            return {"latency_unit": earlier, "later_latency_unit": later}


NAMES_REMEMBERED = 256
"""Names whose hardware is remembered; longer ones than a name can be are looked at each time."""


class HardwareMap:
    """What is known of hardware by the names that tasks use. Immutable.

    Args:
        catalogue: devices and their power.
        entries: the operator's.
        presets: entries that hold where the operator has none.
        here: names of this host and its devices.

    Raises:
        ConfigError: an entry names a device that the catalogue does not have, or more of them than
            any site could feed, or two entries have the same name.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        entries: Iterable[Entry] = (),
        presets: Iterable[Entry] = (),
        here: Iterable[str] = (),
    ) -> None:
        self._catalogue = catalogue
        given = tuple(entries)
        shipped = tuple(presets)
        self._entries = _Entries.of(given)
        self._presets = _Entries.of(shipped)
        # The nodes of later releases know hardware that no preset has yet.
        later = (each.later_latency_unit for each in shipped)
        self._later_latency_unit = next(filter(None, later), None)
        self._here = frozenset(map(normalised, here)) - {""} | HERE
        if len(given) > MAX_ENTRIES:
            raise ConfigError(
                f"the hardware map has {len(given)} entries; {MAX_ENTRIES} is the limit, and a"
                " pattern stands for many"
            )
        _require_distinct(given)
        for entry in given:
            self._require_device(entry)
        # A pipeline names the same few again and again.
        self._remembered = lru_cache(NAMES_REMEMBERED)(self._known)

    def known(self, name: str) -> NamedHardware:
        """Tell what is known of the hardware that a task names.

        Args:
            name: as sent; unchecked.
        """
        return self._known(name) if len(name) > MAX_NAME else self._remembered(name)

    def _known(self, name: str) -> NamedHardware:
        key = normalised(name)
        entry = _merged(self._entries.match(key), self._presets.match(key))
        known = self._listed(name, key) if entry is None else self._described(name, key, entry)
        if known.latency_unit is not None:
            return known
        return replace(known, later_latency_unit=self._later_latency_unit)

    def _listed(self, name: str, key: str) -> NamedHardware:
        return _listed(self._catalogue.get(name), is_here=key in self._here)

    def _described(self, name: str, key: str, entry: Entry) -> NamedHardware:
        device = self._catalogue.get(entry.same_as or name)
        # Two hosts can have the same device: the operator says which of them measures.
        is_here = (normalised(entry.measured_on) or key) in self._here
        return _described(device, entry, is_here=is_here)

    def _require_device(self, entry: Entry) -> None:
        if not entry.same_as:
            return
        try:
            device = self._catalogue.find(entry.same_as)
        except ConfigError as error:
            raise ConfigError(f"{entry.label}: same_as: {error}") from error
        count, high_w = entry.count or 1, device.power.interval.high
        if count * high_w > MAX_POWER_W:
            raise ConfigError(
                f"{entry.label}: {count} x {device.name} draw up to {count * high_w:g} W;"
                f" {MAX_POWER_W:g} W is the limit"
            )


def _require_distinct(entries: tuple[Entry, ...]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(normalised_pattern(entry.name), entry)
        if other is not entry:
            raise ConfigError(
                f"{entry.label}: the same name as {shown(other.name)!r}, since capitals, blanks and"
                " separators do not count; keep one of them"
            )


@dataclass(frozen=True, slots=True)
class _Entries:
    """Entries by normalised name, and behind their normalised patterns, the narrowest first."""

    exact: Mapping[str, Entry]
    patterns: tuple[tuple[str, Entry], ...]

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Self:
        given = tuple(entries)
        named = {normalised(each.name): each for each in given if not is_pattern(each.name)}
        patterns = [each for each in given if is_pattern(each.name)]
        patterns.sort(key=lambda each: own_characters(each.name), reverse=True)
        return cls(named, tuple((normalised_pattern(each.name), each) for each in patterns))

    def match(self, key: str) -> Entry | None:
        if not key:
            return None
        matching = (entry for pattern, entry in self.patterns if fnmatchcase(key, pattern))
        return self.exact.get(key) or next(matching, None)


def _merged(operators: Entry | None, shipped: Entry | None) -> Entry | None:
    if operators is None or shipped is None:
        return operators or shipped
    unit = operators.latency_unit
    return replace(
        operators,
        origin=f"{operators.origin}, {shipped.origin}",
        same_as=operators.same_as or shipped.same_as,
        count=shipped.count if operators.count is None else operators.count,
        latency_unit=shipped.latency_unit if unit is None else unit,
        later_latency_unit=shipped.later_latency_unit if unit is None else None,
        pue=shipped.pue if operators.pue is None else operators.pue,
    )


def _listed(device: Hardware | None, *, is_here: bool) -> NamedHardware:
    if device is None:
        return NamedHardware(is_here=is_here)
    return NamedHardware(
        known_as=device.name,
        power=device.power,
        rated_w=device.rated_w,
        is_here=is_here,
        accelerators=_accelerators(device, 1),
    )


def _described(device: Hardware | None, entry: Entry, *, is_here: bool) -> NamedHardware:
    count, later = entry.count or 1, entry.later_latency_unit
    return NamedHardware(
        known_as="" if device is None else device.name,
        entry=entry.label,
        count=count,
        power=_power(device, entry, count),
        rated_w=None if device is None else device.rated_w * count,
        latency_unit=entry.latency_unit,
        later_latency_unit=None if later is entry.latency_unit else later,
        pue=None if entry.pue is None else Factor(exact(entry.pue), entry.label),
        is_here=is_here,
        accelerators=_accelerators(device, count),
    )


def _accelerators(device: Hardware | None, count: int) -> int:
    return count if device is not None and device.kind is Kind.ACCELERATOR else 0


def _power(device: Hardware | None, entry: Entry, count: int) -> Factor | None:
    if entry.power_w is not None:
        return Factor(entry.power_w, f"power_w of {entry.label}")
    if device is None:
        return None
    times = "" if count == 1 else f"{count} x "
    return Factor(device.power.interval.scaled(count), f"{times}{device.power.source}")
