"""The next output leaves when the readers are ready for it."""

import asyncio

import pytest
from structlog.testing import capture_logs
from tests.patience import PATIENCE_S

from carbon_node.pipeline import pacing
from carbon_node.pipeline.pacing import ACKNOWLEDGED_WITHIN_S, BLIND_GAP_S, MISSES, Pacing

GAP_S = 0.002
SOON_S = 0.0001


class Desk:
    """Outputs that leave at given times, and readers that acknowledge when the test says so."""

    def __init__(self, gap_s: float = GAP_S) -> None:
        self.gap_s = gap_s
        self.now_s = 1000.0
        self.is_acknowledged = True
        self.would_acknowledge = True
        self.waits_s: list[float] = []
        self.pacing = Pacing(
            lambda: self.gap_s, lambda: self.is_acknowledged, self._wait, lambda: self.now_s
        )

    async def _wait(self, seconds: float) -> None:
        """Let the readers acknowledge, or time pass."""
        self.waits_s.append(seconds)
        if not self.would_acknowledge:
            self.now_s += seconds + SOON_S
        self.is_acknowledged = self.would_acknowledge

    def is_due_after(self, seconds: float) -> bool:
        """Whether the next output may leave so long after now."""
        self.now_s += seconds
        is_due = self.pacing.is_due()
        self.now_s -= seconds
        return is_due

    def leave(self, after_s: float = 0.0) -> None:
        """Let an output leave that has to be due."""
        self.now_s += after_s
        assert self.pacing.is_due()
        self.pacing.left()

    def miss(self, count: int) -> None:
        """Let outputs leave that nobody acknowledges in time."""
        self.is_acknowledged = False
        for _ in range(count):
            self.leave(after_s=ACKNOWLEDGED_WITHIN_S)


@pytest.fixture
def desk() -> Desk:
    """Readers that acknowledge at once."""
    return Desk()


def test_the_first_output_never_waits(desk: Desk) -> None:
    """It leaves at once, even if a reader has not acknowledged what it got from an earlier life."""
    desk.is_acknowledged = False
    assert desk.is_due_after(0.0)


def test_an_acknowledged_output_is_followed_after_the_gap(desk: Desk) -> None:
    """The next one waits for the gap and for nothing else."""
    desk.leave()
    assert not desk.is_due_after(GAP_S - SOON_S)
    assert desk.is_due_after(GAP_S + SOON_S)


def test_an_output_that_is_not_acknowledged_is_followed_later(desk: Desk) -> None:
    """The next one waits for the acknowledgment, for 200 ms at most."""
    desk.leave()
    desk.is_acknowledged = False
    assert not desk.is_due_after(ACKNOWLEDGED_WITHIN_S - SOON_S)
    assert desk.is_due_after(ACKNOWLEDGED_WITHIN_S + SOON_S)
    desk.is_acknowledged = True
    assert desk.is_due_after(GAP_S + SOON_S)


def test_a_longer_gap_holds_though_the_output_is_acknowledged(desk: Desk) -> None:
    """The gap is the least time, whatever readers do."""
    desk.gap_s = 2.0
    desk.leave()
    assert not desk.is_due_after(2.0 - SOON_S)


def test_no_gap_waits_for_nobody() -> None:
    """A gap of 0 turns pacing off: the next output leaves at once."""
    desk = Desk(gap_s=0.0)
    desk.is_acknowledged = False
    desk.leave()
    desk.leave()


def test_a_reader_that_does_not_respond_is_waited_for_no_longer(desk: Desk) -> None:
    """After so many outputs in a row without acknowledgment, the next ones leave 30 ms apart."""
    desk.leave()
    desk.miss(MISSES - 1)
    assert not desk.is_due_after(ACKNOWLEDGED_WITHIN_S - SOON_S)
    with capture_logs() as lines:
        desk.miss(1)
        desk.leave(after_s=BLIND_GAP_S + SOON_S)
    assert [line["log_level"] for line in lines] == ["warning"]
    assert not desk.is_due_after(BLIND_GAP_S - SOON_S)
    assert desk.is_due_after(BLIND_GAP_S + SOON_S)


def test_a_reader_that_responds_again_is_waited_for_again(desk: Desk) -> None:
    """Once everything is acknowledged, the next output that is not waits as long as the first."""
    desk.leave()
    desk.miss(MISSES + 1)
    desk.is_acknowledged = True
    with capture_logs() as lines:
        desk.leave(after_s=BLIND_GAP_S)
    assert [line["log_level"] for line in lines] == ["info"]
    desk.is_acknowledged = False
    assert not desk.is_due_after(ACKNOWLEDGED_WITHIN_S - SOON_S)


def test_misses_count_only_in_a_row(desk: Desk) -> None:
    """A reader that acknowledges now and then is waited for each time."""
    desk.leave()
    for _ in range(3):
        desk.miss(MISSES - 1)
        desk.is_acknowledged = True
        desk.leave(after_s=ACKNOWLEDGED_WITHIN_S)
    desk.is_acknowledged = False
    assert not desk.is_due_after(ACKNOWLEDGED_WITHIN_S - SOON_S)


@pytest.mark.anyio
@pytest.mark.parametrize("would_acknowledge", [True, False])
async def test_who_waits_goes_on_with_the_acknowledgment_or_without(
    desk: Desk, *, would_acknowledge: bool
) -> None:
    """Waiting ends with the acknowledgment, or when its time is over."""
    desk.leave()
    desk.is_acknowledged, desk.would_acknowledge = False, would_acknowledge
    desk.now_s += GAP_S + SOON_S
    async with asyncio.timeout(PATIENCE_S):
        await desk.pacing.due()
    assert sum(desk.waits_s) == pytest.approx(ACKNOWLEDGED_WITHIN_S - GAP_S - SOON_S)
    assert desk.pacing.is_due()


@pytest.mark.anyio
async def test_who_waits_hears_of_a_change_of_the_gap(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it was: it is looked at again and again."""
    monkeypatch.setattr(pacing, "LOOK_S", 0.001)
    desk.gap_s = 3600.0
    desk.leave()
    async with asyncio.timeout(PATIENCE_S):
        waiting = asyncio.create_task(desk.pacing.due())
        await asyncio.sleep(0.005)
        assert not waiting.done()
        desk.gap_s = 0.0
        await waiting


def test_the_warning_says_what_a_silent_reader_costs(desk: Desk) -> None:
    """How long it was waited for in all, and how far apart outputs leave from now on."""
    desk.leave()
    with capture_logs() as lines:
        desk.miss(MISSES)
    assert (lines[0]["waited_s"], lines[0]["gap_s"]) == (pytest.approx(1.0), 0.03)


@pytest.mark.anyio
async def test_who_waits_for_the_gap_goes_on_when_it_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not at the next look only."""

    async def pass_(seconds: float) -> None:
        desk.now_s += seconds

    desk.gap_s = 0.25
    desk.leave()
    left_s = desk.now_s
    monkeypatch.setattr(asyncio, "sleep", pass_)
    await desk.pacing.due()
    assert desk.now_s - left_s == pytest.approx(0.25)
