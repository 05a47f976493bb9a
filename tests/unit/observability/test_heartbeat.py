"""Signs of life."""

import asyncio

import pytest

from carbon_node.errors import StoreError
from carbon_node.observability.heartbeat import Heartbeat

pytestmark = pytest.mark.anyio


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s


async def once(heartbeat: Heartbeat) -> None:
    """Let it ask once."""
    asking = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking.cancel()


async def test_a_part_that_answers_lives_until_it_has_been_silent_too_long() -> None:
    """Each answer begins a new limit; the reason names part and silence."""
    clock, asked = Clock(), []

    async def ask() -> None:
        asked.append(clock.now_s)

    heartbeat = Heartbeat("the store", ask, limit_s=15.0, clock=clock)
    clock.now_s += 10
    await once(heartbeat)
    clock.now_s += 15
    assert heartbeat.check() is None
    clock.now_s += 1
    assert heartbeat.check() == "the store has given no sign of life for 16 s"
    assert asked == [110.0]


async def test_a_part_that_says_that_it_cannot_is_silent_and_quoted() -> None:
    """A refusal is no sign of life; it is told with the silence."""
    clock = Clock()

    async def ask() -> None:
        raise StoreError("the disk is gone")

    heartbeat = Heartbeat("the store", ask, limit_s=15.0, clock=clock)
    await once(heartbeat)
    clock.now_s += 20
    expected = "the store has given no sign of life for 20 s: the disk is gone"
    assert heartbeat.check() == expected


async def test_a_question_without_answer_is_asked_once() -> None:
    """A part that hangs is not asked again and again, and is named."""
    clock, questions = Clock(), []

    async def ask() -> None:
        questions.append(clock.now_s)
        await asyncio.Event().wait()

    heartbeat = Heartbeat("the transport", ask, period_s=0.001, limit_s=1.0, clock=clock)
    asking = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0.02)
    asking.cancel()
    clock.now_s += 2
    assert heartbeat.check() == "the transport has given no sign of life for 2 s"
    assert len(questions) == 1


async def test_a_defect_in_the_question_is_not_hidden() -> None:
    """Only the package's own errors are answers."""

    async def ask() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Heartbeat("x", ask).run()
