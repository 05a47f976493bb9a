"""Whatever stands around a city of the shipped tables, no other country is ever answered."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_node.estimation import Place
from carbon_node.intensity import IntensityLookup
from carbon_node.intensity.tables import Tables

EXAMPLES = 300
"""Texts of each shape that a run draws."""


@pytest.fixture(scope="session")
def cities(tables: Tables) -> list[tuple[str, str]]:
    """Every name of a city with each area in which a city of 5000 bears it."""
    return [
        (name, area.rstrip("+"))
        for name, areas in tables.names.cities.items()
        for area in areas.lstrip("!").split()
        if not area.islower() and area.rstrip("+")[:2] in tables.intensities.countries
    ]


@pytest.fixture(scope="session")
def american(cities: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those in states of the USA."""
    return [(name, area) for name, area in cities if area.startswith("US-")]


def country_of(lookup: IntensityLookup, region: str, continent: str = "") -> str:
    """Return the country that was answered, empty for continents and the world."""
    steps = lookup.lookup(Place(region, continent)).steps
    return next((s.code for s in steps if s.outcome == "taken" and s.code), "")[:2]


def zip_code(state: str, tables: Tables, seed: int) -> str:
    """Return a ZIP code of a state."""
    pattern = re.compile(f"(?:{tables.names.postal_codes.subdivisions[state]})")
    numbers = random.Random(seed)  # noqa: S311 - drawn again from the same seed
    drawn = (f"{numbers.randrange(100_000):05}" for _ in iter(int, 1))
    return next(code for code in drawn if pattern.match(code))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_with_its_country(
    lookup: IntensityLookup, tables: Tables, cities: list[tuple[str, str]], data: st.DataObject
) -> None:
    """Name, code, brackets, slash: the city is in that country, or nothing is claimed."""
    name, area = data.draw(st.sampled_from(cities))
    country = tables.intensities.countries[area[:2]].name
    shape = data.draw(st.sampled_from(["{0}, {1}", "{0} ({1})", "{0} {1}", "{1}/{0}", "{0} - {1}"]))
    answered = country_of(lookup, shape.format(name.title(), country))
    assert answered in {"", area[:2]}


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_as_an_american_address(
    lookup: IntensityLookup,
    tables: Tables,
    american: list[tuple[str, str]],
    data: st.DataObject,
) -> None:
    """State, ZIP code, street, county and country around it never move it out of the USA."""
    name, area = data.draw(st.sampled_from(american))
    code = zip_code(area, tables, data.draw(st.integers(0, 10**6)))
    shape = data.draw(
        st.sampled_from(
            [
                "{0}, {1}",
                "{0}, {1} {2}",
                "{0}, {3} {2}",
                "{0} {1} {2}",
                "12 Main Street, {0}, {1} {2}",
                "{0}, {1} {2}, USA",
                "{0}, {3}, United States",
                "AWS, {0}, {1}",
            ]
        )
    )
    text = shape.format(name.title(), area[3:], code, tables.names.titles[area])
    answered = country_of(lookup, text)
    # "City, ST" alone may be "City, CC" as well: then the city there is the other meaning.
    is_code_too = shape in {"{0}, {1}", "AWS, {0}, {1}"} and area[3:] in tables.names.alpha2
    assert answered in ({"", "US", area[3:]} if is_code_too else {"", "US"})


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_in_its_county(
    lookup: IntensityLookup, tables: Tables, american: list[tuple[str, str]], data: st.DataObject
) -> None:
    """A county of the USA, or of Puerto Rico, beside a city is never abroad."""
    county = data.draw(st.sampled_from(list(tables.names.counties)))
    name, _ = data.draw(st.sampled_from(american))
    assert country_of(lookup, f"{name.title()}, {county.title()}") in {"", "US", "PR"}


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_with_a_continent(
    lookup: IntensityLookup, tables: Tables, cities: list[tuple[str, str]], data: st.DataObject
) -> None:
    """On its own continent it is itself, a country or state of that name, or nothing."""
    name, area = data.draw(st.sampled_from(cities))
    continent = tables.intensities.countries[area[:2]].continents[0]
    title = tables.intensities.continents[continent].name
    answered = country_of(lookup, name.title(), title)
    assert answered in {"", area[:2], *namesakes(name, tables)}


def namesakes(name: str, tables: Tables) -> set[str]:
    """Return the countries that bear a name, and those of states and cities that it means."""
    names = tables.names
    meant = names.cities[name].split()[0] if names.cities[name].startswith("!!") else ""
    areas = (
        *names.country(name).split(),
        *names.own.areas(name)[2:].split(),
        *names.subdivisions.areas(name).split(),
        meant.lstrip("!"),
    )
    return {names.territories.get(area, area)[:2] for area in areas}


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_with_a_provider(
    lookup: IntensityLookup, tables: Tables, cities: list[tuple[str, str]], data: st.DataObject
) -> None:
    """A provider's name beside a city changes nothing."""
    name, area = data.draw(st.sampled_from(cities))
    provider = data.draw(st.sampled_from(list(tables.names.clouds.keys))).title()
    country = tables.intensities.countries[area[:2]].name
    answered = country_of(lookup, f"{provider}, {name.title()}, {country}")
    assert answered in {"", area[:2]}
