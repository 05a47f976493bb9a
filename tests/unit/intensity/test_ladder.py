"""The ladder: which step answers, with which interval, and what it says about the others."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_node.estimation import CarbonIntensity, Place
from carbon_node.intensity import IntensityConfig, IntensityLookup


def step_of(answer: CarbonIntensity) -> tuple[str, str]:
    """Return the step that was taken last, and what the value belongs to."""
    return answer.steps[-1].rung, answer.place


@pytest.mark.parametrize(
    ("region", "continent", "rung", "place"),
    [
        ("FR", "", "code", "France"),
        ("us-east-1", "", "code", "Virginia, United States"),
        ("France", "", "country", "France"),
        ("California", "", "subdivision", "California, United States"),
        ("Bavaria", "", "subdivision", "Bavaria, Germany"),
        ("Houston", "", "city", "Texas, United States"),
        ("Montréal", "", "city", "Quebec, Canada"),
        ("Guangzhou", "", "city", "Guangdong, China"),
        ("", "Europe", "continent", "Europe"),
        ("Atlantis", "Europe", "continent", "Europe"),
        ("Europe", "", "continent", "Europe"),
        ("Atlantis", "", "world", "World"),
        ("", "", "world", "World"),
        ("", "Middle East", "continent", "Middle East"),
        ("European Union", "", "continent", "European Union"),
        ("Kosovo", "", "country", "Kosovo"),
        ("Tasmania", "", "subdivision", "Tasmania, Australia"),
        ("", "Asia Pacific", "world", "World"),
        ("Monaco", "", "continent", "Europe"),
    ],
)
def test_the_first_certain_step_answers(
    lookup: IntensityLookup, region: str, continent: str, rung: str, place: str
) -> None:
    """Codes, countries, subdivisions, cities, continents, the world: in this order."""
    assert step_of(lookup.lookup(Place(region, continent))) == (rung, place)


def test_the_steps_before_are_recorded(lookup: IntensityLookup) -> None:
    """A reader sees what was tried before the step that was taken."""
    outcomes = [(s.rung, s.outcome) for s in lookup.lookup(Place("Houston")).steps]
    assert outcomes == [
        ("code", "no match"),
        ("country", "no match"),
        ("subdivision", "no match"),
        ("city", "taken"),
    ]


def test_a_country_has_value_year_source_and_spread(lookup: IntensityLookup) -> None:
    """France has 41.44 g/kWh in Ember's table; the interval covers the other tables' years."""
    france = lookup.lookup(Place("France"))
    assert (france.code, france.year, france.g_per_kwh.value) == ("FR", 2025, 41.44)
    assert "Ember" in france.source
    assert france.counted == "generation, life cycle"
    assert france.g_per_kwh.low <= 31
    assert france.g_per_kwh.high >= 91


def test_a_continent_covers_all_of_its_countries(
    lookup: IntensityLookup,
) -> None:
    """Somewhere in Europe can be as clean as Albania and as dirty as Poland."""
    europe = lookup.lookup(Place(continent="Europe")).g_per_kwh
    assert europe.value == 272
    for country in ("Albania", "Norway", "France", "Germany", "Poland"):
        assert europe.low <= lookup.lookup(Place(country)).g_per_kwh.value <= europe.high


def test_the_world_is_embers_mean_over_all_grids(lookup: IntensityLookup) -> None:
    """An unknown place has 458 g/kWh, anything from the cleanest to the dirtiest grid."""
    world = lookup.lookup(Place("Atlantis")).g_per_kwh
    assert (world.low, world.value, world.high) == (20.83, 458, 1306.27)


def test_a_contradiction_widens_to_the_continent_and_says_so(lookup: IntensityLookup) -> None:
    """France in Asia is Asia's mean, with France's value within the interval, and an error."""
    answer = lookup.lookup(Place("France", "Asia"))
    assert (answer.place, answer.code) == ("Asia", "")
    assert answer.g_per_kwh.low <= 41.44
    assert ("country", "contradicted") in [(s.rung, s.outcome) for s in answer.steps]
    assert answer.warnings[0].startswith("error:")


def test_an_unknown_text_names_near_matches(lookup: IntensityLookup) -> None:
    """A typing error is never followed, only mentioned."""
    answer = lookup.lookup(Place("Germny"))
    assert answer.place == "World"
    assert "germany" in answer.warnings[0]


def test_an_ambiguous_text_names_the_countries(lookup: IntensityLookup) -> None:
    """Korea is two countries."""
    (warning,) = lookup.lookup(Place("Korea")).warnings
    assert "KP, KR" in warning


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\x00" * 500, "France\x00" * 100])
def test_an_endless_text_is_not_read(lookup: IntensityLookup, text: str) -> None:
    """A megabyte costs nothing and is not repeated in the warning."""
    answer = lookup.lookup(Place(text))
    assert answer.place == "World"
    assert f"{len(text)} characters" in answer.warnings[0]
    assert len(answer.warnings[0]) < 100


@pytest.mark.parametrize("text", ["\x00France\x07", "France\n", "\u202eFrance", "Fra\u200bnce"])
def test_control_characters_never_reach_the_warnings(lookup: IntensityLookup, text: str) -> None:
    """What a terminal would obey is not repeated."""
    for warning in lookup.lookup(Place(text)).warnings:
        assert warning.isprintable()


def test_mixed_scripts_are_not_the_name(lookup: IntensityLookup) -> None:
    """France with a Cyrillic letter is a near match, not France."""
    answer = lookup.lookup(Place("Fr\u0430nce"))
    assert answer.place == "World"
    assert "france" in answer.warnings[0]


@pytest.mark.parametrize("text", ["", "  ", "N/A", "none", "unknown", "-", "NA"])
def test_no_place_is_no_place(lookup: IntensityLookup, text: str) -> None:
    """Texts that name no place are not warned about."""
    answer = lookup.lookup(Place(text, text))
    assert answer.place == "World"
    assert answer.warnings == ()
    assert answer.steps[0].outcome == "not given"


def test_an_unknown_continent_is_ignored_with_a_warning(lookup: IntensityLookup) -> None:
    """The region still counts."""
    answer = lookup.lookup(Place("France", "Lemuria"))
    assert answer.place == "France"
    assert "Lemuria" in answer.warnings[0]


def test_a_region_of_two_continents_is_said_to_be_none(lookup: IntensityLookup) -> None:
    """There is no mean of Asia and Oceania: the world's is used, and the reader told."""
    answer = lookup.lookup(Place("Asia Pacific"))
    assert answer.place == "World"
    assert "several continents" in answer.warnings[0]


def at_home(region: str) -> IntensityLookup:
    """Return a look-up of a node that stands in a place."""
    return IntensityLookup(IntensityConfig(default_place=Place(region)))


@pytest.mark.parametrize("region", ["", "N/A", "unknown"])
def test_a_place_that_says_nothing_is_the_default_place(region: str) -> None:
    """Where the task names no place, it runs where the node stands."""
    answer = at_home("Sweden").lookup(Place(region))
    assert answer.place == "Sweden"
    assert (answer.steps[-1].rung, answer.steps[-1].code) == ("default", "SE")


@pytest.mark.parametrize(
    ("region", "continent", "place"),
    [
        ("Korea", "", "World"),
        ("Paris, Germany", "", "World"),
        ("Georgia", "", "World"),
        ("", "Asia", "Asia"),
        ("", "Middle East", "Middle East"),
        ("Sweeden", "", "World"),
        ("Germny", "Europe", "Europe"),
        ("Sweden or Norway", "", "World"),
        ("x" * 500, "", "World"),
    ],
)
def test_a_place_elsewhere_is_never_the_default_place(
    region: str, continent: str, place: str
) -> None:
    """A doubtful Korea is not Sweden, and neither is a text that was not understood."""
    assert at_home("Sweden").lookup(Place(region, continent)).place == place


def test_a_default_place_that_is_not_known_is_said() -> None:
    """The operator's typing error is warned about in every result that needs it."""
    answer = at_home("Swedn").lookup(Place(""))
    assert answer.place == "World"
    assert "default place 'Swedn' is not known" in answer.warnings


def test_a_default_continent_is_better_than_the_world() -> None:
    """The default place may be a continent."""
    assert at_home("Europe").lookup(Place("")).place == "Europe"


@given(st.text(max_size=50), st.text(max_size=30))
def test_no_text_raises(lookup: IntensityLookup, region: str, continent: str) -> None:
    """Every text has an answer with a sound interval."""
    answer = lookup.lookup(Place(region, continent))
    assert 0 < answer.g_per_kwh.low <= answer.g_per_kwh.value <= answer.g_per_kwh.high


@given(st.sampled_from(["France", "us-east-1", "Georgia", "Paris, TX", "Korea", "münchen"]))
@settings(deadline=None)
def test_the_same_place_gives_the_same_answer(region: str) -> None:
    """Two look-ups that know nothing of each other agree in every detail."""
    one, other = (IntensityLookup(IntensityConfig()).lookup(Place(region)) for _ in range(2))
    assert one == other
