"""What whoever submits tasks sees while they wait: a bar on a terminal, and lines that say why."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from carbon_node.cli.peers import Situation
from carbon_node.wire.samples import Status

PATIENCE_S: Final = 5.0
"""Seconds without an output after which it is said what is waited for."""


class Cause(Enum):
    """What is waited for."""

    NO_NODE = auto()
    NOT_READY = auto()
    GONE = auto()
    WORK = auto()


class Display(Protocol):
    """Shows how far the tasks are."""

    def show(self, situation: Situation) -> None:
        """Show how far they are now."""
        ...


class NoDisplay:
    """Shows nothing: nobody looks at a pipe."""

    def show(self, situation: Situation) -> None:
        """Do nothing."""


class ProgressBar:
    """A bar with what is done, the rate and the time left.

    Args:
        progress: draws it.
        count: tasks that will be submitted.
    """

    def __init__(self, progress: Progress, count: int) -> None:
        self._progress = progress
        self._bar = progress.add_task("", total=count)

    def show(self, situation: Situation) -> None:
        """Move the bar."""
        self._progress.update(
            self._bar, completed=situation.done_count, description=_description(situation)
        )


@contextmanager
def display(count: int) -> Iterator[Display]:
    """Show a bar on standard error for as long as this context lasts, if that is a terminal.

    Args:
        count: tasks that will be submitted.
    """
    if not sys.stderr.isatty():
        yield NoDisplay()
        return
    with drawn_on(Console(stderr=True)) as progress:
        yield ProgressBar(progress, count)


def drawn_on(console: Console) -> Progress:
    """Return what draws the bar; it is gone when its context ends."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        # Results that go elsewhere must not be drawn here.
        redirect_stdout=sys.stdout.isatty(),
    )


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f}/s")


Said: TypeAlias = tuple[Cause, Status | None, tuple[int, ...]]


class Explanation:
    """Says what is waited for once that takes long, and again when it is something else.

    Args:
        domain: DDS domain id.
        count: tasks that will be submitted.
        domains_here: tells in which domains the carbon nodes of this host are.
        clock: tells a monotonic time in seconds.
    """

    def __init__(
        self,
        domain: int,
        count: int,
        domains_here: Callable[[], Sequence[int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._domain = domain
        self._count = count
        self._domains_here = domains_here
        self._clock = clock
        self._since_s = clock()
        self._done_count = 0
        self._has_been_ready = False
        self._said: Said | None = None

    def line(self, situation: Situation) -> str | None:
        """Return what has to be said now, None if nothing."""
        now_s = self._clock()
        if situation.done_count > self._done_count:
            self._since_s, self._done_count = now_s, situation.done_count
        cause = self._cause(situation)
        # Nobody has to guess for long that a node has ended.
        if cause is not Cause.GONE and now_s - self._since_s < PATIENCE_S:
            return None
        return self._unless_said(cause, situation)

    def _cause(self, situation: Situation) -> Cause:
        is_ready = situation.status in (Status.IDLE, Status.RUNNING)
        self._has_been_ready |= is_ready and situation.is_node_there
        if not situation.is_node_there:
            return Cause.GONE if self._has_been_ready else Cause.NO_NODE
        return Cause.WORK if is_ready else Cause.NOT_READY

    def _unless_said(self, cause: Cause, situation: Situation) -> str | None:
        elsewhere: tuple[int, ...] = ()
        if cause is Cause.NO_NODE:
            elsewhere = tuple(each for each in self._domains_here() if each != self._domain)
        status = situation.status if cause is Cause.NOT_READY else None
        if (cause, status, elsewhere) == self._said:
            return None
        self._said = (cause, status, elsewhere)
        return self._text(cause, situation, elsewhere)

    def _text(self, cause: Cause, situation: Situation, elsewhere: tuple[int, ...]) -> str:
        done = f"{situation.done_count} of {self._count} tasks are done"
        match cause:
            case Cause.NO_NODE:
                start = f"start one with: carbon-node run --domain {self._domain}"
                if elsewhere:
                    start = (
                        f"this host has one in domain {elsewhere[0]}, for which you type: "
                        f"carbon-node submit --domain {elsewhere[0]}"
                    )
                return f"waiting for a carbon node in domain {self._domain}; {start}"
            case Cause.NOT_READY:
                said = "nothing yet" if situation.status is None else situation.status.name
                return (
                    f"{done}; waiting for the carbon node in domain {self._domain}, which says "
                    f"{said}; carbon-node status tells more"
                )
            case Cause.GONE:
                return (
                    f"{done}; the carbon node has left domain {self._domain}; waiting for its "
                    f"return, start it with: carbon-node run --domain {self._domain}"
                )
            case Cause.WORK:
                return f"{done}; at the node in domain {self._domain}, {_work(situation)}"


def _description(situation: Situation) -> str:
    if not situation.is_node_there:
        return "no carbon node"
    return _work(situation)


def _work(situation: Situation) -> str:
    queued = situation.sent_count - situation.done_count - situation.begun_count
    return f"{situation.begun_count} have begun, {queued} wait"
