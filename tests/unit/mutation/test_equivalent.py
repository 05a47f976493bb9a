"""The list of mutants that change nothing."""

from pathlib import Path

import pytest
from mutation.equivalent import Equivalent, known
from mutation.mutant import Mutant

UNITS = Path(__file__).parents[3] / "src/carbon_node/estimation/units.py"
LINE = "SECONDS_PER_HOUR = 3600.0"
OTHER = "SECONDS_PER_HOUR = 3601.0"


def test_every_entry_has_a_reason() -> None:
    """And says what it is about."""
    assert all(entry.reason and entry.before for entry in known())


@pytest.mark.parametrize(
    ("module", "before", "after", "expected"),
    [
        ("estimation.units", LINE, OTHER, True),
        ("estimation.units", LINE, None, True),
        ("estimation.units", LINE, "SECONDS_PER_HOUR = 3599.0", False),
        ("estimation.units", "another line", None, False),
        ("estimation.text", LINE, OTHER, False),
    ],
)
def test_an_entry_means_one_change_or_any_of_its_line(
    module: str,
    before: str,
    after: str | None,
    expected: bool,  # noqa: FBT001 - a case
) -> None:
    """In its module alone."""
    source = UNITS.read_text(encoding="utf-8").replace(LINE, OTHER)
    mutant = Mutant("estimation.units", str(UNITS), 6, "NumberReplacer", source)
    assert Equivalent(module, before, after, "why").matches(mutant) is expected


def test_a_mutant_shows_its_change() -> None:
    """The line as it stands, and as it would be."""
    source = UNITS.read_text(encoding="utf-8").replace(LINE, OTHER)
    mutant = Mutant("estimation.units", str(UNITS), 6, "NumberReplacer", source)
    assert mutant.diff == f"- {LINE}\n+ {OTHER}"


@pytest.mark.parametrize(
    ("module", "before", "is_stale"),
    [
        ("estimation.units", LINE, False),
        ("estimation.units", "SECONDS_PER_HOUR = 7", True),
        ("estimation.gone", LINE, True),
    ],
)
def test_an_entry_whose_line_is_gone_is_stale(
    module: str,
    before: str,
    is_stale: bool,  # noqa: FBT001 - a case
) -> None:
    """It would hide nothing, and only mislead a reader."""
    assert Equivalent(module, before, None, "why").is_stale is is_stale
