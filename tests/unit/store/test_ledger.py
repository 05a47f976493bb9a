"""The ledger keeps its promises through crashes, restarts and a disk that fills, in any order."""

import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from tests.unit.store.samples import answer, summary, task

from carbon_node.store.editions import Accept, Editions, Mark, Save, State
from carbon_node.store.history import Query
from carbon_node.store.ledger import Ledger
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Answered
from carbon_node.tasks.key import TaskKey

KEYS = [task(1), task(2), task(1, writer="other")]
keys = st.sampled_from(KEYS)
digests = st.sampled_from("ab")


@contextmanager
def _disk(*, is_full: bool) -> Iterator[None]:
    """Let every write to a file fail, as a quota does, while the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if is_full:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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
        with _disk(is_full=self.is_full):
            kept = self.ledger.commit([event])[0]
        assert self.promised.setdefault((key, kept.edition), kept.answer) == kept.answer
        self._note_durable()
        return kept

    @rule(target=answers, kept=consumes(answers), state=st.sampled_from(State))
    def mark(self, kept: Kept, state: State) -> Kept:
        """States only grow."""
        before = self.ledger.editions(kept.key)
        with _disk(is_full=self.is_full):
            self.ledger.commit([Mark(kept.key, kept.edition, state)])
        after = self.ledger.editions(kept.key)
        assert all(old.state <= new.state for old, new in zip(before, after, strict=True))
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
    assert [e.key for e in ledger.select(Query())] == [task(3), task(4), task(5)]


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_ledger_keeps_its_promises = LedgerMachine.TestCase
