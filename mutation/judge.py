"""Judge mutants by unit tests, each in a process forked from one that has imported the libraries.

No file is changed: the forked process imports the mutant in the place of its module. Tests run
there in a fixed order, without randomness in hypothesis and without shrinking of its examples.
"""

import contextlib
import importlib
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn, TypeVar

import pytest
from hypothesis import Phase, settings

from mutation.mutant import SOURCES, Mutant
from mutation.suite import Lines, Timer, Tracer, UnitTest, batches

T = TypeVar("T")

PROFILE = "mutation"
OPTIONS = (
    *("-x", "-q", "--no-header", "-p", "no:randomly", "-p", "no:cacheprovider"),
    f"--hypothesis-profile={PROFILE}",
    # pytest finds its plugins imported already, which is the point of the fork.
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

LIMIT_FACTOR = 3
"""A mutant may take this much longer than its tests do on the code as it stands."""

LIMIT_LEAST_S = 5
"""Processor time that any mutant may take: imports are in it."""

MEMORY_BYTES = 4 * 2**30
"""Address space of a judging process: some mutants would take all there is."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests said.

    Attributes:
        killer: The first test that failed, or how the process ended; None for a survivor.
    """

    killer: str | None


class UnmutatedError(Exception):
    """The tests fail on the code as it stands: they can judge nothing."""


def warm_up() -> None:
    """Prepare this process to be forked: what every test imports is imported once."""
    settings.register_profile(
        PROFILE,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
    )


def observed(tests: Path, budget_s: float) -> list[UnitTest]:
    """Run the tests on the code as it stands, and import here the libraries that they needed.

    Args:
        tests: Where they are.
        budget_s: A test that takes more processor time is left out: what only such a test holds
            deserves a quick one.

    Raises:
        UnmutatedError: A test fails.
    """
    status, cpu_s, libraries = forked(lambda: _timed(tests, budget_s))
    if status != pytest.ExitCode.OK:
        raise UnmutatedError(f"{tests} fails on the code as it stands: run it with pytest first")
    for library in libraries:
        # Some are not meant to be imported by name, such as those of a half-imported package.
        with contextlib.suppress(Exception):
            importlib.import_module(library)
    ran = forked(lambda: _traced(tests, frozenset(cpu_s)))
    return [UnitTest(name, cpu_s[name], ran[name]) for name in ran]


def _timed(tests: Path, budget_s: float) -> tuple[int, dict[str, float], list[str]]:
    before = set(sys.modules)
    timer = Timer(budget_s)
    status = pytest.main([*OPTIONS, str(tests)], plugins=[timer])
    ours = ("carbon_node", "tests", "conftest", "test_", "_pytest", "mutation")
    libraries = [name for name in sys.modules if name not in before and not name.startswith(ours)]
    return status, timer.cpu_s, libraries


def _traced(tests: Path, names: frozenset[str]) -> dict[str, Lines | None]:
    tracer = Tracer(names, below=str(SOURCES.resolve()))
    pytest.main([*OPTIONS, str(tests)], plugins=[tracer])
    return tracer.ran


def check_survival(mutant: Mutant, tests: Sequence[UnitTest]) -> None:
    """See that the way of judging kills nothing by itself: the code as it stands has to survive.

    Raises:
        UnmutatedError: It does not.
    """
    original = Path(mutant.path).read_text(encoding="utf-8")
    if killer := judged(replace(mutant, source=original), tests).killer:
        raise UnmutatedError(f"{mutant.module} as it stands does not survive: {killer}")


def judged(mutant: Mutant, tests: Sequence[UnitTest]) -> Verdict:
    """Run the tests on a mutant until one fails."""
    limit_s = LIMIT_LEAST_S + LIMIT_FACTOR * sum(test.cpu_s for test in tests)
    try:
        return forked(lambda: _judge(mutant, tests), limit_s=round(limit_s))
    except EndedError as error:
        return Verdict(str(error))


def _judge(mutant: Mutant, tests: Sequence[UnitTest]) -> Verdict:
    sys.meta_path.insert(0, _Finder(mutant))
    for batch in batches(tests):
        order = _Order([test.name for test in batch])
        files = dict.fromkeys(test.file for test in batch)
        status = pytest.main([*OPTIONS, *files], plugins=[order])
        if status != pytest.ExitCode.OK:
            return Verdict(order.failed or f"pytest ends with {status!r}")
    return Verdict(None)


@dataclass(eq=False, slots=True)
class _Order:
    """A pytest plugin that keeps the named tests, in their order, and notes which one fails."""

    names: Sequence[str]
    failed: str | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        place = {name: index for index, name in enumerate(self.names)}
        items[:] = sorted(
            (item for item in items if item.nodeid in place), key=lambda item: place[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = f"import of {report.nodeid}"


@dataclass(slots=True)
class _Finder(MetaPathFinder):
    """Finds the mutant in the place of its module."""

    mutant: Mutant

    def find_spec(
        self,
        fullname: str,
        path: object,  # noqa: ARG002 - the import system passes it by position
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname != f"carbon_node.{self.mutant.module}".removesuffix(".__init__"):
            return None
        file = str(Path(self.mutant.path).resolve())
        return spec_from_file_location(fullname, file, loader=_Loader(fullname, file, self.mutant))


class _Loader(SourceFileLoader):
    """Loads the mutant's source under the name and path of its module."""

    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return compile(self._mutant.source, self.path, "exec", dont_inherit=True)


class EndedError(Exception):
    """A forked process ended without a result; says how."""


def forked(work: Callable[[], T], limit_s: int | None = None) -> T:
    """Return what a piece of work returns in a forked process, whose output is thrown away.

    Args:
        work: What to do there; its result is pickled.
        limit_s: Processor time it may take; the fourfold on the clock, for some only wait.

    Raises:
        EndedError: The process ended without a result.
    """
    sys.stdout.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work_and_end(work, writing, limit_s)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        raise EndedError(f"the process ends with status {os.waitstatus_to_exitcode(status)}")
    result: T = pickle.loads(answer)  # noqa: S301 - written by our own child
    return result


def _work_and_end(work: Callable[[], object], writing: int, limit_s: int | None) -> NoReturn:
    # Whatever happens, the rest of the parent's program is not run here a second time.
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        if limit_s is not None:
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, limit_s))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            signal.alarm(4 * limit_s)
        answer = pickle.dumps(work())
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    finally:
        os._exit(1)
