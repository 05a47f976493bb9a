"""What becomes of a task, as pure functions: no SQL, clock or I/O.

A task has editions: the first one, and a further one each time its inputs change or its repetition
is asked for. An edition is answered once; a later save of the same inputs changes nothing and
yields the first answer. Older editions stay for the history.

    accept           save         mark             mark
    ------> ACCEPTED ----> SAVED ------> PUBLISHED ------> ACKNOWLEDGED

An edition found ACCEPTED by a later accept was interrupted. States only move to the right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TypeAlias

from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Answered, Compute, ComputeReason, Decision
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import UNKNOWN, Sources


class State(IntEnum):
    """How far an edition has come; the numbers are those in the database."""

    ACCEPTED = 0
    SAVED = 1
    PUBLISHED = 2
    ACKNOWLEDGED = 3


@dataclass(frozen=True, slots=True)
class Edition:
    """One set of inputs of a task and what became of it.

    Args:
        key: the task.
        number: 1 for the task's first inputs, then counting.
        digest: digest of the inputs.
        summary: what it was about.
        accepted_at_ms: wall clock in milliseconds since the epoch.
        state: how far it has come.
        answer: its answer, from SAVED on.
        finished_at_ms: wall clock of the save in milliseconds since the epoch; before
            accepted_at_ms if the clock was set back.
        is_superseded: whether a later edition of the task was answered.
        ignored_digest: digest of inputs that came while this edition ran and were not run.
        sources: the samples that completed it; not read back from the database with the rest.
        is_ended: whether its output's instance has ended with the readers since it was published.
    """

    key: TaskKey
    number: int
    digest: str
    summary: Summary
    accepted_at_ms: int
    state: State = State.ACCEPTED
    answer: Answer | None = None
    finished_at_ms: int | None = None
    is_superseded: bool = False
    ignored_digest: str = ""
    sources: Sources = field(default=UNKNOWN, compare=False)
    is_ended: bool = False


Editions: TypeAlias = tuple[Edition, ...]
"""All editions of one task, oldest first."""


@dataclass(frozen=True, slots=True)
class Accept:
    """The three inputs of a task are complete.

    Args:
        key: the task.
        digest: digest of its inputs.
        summary: what it is about.
        at_ms: wall clock in milliseconds since the epoch.
        is_repeat: whether it is computed again even if these inputs are answered.
        is_first: whether it is certain that the database holds nothing of the task.
        sources: the samples that completed it.
    """

    key: TaskKey
    digest: str
    summary: Summary
    at_ms: int
    is_repeat: bool = False
    is_first: bool = False
    sources: Sources = UNKNOWN


@dataclass(frozen=True, slots=True)
class Save:
    """The answer to these inputs is known and about to be published."""

    key: TaskKey
    digest: str
    summary: Summary
    answer: Answer
    at_ms: int
    sources: Sources = UNKNOWN


@dataclass(frozen=True, slots=True)
class Mark:
    """An edition's answer came as far as `state`."""

    key: TaskKey
    number: int
    state: State


@dataclass(frozen=True, slots=True)
class End:
    """The instance of an edition's output has ended with the readers."""

    key: TaskKey
    number: int


@dataclass(frozen=True, slots=True)
class Ignore:
    """Other inputs came while these ran, and are not run."""

    key: TaskKey
    digest: str
    ignored_digest: str


Note: TypeAlias = Mark | End | Ignore
Change: TypeAlias = Accept | Save | Note
"""Whatever changes what is known of a task."""


def accept(editions: Editions, event: Accept, first: int = 1) -> tuple[Editions, Decision]:
    """Return the editions after the task's inputs came, and whether it has to be computed.

    Args:
        editions: those that are known.
        event: what happened.
        first: number of the first edition of a task without any.
    """
    current = editions[-1] if editions else None
    if current is None:
        return (_edition(first, event),), Compute(ComputeReason.NEW)
    if current.digest != event.digest and not _was_ignored(current, event):
        return (*editions, _edition(current.number + 1, event)), Compute(ComputeReason.CHANGED)
    if current.answer is None:
        return editions, Compute(ComputeReason.INTERRUPTED)
    if event.is_repeat:
        return (*editions, _edition(current.number + 1, event)), Compute(ComputeReason.REPEATED)
    kept = Kept(current.key, current.number, current.answer)
    return editions, Answered(kept, is_acknowledged=current.state is State.ACKNOWLEDGED)


def save(editions: Editions, event: Save, first: int = 1) -> tuple[Editions, Kept]:
    """Return the editions after an answer was found, and the first answer for these inputs.

    An edition that is not there, because its acceptance was lost with a damaged file, is made.

    Args:
        editions: those that are known.
        event: what happened.
        first: number of the first edition of a task without any.
    """
    edition = _newest(editions, event.digest)
    if edition is None:
        edition = _edition(editions[-1].number + 1 if editions else first, event)
        editions = (*editions, edition)
    if edition.answer is not None:
        return editions, Kept(event.key, edition.number, edition.answer)
    answered = replace(edition, answer=event.answer, state=State.SAVED, finished_at_ms=event.at_ms)
    return _superseding(_replaced(editions, answered)), Kept(
        event.key, edition.number, event.answer
    )


def note(editions: Editions, event: Note) -> Editions:
    """Return the editions after something became known about one, unchanged if it is not there."""
    match event:
        case Mark() | End():
            edition = next(
                (edition for edition in editions if edition.number == event.number), None
            )
            if edition is None or edition.answer is None:
                return editions
            state, is_ended = _progressed(edition, event)
            if (state, is_ended) == (edition.state, edition.is_ended):
                return editions
            return _replaced(editions, replace(edition, state=state, is_ended=is_ended))
        case Ignore():
            edition = _newest(editions, event.digest)
            return (
                editions
                if edition is None
                else _replaced(editions, replace(edition, ignored_digest=event.ignored_digest))
            )


def appended(stored: Editions, later: Editions) -> tuple[Editions, Mapping[int, int]]:
    """Put later editions, numbered in ignorance of the stored ones, behind them.

    An answer to inputs that are stored without one goes to their edition.

    Returns:
        All editions, and the new number of each later one by the one that it had.
    """
    merged, numbers = stored, {}
    for edition in later:
        waiting = _newest(merged, edition.digest)
        if waiting is not None and waiting.answer is None:
            number = waiting.number
            merged = _replaced(merged, replace(edition, number=number))
        else:
            number = merged[-1].number + 1 if merged else 1
            merged = (*merged, replace(edition, number=number))
        numbers[edition.number] = number
    return _superseding(merged), numbers


def _progressed(edition: Edition, event: Mark | End) -> tuple[State, bool]:
    """Tell how far an edition has come, and whether its output has ended."""
    match event:
        case End():
            return edition.state, True
        case Mark(state=State.PUBLISHED):
            # Again, perhaps: then it lives again.
            return max(edition.state, State.PUBLISHED), False
        case Mark(state=state):
            return max(edition.state, state), edition.is_ended


def _was_ignored(edition: Edition, event: Accept) -> bool:
    """Whether these inputs came while an answered edition ran: a restart delivers them again."""
    return edition.answer is not None and edition.ignored_digest == event.digest


def _edition(number: int, event: Accept | Save) -> Edition:
    return Edition(
        event.key, number, event.digest, event.summary, event.at_ms, sources=event.sources
    )


def _newest(editions: Editions, digest: str) -> Edition | None:
    return next((edition for edition in reversed(editions) if edition.digest == digest), None)


def _replaced(editions: Editions, edition: Edition) -> Editions:
    return tuple(edition if other.number == edition.number else other for other in editions)


def _superseding(editions: Editions) -> Editions:
    """Leave the newest answered edition as the only answer that counts."""
    newest = max((edition.number for edition in editions if edition.answer is not None), default=0)
    return tuple(
        replace(edition, is_superseded=True)
        if edition.number < newest and not edition.is_superseded
        else edition
        for edition in editions
    )
