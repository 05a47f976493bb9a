"""What a word, or some words together, can mean. Exact names only: a near match is no answer.

An area is a country, "FR", or one of its subdivisions, "US-CA". Where a name can mean several
areas, all of them are returned, and the reading decides by what else the text says, or not at all.
"""

import re

from carbon_node.intensity.names import ABBREVIATED, CITY, CONTINENT, COUNTRY, DIVISION
from carbon_node.intensity.pieces import Kind, Piece, Sense, common_area, country
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.text import normalised

LEAST_LETTERS = 4
"""Shorter Latin names of cities and subdivisions could be anything."""

_LOCALE = re.compile(r"([A-Za-z]{2,3})([_-])(?:[A-Z][a-z]{3}[_-])?([A-Z]{2})(?:[.@].*)?")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]*:([a-z]{2}-[a-z-]+-\d):.*", re.IGNORECASE)
_INITIALS = re.compile("[a-z]( [a-z]){1,3}")
"""U.S.A. and the like, normalised."""

FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
"""Two regional indicators: the code of a country."""

_FIRST_FLAG_LETTER = 0x1F1E6
_DIRECTIONS = frozenset(
    [
        "north",
        "south",
        "east",
        "west",
        "central",
        "northeast",
        "northwest",
        "southeast",
        "southwest",
    ]
)


_COUNTIES = frozenset(("county", "parish", "borough", "municipality", "area", "municipio"))
"""Last words of the names of counties."""


class Gazetteer:
    """Looks up parts of texts.

    Args:
        tables: the shipped tables.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._names = tables.names
        self._zones = tables.grid.zones.keys()
        clouds = self._names.clouds
        displays = (name for provider in clouds.providers.values() for name in provider.displays)
        others = (*clouds.keys, *displays, *self._names.says_nothing)
        self._other_beginnings = frozenset(
            name[:at] for name in others for at, mark in enumerate(name) if mark == " "
        )

    def whole(self, text: str, named: frozenset[str]) -> Piece | None:
        """Recognise a text as one code or name, or not at all.

        Args:
            text: all of it, without control characters.
            named: keys of the cloud providers that it names.
        """
        return self._id(text, named) or self._code_alone(text, named) or self.piece(text, named)

    def piece(self, text: str, named: frozenset[str], name: str | None = None) -> Piece | None:
        """Recognise a part of a text.

        Args:
            text: as written.
            named: keys of the cloud providers that the whole text names.
            name: the text normalised, where that is known.
        """
        names, name = self._names, normalised(text) if name is None else name
        if FLAG.fullmatch(text):
            return self._of_code(text, "".join(chr(ord(c) - _FIRST_FLAG_LETTER + 65) for c in text))
        if not name:
            return None
        if len(name) > 2 and _INITIALS.fullmatch(name):
            text = name = name.replace(" ", "")
            text = text.upper()
        if name in names.clouds.keys:
            return Piece(text, Kind.PROVIDER)
        if found := self._cloud(text, name, named) or self._postal(text):
            return found
        own = names.own.areas(name)
        is_word = name in names.says_nothing
        return (
            self._continent(text, name, own)
            or self._place(text, name, own)
            or (Piece(text, Kind.WORD) if is_word else None)
        )

    def may_go_on(self, name: str) -> bool:
        """Whether a longer name begins with these words."""
        names, beginning = self._names, name + " "
        tables = (names.cities, names.subdivisions, names.countries, names.own, names.continents)
        return (
            any(table.begins_any(beginning) for table in tables)
            or names.official.begins_any(beginning)
            or names.counties.begins_any(beginning)
            or name in self._other_beginnings
        )

    def _id(self, text: str, named: frozenset[str]) -> Piece | None:
        """Recognise what can only be a whole text: the id of a locale or a time zone."""
        if arn := _ARN.fullmatch(text):
            return self._cloud(arn[1], "", named or frozenset({"aws"}))
        if (zone := self._names.time_zones.get(text.casefold())) is not None:
            return self._of_code(text, zone)
        return self._locale(text)

    def _locale(self, text: str) -> Piece | None:
        match = _LOCALE.fullmatch(text)
        names = self._names
        if match is None or match[1] not in names.languages or match[3] not in names.alpha2:
            return None
        division = f"{match[1]}-{match[3]}".upper()
        if match[2] == "_" or division not in names.titles:
            return self._of_code(text, match[3])
        # es-CO is Spanish in Colombia, and ES-CO the province of Cordoba.
        senses = frozenset(Sense(area, Kind.CODE) for area in (match[3], division))
        return Piece(text, Kind.CODE, senses)

    def _of_code(self, text: str, code: str) -> Piece | None:
        area = self._names.alpha2.get(code)
        if area is None:
            return None
        return Piece(text, Kind.CODE, frozenset({Sense(area, Kind.CODE)}), area)

    def _code_alone(self, text: str, named: frozenset[str]) -> Piece | None:
        """Recognise a code in any letters; alone it is no small word."""
        plain = text.strip().strip(".").casefold()
        names = self._names
        # Title case is a name's, and EST a country's code or a time zone.
        is_ambiguous = names.own.areas(plain).count(" ") > 1
        if (text.istitle() and 1 < len(text) < 4) or is_ambiguous:
            return None
        if (two := names.alpha2.get(plain.upper())) is not None:
            is_word = plain in names.nowhere or (
                plain in names.needs_capitals and not text.isupper()
            )
            senses = frozenset({Sense(two, Kind.CODE)})
            return Piece(text, Kind.CODE, senses, None if is_word else two)
        if plain in names.needs_capitals and not text.isupper():
            return None
        return self._other_code(plain, text) or self._cloud(text, "", named)

    def _other_code(self, plain: str, text: str) -> Piece | None:
        """Recognise codes of subdivisions and grid zones, and codes that ISO does not know."""
        names, capitals = self._names, plain.upper().replace("_", "-")
        if capitals in names.titles or capitals in names.territories:
            area = names.territories.get(capitals, capitals)
            return Piece(text, Kind.CODE, frozenset({Sense(area, Kind.CODE)}), area)
        known = names.codes.get(plain, "")
        candidates = (names.zone_codes.get(capitals, capitals), f"{known}-{capitals}")
        zones = tuple(code for code in candidates if "-" in code and code in self._zones)
        if not known and not zones:
            return None
        area = known or self._tables.grid.areas[zones[0]]
        return Piece(text, Kind.CODE, frozenset({Sense(area, Kind.CODE)}), area, zones=zones)

    def _cloud(self, text: str, name: str, named: frozenset[str]) -> Piece | None:
        clouds = self._names.clouds
        regions = clouds.by_code(text, named) if " " not in text.strip() else ()
        if (
            not regions
            and clouds.has_display_name(name)
            and (named or not self._names.continent(name))
        ):
            regions = clouds.by_display_name(name, named)
        if not regions:
            return None
        senses = frozenset(Sense(region.area, Kind.CLOUD) for region in regions)
        area = common_area(region.area for region in regions)
        region = regions[0] if len(regions) == 1 else None
        zones = region.zones if region else ()
        return Piece(text, Kind.CLOUD, senses, area, region=region, zones=zones)

    def _postal(self, text: str) -> Piece | None:
        has_digit = any(map(str.isdigit, text))
        if has_digit and self._names.postal_codes.is_one(text):
            return Piece(text, Kind.POSTAL)
        return None

    def _continent(self, text: str, name: str, own: str) -> Piece | None:
        names = self._names
        found = own[2:] if own.startswith(CONTINENT) else names.continents.areas(name)
        is_code = name in names.continent_codes or len(name) < 2
        if not found or is_code or own.startswith(COUNTRY) or names.country(name):
            return None
        return Piece(text, Kind.CONTINENT, continents=frozenset(found.split()))

    def _is_dominated(self, kind: Kind, evident: str | None, cities: str) -> bool:
        is_sure = cities[:2] == "!!"
        if kind is Kind.SUBDIVISION:
            is_leading = evident is not None and country(evident) in self._names.leading
            return evident is not None and not is_leading and not is_sure
        return kind is Kind.CITY and cities[:1] == "!" and not is_sure

    def _place(self, text: str, name: str, own: str) -> Piece | None:
        """Recognise a name or a code within a longer text, with every area that it can mean."""
        names = self._names
        countries = self._country(text, name, own)
        codes = self._codes(text)
        divisions = [names.territories.get(a, a) for a in names.subdivisions.areas(name).split()]
        divisions += own[2:].split() if own.startswith((DIVISION, ABBREVIATED)) else []
        cities = names.cities.areas(name)
        own_city = _detailed(own[2:], cities) if own.startswith(CITY) else ""
        senses = {Sense(area, Kind.COUNTRY) for area in countries} | codes
        senses.update(Sense(area, Kind.SUBDIVISION) for area in divisions)
        if name.rpartition(" ")[2] in _COUNTIES:
            counties = names.counties.areas(name).split()
            senses.update(Sense(names.territories.get(a, a), Kind.COUNTY) for a in counties)
        senses.update(map(_city, cities.lstrip("!").split()))
        senses.update({Sense(own_city, Kind.CITY)} if own_city else ())
        if not senses:
            return None
        evident = common_area(countries) if countries else None
        if not countries:
            # "Fla." is Florida, but "ore" and "miss" are words.
            is_meant = own.startswith(DIVISION) or (own.startswith(ABBREVIATED) and "." in text)
            is_word = own.startswith(ABBREVIATED) and not is_meant
            meant = own[2:] if is_meant else self._evident(name, divisions, cities, own_city)
            evident = None if is_word else meant
        if evident is None and codes and not countries:
            evident = self._evident_code(codes)
        kind = _kind(bool(countries), codes, divisions, senses)
        is_dominated = not own and self._is_dominated(kind, evident, cities)
        ranked = cities.lstrip("!").split()
        large = frozenset(area.rstrip("+") for area in ranked if area.endswith("+"))
        prominent = large | frozenset(area.rstrip("+").upper() for area in ranked[:1])
        return Piece(
            text,
            kind,
            frozenset(senses),
            evident,
            is_dominated=is_dominated,
            prominent=prominent,
            large=large | ({own_city} if own_city else set()),
        )

    def _country(self, text: str, name: str, own: str) -> list[str]:
        names = self._names
        accented = "" if text.isascii() else text.casefold()
        named = own[2:] if own.startswith(COUNTRY) else ""
        found = names.accented.get(accented) or named or names.country(name)
        if not found and accented:
            found = names.countries.areas(accented)
        if found:
            return found.split()
        *words, last = name.split()
        if last in _DIRECTIONS and words and words[-1] not in _DIRECTIONS:
            return self._beside(" ".join(words), last)
        if last in _DIRECTIONS and len(words) > 1:
            return self._beside(" ".join(words[:-1]), words[-1] + " " + last)
        return []

    def _beside(self, base: str, direction: str) -> list[str]:
        """Recognise "Sweden Central", as providers name regions, and "Macedonia, North"."""
        directed = f"{direction} {base}"
        if self._names.subdivisions.areas(directed):
            return []
        for name in (directed, base):
            own = self._names.own.areas(name)
            if found := own[2:] if own.startswith(COUNTRY) else self._names.country(name):
                return found.split()
        return []

    def _codes(self, text: str) -> set[Sense]:
        """Recognise codes in capitals, and abbreviations of states and provinces."""
        names, plain = self._names, text.strip().strip(".,")
        if " " in plain or not plain.isupper() or not plain.replace("-", "").isalnum():
            return set()
        found = {Sense(two, Kind.CODE)} if (two := names.alpha2.get(plain)) else set()
        other = (
            self._other_code(plain.casefold(), text)
            if "-" in plain or plain.casefold() in names.codes
            else None
        )
        found |= other.senses if other else set()
        if 2 <= len(plain) <= 3:
            areas = names.abbreviations.areas(plain.casefold()).split()
            found |= {
                Sense(names.territories.get(area, area), self._kind_of_abbreviation(area))
                for area in areas
            }
        return found

    def _kind_of_abbreviation(self, area: str) -> Kind:
        """Tell states that are abbreviated everywhere from those that only their country knows."""
        is_known = country(area) in self._names.leading or area.startswith("AU-")
        return Kind.SUBDIVISION if is_known else Kind.ABBREVIATION

    def _evident_code(self, codes: set[Sense]) -> str | None:
        """Return what a code means; what only its own country abbreviates so decides nothing."""
        whole = {sense.area for sense in codes if sense.kind is Kind.CODE}
        leading = {
            sense.area
            for sense in codes
            if sense.kind is not Kind.CODE and country(sense.area) in self._names.leading
        }
        known = {sense.area for sense in codes if sense.kind is Kind.SUBDIVISION}
        found = whole | leading or known
        return found.pop() if len(found) == 1 else None

    def _evident(self, name: str, divisions: list[str], cities: str, own_city: str) -> str | None:
        names = self._names
        if name in names.words or (name.isascii() and len(name) < LEAST_LETTERS):
            return None
        leading = [area for area in divisions if country(area) in names.leading]
        if len(leading) == 1:
            return leading[0]
        known = {country(area) for area in divisions} & names.deciding
        ranked = cities.lstrip("!").split()
        city = own_city or (ranked[0].rstrip("+") if cities.startswith("!") else None)
        if city is not None and known <= {country(city)}:
            return city
        if not divisions:
            return None
        large = [area.rstrip("+") for area in ranked if area.endswith("+")]
        others = large if known else [area.rstrip("+").upper() for area in ranked]
        return common_area((*divisions, *others)) if known or large else None


def _city(area: str) -> Sense:
    """Read an area of the table of cities: small letters mark small towns, a plus large cities."""
    return Sense(area.rstrip("+").upper(), Kind.TOWN if area.islower() else Kind.CITY)


def _detailed(country_code: str, cities: str) -> str:
    """Return the state or province of the largest city of a name in a country, if it is known."""
    areas = (area.rstrip("+") for area in cities.lstrip("!").split())
    return next((area for area in areas if country(area) == country_code), country_code)


def _kind(is_country: bool, codes: set[Sense], divisions: list[str], senses: set[Sense]) -> Kind:  # noqa: FBT001
    if is_country:
        return Kind.COUNTRY
    if codes:
        return Kind.CODE
    if divisions:
        return Kind.SUBDIVISION
    return (
        Kind.CITY if any(sense.kind in {Kind.CITY, Kind.TOWN} for sense in senses) else Kind.COUNTY
    )
