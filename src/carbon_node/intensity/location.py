"""What is certain about a place: its area, its continents, or nothing. Never a guess."""

import difflib
from dataclasses import dataclass, replace

from carbon_node.estimation import Place, Step
from carbon_node.intensity.clouds import CloudRegion
from carbon_node.intensity.grid import Intensities
from carbon_node.intensity.names import Names
from carbon_node.intensity.pieces import Kind, Piece, common_area, country
from carbon_node.intensity.reading import Reader, Reading
from carbon_node.intensity.rungs import Rung
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.text import normalised

MAX_TEXT = 200
"""Characters of a place; longer texts are not read."""

NEAR_MATCH = 0.8
"""Likeness from which on a known name is mentioned to the reader; it never decides."""

_NAMING = (Rung.CODE, Rung.COUNTRY, Rung.SUBDIVISION, Rung.CITY)

_RUNGS = {
    Kind.CODE: Rung.CODE,
    Kind.CLOUD: Rung.CODE,
    Kind.COUNTRY: Rung.COUNTRY,
    Kind.SUBDIVISION: Rung.SUBDIVISION,
    Kind.COUNTY: Rung.SUBDIVISION,
    Kind.ABBREVIATION: Rung.SUBDIVISION,
    Kind.TOWN: Rung.CITY,
    Kind.CITY: Rung.CITY,
}


@dataclass(frozen=True, slots=True)
class Location:
    """What is certain about a place.

    Args:
        area: country or subdivision, None if unknown.
        continents: codes of the continents in which the place must lie, None if unknown.
        group: countries that were named together in a continent's place, empty if none were.
        steps: what was tried.
        warnings: what a reader should know.
        is_named: whether the place names something, understood or not; the node's own place would
            be a wrong guess then.
        rejected: area that the continent contradicts; the interval has to cover it.
        region: cloud region that is meant, None if none is.
        zones: grid zones that are meant, empty where they are those of the area.
        is_town: whether a town or a site is meant rather than the whole area.
        pieces: the parts of the text that are accounted for.
        unread: the parts that are not.
    """

    area: str | None
    continents: frozenset[str] | None
    steps: tuple[Step, ...]
    warnings: tuple[str, ...] = ()
    is_named: bool = False
    rejected: str | None = None
    region: CloudRegion | None = None
    zones: tuple[str, ...] = ()
    is_town: bool = False
    pieces: tuple[Piece, ...] = ()
    unread: tuple[str, ...] = ()
    group: str = ""


class Locator:
    """Finds out what is certain about places.

    Attributes:
        tables: the shipped tables.

    Args:
        tables: the shipped tables.
    """

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._names = tables.names
        self._reader = Reader(tables)

    def located(self, place: Place) -> Location:
        """Find out what is certain about a place.

        Args:
            place: as sent.

        Returns:
            What is certain, the steps that were tried, and what a reader should know.
        """
        location = self._located(place)
        if location.area is not None or location.continents is None:
            return location
        names = (place.region, place.continent)
        keys = (self._names.groups.get(normalised(readable(name)[0]), "") for name in names)
        return replace(location, group=next(filter(None, keys), ""))

    def _located(self, place: Place) -> Location:
        region, too_long = readable(place.region)
        continents, container, warnings = self._continents(place.continent)
        if too_long:
            warnings = (*warnings, f"region of {len(place.region)} characters is not read")
        if not names_something(region):
            region, container = container, ""
        if not names_something(region):
            return Location(
                None, continents, _steps(None, "not given"), warnings, is_named=too_long
            )
        if self._names_nothing(region) and (continents is None or normalised(region) != "na"):
            return Location(None, continents, _steps(None, "not given"), warnings)
        text = f"{region}, {container}" if container else region
        return self._settled(region, self._reader.read(text), continents, warnings)

    def _names_nothing(self, region: str) -> bool:
        name = normalised(region)
        return name in self._names.nowhere or name in self._names.world

    def _continents(self, text: str) -> tuple[frozenset[str] | None, str, tuple[str, ...]]:
        """Read the continent; a country in its place contains the region."""
        plain, too_long = readable(text)
        name = normalised(plain)
        if not too_long and (not names_something(plain) or self._names_nothing(plain)):
            return None, "", ()
        found = self._names.continent(name)
        if found:
            return frozenset(found.split()), "", ()
        if not too_long and self._reader.read(plain).evident is not None:
            return None, plain, ()
        return None, "", (f"continent {quoted(text)} is not known and is ignored",)

    def _settled(
        self,
        region: str,
        reading: Reading,
        continents: frozenset[str] | None,
        warnings: tuple[str, ...],
    ) -> Location:
        """Let the continent choose among what the region can mean, or contradict it."""
        warnings = (*warnings, *_not_understood(reading))
        if reading.continents is not None:
            if continents is not None and not reading.continents & continents:
                return self._contradicted(region, reading, warnings)
            continents = reading.continents & (continents or reading.continents)
        if reading.kind is None or reading.kind is Kind.CONTINENT:
            return self._unknown(region, reading, continents, warnings)
        area = self._area(reading, continents)
        if area is not None:
            steps = _steps(_RUNGS[reading.kind], "taken", area_title(area, self.tables), area)
            return Location(
                area,
                continents,
                steps,
                warnings,
                is_named=True,
                region=reading.region,
                zones=reading.zones,
                is_town=reading.is_town or reading.region is not None,
                pieces=reading.pieces,
                unread=reading.unread,
            )
        return self._doubtful(region, reading, continents, warnings)

    def _area(self, reading: Reading, continents: frozenset[str] | None) -> str | None:
        """Return the area that is certain, with the help of a continent.

        Where a city or province is meant because it is larger than its namesakes, and the continent
        has one of these, it need not be. A name that is decided by the continent alone must be
        one country's there, down to the smallest towns that the table knows.
        """
        evident, intensities = reading.evident, self.tables.intensities
        inside = [area for area in reading.areas if lies_in(area, continents, intensities)]
        rivals = {country(area) for area in inside if area not in reading.towns}
        if evident is not None and lies_in(evident, continents, intensities):
            is_alone = continents is None or rivals <= {country(evident)}
            return evident if is_alone or not reading.is_dominated else None
        if continents is None:
            return None
        divisions = [area for area in inside if area in reading.divisions]
        found = common_area(divisions if divisions and len(rivals) == 1 else inside)
        is_known = found is not None and any(
            country(area) == country(found) for area in (*divisions, *reading.prominent)
        )
        return found if is_known else None

    def _unknown(
        self,
        region: str,
        reading: Reading,
        continents: frozenset[str] | None,
        warnings: tuple[str, ...],
    ) -> Location:
        if reading.kind is None:
            near = near_matches(normalised(region), self._names)
            hint = f"; near matches: {', '.join(near)}" if near else ""
            unknown = f"region {quoted(region)} is not known{hint}"
            warnings = (*warnings[: len(warnings) - bool(reading.unread)], unknown)
        return Location(
            None,
            continents,
            _steps(None, "no match"),
            warnings,
            is_named=True,
            pieces=reading.pieces,
            unread=reading.unread,
        )

    def _contradicted(self, region: str, reading: Reading, warnings: tuple[str, ...]) -> Location:
        contradiction = f"region {quoted(region)} and the continent contradict each other"
        return Location(
            None,
            None,
            _steps(None, "contradicted"),
            (*warnings, contradiction),
            is_named=True,
            pieces=reading.pieces,
            unread=reading.unread,
        )

    def _doubtful(
        self,
        region: str,
        reading: Reading,
        continents: frozenset[str] | None,
        warnings: tuple[str, ...],
    ) -> Location:
        outcome, why = self._doubt(region, reading, continents)
        return Location(
            None,
            continents,
            _steps(_RUNGS[reading.kind or Kind.CITY], outcome),
            (*warnings, why),
            is_named=True,
            rejected=reading.evident if outcome == "contradicted" else None,
            pieces=reading.pieces,
            unread=reading.unread,
        )

    def _doubt(
        self, region: str, reading: Reading, continents: frozenset[str] | None
    ) -> tuple[str, str]:
        evident, intensities = reading.evident, self.tables.intensities
        if evident is not None and not lies_in(evident, continents, intensities):
            title = area_title(evident, self.tables)
            return "contradicted", (
                f"error: region {quoted(region)} is {title}, which the continent contradicts"
            )
        if not reading.areas:
            return "contradicted", (
                f"error: the parts of region {quoted(region)} contradict each other"
            )
        countries = sorted({country(area) for area in reading.areas})
        if len(countries) == 1:
            title = area_title(countries[0], self.tables)
            return "ambiguous", f"region {quoted(region)} alone need not be in {title}; name both"
        shown = ", ".join(countries[:6]) + (" and more" if len(countries) > 6 else "")
        return "ambiguous", f"region {quoted(region)} could be in {shown}; name the country"


def _not_understood(reading: Reading) -> tuple[str, ...]:
    if not reading.unread:
        return ()
    shown = ", ".join(map(quoted, reading.unread[:3]))
    return (f"not understood and left out: {shown}; the answer is what is certain without",)


def readable(text: str) -> tuple[str, bool]:
    """Return the text without control characters, and whether it was too long to read."""
    if len(text) > MAX_TEXT:
        return "", True
    return "".join(c if c.isprintable() else " " for c in text).strip(), False


def names_something(text: str) -> bool:
    """Whether a text holds a letter, a digit or a flag."""
    return any(c.isalnum() or "\U0001f1e6" <= c <= "\U0001f1ff" for c in text)


def lies_in(area: str, continents: frozenset[str] | None, intensities: Intensities) -> bool:
    """Whether an area lies in one of the continents; None means anywhere."""
    known = intensities.countries.get(country(area))
    return continents is None or known is None or bool(continents.intersection(known.continents))


def _steps(rung: Rung | None, outcome: str, name: str = "", code: str = "") -> tuple[Step, ...]:
    """Record the steps that name an area, up to the one that recognised something."""
    if rung is None:
        return tuple(Step(step, outcome) for step in _NAMING)
    earlier = _NAMING[: _NAMING.index(rung)]
    return (*(Step(step, "no match") for step in earlier), Step(rung, outcome, name, code))


def area_title(area: str, tables: Tables) -> str:
    """Return the English name of a country or of a subdivision with its country."""
    title = tables.intensities.countries[country(area)].name
    name = tables.names.titles.get(area)
    return title if name is None else f"{name}, {title}"


def near_matches(name: str, names: Names) -> list[str]:
    """Return known names that are spelled nearly so, the most alike first; for people to read."""
    # Comparing costs 10 us: only with what begins or ends alike.
    similar = [
        known
        for known in names.well_known(name[:1])
        if abs(len(known) - len(name)) < 3 and (known[:3] == name[:3] or known[-2:] == name[-2:])
    ]
    return difflib.get_close_matches(name, similar, n=3, cutoff=NEAR_MATCH)


def quoted(text: str) -> str:
    """Show the beginning of a text that somebody else wrote."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"'{shown}…'" if len(text) > 40 else f"'{shown}'"
