"""What a part of a text can mean.

An area is a country, "FR", or one of its subdivisions, "US-CA".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from carbon_node.intensity.clouds import CloudRegion


class Kind(StrEnum):
    """What a part of a text is."""

    CODE = "code"
    CLOUD = "cloud region"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"
    ABBREVIATION = "abbreviation"
    COUNTY = "county"
    CITY = "city"
    TOWN = "town"
    CONTINENT = "continent"
    POSTAL = "postal code"
    PROVIDER = "cloud provider"
    WORD = "says nothing"


CITIES = frozenset({Kind.CITY, Kind.TOWN})
"""Kinds of places that lie within an area."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One meaning of a part of a text.

    Args:
        area: country or subdivision.
        kind: as what the part means it.
    """

    area: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that is accounted for.

    Args:
        text: as written.
        kind: what it is, or what it most likely is.
        senses: what it can mean; empty where it is no place.
        evident: the area that it means without further words, None if that needs context.
        continents: codes of the continents that it names.
        region: cloud region that it names.
        zones: grid zones that it names.
        is_dominated: whether it means a city that is larger than its namesakes, but not so much
            that it would be meant on a continent where both are.
        prominent: areas of its largest city and of other large ones.
        large: areas of cities of 50,000, and of those that are collected by hand.
    """

    text: str
    kind: Kind
    senses: frozenset[Sense] = frozenset()
    evident: str | None = None
    continents: frozenset[str] | None = None
    region: CloudRegion | None = None
    zones: tuple[str, ...] = ()
    is_dominated: bool = False
    prominent: frozenset[str] = frozenset()
    large: frozenset[str] = frozenset()


def country(area: str) -> str:
    """Return the alpha-2 code of an area's country."""
    return area[:2]


def common_area(areas: Iterable[str]) -> str | None:
    """Return the area in which all areas lie: one subdivision, one country, or None."""
    distinct = set(areas)
    if len(distinct) == 1:
        return distinct.pop()
    countries = set(map(country, distinct))
    return countries.pop() if len(countries) == 1 else None
