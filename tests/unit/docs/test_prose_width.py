"""Prose in Markdown ends at the column at which code ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = (*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md")))
WIDTH = 100


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """Return the numbered lines of a page that are neither table nor code."""
    is_code = False
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        is_fence = line.lstrip().startswith("```")
        if not is_fence and not is_code and not line.lstrip().startswith("|"):
            yield number, line
        is_code ^= is_fence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_line_of_prose_is_too_wide(page: Path) -> None:
    """A line is at most 100 characters wide unless it has no blank to be broken at."""
    wide = [number for number, line in prose(page) if len(line) > WIDTH and " " in line.strip(" -")]
    assert wide == []
