"""Values: of countries, of parts of countries, and of the grid zones that supply both."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory with a code of ISO 3166-1.

    Args:
        name: its name in English.
        continents: codes of the continents that people rightly name for it, the first is its own.
        g_per_kwh: yearly lifecycle intensity, None if the table has none.
        year: year of the value.
        others: values of other tables, which only widen the interval.
    """

    name: str
    continents: tuple[str, ...]
    g_per_kwh: float | None
    year: int | None
    others: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """Generation-weighted mean of a continent or of the world."""

    name: str
    g_per_kwh: float
    year: int


@dataclass(frozen=True, slots=True)
class Group:
    """Countries that are named together, with their mean.

    Args:
        mean: generation-weighted.
        members: their codes.
    """

    mean: Mean
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class SubdivisionValue:
    """Intensity of a state or province, and what is counted in it."""

    g_per_kwh: float
    year: int
    source: str
    counted: str


@dataclass(frozen=True, slots=True)
class Zone:
    """A grid zone.

    Args:
        name: its name.
        g_per_kwh: yearly means by year, at least one.
    """

    name: str
    g_per_kwh: Mapping[int, float]

    @property
    def year(self) -> int:
        """Latest year."""
        return max(self.g_per_kwh)

    @property
    def latest(self) -> float:
        """Mean of the latest year."""
        return self.g_per_kwh[self.year]


@dataclass(frozen=True, slots=True)
class Intensities:
    """Values by code.

    Args:
        source: who published the values of countries, continents and the world.
        world: mean of the world.
        continents: means by continent code.
        groups: groups of countries by key.
        countries: countries by alpha-2 code.
        subdivisions: values by ISO 3166-2 code.
        parents: subdivisions by the subdivisions that lie in them.
    """

    source: str
    world: Mean
    continents: Mapping[str, Mean]
    groups: Mapping[str, Group]
    countries: Mapping[str, Country]
    subdivisions: Mapping[str, SubdivisionValue]
    parents: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Grid:
    """Grid zones, and what they supply.

    Args:
        source: who published their values.
        zones: zones by code.
        supplied: codes of zones by area, the main one first; "ES-*" stands for the parts of Spain
            that are not named, and an area without zones is on a grid that no table has.
        areas: area by zone: the one that it supplies, or its country.
        extremes: lowest and highest value of a zone in any year.
    """

    source: str
    zones: Mapping[str, Zone]
    supplied: Mapping[str, tuple[str, ...]]
    areas: Mapping[str, str]
    extremes: tuple[float, float]

    @classmethod
    def of(
        cls, source: str, zones: Mapping[str, Zone], supplied: Mapping[str, tuple[str, ...]]
    ) -> "Grid":
        """Join zones with what they supply.

        Raises:
            ValueError: an area is supplied by a zone that has no value.
        """
        areas: dict[str, set[str]] = defaultdict(set)
        for area, codes in supplied.items():
            if unknown := [code for code in codes if code not in zones]:
                raise ValueError(f"no value for zones {unknown} of {area}")
            for code in codes:
                areas[code].add(area)
        only = {code: found.pop() for code, found in areas.items() if len(found) == 1}
        known = {code: area for code, area in only.items() if not area.endswith("*")}
        values = [value for zone in zones.values() for value in zone.g_per_kwh.values()]
        return cls(
            source,
            zones,
            supplied,
            {code: known.get(code, code[:2]) for code in zones},
            (min(values), max(values)),
        )

    def zones_of(self, area: str, parents: Mapping[str, str]) -> tuple[str, ...] | None:
        """Return the zones that supply an area.

        Args:
            area: country or subdivision.
            parents: subdivisions by the subdivisions that lie in them.

        Returns:
            Their codes, the main one first; nothing where it is known to have a grid without a
            value, None where it is not known.
        """
        for part in (*_chain(area, parents), f"{area[:2]}-*" if "-" in area else area):
            if part in self.supplied:
                return self.supplied[part]
        return (area,) if area in self.zones else None


def _chain(area: str, parents: Mapping[str, str]) -> Iterator[str]:
    """Return an area and what contains it below its country."""
    part: str | None = area
    while part is not None:
        yield part
        part = parents.get(part)
