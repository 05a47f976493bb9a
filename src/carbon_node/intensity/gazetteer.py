"""From a text to the areas that it can mean. Exact names only: a near match is never an answer.

An area is a country, "FR", or one of its subdivisions, "US-CA". Wrong countries are worse than
none:
where a text can mean several countries, all of them are returned and the caller decides by what
else it knows, or not at all.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from carbon_node.intensity.tables import Names
from carbon_node.intensity.text import normalised

LEAST_LETTERS = 4
"""Shorter Latin names of cities and subdivisions could be anything."""

MAX_WORDS = 8
"""More words than any name with its country has."""

_SEPARATORS = re.compile(r"[,;/|()\[\]\n\t>:\u00b7\u2192\u3001\uff0c]+|\s+[-\u2013\u2014]\s+")
_ZONE = re.compile(r"([a-z]+-[a-z-]+\d+)-?[a-f]")


class Rung(StrEnum):
    """Steps of the ladder from the most to the least certain."""

    EXPLICIT = "explicit"
    LIVE = "live"
    CODE = "code"
    COUNTRY = "country"
    SUBDIVISION = "subdivision"
    CITY = "city"
    CONTINENT = "continent"
    DEFAULT = "default"
    WORLD = "world"


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a text can mean.

    Args:
        rung: by what it was recognised.
        areas: every area that it can mean.
        evident: the area that is meant without further words, None if that needs context.
    """

    rung: Rung
    areas: tuple[str, ...]
    evident: str | None


def recognised(text: str, names: Names) -> Recognised | None:
    """Recognise a text as a whole, or by its parts.

    Args:
        text: place as sent, without control characters.
        names: tables of names.

    Returns:
        What it can mean, None if that is unknown.
    """
    return _as_a_whole(text, names) or _by_parts(text, names) or _by_words(text, names)


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


def _as_a_whole(text: str, names: Names) -> Recognised | None:
    if (code := _code(text, names)) is not None:
        return Recognised(Rung.CODE, (code,), None if _is_a_word(text, names) else code)
    name = normalised(text)
    if found := names.countries.get(text.casefold()) or names.countries.get(name):
        areas = tuple(found.split())
        return Recognised(Rung.COUNTRY, areas, common_area(areas))
    return _subdivision_or_city(name, names)


def _code(text: str, names: Names) -> str | None:
    """Recognise ISO 3166-1 and 3166-2 codes, grid zones and cloud regions."""
    plain = text.strip().casefold()
    capitals = plain.upper().replace("_", "-")
    if (two := names.alpha2.get(capitals)) is not None:
        return two
    return capitals if capitals in names.titles else _other_code(plain, names)


def _other_code(plain: str, names: Names) -> str | None:
    return names.codes.get(plain) or _cloud_region(plain, names)


def _cloud_region(word: str, names: Names) -> str | None:
    plain = word.strip().casefold()
    zone = _ZONE.fullmatch(plain)
    return names.cloud.get(zone[1] if zone else plain)


def _is_a_word(text: str, names: Names) -> bool:
    """Whether a code is more likely a word: "no" and "and" in small letters, "NA" in any."""
    plain = text.strip().casefold()
    return plain in names.nowhere or (plain in names.needs_capitals and not text.isupper())


def _subdivision_or_city(name: str, names: Names) -> Recognised | None:
    if (area := names.evident.get(name)) is not None:
        return Recognised(Rung.SUBDIVISION, (area,), area)
    divisions = tuple(names.subdivisions.get(name, "").split())
    areas = (*divisions, *_cities(name, names)[0])
    if not areas or name in names.words or (name.isascii() and len(name) < LEAST_LETTERS):
        return None
    rung = Rung.SUBDIVISION if divisions else Rung.CITY
    return Recognised(rung, areas, _evident(divisions, name, names))


def _cities(name: str, names: Names) -> tuple[tuple[str, ...], bool]:
    entry = names.cities.get(name, "")
    return tuple(entry.removeprefix("!").split()), entry.startswith("!")


def _evident(divisions: tuple[str, ...], name: str, names: Names) -> str | None:
    cities, is_evident_city = _cities(name, names)
    leading = [area for area in divisions if country(area) in names.leading]
    if len(leading) == 1:
        return leading[0]
    known = {country(area) for area in divisions} & names.deciding
    if is_evident_city and known <= {country(cities[0])}:
        return cities[0]
    if cities or known:
        return common_area((*divisions, *cities))
    return None


def _by_parts(text: str, names: Names) -> Recognised | None:
    """Recognise "city, state, country" and the like by what its parts have in common."""
    parts = [part for part in map(str.strip, _SEPARATORS.split(text)) if part]
    readings = [areas for part in parts if (areas := _all_areas(part, names))]
    if len(parts) < 2 or not readings:
        return None
    if len(readings) == 1:
        return next(filter(None, (_alone(part, names) for part in parts)), None)
    agreed = _agreed(readings)
    container = _as_a_whole(parts[-1], names)
    if agreed.evident is None and container and container.evident and len(parts[-1]) > 3:
        return _agreed([*readings[:-1], frozenset({container.evident})])
    return agreed


def _alone(part: str, names: Names) -> Recognised | None:
    """Recognise the only known part of a text; there, a short code could be anything."""
    whole = _as_a_whole(part, names)
    is_code = whole is not None and whole.rung is Rung.CODE
    return None if is_code and _cloud_region(part, names) is None else whole


def _by_words(text: str, names: Names) -> Recognised | None:
    """Recognise "Paris France" and the like, where both sides are known and agree."""
    words = text.split()
    regions = {area for word in words if (area := _cloud_region(word, names))}
    if len(regions) == 1:
        return Recognised(Rung.CODE, (*regions,), *regions)
    for count in range(1, len(words) if len(words) <= MAX_WORDS else 0):
        sides = " ".join(words[:count]), " ".join(words[count:])
        readings = [_all_areas(side, names) for side in sides if _is_no_lower_code(side)]
        if len(readings) == 2 and all(readings) and (agreed := _agreed(readings)).evident:
            return agreed
    return None


def _is_no_lower_code(side: str) -> bool:
    """Small words, such as "in" and "to", are no codes within a text."""
    return len(side) > 3 or side.isupper()


def _all_areas(text: str, names: Names) -> frozenset[str]:
    """Return every area that a part of a longer text can mean, however unlikely alone."""
    name = normalised(text)
    code = _code(text, names)
    found = {code} if code is not None else set()
    found.update(names.countries.get(name, "").split(), names.subdivisions.get(name, "").split())
    found.update(_cities(name, names)[0], filter(None, [names.evident.get(name)]))
    abbreviations = {f"{lead}-{text.strip().upper()}" for lead in (*names.leading, "AU")}
    return frozenset(found | (abbreviations & names.titles.keys()))


def _agreed(readings: list[frozenset[str]]) -> Recognised:
    """Keep what all parts can mean at once; nothing is left where they contradict."""
    agreed = readings[0]
    for reading in readings[1:]:
        merged = (_merged(one, other) for one in agreed for other in reading)
        agreed = frozenset(area for area in merged if area is not None)
    return Recognised(Rung.CITY, tuple(sorted(agreed)), common_area(agreed))


def _merged(one: str, other: str) -> str | None:
    """Return the narrower of two areas of which one contains the other."""
    if one == other or other == country(one):
        return one
    return other if one == country(other) else None
