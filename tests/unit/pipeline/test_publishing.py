"""Outputs leave in turn."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from functools import partial

import pytest
from tests.patience import PATIENCE_S

from carbon_node.pipeline.pacing import Pacing
from carbon_node.pipeline.publishing import FIRST, LAST, Outbox

pytestmark = pytest.mark.anyio


def outbox_with(gap_s: float = 0.0) -> Outbox:
    """An outbox whose readers acknowledge at once."""
    return Outbox(Pacing(lambda: gap_s, lambda: True, asyncio.sleep), Readers())


class Readers:
    """Readers that always keep up."""

    def has_room(self) -> bool:
        """There is always room."""
        return True

    async def room(self) -> None:
        """There is always room."""


@contextlib.asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[None]:
    """Let the outbox write."""
    task = asyncio.create_task(outbox.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_oldest_waiting_output_goes_first() -> None:
    """Of several waiting outputs, the one of the task that started first is written first."""
    written: list[int] = []

    outbox = outbox_with()
    sends = [
        asyncio.create_task(outbox.send(each, partial(written.append, each))) for each in (3, 1, 2)
    ]
    await asyncio.sleep(0)
    assert written == []
    async with running(outbox):
        await asyncio.gather(*sends)

    assert written == [1, 2, 3]


async def test_a_single_output_is_not_delayed() -> None:
    """However long the gap is, the first output does not wait for it."""
    written: list[int] = []
    outbox = outbox_with(10 * PATIENCE_S)
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        await outbox.send(0, lambda: written.append(0))
    assert written == [0]


async def test_outputs_keep_the_gap() -> None:
    """At least the gap lies between two outputs."""
    gap_s = 0.05
    times: list[float] = []

    loop = asyncio.get_running_loop()
    outbox = outbox_with(gap_s)
    async with running(outbox):
        await asyncio.gather(
            *(outbox.send(each, lambda: times.append(loop.time())) for each in (0, 1, 2))
        )

    assert all(later - earlier >= gap_s * 0.99 for earlier, later in itertools.pairwise(times))


async def test_a_shorter_gap_counts_for_what_waits_already() -> None:
    """An output that waits for a gap of an hour leaves soon after the gap is set back."""
    gap_s = [3600.0]
    written: list[int] = []
    outbox = Outbox(Pacing(lambda: gap_s[0], lambda: True, asyncio.sleep), Readers())
    async with running(outbox), asyncio.timeout(PATIENCE_S):
        await outbox.send(0, lambda: written.append(0))
        waiting = asyncio.create_task(outbox.send(1, lambda: written.append(1)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert written == [0]
        gap_s[0] = 0.01
        await waiting
    assert written == [0, 1]


async def test_a_failed_write_reaches_its_task_and_no_other() -> None:
    """The task whose output cannot be written is told; the next one leaves."""
    written: list[str] = []

    def fail() -> None:
        raise OSError("no space")

    outbox = outbox_with()
    async with running(outbox):
        with pytest.raises(OSError, match="no space"):
            await outbox.send(0, fail)
        await outbox.send(1, lambda: written.append("next"))

    assert written == ["next"]


async def test_an_output_whose_task_was_cancelled_is_not_written() -> None:
    """A cancelled task's place in the queue is skipped."""
    written: list[int] = []

    outbox = outbox_with()
    cancelled = asyncio.create_task(outbox.send(0, partial(written.append, 0)))
    following = asyncio.create_task(outbox.send(1, partial(written.append, 1)))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    async with running(outbox):
        await following

    assert written == [1]


async def test_what_readers_lost_goes_before_every_task_and_ends_go_last() -> None:
    """Whatever waits, in whichever order it came."""
    written: list[int] = []
    outbox = outbox_with()
    positions = (LAST, 7, FIRST + 1, 0, FIRST)
    sends = [
        asyncio.create_task(outbox.send(each, partial(written.append, each))) for each in positions
    ]
    await asyncio.sleep(0)
    async with running(outbox):
        await asyncio.gather(*sends)

    assert written == [FIRST, FIRST + 1, 0, 7, LAST]


async def test_a_task_whose_output_has_left_goes_on_before_the_next_leaves() -> None:
    """Without a gap too: what comes after an output is not held up by a burst."""
    seen: list[str] = []

    async def answered(number: int) -> None:
        await outbox.send(number, lambda: seen.append(f"output {number}"))
        seen.append(f"task {number}")

    outbox = outbox_with()
    tasks = [asyncio.create_task(answered(number)) for number in (1, 2)]
    await asyncio.sleep(0)
    async with running(outbox):
        await asyncio.gather(*tasks)

    assert seen == ["output 1", "task 1", "output 2", "task 2"]


async def test_without_a_gap_a_burst_leaves_within_turns_of_the_loop() -> None:
    """No time passes between two outputs."""
    written: list[int] = []
    outbox = outbox_with()
    sends = [
        asyncio.create_task(outbox.send(each, partial(written.append, each))) for each in range(3)
    ]
    await asyncio.sleep(0)
    async with running(outbox):
        for _ in range(20):
            await asyncio.sleep(0)
        assert written == [0, 1, 2]
    await asyncio.gather(*sends)


async def test_an_output_that_has_its_turn_leaves_at_once() -> None:
    """Its task does not even yield to the loop."""
    written: list[int] = []
    outbox = outbox_with()
    async with running(outbox):
        await asyncio.sleep(0)
        with pytest.raises(StopIteration):
            outbox.send(7, partial(written.append, 7)).send(None)
        assert written == [7]


@pytest.mark.parametrize(("has_room", "gap_s"), [(False, 0.0), (True, 3600.0)])
async def test_an_output_has_no_turn_before_its_readers_are_ready(
    has_room: bool,  # noqa: FBT001 - a case
    gap_s: float,
) -> None:
    """It waits for room, and for the gap after the one before."""
    written: list[int] = []
    readers = Readers()
    outbox = Outbox(Pacing(lambda: gap_s, lambda: True, asyncio.sleep), readers)
    async with running(outbox):
        await asyncio.sleep(0)
        await outbox.send(1, partial(written.append, 1))
        readers.has_room = lambda: has_room  # type: ignore[method-assign]
        readers.room = asyncio.Event().wait  # type: ignore[method-assign, assignment]
        waiting = asyncio.create_task(outbox.send(2, partial(written.append, 2)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert written == [1]
        waiting.cancel()
