"""Which tests judge a mutant, and in which order."""

from pathlib import Path

import pytest
from mutation.mutant import Mutant
from mutation.suite import UnitTest, batches, judges, statement_of

SOURCE = """LIMIT = 3

def f(x,
      y=2):
    if (x <
            LIMIT):
        return (x,
                y)
    return 0
"""


def mutant_at(line: int, folder: Path) -> Mutant:
    """Return a mutant of a small module."""
    path = folder / "small.py"
    path.write_text(SOURCE)
    return Mutant("room.small", str(path), line, "NumberReplacer", SOURCE)


@pytest.mark.parametrize(
    ("line", "statement"),
    [(1, {1}), (3, {3, 4}), (4, {3, 4}), (6, {5, 6}), (8, {7, 8}), (9, {9})],
)
def test_a_statement_is_the_smallest_around_a_line(
    line: int, statement: set[int], tmp_path: Path
) -> None:
    """Of a function or a condition it is the head, since the body is another statement."""
    mutant = mutant_at(line, tmp_path)
    assert statement_of(mutant) == {(mutant.path, each) for each in statement}


def test_the_tests_that_run_the_line_come_first(tmp_path: Path) -> None:
    """Of them those that mirror the module, then the quickest; no more than the budget allows."""
    mutant = mutant_at(9, tmp_path)
    line, other = frozenset({(mutant.path, 9)}), frozenset({(mutant.path, 7)})
    suite = [
        UnitTest("room/test_large.py::other", 0.1, other),
        UnitTest("room/test_large.py::slow", 1.5, line),
        UnitTest("room/test_large.py::quick", 0.2, line),
        UnitTest("room/test_small.py::mirror", 1.0, line),
        UnitTest("room/test_small.py::mirror_of_others", 0.1, other),
    ]
    named = [test.name.split("::")[1] for test in judges(mutant, suite, budget_s=9)]
    assert named == ["mirror", "quick", "slow", "mirror_of_others", "other"]
    assert [test.cpu_s for test in judges(mutant, suite, budget_s=1.3)] == [1.0, 0.2]


def test_the_file_that_judges_first_is_run_alone() -> None:
    """Others are only imported if it kills nothing; the order stays."""
    names = ["test_a.py::one", "test_a.py::two", "test_b.py::one", "test_a.py::three"]
    suite = [UnitTest(name, 0.1, None) for name in names]
    assert [[test.name for test in batch] for batch in batches(suite)] == [names[:2], names[2:]]
    assert batches(suite[:2]) == [suite[:2]]
    assert batches([]) == []
