"""What a run leaves for people and for the next run."""

from dataclasses import replace
from pathlib import Path

import pytest
from bench.figures import Figure, Statistic, Target, figure
from bench.machine import this_machine
from bench.report import Report, comparison, number, read, table, to_json

LATENCY = figure(
    "time of a task", "ms", [1.0, 2.0, 4.0], ("raw", [1.0]), Target(Statistic.RATIO, 1.5)
)
LOST = figure("tasks lost", "", [2.0], None, Target(Statistic.MEDIAN, 0.0, is_promise=True))


def report(*figures: Figure, failures: dict[str, str] | None = None) -> Report:
    """What one benchmark found on this machine."""
    return Report(this_machine(), "quick", {"overhead": list(figures)}, failures or {})


def test_a_written_result_is_read_back(tmp_path: Path) -> None:
    """The next run compares with exactly what this one found."""
    path = tmp_path / "result.json"
    found = report(LATENCY, LOST, failures={"large": "status 1"})
    path.write_text(to_json(found))
    assert read(path) == found


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"machine": {}}'])
def test_a_file_of_other_make_is_named(tmp_path: Path, content: str) -> None:
    """Whoever compares with the wrong file is told which one that is."""
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"other\.json is no result of scripts/bench"):
        read(path)


def test_the_table_says_which_targets_are_missed() -> None:
    """A row has value, percentiles, reference, ratio and verdict."""
    (row,) = [line for line in table(report(LATENCY)).splitlines() if "time of a task" in line]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == [
        "time of a task", "ms", "3", "2.00", "4.00", "4.00", "1.00 (raw)", "2.00",
        "x reference <= 1.5 MISSED",
    ]  # fmt: skip


def test_only_what_holds_everywhere_breaks_a_run() -> None:
    """A lost task and a failed benchmark are defects; a slow machine is none."""
    broken = report(LATENCY, LOST, failures={"large": "status 1"}).broken_promises
    assert broken == ["tasks lost is 2, at most 0 is right", "large failed: status 1"]


def test_a_comparison_shows_the_ratio_of_medians() -> None:
    """A figure that doubled has the ratio 2, one that is new none."""
    slower = replace(LATENCY, spread=replace(LATENCY.spread, median=4.0))
    text = comparison(report(slower, LOST), report(LATENCY))
    rows = [line.split("|") for line in text.splitlines() if "|" in line][2:]
    assert [[cell.strip() for cell in row[2:-1]] for row in rows] == [
        ["time of a task", "ms", "2.00", "4.00", "2.00"],
        ["tasks lost", "", "-", "2.00", "-"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.01234, "0.0123"), (1.234, "1.23"), (99.99, "99.99"), (1234.5, "1,234")],
)
def test_numbers_have_about_three_digits_that_count(value: float, text: str) -> None:
    """Nobody has to count zeros or read an exponent."""
    assert number(value) == text
