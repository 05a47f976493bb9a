"""docs/contract.md names tests that exist."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
PAGE = (TESTS.parent / "docs" / "contract.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]
RULES = [row for row in ROWS if row != "| rule | held by |"]


def test_the_page_has_the_rules() -> None:
    """In tables that this test reads."""
    assert len(RULES) > 60


@pytest.mark.parametrize("rule", RULES)
def test_the_test_that_holds_a_rule_exists(rule: str) -> None:
    """Whoever renames or removes it hears of the rule that it was for."""
    found = re.fullmatch(r"\| .+ \| `([\w/]+\.py)::(test_\w+)` \|", rule)
    assert found is not None, f"{rule} names no test"
    file, name = found.groups()
    assert re.search(
        rf"^(async )?def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE
    )
