"""The look-up object: the operator's word, and threads."""

import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carbon_node.errors import ConfigError
from carbon_node.estimation import Place
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.intensity.tables import shipped_data


def test_an_explicit_intensity_wins_over_every_place() -> None:
    """What the operator states is exact and named as such."""
    answer = IntensityLookup(IntensityConfig(g_per_kwh=57)).lookup(Place("Poland"))
    assert answer.g_per_kwh.is_exact
    assert answer.g_per_kwh.value == 57
    assert answer.source == "set by the operator"
    assert [(step.rung, step.outcome) for step in answer.steps] == [("explicit", "taken")]


@pytest.mark.parametrize("grams", [0, -1, 3000.1, 1e6, math.nan, math.inf, -math.inf])
def test_an_absurd_explicit_intensity_is_refused(grams: float) -> None:
    """Zero marks failed results, and beyond 3000 the unit is wrong: neither is accepted."""
    with pytest.raises(ConfigError, match="g/kWh"):
        IntensityConfig(g_per_kwh=grams)


@pytest.mark.parametrize("grams", [1e-9, 3000])
def test_an_intensity_may_reach_its_bounds(grams: float) -> None:
    """Any number above 0, up to 3000."""
    lookup = IntensityLookup(IntensityConfig(g_per_kwh=grams, stated_by="a contract"))
    assert lookup.lookup(Place("Poland")) == lookup.known(Place())
    answer = lookup.lookup(Place())
    assert (answer.g_per_kwh.value, answer.source, answer.year) == (grams, "a contract", None)


def test_an_answer_is_known_once_it_was_looked_up() -> None:
    """What is known needs no thread; a text too long to be read is not kept."""
    reads: list[None] = []
    lookup = IntensityLookup(IntensityConfig(), tables_read=lambda: reads.append(None))
    for text, is_kept in (("France", True), ("x" * 200, True), ("x" * 201, False)):
        for place in (Place(text), Place("Sweden", text)):
            assert lookup.known(place) is None
            answer = lookup.lookup(place)
            assert lookup.known(place) == (answer if is_kept else None)
    assert len(reads) == 1


def test_the_oldest_of_many_answers_is_forgotten() -> None:
    """1,024 places are kept in memory."""
    lookup = IntensityLookup(IntensityConfig())
    places = [Place(f"{number}") for number in range(1025)]
    for place in places[:1024]:
        lookup.lookup(place)
    assert all(map(lookup.known, places[:1024]))
    lookup.lookup(places[1024])
    assert lookup.known(places[0]) is None
    assert all(map(lookup.known, places[1:]))


def test_without_tables_every_place_is_the_world(tmp_path: Path) -> None:
    """The mean that is kept in the program, as wide as grids are, and why."""
    answer = IntensityLookup(IntensityConfig(), data=tmp_path).lookup(Place("France"))
    interval = answer.g_per_kwh
    assert (interval.low, interval.value, interval.high) == (20, 458, 1307)
    assert (answer.place, answer.year, answer.steps[-1].outcome) == ("World", 2025, "taken")
    assert "missing or damaged" in answer.warnings[0]


def test_many_threads_may_ask_at_once() -> None:
    """The tables are read once, and everybody gets the same answer."""
    lookup = IntensityLookup(IntensityConfig())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lookup.lookup, [Place("France")] * 64))
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("place", [Place(), Place("Sweden"), Place("us-east-1"), Place("Europe")])
def test_a_configured_place_that_is_understood_is_fine(
    lookup: IntensityLookup, place: Place
) -> None:
    """Countries, cloud regions and continents may stand in the settings, or nothing."""
    assert lookup.not_understood(place) is None


@pytest.mark.parametrize(
    ("region", "reason"),
    [
        ("Germny", "near matches: germany"),
        ("Georgia", "could be in GE, US"),
        ("my basement", "not known"),
        ("rack 7 Germany", "not known"),
        ("N/A", "names no place"),
        ("Hall 7, Xyzzy, Sweden", "Hall 7"),
    ],
)
def test_a_configured_place_that_is_not_understood_is_told(
    lookup: IntensityLookup, region: str, reason: str
) -> None:
    """The operator hears what of it was not understood, before any task needs it."""
    told = lookup.not_understood(Place(region))
    assert told is not None
    assert reason in told


def test_tables_that_cannot_be_read_are_told_too(tmp_path: Path) -> None:
    """A check of the place says that the tables are damaged."""
    told = IntensityLookup(IntensityConfig(), data=tmp_path).not_understood(Place("Sweden"))
    assert told is not None
    assert "missing or damaged" in told


def test_nothing_is_read_before_the_first_look_up(tmp_path: Path) -> None:
    """Making the object touches no file, so that the node starts at once."""
    data = tmp_path / "data"
    lookup = IntensityLookup(IntensityConfig(), data=data)
    shutil.copytree(str(shipped_data()), data)
    assert lookup.lookup(Place("France")).place == "France"
