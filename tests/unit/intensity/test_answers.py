"""The answers to the labelled texts: whatever changes one of them is a decision."""

import difflib
from pathlib import Path

from tests.unit.intensity.test_place_set import (
    Labelled,
    answered_area,
    expected_set,
    labelled_set,
    sent_by_kind,
)

from carbon_node.estimation import Place
from carbon_node.intensity import IntensityLookup

ANSWERS = Path(__file__).parents[2] / "data/place_answers.psv"
NOT_RESOLVED = Path(__file__).parents[2] / "data/places_not_resolved.psv"


def shown(lookup: IntensityLookup, place: Place) -> str:
    """Return what the answer to a place says, as a line of place_answers.psv."""
    answer = lookup.lookup(place)
    last = answer.steps[-1]
    tried = " ".join(
        step.rung for step in answer.steps if step.outcome not in ("no match", "not set")
    )
    parts = ", ".join(f"{part.text} = {part.kind}" for part in answer.understood)
    is_warned = "warned" if answer.warnings else ""
    return "|".join(
        (
            *(place.region, place.continent, tried, answered_area(answer), last.name),
            *(answer.place, " ".join(answer.zones), parts, is_warned),
        )
    )


def rows_of(path: Path) -> list[str]:
    """Return the lines of a file that are not its head."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("# ")]


def more_than_countries() -> list[Labelled]:
    """Return the labelled texts that are more than one of the names of a country."""
    plain = {"alias", "country", "language"}
    return [row for row in labelled_set() if row.kind not in plain]


def test_every_labelled_text_keeps_its_answer(lookup: IntensityLookup) -> None:
    """Step, area, name, grid zones, the parts of the text, and whether the reader is warned."""
    places = [row.place for row in more_than_countries()]
    places += [row.place for row in expected_set()]
    answers = [shown(lookup, place) for place in places]
    changed = difflib.unified_diff(rows_of(ANSWERS), answers, n=0, lineterm="")
    assert "\n".join(changed) == ""


def test_no_text_is_resolved_less_than_it_was(lookup: IntensityLookup) -> None:
    """Beside the few that are listed, all that mean one place get it."""
    known = set(rows_of(NOT_RESOLVED))
    missed = {
        f"{row.place.region}|{row.place.continent}"
        for row in sent_by_kind()
        if row.is_needed and not answered_area(lookup.lookup(row.place))
    }
    assert missed - known == set()
