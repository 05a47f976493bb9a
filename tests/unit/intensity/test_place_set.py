"""The labelled set of place texts: no wrong country, and nearly every resolvable one resolved."""

from dataclasses import dataclass
from pathlib import Path

from carbon_node.estimation import CarbonIntensity, Place
from carbon_node.intensity import IntensityLookup

LEAST_TEXTS = 300
LEAST_RESOLVED = 0.95
LEAST_LANGUAGES = 10


@dataclass(frozen=True, slots=True)
class Labelled:
    """A place text and the country that it means, empty if it means none."""

    place: Place
    country: str
    kind: str


def labelled_set() -> list[Labelled]:
    """Read tests/data/places.psv; its head says where the labels come from."""
    path = Path(__file__).parents[2] / "data/places.psv"
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("|") for line in lines if not line.startswith("#"))
    return [
        Labelled(Place(region, continent), country, kind)
        for region, continent, country, kind in rows
    ]


def answered_country(answer: CarbonIntensity) -> str:
    """Return the country that an answer is about, empty for continents and the world."""
    return answered_area(answer)[:2]


def answered_area(answer: CarbonIntensity) -> str:
    """Return the country or subdivision that was recognised, empty if none was taken."""
    taken = (step.code for step in answer.steps if step.outcome == "taken" and step.code)
    return next(taken, "")


def test_the_set_is_large_and_mixed() -> None:
    """Every kind of text that the ladder knows is there, and those it must not answer."""
    labelled = labelled_set()
    assert len(labelled) >= LEAST_TEXTS
    kinds = {"country", "alias", "code", "cloud", "subdivision", "city", "language", "continent"}
    refused = {"ambiguous", "region", "contradiction", "typo", "meaningless"}
    assert {row.kind for row in labelled} == kinds | refused | {"form"}
    assert len({(row.place.region, row.place.continent) for row in labelled}) == len(labelled)


def test_no_text_gets_a_wrong_country(lookup: IntensityLookup) -> None:
    """A wrong country is worse than the mean of the world: there is none."""
    wrong = [
        (row.place, row.country, answered)
        for row in labelled_set()
        if (answered := answered_country(lookup.lookup(row.place))) not in {"", row.country}
    ]
    assert wrong == []


def test_nearly_all_resolvable_texts_are_resolved(lookup: IntensityLookup) -> None:
    """At least 95 % of the texts that mean one country get it."""
    resolvable = [row for row in labelled_set() if row.country]
    missed = [row for row in resolvable if not answered_country(lookup.lookup(row.place))]
    assert len(missed) <= (1 - LEAST_RESOLVED) * len(resolvable), missed


def test_what_is_not_understood_is_said(lookup: IntensityLookup) -> None:
    """Every text that was not understood leaves a warning or is known to name no place."""
    silent = [
        row.place.region
        for row in labelled_set()
        if row.kind in {"ambiguous", "contradiction", "typo"}
        and not lookup.lookup(row.place).warnings
    ]
    assert set(silent) == {"NA", "na", "no"} & set(silent)


@dataclass(frozen=True, slots=True)
class Expected:
    """A text of places.psv beside this file.

    Args:
        place: as sent.
        countries: any of which may be claimed.
        is_needed: whether one of them has to be.
    """

    place: Place
    countries: frozenset[str]
    is_needed: bool


def expected_set() -> list[Expected]:
    """Read places.psv beside this file; its head explains the last column."""
    path = Path(__file__).with_name("places.psv")
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = (line.split("|") for line in lines if line and not line.startswith("#"))
    return [
        Expected(
            Place(region, continent),
            frozenset(expected.strip("~").replace("-", "").split("/")) - {""},
            "-" not in expected and not expected.startswith("~"),
        )
        for region, continent, expected in rows
    ]


def test_no_expected_text_gets_another_place(lookup: IntensityLookup) -> None:
    """Addresses, cloud regions, contradictions and nonsense included."""
    rows = expected_set()
    assert len(rows) > 550
    wrong = [
        (row.place, answered)
        for row in rows
        if (answered := answered_country(lookup.lookup(row.place))) not in {"", *row.countries}
    ]
    assert wrong == []


def test_nearly_all_expected_texts_are_resolved(lookup: IntensityLookup) -> None:
    """At most 5 % of those that mean one country get a wider answer."""
    needed = [row for row in expected_set() if row.is_needed]
    missed = [row.place for row in needed if not answered_country(lookup.lookup(row.place))]
    assert len(missed) <= 0.05 * len(needed), missed


@dataclass(frozen=True, slots=True)
class Sent:
    """A text of tests/data/places_by_kind.psv.

    Args:
        place: as sent.
        areas: countries or subdivisions, any of which may be claimed.
        is_needed: whether one of them has to be.
        kind: what sends such texts.
    """

    place: Place
    areas: frozenset[str]
    is_needed: bool
    kind: str

    def allows(self, area: str) -> bool:
        """Whether an area may be claimed: the country alone too, but no other state."""
        return area == "" or any(
            area in {known, known[:2]} or known == area[:2] for known in self.areas
        )


def sent_by_kind() -> list[Sent]:
    """Read tests/data/places_by_kind.psv; its head explains the last column."""
    path = Path(__file__).parents[2] / "data/places_by_kind.psv"
    rows, kind = [], ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2:]
            continue
        region, continent, expected = line.split("|")
        areas = frozenset(expected.removeprefix("~").split("/")) - {"-"}
        is_needed = not expected.startswith("~") and "-" not in expected.split("/")
        rows.append(Sent(Place(region, continent), areas, is_needed, kind))
    return rows


def test_no_kind_of_text_gets_another_place(lookup: IntensityLookup) -> None:
    """No wrong country and no wrong state in thousands of texts of many kinds."""
    rows = sent_by_kind()
    assert len(rows) > 4000
    wrong = [
        (row.place, area)
        for row in rows
        if not row.allows(area := answered_area(lookup.lookup(row.place)))
    ]
    assert wrong == []


def test_nearly_all_of_every_kind_are_resolved(lookup: IntensityLookup) -> None:
    """At most 5 % of them, and of no large kind more than 10 %, get a wider answer."""
    needed = [row for row in sent_by_kind() if row.is_needed]
    missed = [row for row in needed if not answered_area(lookup.lookup(row.place))]
    assert len(missed) <= 0.05 * len(needed), missed
    for kind in {row.kind for row in missed}:
        texts = [row for row in needed if row.kind == kind]
        lost = [row.place for row in missed if row.kind == kind]
        assert len(texts) < 50 or len(lost) <= 0.1 * len(texts), lost
