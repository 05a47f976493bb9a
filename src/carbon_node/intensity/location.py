"""What is certain about a place: its area, its continents, or nothing. Never a guess."""

import difflib
from dataclasses import dataclass

from carbon_node.estimation import Place, Step
from carbon_node.intensity.gazetteer import Recognised, Rung, common_area, country, recognised
from carbon_node.intensity.tables import Intensities, Names, Tables
from carbon_node.intensity.text import normalised

MAX_TEXT = 200
"""Characters of a place; longer texts are not read."""

NEAR_MATCH = 0.8
"""Likeness from which on a known name is mentioned to the reader; it never decides."""

_NAMING = (Rung.CODE, Rung.COUNTRY, Rung.SUBDIVISION, Rung.CITY)


@dataclass(frozen=True, slots=True)
class Location:
    """What is certain about a place.

    Args:
        area: country or subdivision, None if unknown.
        continents: codes of the continents in which the place must lie, None if unknown.
        steps: what was tried.
        warnings: what a reader should know.
        is_doubtful: whether the place names something that could not be settled; the node's own
            place would be a wrong guess then.
        rejected: area that the continent contradicts; the interval has to cover it.
    """

    area: str | None
    continents: frozenset[str] | None
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    is_doubtful: bool = False
    rejected: str | None = None


def located(place: Place, tables: Tables) -> Location:
    """Find out what is certain about a place.

    Args:
        place: as sent.
        tables: the shipped tables.

    Returns:
        What is certain, the steps that were tried, and what a reader should know.
    """
    names = tables.names
    region, too_long = _readable(place.region)
    continents, warnings = _continents(place.continent, names)
    if too_long:
        warnings = (*warnings, f"region of {len(place.region)} characters is not read")
    if not names_something(region):
        return Location(None, continents, _steps(None, "not given"), warnings)
    name = normalised(region)
    if name in names.continents and name not in names.countries:
        named = frozenset(names.continents[name].split())
        return _in_continents(region, named, continents, warnings)
    reading = recognised(region, names)
    if reading is None or (
        reading.evident is None and name in names.nowhere and continents is None
    ):
        return _unknown(region, continents, warnings, names)
    return _settled(region, reading, continents, warnings, tables)


def _readable(text: str) -> tuple[str, bool]:
    """Return the text without control characters, and whether it was too long to read."""
    if len(text) > MAX_TEXT:
        return "", True
    return "".join(c if c.isprintable() else " " for c in text).strip(), False


def names_something(text: str) -> bool:
    """Whether a text holds a letter or a digit."""
    return any(map(str.isalnum, text))


def _continents(text: str, names: Names) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    plain, too_long = _readable(text)
    name = normalised(plain)
    if not too_long and (not names_something(plain) or name in names.nowhere | names.world):
        return None, ()
    if (found := names.continents.get(name)) is not None:
        return frozenset(found.split()), ()
    return None, (f"continent {quoted(text)} is not known and is ignored",)


def _in_continents(
    region: str,
    named: frozenset[str],
    continents: frozenset[str] | None,
    warnings: tuple[str, ...],
) -> Location:
    """Take a continent that stands in the region's place."""
    if continents is None or named & continents:
        common = named & continents if continents else named
        return Location(None, common, _steps(None, "no match"), warnings)
    contradiction = f"region {quoted(region)} and the continent contradict each other"
    steps = _steps(None, "contradicted")
    return Location(None, None, steps, (*warnings, contradiction), is_doubtful=True)


def _unknown(
    region: str, continents: frozenset[str] | None, warnings: tuple[str, ...], names: Names
) -> Location:
    name = normalised(region)
    if name in names.nowhere or name in names.world:
        return Location(None, continents, _steps(None, "not given"), warnings)
    near = _near_matches(name, names)
    hint = f"; near matches: {', '.join(near)}" if near else ""
    warning = f"region {quoted(region)} is not known{hint}"
    return Location(None, continents, _steps(None, "no match"), (*warnings, warning))


def _settled(
    region: str,
    reading: Recognised,
    continents: frozenset[str] | None,
    warnings: tuple[str, ...],
    tables: Tables,
) -> Location:
    """Let the continent choose among what the region can mean, or contradict it."""
    possible = [a for a in reading.areas if lies_in(a, continents, tables.intensities)]
    area = reading.evident if continents is None else common_area(possible)
    if reading.evident is not None and lies_in(reading.evident, continents, tables.intensities):
        area = reading.evident
    if area is not None:
        title = area_title(area, tables)
        return Location(area, continents, _steps(reading.rung, "taken", title, area), warnings)
    outcome, why = _doubt(region, reading, tables)
    steps = _steps(reading.rung, outcome)
    return Location(
        None, continents, steps, (*warnings, why), is_doubtful=True, rejected=reading.evident
    )


def lies_in(area: str, continents: frozenset[str] | None, intensities: Intensities) -> bool:
    """Whether an area lies in one of the continents; None means anywhere."""
    known = intensities.countries.get(country(area))
    return continents is None or known is None or bool(continents.intersection(known.continents))


def _doubt(region: str, reading: Recognised, tables: Tables) -> tuple[str, str]:
    if reading.evident is not None:
        title = area_title(reading.evident, tables)
        return "contradicted", (
            f"error: region {quoted(region)} is {title}, which the continent contradicts"
        )
    if not reading.areas:
        return "contradicted", f"error: the parts of region {quoted(region)} contradict each other"
    countries = sorted({country(area) for area in reading.areas})
    shown = ", ".join(countries[:6]) + (" and more" if len(countries) > 6 else "")
    return "ambiguous", f"region {quoted(region)} could be in {shown}; name the country"


def _steps(rung: Rung | None, outcome: str, name: str = "", code: str = "") -> tuple[Step, ...]:
    """Record the steps that name an area, up to the one that recognised something."""
    if rung is None:
        return tuple(Step(step, outcome) for step in _NAMING)
    earlier = _NAMING[: _NAMING.index(rung)]
    return (*(Step(step, "no match") for step in earlier), Step(rung, outcome, name, code))


def area_title(area: str, tables: Tables) -> str:
    """Return the English name of a country or of a subdivision with its country."""
    title = tables.intensities.countries[country(area)].name
    return f"{tables.names.titles[area]}, {title}" if area in tables.names.titles else title


def _near_matches(name: str, names: Names) -> list[str]:
    same_initial = names.by_initial.get(name[:1], "").splitlines()
    similar = [known for known in same_initial if abs(len(known) - len(name)) < 3]
    return difflib.get_close_matches(name, similar, n=3, cutoff=NEAR_MATCH)


def quoted(text: str) -> str:
    """Show the beginning of a text that somebody else wrote."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"'{shown}…'" if len(text) > 40 else f"'{shown}'"
