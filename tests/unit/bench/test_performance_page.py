"""The page on performance says what the committed result says."""

from pathlib import Path

from bench.report import read, table

ROOT = Path(__file__).parents[3]


def test_the_page_holds_the_tables_of_the_committed_result() -> None:
    """Nobody edits a figure by hand: `scripts/performance_page` writes the tables."""
    page = (ROOT / "docs" / "performance.md").read_text()
    assert page.endswith("<!-- tables -->\n\n" + table(read(ROOT / "bench" / "reference.json")))


def test_the_committed_result_is_whole() -> None:
    """It was a full run in which nothing failed and nothing was lost."""
    result = read(ROOT / "bench" / "reference.json")
    assert (result.effort, result.broken_promises) == ("full", [])
