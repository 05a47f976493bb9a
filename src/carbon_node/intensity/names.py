"""Names of places, and the areas that bear them."""

from collections.abc import Mapping
from dataclasses import dataclass

from carbon_node.intensity.clouds import Clouds
from carbon_node.intensity.name_table import NameTable
from carbon_node.intensity.postal import PostalCodes

COUNTRY, DIVISION, ABBREVIATED, CITY, CONTINENT = "=", "+", "~", "*", "@"
"""What the areas of names that are collected by hand are led by."""


@dataclass(frozen=True, slots=True)
class Names:
    """Normalised names and the areas that bear them; an area is "FR" or "US-CA".

    Where several areas bear a name, they stand behind each other, with a space between.

    Args:
        alpha2: alpha-2 codes by alpha-2 and alpha-3 codes.
        codes: areas by codes beside ISO's, in small letters.
        zone_codes: grid zones by other codes of theirs, in capitals.
        territories: countries by codes that ISO 3166-2 has for them as parts of others.
        sovereigns: countries by territories with a code of their own that belong to them.
        titles: names of subdivisions by ISO 3166-2 code.
        parents: subdivisions by the subdivisions that lie in them.
        abbreviations: subdivisions by the second part of their code, in small letters.
        accented: names of countries that are other words without their accents.
        countries: names of countries in many languages; several areas where a name is ambiguous.
        official: official names of countries.
        subdivisions: names of subdivisions; several areas where several bear the name.
        counties: names of counties of the USA.
        cities: names of cities: areas by falling size, led by "!" if the first is meant by the
            name.
        continents: names of continents and larger regions, with the codes of their continents.
        groups: groups of countries by name; each is among `continents` too.
        continent_codes: codes of continents that are codes of countries too.
        time_zones: countries by ids of time zones, in small letters.
        languages: codes that lead the id of a locale.
        clouds: cloud providers.
        postal_codes: patterns of postal codes.
        world: names of the whole world.
        nowhere: texts that name no place.
        says_nothing: words beside a place that do not change which one it is.
        words: names that are ordinary words and decide nothing alone.
        small_words: words in small letters that are no codes within a text.
        needs_capitals: codes that are ordinary words unless in capitals.
        never_towns: names of towns that mean something else beside other words.
        leading: countries whose subdivisions are meant before foreign namesakes.
        deciding: countries whose subdivisions are known enough to decide alone.
        own: names that are collected by hand, which go before all others; their areas are led by
            `COUNTRY`, `DIVISION`, `ABBREVIATED`, `CITY` or `CONTINENT` and a space.
    """

    alpha2: Mapping[str, str]
    codes: Mapping[str, str]
    zone_codes: Mapping[str, str]
    territories: Mapping[str, str]
    sovereigns: Mapping[str, str]
    titles: NameTable
    parents: Mapping[str, str]
    abbreviations: NameTable
    accented: Mapping[str, str]
    countries: NameTable
    official: NameTable
    subdivisions: NameTable
    counties: NameTable
    cities: NameTable
    continents: NameTable
    groups: Mapping[str, str]
    continent_codes: frozenset[str]
    time_zones: NameTable
    languages: frozenset[str]
    clouds: Clouds
    postal_codes: PostalCodes
    world: frozenset[str]
    nowhere: frozenset[str]
    says_nothing: frozenset[str]
    words: frozenset[str]
    small_words: frozenset[str]
    needs_capitals: frozenset[str]
    never_towns: frozenset[str]
    leading: frozenset[str]
    deciding: frozenset[str]
    own: NameTable

    def country(self, name: str) -> str:
        """Return the countries of a normalised name that others collected, empty if none."""
        return self.countries.areas(name) or (self.official.areas(name) if " " in name else "")

    def continent(self, name: str) -> str:
        """Return the codes of the continents of a normalised name, empty if there are none."""
        own = self.own.areas(name)
        return own[2:] if own.startswith(CONTINENT) else self.continents.areas(name)

    def well_known(self, beginning: str) -> list[str]:
        """Return the names of countries and well-known places that begin with a text."""
        return [*self.own.beginning(beginning), *self.countries.beginning(beginning)]
