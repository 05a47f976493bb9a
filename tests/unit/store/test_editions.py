"""What becomes of a task, without a disk."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.store.samples import answer, summary, task

from carbon_node.store.editions import (
    Accept,
    Editions,
    Ignore,
    Mark,
    Save,
    State,
    accept,
    appended,
    note,
    save,
)
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered, Compute, ComputeReason

KEY = task()


def _accept(digest: str = "a", at_ms: int = 1, *, is_repeat: bool = False) -> Accept:
    return Accept(KEY, digest, summary(), at_ms, is_repeat)


def _save(digest: str = "a", carbon_g: float = 2.0) -> Save:
    return Save(KEY, digest, summary(), answer(KEY, carbon_g), 2)


def _answered(state: State = State.SAVED) -> Editions:
    editions, _ = accept((), _accept())
    editions, _ = save(editions, _save())
    return note(editions, Mark(KEY, 1, state))


def test_task_that_was_never_seen_is_due() -> None:
    """A new task is computed."""
    assert accept((), _accept())[1] == Compute(ComputeReason.NEW)


def test_task_that_was_accepted_and_not_answered_is_due_again() -> None:
    """A crash during the computation leaves the task to be computed, in the same edition."""
    editions, _ = accept((), _accept())
    again, decision = accept(editions, _accept(at_ms=5))
    assert (again, decision) == (editions, Compute(ComputeReason.INTERRUPTED))


@pytest.mark.parametrize("state", [State.SAVED, State.PUBLISHED, State.ACKNOWLEDGED])
def test_answered_task_is_never_computed_again(state: State) -> None:
    """The stored answer stands, and only an acknowledged one need not be published."""
    _, decision = accept(_answered(state), _accept())
    assert decision == Answered(Kept(KEY, 1, answer(KEY)), state is State.ACKNOWLEDGED)


def test_other_inputs_are_computed_again_and_the_older_answer_stays() -> None:
    """Same task, other digest: a second edition, which supersedes the first once it is answered."""
    editions, decision = accept(_answered(), _accept("b"))
    assert decision == Compute(ComputeReason.CHANGED)
    editions, kept = save(editions, _save("b", 7.0))
    assert kept == Kept(KEY, 2, answer(KEY, 7.0))
    assert [(edition.digest, edition.is_superseded) for edition in editions] == [
        ("a", True),
        ("b", False),
    ]


def test_inputs_that_come_back_after_others_are_computed_again() -> None:
    """The answer to the first inputs is not the current one any more."""
    editions, _ = accept(_answered(), _accept("b"))
    editions, _ = save(editions, _save("b"))
    assert accept(editions, _accept("a"))[1] == Compute(ComputeReason.CHANGED)


def test_repetition_that_is_asked_for_is_computed_in_an_edition_of_its_own() -> None:
    """A reset of a task keeps the earlier answer in the history."""
    editions, decision = accept(_answered(State.ACKNOWLEDGED), _accept(is_repeat=True))
    editions, kept = save(editions, _save("a", 9.0))
    assert (decision, kept.edition) == (Compute(ComputeReason.REPEATED), 2)
    assert [edition.state for edition in editions] == [State.ACKNOWLEDGED, State.SAVED]


def test_second_save_of_the_same_inputs_yields_the_first_answer() -> None:
    """Two computations of one task cannot publish two values."""
    editions = _answered()
    after, kept = save(editions, _save(carbon_g=99.0))
    assert (after, kept) == (editions, Kept(KEY, 1, answer(KEY)))


def test_late_answer_to_overtaken_inputs_supersedes_nothing() -> None:
    """The answer to newer inputs stays the one that counts."""
    editions, _ = accept((), _accept("a"))
    editions, _ = accept(editions, _accept("b"))
    editions, _ = save(editions, _save("b"))
    editions, _ = save(editions, _save("a"))
    assert [edition.is_superseded for edition in editions] == [True, False]


def test_answer_without_acceptance_is_kept_all_the_same() -> None:
    """An acceptance that was lost with a damaged file does not lose the answer."""
    editions, kept = save((), _save())
    assert (editions[0].answer, kept.edition) == (answer(KEY), 1)


def test_states_only_move_forward() -> None:
    """A late mark does not make an acknowledged answer unacknowledged."""
    editions = _answered(State.ACKNOWLEDGED)
    assert note(editions, Mark(KEY, 1, State.PUBLISHED)) is editions


def test_mark_of_what_is_not_there_changes_nothing() -> None:
    """Neither an unknown edition nor an unanswered one can be published."""
    accepted, _ = accept((), _accept())
    assert note(accepted, Mark(KEY, 1, State.PUBLISHED)) is accepted
    assert note(accepted, Mark(KEY, 7, State.PUBLISHED)) is accepted
    assert note((), Ignore(KEY, "a", "b")) == ()


def test_ignored_inputs_stay_ignored_when_a_restart_delivers_them() -> None:
    """An answered task is not answered again for inputs that came while it ran."""
    editions = note(_answered(), Ignore(KEY, "a", "b"))

    assert isinstance(accept(editions, _accept("b"))[1], Answered)
    assert accept(editions, _accept("c"))[1] == Compute(ComputeReason.CHANGED)


def test_ignored_inputs_are_computed_if_a_crash_came_before_the_answer() -> None:
    """The task has no answer yet, so the newest inputs count."""
    editions, _ = accept((), _accept())
    editions = note(editions, Ignore(KEY, "a", "b"))

    assert accept(editions, _accept("b"))[1] == Compute(ComputeReason.CHANGED)


def test_ignored_inputs_are_on_record() -> None:
    """Inputs that came during the computation and were not run leave a trace."""
    editions, _ = accept((), _accept())
    assert note(editions, Ignore(KEY, "a", "b"))[0].ignored_digest == "b"


def test_editions_made_in_ignorance_of_older_ones_follow_them() -> None:
    """What was answered while the disk could not be read becomes the newest, and loses nothing."""
    stored, blind = _answered(State.ACKNOWLEDGED), _answered()
    merged, numbers = appended(stored, blind)
    assert [(e.number, e.state, e.is_superseded) for e in merged] == [
        (1, State.ACKNOWLEDGED, True),
        (2, State.SAVED, False),
    ]
    assert numbers == {1: 2}
    assert appended((), blind) == (blind, {1: 1})


def test_an_answer_found_in_ignorance_goes_to_the_edition_that_waits_for_it() -> None:
    """A task that was accepted before its disk failed has one edition, and its answer, after."""
    accepted, _ = accept((), _accept())
    saved, kept = save((), _save(), first=1000)

    merged, numbers = appended(accepted, saved)

    assert [(e.number, e.answer) for e in merged] == [(1, kept.answer)]
    assert numbers == {1000: 1}


EVENTS = st.one_of(
    st.builds(_accept, st.sampled_from("abc"), st.integers(0, 9), is_repeat=st.booleans()),
    st.builds(_save, st.sampled_from("abc"), st.floats(0, 9)),
    st.builds(Mark, st.just(KEY), st.integers(0, 4), st.sampled_from(State)),
    st.builds(Ignore, st.just(KEY), st.sampled_from("abc"), st.just("x")),
)


def _after(editions: Editions, event: Accept | Save | Mark | Ignore) -> Editions:
    match event:
        case Accept():
            return accept(editions, event)[0]
        case Save():
            return save(editions, event)[0]
        case Mark() | Ignore():
            return note(editions, event)


@given(st.lists(EVENTS, max_size=30))
def test_answers_never_change_and_one_of_them_counts(
    events: list[Accept | Save | Mark | Ignore],
) -> None:
    """Whatever happens in whatever order, an answer stays, states grow, one answer is current."""
    editions: Editions = ()
    for event in events:
        before, editions = editions, _after(editions, event)
        assert [edition.number for edition in editions] == list(range(1, len(editions) + 1))
        for old, new in zip(before, editions, strict=False):
            assert old.answer in (None, new.answer)
            assert new.state >= old.state
            assert replace(new, answer=None, state=old.state, finished_at_ms=None) == replace(
                old,
                answer=None,
                finished_at_ms=None,
                is_superseded=new.is_superseded,
                ignored_digest=new.ignored_digest,
            )
        current = [e for e in editions if e.answer is not None and not e.is_superseded]
        assert len(current) == any(edition.answer is not None for edition in editions)
