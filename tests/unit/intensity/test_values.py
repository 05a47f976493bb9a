"""Values and intervals: of grid zones, of countries, and of parts that no table knows."""

import runpy
from pathlib import Path

import pytest

from carbon_node.estimation import CarbonIntensity, Place
from carbon_node.intensity import IntensityLookup
from carbon_node.intensity.tables import Tables
from carbon_node.intensity.values import value_of

COVERAGE = Path(__file__).parents[3] / "scripts/intensity_coverage.py"


def asked(lookup: IntensityLookup, region: str) -> CarbonIntensity:
    """Return the answer for a region."""
    return lookup.lookup(Place(region))


@pytest.mark.parametrize(
    ("region", "g_per_kwh", "zones"),
    [
        ("us-east-1", 418, ("US-MIDA-PJM",)),
        ("us-central1", 501, ("US-MIDW-MISO",)),
        ("Corsica", 546, ("FR-COR",)),
        ("Tasmania", 69, ("AU-TAS",)),
        ("Hobart, Tasmania", 69, ("AU-TAS",)),
        ("Sardinia", 488, ("IT-SAR",)),
        ("Madeira", 633, ("PT-MA",)),
        ("SE4", 37, ("SE-SE4",)),
        ("Ohio", 418, ("US-MIDA-PJM",)),
        ("Quebec", 41, ("CA-QC",)),
        ("Tromsø", 49, ("NO-NO4",)),
        ("Orkney", 57, ("GB-ORK",)),
    ],
)
def test_a_place_has_the_value_of_its_grid_zone(
    lookup: IntensityLookup, region: str, g_per_kwh: float, zones: tuple[str, ...]
) -> None:
    """As consumed there, over the life cycle, and not its country's or its power plants'."""
    answer = asked(lookup, region)
    assert (answer.g_per_kwh.value, answer.zones) == (g_per_kwh, zones)
    assert answer.counted == "consumption, life cycle"
    assert answer.year == 2025
    assert "Electricity Maps" in answer.source


def test_a_state_in_several_zones_takes_their_hull(lookup: IntensityLookup, tables: Tables) -> None:
    """Every zone of California lies in its interval, and the reader is told."""
    answer = asked(lookup, "California")
    assert len(answer.zones) == 5
    for zone in answer.zones:
        latest = tables.grid.zones[zone].latest
        assert answer.g_per_kwh.low <= latest <= answer.g_per_kwh.high
    assert "several grid zones" in answer.warnings[0]


def test_a_second_table_lies_in_the_interval(lookup: IntensityLookup) -> None:
    """The 244.9 g/kWh of Virginia's power plants are inside, beside the grid's 418."""
    interval = asked(lookup, "Virginia").g_per_kwh
    assert interval.low <= 244.9 < interval.value == 418


def test_a_country_covers_what_is_consumed(lookup: IntensityLookup) -> None:
    """Slovakia generates at 95 g/kWh and consumes at more: both are inside."""
    slovakia = asked(lookup, "Slovakia")
    assert slovakia.g_per_kwh.low < 100
    assert slovakia.g_per_kwh.high > 232


@pytest.mark.parametrize("region", ["Bavaria", "Azores", "Crete", "Shetland Islands"])
def test_a_part_without_a_value_is_wider_than_its_country(
    lookup: IntensityLookup, region: str
) -> None:
    """No table knows it: its country's value, as wide as such parts differ, with a warning."""
    part = asked(lookup, region)
    whole = asked(lookup, part.code[:2])
    assert part.g_per_kwh.value == whole.g_per_kwh.value
    assert part.g_per_kwh.high > 1.2 * whole.g_per_kwh.high
    assert part.g_per_kwh.low < whole.g_per_kwh.low
    assert any("no table has a value" in warning for warning in part.warnings)


def test_a_town_stands_on_its_countrys_grid(lookup: IntensityLookup) -> None:
    """Munich is not widened, for the grid of Germany is one."""
    assert asked(lookup, "Munich").g_per_kwh == asked(lookup, "Germany").g_per_kwh
    assert asked(lookup, "Munich").warnings == ()


def test_an_old_value_says_its_age_and_is_wider(lookup: IntensityLookup, tables: Tables) -> None:
    """Western Sahara has its value from 2009."""
    answer = asked(lookup, "Western Sahara")
    assert answer.year == 2009
    assert "2009" in answer.warnings[0]
    assert answer.g_per_kwh.high > 2 * answer.g_per_kwh.value
    young = value_of("KI", tables)
    assert young is not None
    assert young.g_per_kwh.high < 2 * young.g_per_kwh.value


def test_a_place_without_any_value_takes_its_continents(lookup: IntensityLookup) -> None:
    """Neither table knows Monaco."""
    answer = asked(lookup, "Monaco")
    assert answer.place == "Europe"
    assert "Monaco" in answer.warnings[0]


def test_the_site_of_a_known_provider_has_its_pue(lookup: IntensityLookup) -> None:
    """AWS publishes one, and a town has none."""
    pue = asked(lookup, "us-east-1").site_pue
    assert pue is not None
    assert (pue.interval.value, "AWS" in pue.source) == (1.15, True)
    assert asked(lookup, "Ashburn, VA").site_pue is None


def test_intervals_mean_what_they_say() -> None:
    """Nine of ten places hold another source's value and next year's, each kind at least 85 %."""
    assert runpy.run_path(str(COVERAGE))["main"]() == 0
