"""The unit tests of a package: what each costs, and which lines of the package it runs."""

import ast
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from mutation.mutant import SOURCES, Mutant

TESTS = Path("tests/unit")

TRACED_CALLS = 10_000
"""Calls of functions in one test that are traced: a test that makes more would take minutes, and is
taken to run every line."""

Trace = Callable[[FrameType, str, Any], Any]

Lines = frozenset[tuple[str, int]]
"""Files, relative to the repository, with line numbers."""


@dataclass(frozen=True, slots=True)
class UnitTest:
    """One unit test as it ran on the code as it stands.

    Attributes:
        name: pytest's name, with its file.
        cpu_s: Processor time that it takes, with its fixtures.
        ran: Which lines of the package it ran, None if it may have run any.
    """

    name: str
    cpu_s: float
    ran: Lines | None

    def runs(self, lines: Lines) -> bool:
        """Whether it runs one of the lines, as far as is known."""
        return self.ran is None or not lines.isdisjoint(self.ran)

    @property
    def file(self) -> str:
        """Its file."""
        return self.name.split("::", maxsplit=1)[0]


def tests_of(name: str) -> Path:
    """Return where the unit tests of a package or module below `carbon_node` are."""
    first = name.split(".", maxsplit=1)[0]
    return TESTS / first if (SOURCES / first).is_dir() else TESTS / f"test_{first}.py"


def judges(mutant: Mutant, suite: Sequence[UnitTest], budget_s: float) -> list[UnitTest]:
    """Return the tests that judge a mutant, in the order in which they are run.

    Those that ran the changed statement come first: of them the ones in the file that mirrors the
    module, then the quickest. Others follow, for the effect may outlive the statement, as in a
    table that is built once.

    Args:
        mutant: What they judge.
        suite: The tests of the package.
        budget_s: Processor time for all of them together.
    """
    lines = statement_of(mutant)
    mirror = f"test_{mutant.module.rsplit('.', maxsplit=1)[-1]}.py"
    ordered = sorted(
        suite,
        key=lambda test: (not test.runs(lines), Path(test.file).name != mirror, test.cpu_s),
    )
    chosen, spent_s = [], 0.0
    for test in ordered:
        spent_s += test.cpu_s
        if spent_s > budget_s:
            break
        chosen.append(test)
    return chosen


def batches(tests: Sequence[UnitTest]) -> list[Sequence[UnitTest]]:
    """Cut judges in two, in their order: those at the front that are of one file, and the others.

    The first file kills most mutants, and to import all others takes longer than it runs.
    """
    front = list(takewhile(lambda test: test.file == tests[0].file, tests))
    return [batch for batch in (front, tests[len(front) :]) if batch]


def statement_of(mutant: Mutant) -> Lines:
    """Return the lines of the innermost statement that is changed; of a compound one, its head."""
    spans = []
    for node in ast.walk(ast.parse(Path(mutant.path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            if node.lineno <= mutant.line <= last:
                spans.append(range(node.lineno, last + 1))
    # A handler's line belongs to its `try`, which is no smaller statement.
    smallest = min(spans, key=len, default=range(mutant.line, mutant.line + 1))
    return frozenset((mutant.path, line) for line in smallest)


@dataclass(eq=False, slots=True)
class Timer:
    """A pytest plugin that notes what each test costs, with its fixtures, and skips the slow ones.

    Attributes:
        budget_s: Processor time after which a test is interrupted and skipped.
        cpu_s: Processor time of the others, by name.
    """

    budget_s: float
    cpu_s: dict[str, float] = field(default_factory=dict)
    _is_over: bool = False

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note one test."""
        self._is_over = False
        began_s = time.process_time()
        signal.signal(signal.SIGPROF, self._interrupt)
        # Again and again, for the exception may be swallowed where it is raised.
        signal.setitimer(signal.ITIMER_PROF, self.budget_s, 1.0)
        try:
            return (yield)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            cpu_s = time.process_time() - began_s
            if not self._is_over:
                self.cpu_s[item.nodeid] = cpu_s

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn whatever the interruption broke into a skip."""
        report = yield
        if self._is_over and report.failed:
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, "too slow")
        return report

    def _interrupt(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_over = True
        pytest.skip("too slow")


@dataclass(eq=False, slots=True)
class Tracer:
    """A pytest plugin that keeps some tests and notes which lines each runs. Slows them down.

    Attributes:
        names: The tests.
        below: Only lines of files below this path are noted.
        ran: What was noted, by name of test.
    """

    names: frozenset[str]
    below: str
    ran: dict[str, Lines | None] = field(default_factory=dict)
    _lines: set[tuple[str, int]] = field(default_factory=set)
    _calls: int = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the named tests."""
        items[:] = [item for item in items if item.nodeid in self.names]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note one test."""
        self._lines.clear()
        self._calls = 0
        sys.settrace(self._of_call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            here = f"{Path.cwd()}/"
            ran = frozenset((path.removeprefix(here), line) for path, line in self._lines)
            self.ran[item.nodeid] = ran if self._calls <= TRACED_CALLS else None

    def _of_call(self, frame: FrameType, event: str, argument: object) -> Trace | None:  # noqa: ARG002
        self._calls += 1
        if self._calls > TRACED_CALLS:
            sys.settrace(None)
        return self._of_line if frame.f_code.co_filename.startswith(self.below) else None

    def _of_line(self, frame: FrameType, event: str, argument: object) -> Trace:  # noqa: ARG002
        self._lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._of_line
