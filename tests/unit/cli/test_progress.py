"""What whoever submits tasks is told while they wait."""

import io
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.console import Console

from carbon_node.cli.peers import Situation
from carbon_node.cli.progress import Explanation, NoDisplay, ProgressBar, display, drawn_on
from carbon_node.wire.samples import Status

NOBODY = Situation(is_node_there=False, status=None, sent_count=0, begun_count=0, done_count=0)
WORKING = Situation(
    is_node_there=True, status=Status.RUNNING, sent_count=10, begun_count=4, done_count=0
)

At = Callable[[float, Situation], str | None]


@pytest.fixture
def here() -> list[int]:
    """Return the domains of this host's nodes, as the test sets them."""
    return []


@pytest.fixture
def at(here: list[int]) -> At:
    """Return what says what is waited for, ten tasks in domain 7, at a time since the start."""
    now_s = [0.0]
    explanation = Explanation(7, 10, lambda: here, lambda: now_s[0])

    def line(seconds: float, situation: Situation) -> str | None:
        now_s[0] = seconds
        return explanation.line(situation)

    return line


def test_a_missing_node_is_named_after_a_while(at: At, here: list[int]) -> None:
    """Once, with what to type; again once a node of this host is known to be elsewhere."""
    assert at(4.9, NOBODY) is None
    start = "waiting for a carbon node in domain 7; start one with: carbon-node run --domain 7"
    assert at(5.0, NOBODY) == start
    assert at(60.0, NOBODY) is None
    here += [0, 7]
    assert at(61.0, NOBODY) == (
        "waiting for a carbon node in domain 7; this host has one in domain 0, for which you type: "
        "carbon-node submit --domain 0"
    )


def test_a_queue_is_told_when_no_output_comes(at: At) -> None:
    """Outputs that come say enough; a pause is explained by what has begun and what waits."""
    assert at(4.0, replace(WORKING, done_count=1)) is None
    assert at(8.0, replace(WORKING, done_count=2)) is None
    assert at(12.9, replace(WORKING, done_count=2)) is None
    assert at(13.0, replace(WORKING, done_count=2)) == (
        "2 of 10 tasks are done; at the node in domain 7, 4 have begun, 4 wait"
    )
    assert at(20.0, replace(WORKING, done_count=2)) is None


def test_the_end_of_a_node_is_told_at_once(at: At) -> None:
    """Who waits learns what is done, and how to bring the node back."""
    assert at(1.0, WORKING) is None
    gone = replace(WORKING, is_node_there=False, done_count=3)
    assert at(1.2, gone) == (
        "3 of 10 tasks are done; the carbon node has left domain 7; waiting for its return, start "
        "it with: carbon-node run --domain 7"
    )
    assert at(9.0, gone) is None


@pytest.mark.parametrize(("status", "said"), [(Status.INACTIVE, "INACTIVE"), (None, "nothing yet")])
def test_a_node_that_takes_no_tasks_is_quoted(at: At, status: Status | None, said: str) -> None:
    """A paused node is told from a missing one."""
    line = at(5.0, replace(WORKING, status=status))
    assert line is not None
    assert f"which says {said}; carbon-node status tells more" in line


def test_the_bar_shows_what_is_done() -> None:
    """On a terminal, the bar counts and says what the node is at."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120, color_system=None)
    with drawn_on(console) as progress:
        bar = ProgressBar(progress, 10)
        bar.show(replace(WORKING, done_count=3))
        progress.refresh()
    assert "4 have begun, 3 wait" in screen.getvalue()
    assert " 3/10 " in screen.getvalue()


def test_nothing_is_drawn_on_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """What reads standard error gets lines only."""
    stderr = io.StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    with display(10) as shown:
        assert isinstance(shown, NoDisplay)
        shown.show(WORKING)
    assert stderr.getvalue() == ""
