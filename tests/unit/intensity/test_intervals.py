"""How wide the interval of a value is, by what the tables say: worked out by hand."""

import dataclasses

import pytest

from carbon_node.intensity.grid import Country, Grid, Intensities, Mean, SubdivisionValue, Zone
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.values import CONSUMED, GENERATED, Value, value_of

ZONES = {
    "AA": Zone("all of A", {2024: 80.0, 2025: 100.0}),
    "BB-1": Zone("B one", {2025: 50.0}),
    "BB-2": Zone("B two", {2025: 200.0, 2024: 150.0}),
    "FF": Zone("all of F", {2025: 60.0}),
    "GG-O": Zone("old", {2022: 100.0}),
    "GG-Y": Zone("young", {2023: 100.0}),
    "ZZ": Zone("dirtiest", {2025: 900.0}),
}
SUPPLIED: dict[str, tuple[str, ...]] = {
    "BB-X": ("BB-1",),
    "BB-Y": ("BB-2", "BB-1"),
    "BB-S": ("BB-2",),
    "CC-I": (),
    "GG-1": ("GG-O",),
    "GG-2": ("GG-Y",),
}
COUNTRIES = {
    "AA": Country("A", ("EU",), 120.0, 2025, (90.0, 130.0)),
    "BB": Country("B", ("EU",), 100.0, 2025, (90.0, 300.0)),
    "CC": Country("C", ("EU",), 100.0, 2025, ()),
    "DD": Country("D", ("EU",), 100.0, 2022, ()),
    "DY": Country("D young", ("EU",), 100.0, 2023, ()),
    "EE": Country("E", ("EU",), None, None, ()),
    "FF": Country("F", ("EU",), None, None, ()),
    "GG": Country("G", ("EU",), 100.0, 2025, ()),
    "HH": Country("H", ("EU",), 500.0, 2025, ()),
}
SUBDIVISIONS = {
    "BB-S": SubdivisionValue(400.0, 2025, "states", "generation"),
    "CC-S": SubdivisionValue(400.0, 2025, "states", "generation"),
}


@pytest.fixture(scope="module")
def small(tables: Tables) -> Tables:
    """Tables of a few made-up countries."""
    mean = Mean("World", 100.0, 2025)
    intensities = Intensities("countries", mean, {}, {}, COUNTRIES, SUBDIVISIONS, {})
    grid = Grid.of("zones", ZONES, SUPPLIED)
    return dataclasses.replace(tables, intensities=intensities, grid=grid)


def found(
    area: str, tables: Tables, zones: tuple[str, ...] = (), *, is_town: bool = False
) -> Value:
    """Return the value of an area that has one."""
    value = value_of(area, tables, zones, is_town=is_town)
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("area", "zones", "low", "value", "high"),
    [
        ("AA", (), min(120 / 1.2, 80 / 1.15), 120, 120 * 1.2),
        ("BB", (), 100 / 1.75, 100, 300),
        ("CC", (), 100 / 1.75, 100, 100 * 1.75),
        ("DD", (), 100 / 1.75 / 1.5, 100, 100 * 1.75 * 1.5),
        ("DY", (), 100 / 1.75, 100, 100 * 1.75),
        ("FF", (), 60 / 1.75, 60, 60 * 1.75),
        ("BB-X", (), 50 / 2, 50, 50 * 2),
        ("BB-Y", (), 50 / 2, 200, 200 * 2),
        ("BB-S", (), 150 / 1.15, 200, 400),
        ("CC-S", (), 400 / 2, 400, 400 * 2),
        ("GG-1", (), 100 / 2 / 1.5, 100, 100 * 2 * 1.5),
        ("GG-2", (), 100 / 2, 100, 100 * 2),
        ("BB", ("BB-1",), 50 / 1.15, 50, 100),
        ("CC-I", (), 50.0, 100, 100 * 1.75 * 5),
        ("HH-1", (), 500 / 1.75 / 5, 500, 900),
        ("AA-1", (), 50.0, 120, 120 * 1.2 * 5),
    ],
)
def test_an_interval_reaches_as_far_as_tables_and_years_differ(
    small: Tables, area: str, zones: tuple[str, ...], low: float, value: float, high: float
) -> None:
    """Factors 1.2, 1.15, 1.75, 2, 1.5 for age and 5 for a part, as docs/numbers.md says."""
    interval = found(area, small, zones).g_per_kwh
    assert (interval.low, interval.value, interval.high) == pytest.approx((low, value, high))


def test_a_value_names_what_it_counts(small: Tables) -> None:
    """Zones are as consumed, countries as generated, states as their table says."""
    country, zone, state = (found(area, small) for area in ("AA", "BB-Y", "CC-S"))
    assert (country.counted, country.source, country.zones) == (GENERATED, "countries", ())
    assert (zone.counted, zone.source, zone.zones) == (CONSUMED, "zones", ("BB-2", "BB-1"))
    assert (state.counted, state.source, state.year) == ("generation", "states", 2025)


def test_a_part_says_that_the_value_is_not_its_own(small: Tables) -> None:
    """Unless it is a town, which stands on its country's grid."""
    part, town = found("CC-1", small), found("CC-1", small, is_town=True)
    assert (part.is_own, town.is_own) == (False, True)
    assert len(part.warnings) == 1
    assert town.warnings == ()
    assert town.g_per_kwh == found("CC", small).g_per_kwh
    island = found("CC-I", small, is_town=True)
    assert not island.is_own


def test_only_several_zones_and_old_values_are_warned_about(small: Tables) -> None:
    """Three years are old."""
    warned = {area for area in ("AA", "BB-X", "DY", "GG-2") if found(area, small).warnings}
    assert warned == set()
    assert "several grid zones" in found("BB-Y", small).warnings[0]
    assert found("GG-1", small).warnings == (
        "the value is of 2022; the interval is wider for its age",
    )
    assert "2022" in found("DD", small).warnings[0]


def test_nothing_is_known_of_a_country_without_value_and_zone(small: Tables) -> None:
    """Nor of its parts."""
    assert value_of("EE", small) is None
    assert value_of("EE-1", small) is None


def test_zones_of_an_area_that_have_no_value_are_refused() -> None:
    """The tables would contradict each other."""
    with pytest.raises(ValueError, match=r"no value for zones \['XX'\] of BB-X"):
        Grid.of("zones", ZONES, {"BB-X": ("XX", "BB-1")})


def test_a_zone_belongs_to_the_one_area_that_it_supplies() -> None:
    """Or to its country, where it supplies several or what nobody named."""
    grid = Grid.of("zones", ZONES, {"BB-X": ("BB-1",), "GG-*": ("GG-Y",)})
    assert (grid.areas["BB-1"], grid.areas["GG-Y"], grid.areas["BB-2"]) == ("BB-X", "GG", "BB")
    assert Grid.of("zones", ZONES, SUPPLIED).areas["BB-1"] == "BB"
    assert grid.extremes == (50, 900)


@pytest.mark.parametrize(
    ("area", "zones"),
    [
        ("BB-X", ("BB-1",)),
        ("BB-X1", ("BB-1",)),
        ("BB-W", ("BB-2",)),
        ("AA", ("AA",)),
        ("AA-1", None),
        ("BB", None),
        ("CC-I", ()),
    ],
)
def test_an_area_is_supplied_like_what_contains_it(
    area: str, zones: tuple[str, ...] | None
) -> None:
    """Below its country; "BB-*" stands for what is not named."""
    grid = Grid.of("zones", ZONES, SUPPLIED | {"BB-*": ("BB-2",)})
    assert grid.zones_of(area, {"BB-X1": "BB-X"}) == zones
