"""When a process has stood still."""

import threading

import pytest
from tests.patience import PATIENCE_S

from carbon_node.transport.freeze import FreezeWatch


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now_s


@pytest.mark.parametrize(("pause_s", "is_freeze"), [(2.9, False), (3.0, False), (3.1, True)])
def test_a_pause_counts_from_its_limit_on(pause_s: float, is_freeze: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The limit is what peers wait for a participant that says nothing."""
    clock = Clock()
    watch = FreezeWatch(3.0, clock)
    clock.now_s += pause_s
    assert watch.look() is is_freeze
    assert watch.take() == (pytest.approx(pause_s) if is_freeze else None)
    assert watch.take() is None


def test_many_short_pauses_are_no_freeze() -> None:
    """A busy process looks late again and again, and each time says that it lives."""
    clock = Clock()
    watch = FreezeWatch(3.0, clock)
    for _ in range(10):
        clock.now_s += 2.0
        assert not watch.look()


def test_a_freeze_stays_until_it_is_taken_and_is_told_to_who_waits() -> None:
    """Whoever looks first, nobody misses it."""
    clock = Clock()
    watch, noticed = FreezeWatch(3.0, clock), threading.Event()
    watch.start(noticed.set)
    try:
        clock.now_s += 8.0
        assert noticed.wait(PATIENCE_S)
        assert watch.look()
        assert watch.take() == pytest.approx(8.0)
        assert not watch.look()
    finally:
        watch.stop()
        watch.stop()


@pytest.mark.parametrize("pauses_s", [(4.0, 8.0), (8.0, 4.0)])
def test_the_longest_of_several_freezes_is_told(pauses_s: tuple[float, float]) -> None:
    """It tells what peers have seen; the short ones say nothing more."""
    clock = Clock()
    watch = FreezeWatch(3.0, clock)
    for pause_s in pauses_s:
        clock.now_s += pause_s
        assert watch.look()
    assert watch.take() == pytest.approx(8.0)


def test_a_short_limit_counts_short_freezes() -> None:
    """Where peers wait for less than a second."""
    clock = Clock()
    watch = FreezeWatch(0.5, clock)
    assert watch.take() is None
    clock.now_s += 0.6
    assert watch.look()
    assert watch.take() == pytest.approx(0.6)


def test_what_came_before_the_start_is_no_freeze() -> None:
    """A node that takes long to start has not stood still."""
    clock = Clock()
    watch, noticed = FreezeWatch(3.0, clock), threading.Event()
    clock.now_s += 60.0
    watch.start(noticed.set)
    watch.stop()
    assert not watch.look()
    assert not noticed.is_set()
