"""The ledger keeps its promises through crashes, restarts and a disk that fills, in any order."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from tests.disks import full_disk
from tests.unit.store.samples import answer, summary, task

from carbon_node.errors import StoreError
from carbon_node.store.database import Database
from carbon_node.store.editions import (
    Accept,
    Edition,
    Editions,
    End,
    Mark,
    Save,
    State,
    accept,
    note,
    save,
)
from carbon_node.store.history import Query
from carbon_node.store.ledger import Ledger
from carbon_node.store.pages import Page
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Answered, Decision
from carbon_node.tasks.key import TaskKey

KEYS = [task(1), task(2), task(1, writer="other")]
keys = st.sampled_from(KEYS)
digests = st.sampled_from("ab")


class LedgerMachine(RuleBasedStateMachine):
    """Drives a ledger and remembers what it promised."""

    answers = Bundle("answers")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.places = (self.root / str(number) for number in count())
        self.place = next(self.places)
        self.ledger = Ledger(self.place)
        self.ledger.open()
        self.is_full = False
        self.now_ms = 0
        self.durable = self._everything()
        self.promised: dict[tuple[TaskKey, int], Answer] = {}

    def teardown(self) -> None:
        """Remove all files."""
        self.ledger.close()
        shutil.rmtree(self.root)

    def _everything(self) -> dict[TaskKey, Editions]:
        return {key: self.ledger.editions(key) for key in KEYS}

    def _note_durable(self) -> None:
        if not self.ledger.health.is_degraded:
            self.durable = self._everything()

    @rule(key=keys, digest=digests, is_repeat=st.booleans())
    def accept(self, key: TaskKey, digest: str, *, is_repeat: bool) -> None:
        """An answered task is never due unless its inputs changed or its repetition is wanted."""
        before = self.ledger.editions(key)
        self.now_ms += 1
        decision = self.ledger.accept(Accept(key, digest, summary(), self.now_ms, is_repeat))
        is_answered = bool(before) and before[-1].digest == digest and before[-1].answer is not None
        assert isinstance(decision, Answered) == (is_answered and not is_repeat)
        if isinstance(decision, Answered):
            assert decision.kept.answer == before[-1].answer

    @rule(target=answers, key=keys, digest=digests, carbon_g=st.floats(0, 1e9))
    def save(self, key: TaskKey, digest: str, carbon_g: float) -> Kept:
        """Whatever is saved later, the first answer for the same inputs stands."""
        event = Save(key, digest, summary(), answer(key, carbon_g), self.now_ms)
        with full_disk(is_full=self.is_full):
            kept = self.ledger.commit([event])[0]
        assert self.promised.setdefault((key, kept.edition), kept.answer) == kept.answer
        self._note_durable()
        return kept

    @rule(target=answers, kept=consumes(answers), state=st.sampled_from(State))
    def mark(self, kept: Kept, state: State) -> Kept:
        """States only grow."""
        before = self.ledger.editions(kept.key)
        with full_disk(is_full=self.is_full):
            self.ledger.commit([Mark(kept.key, kept.edition, state)])
        after = self.ledger.editions(kept.key)
        assert all(old.state <= new.state for old, new in zip(before, after, strict=True))
        self._note_durable()
        return kept

    @rule(target=answers, kept=consumes(answers))
    def end(self, kept: Kept) -> Kept:
        """An output ends without a change of what readers are known to have."""
        before = self.ledger.editions(kept.key)
        with full_disk(is_full=self.is_full):
            self.ledger.commit([End(kept.key, kept.edition)])
        after = self.ledger.editions(kept.key)
        assert [old.state for old in before] == [new.state for new in after]
        # Unless a crash took the answer, and another edition has its number.
        assert all(new.is_ended for new in after if new.answer == kept.answer)
        self._note_durable()
        return kept

    @rule()
    def fill_disk(self) -> None:
        """From now on nothing can be written."""
        self.is_full = True

    @rule()
    def free_disk(self) -> None:
        """What waited in memory is written, and nothing of it was lost."""
        before = self._everything()
        self.is_full = False
        self.ledger.recover()
        assert not self.ledger.health.is_degraded
        assert self._everything() == before
        self.durable = before

    @rule(target=answers)
    def crash(self) -> object:
        """A SIGKILL leaves exactly what the last commit wrote."""
        place = next(self.places)
        shutil.copytree(self.place, place)
        self.ledger.close()
        self.place, self.is_full = place, False
        self.ledger = Ledger(place)
        self.ledger.open()
        assert self._everything() == self.durable
        self.promised = {
            (edition.key, edition.number): edition.answer
            for editions in self.durable.values()
            for edition in editions
            if edition.answer is not None
        }
        return multiple()

    @rule()
    def restart(self) -> None:
        """A stop that can write loses nothing at all."""
        before = self._everything()
        self.is_full = False
        self.ledger.close()
        self.ledger = Ledger(self.place)
        self.ledger.open()
        assert self._everything() == before
        self.durable = before

    @invariant()
    def one_answer_counts(self) -> None:
        """A task with answers has exactly one that is not superseded."""
        for editions in self._everything().values():
            current = [e for e in editions if e.answer is not None and not e.is_superseded]
            assert len(current) == any(edition.answer is not None for edition in editions)


def test_memory_has_an_end_and_says_what_it_cost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the disk fails for long, the oldest answers are given up and counted."""
    monkeypatch.setattr("carbon_node.store.ledger._MEMORY_LIMIT", 3)
    (tmp_path / "state").write_text("in the way")
    ledger = Ledger(tmp_path / "state")
    ledger.open()
    ledger.accept(Accept(task(9), "a", summary(), 0))
    for number in range(1, 6):
        key = task(number)
        ledger.commit([Save(key, "a", summary(), answer(key), 0)])
    health = ledger.health
    assert (health.is_degraded, health.unwritten, health.lost) == (True, 3, 2)
    page = Page(Query(), limit=9, max_bytes=10_000)
    while not page.is_complete:
        ledger.look(page)
    assert [e.key for e in page.editions] == [task(5), task(4), task(3)]


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_ledger_keeps_its_promises = LedgerMachine.TestCase


class FailingDatabase:
    """Lets one call of the database fail, before or after it has done its work.

    Args:
        method: name of the method.
        number: which of its calls fails, counting from 0.
        is_late: whether it fails when all is done, as a sync does that reports an error.
        failures: how many calls in a row fail.
    """

    def __init__(self, method: str, number: int, failures: int, *, is_late: bool) -> None:
        self.method = method
        self._calls = range(number, number + failures)
        self._is_late = is_late
        self._count = count()

    def __enter__(self) -> None:
        self._true: Callable[..., Any] = getattr(Database, self.method)
        setattr(Database, self.method, self._call)

    def __exit__(self, *_: object) -> None:
        setattr(Database, self.method, self._true)

    @property
    def _call(self) -> Callable[..., Any]:
        def call(database: Database, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any method
            is_failing = next(self._count) in self._calls
            if is_failing and not self._is_late:
                raise StoreError("injected: disk I/O error")
            result = self._true(database, *args, **kwargs)
            if is_failing:
                raise StoreError("injected: disk I/O error")
            return result

        return call


FAILURES = st.builds(
    FailingDatabase,
    st.sampled_from(["load", "write", "open"]),
    st.integers(0, 12),
    st.integers(1, 4),
    is_late=st.booleans(),
)
STEPS = st.lists(
    st.tuples(
        keys, digests, st.sampled_from(["accept", "save", "publish", "acknowledge", "forget"])
    ),
    max_size=20,
)


class Pair:
    """A ledger and a model of it, which never fails.

    Args:
        directory: state directory of the ledger.
    """

    def __init__(self, directory: Path) -> None:
        self.ledger = Ledger(directory)
        self.ledger.open()
        self.model: dict[TaskKey, Editions] = dict.fromkeys(KEYS, ())
        self._now_ms = 0
        self._latest: dict[TaskKey, tuple[Kept, Kept]] = {}

    def do(self, key: TaskKey, digest: str, step: str) -> None:
        """Let the same happen to both; what they say of it is the same."""
        self._now_ms += 1
        match step:
            case "accept":
                self._accept(Accept(key, digest, summary(), self._now_ms))
            case "save":
                carbon_g = float(self._now_ms)
                self._save(Save(key, digest, summary(), answer(key, carbon_g), self._now_ms))
            case "forget":
                self.ledger.prune(10_000, -1)
            case _:
                self._mark(key, State.PUBLISHED if step == "publish" else State.ACKNOWLEDGED)

    def _accept(self, event: Accept) -> None:
        self.model[event.key], expected = accept(self.model[event.key], event)
        decision = self._decision(event)
        assert type(decision) is type(expected)
        if isinstance(decision, Answered) and isinstance(expected, Answered):
            assert decision.kept.answer == expected.kept.answer

    def _decision(self, event: Accept) -> Decision:
        """Wait, as the store does, until what is known of the task can be read."""
        for _ in range(10):
            with suppress(StoreError):
                return self.ledger.accept(event)
        raise AssertionError("never readable")

    def _save(self, event: Save) -> None:
        self.model[event.key], expected = save(self.model[event.key], event)
        self._latest[event.key] = self.ledger.commit([event])[0], expected

    def _mark(self, key: TaskKey, state: State) -> None:
        if key not in self._latest:
            return
        kept, expected = self._latest[key]
        self.model[key] = note(self.model[key], Mark(key, expected.edition, state))
        self.ledger.commit([Mark(key, kept.edition, state)])


@settings(deadline=None, max_examples=100)
@given(STEPS, FAILURES)
def test_a_call_that_fails_changes_no_answer(
    steps: list[tuple[TaskKey, str, str]], failure: FailingDatabase
) -> None:
    """With reads, writes and syncs that fail, each task is answered as if none had failed.

    Nothing that was answered is taken for new, no answer changes, and marks are on the edition that
    they are about; marks alone may be lost.
    """
    with TemporaryDirectory() as directory:
        pair = Pair(Path(directory))
        with failure:
            for step in steps:
                pair.do(*step)
        pair.ledger.close()
        again = Ledger(Path(directory))
        again.open()
        found = {key: again.editions(key) for key in KEYS}
        again.close()
    for key in KEYS:
        assert [each.number for each in found[key]] == list(range(1, len(found[key]) + 1))
        for other, each in zip(found[key], pair.model[key], strict=False):
            assert (other.digest, other.answer) == (each.digest, each.answer)
            assert other.state <= each.state
        # An acceptance that was lost is made again when the inputs come again.
        assert all(each.answer is None for each in pair.model[key][len(found[key]) :])


def test_what_cannot_be_read_is_not_taken_for_new(tmp_path: Path) -> None:
    """An answered task whose read fails once is known, and one whose reads fail is not decided."""
    event = Accept(task(), "a", summary(), 1)
    ledger = Ledger(tmp_path)
    ledger.open()
    kept = ledger.commit([Save(task(), "a", summary(), answer(task()), 1)])[0]
    ledger.prune(10_000, -1)  # nothing is in memory any more

    with FailingDatabase("load", 0, 1, is_late=False):
        assert ledger.accept(event) == Answered(kept, is_acknowledged=False)
    ledger.prune(10_000, -1)
    with FailingDatabase("load", 0, 100, is_late=False):
        with pytest.raises(StoreError, match="injected"):
            ledger.accept(event)
        assert ledger.health.is_degraded
    assert ledger.accept(event) == Answered(kept, is_acknowledged=False)
    ledger.close()


def test_a_mark_follows_its_answer_to_its_place(tmp_path: Path) -> None:
    """An answer that was saved while its task could not be read is marked after its editions."""
    ledger = Ledger(tmp_path)
    ledger.open()
    ledger.commit([Save(task(), "a", summary(), answer(task()), 1)])
    ledger.prune(10_000, -1)
    with FailingDatabase("load", 0, 100, is_late=False):
        kept = ledger.commit([Save(task(), "b", summary(), answer(task(), 3.0), 2)])[0]
    ledger.recover()
    ledger.commit([Mark(task(), kept.edition, State.ACKNOWLEDGED)])
    first, second = ledger.editions(task())
    assert (first.number, first.state) == (1, State.SAVED)
    assert (second.number, second.state, second.digest) == (2, State.ACKNOWLEDGED, "b")
    ledger.close()


def test_writers_are_told_while_the_database_can_be_read(tmp_path: Path) -> None:
    """Tasks of others are new without a look; in trouble nobody is known, so all are looked up."""
    ledger = Ledger(tmp_path / "state")
    ledger.open()
    assert ledger.writers() == frozenset()
    ledger.commit([Accept(key, "a", summary(), 1) for key in KEYS])
    assert ledger.writers() == frozenset(key.writer for key in KEYS)
    ledger.close()

    (tmp_path / "file").touch()
    troubled = Ledger(tmp_path / "file")
    troubled.open()
    assert troubled.health.is_degraded
    assert troubled.writers() is None
    assert troubled.health.unwritten == 0


def test_there_is_nothing_to_prune_in_trouble(tmp_path: Path) -> None:
    """Whoever prunes until nothing is left ends; with a database, too, once all is gone."""
    (tmp_path / "file").touch()
    troubled = Ledger(tmp_path / "file")
    troubled.open()
    assert not troubled.prune(0, 10)
    ledger = Ledger(tmp_path / "state")
    ledger.open()
    ledger.commit([Accept(key, "a", summary(), 1) for key in KEYS])
    assert ledger.prune(1, -1)
    assert not ledger.prune(1, -1)
    assert len(_found(ledger, 9)) == 1
    with FailingDatabase("prune", 0, 1, is_late=False):
        assert not ledger.prune(0, 10)
    assert not ledger.health.is_degraded
    ledger.close()


def _found(ledger: Ledger, limit: int) -> list[Edition]:
    """The newest editions, oldest first."""
    page = Page(Query(), limit, max_bytes=2**30)
    while not page.is_complete:
        ledger.look(page)
    return page.editions[::-1]


def test_what_is_not_written_yet_is_found_with_what_is(tmp_path: Path) -> None:
    """Each edition once, as it is now, in one order, whichever of the two places it is in."""
    ledger = Ledger(tmp_path / "state")
    ledger.open()
    tasks = [task(number) for number in (1, 2, 3)]
    ledger.commit([Save(key, "a", summary(), answer(key), 1) for key in tasks])
    with FailingDatabase("write", 0, 100, is_late=False):
        ledger.commit([Save(task(2), "b", summary(), answer(task(2), 5.0), 2)])
        assert ledger.health.unwritten == 1
    found, newest = _found(ledger, 9), _found(ledger, 2)
    shown = [(each.key.task_id.problem_id, each.number, each.is_superseded) for each in found]
    assert shown == [(1, 1, False), (3, 1, False), (2, 1, True), (2, 2, False)]
    assert newest == found[-2:]
    ledger.recover()
    ledger.close()
    again = Ledger(tmp_path / "state")
    again.open()
    assert [each.digest for each in again.editions(task(2))] == ["a", "b"]
    again.close()


def test_each_damaged_database_keeps_a_name_of_its_own(tmp_path: Path) -> None:
    """Also several within a second; the node goes on with a new one, and says where they are."""
    path = tmp_path / "results.sqlite3"
    moved = []
    for number in range(3):
        content = b"damaged" * 1_000 + bytes([number])
        path.write_bytes(content)
        ledger = Ledger(tmp_path)
        ledger.open()
        assert not ledger.health.is_degraded
        assert ledger.health.moved_aside is not None
        assert ledger.health.moved_aside.read_bytes() == content
        moved.append(ledger.health.moved_aside)
        ledger.close()
    assert len({*moved}) == 3
    assert all(file.name.startswith("results.sqlite3.damaged-") for file in moved)


def test_what_cannot_be_written_is_not_read_for_what_is_known(tmp_path: Path) -> None:
    """With a database that is open and cannot be written, nobody counts as known."""
    ledger = Ledger(tmp_path)
    ledger.open()
    with FailingDatabase("write", 0, 100, is_late=False):
        ledger.commit([Accept(task(), "a", summary(), 1)])
        assert ledger.health.is_degraded
        assert ledger.writers() is None
        assert not ledger.prune(0, 10)
    ledger.recover()
    assert ledger.writers() == frozenset({task().writer})
    ledger.close()
