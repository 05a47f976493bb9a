"""Orders reach the work of one task at any moment."""

import asyncio
from collections.abc import Callable

import pytest

from carbon_node.pipeline.interruption import Interruption, Repeat, Stopped

pytestmark = pytest.mark.anyio


async def nothing() -> None:
    """Work that is done at once."""


async def seven() -> int:
    """Work with a result."""
    return 7


async def endless() -> int:
    """Work that never ends by itself."""
    await asyncio.Event().wait()
    return 0


async def test_work_without_orders_gives_its_result() -> None:
    """Nothing comes between."""
    interruption = Interruption()
    assert await interruption.wait(nothing())
    assert await interruption.work(seven()) == 7


async def test_a_stop_before_the_work_keeps_it_from_beginning() -> None:
    """Neither the wait nor the work is begun."""
    interruption = Interruption()
    assert interruption.stop("why")
    assert not await interruption.wait(nothing())
    assert await interruption.work(seven()) == Stopped("why")


async def test_a_stop_during_the_wait_ends_it() -> None:
    """What was stopped while it waited is never worked on."""
    interruption = Interruption()
    waiting = asyncio.create_task(interruption.wait(_forever()))
    await asyncio.sleep(0)
    assert interruption.repeat(), "nothing to repeat yet, and nothing lost"
    assert interruption.stop("why")
    assert not await waiting
    assert await interruption.work(seven()) == Stopped("why")


async def test_a_repeat_during_the_wait_changes_nothing() -> None:
    """Work that has not begun need not begin again, and keeps its turn."""
    interruption, turn = Interruption(), asyncio.Event()

    async def wait_for_turn() -> None:
        await turn.wait()

    waiting = asyncio.create_task(interruption.wait(wait_for_turn()))
    await asyncio.sleep(0)
    assert interruption.repeat()
    turn.set()
    assert await waiting
    assert await interruption.work(seven()) == 7


async def _forever() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (lambda interruption: interruption.stop("why"), Stopped("why")),
        (lambda interruption: interruption.repeat(), Repeat()),
    ],
    ids=["stop", "repeat"],
)
async def test_an_order_ends_the_work(
    order: Callable[[Interruption], bool], expected: Stopped | Repeat
) -> None:
    """The work is cancelled, and whoever waits for it learns why."""
    interruption = Interruption()
    working = asyncio.create_task(interruption.work(endless()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order(interruption)
    assert await working == expected


async def test_repeated_work_can_be_done() -> None:
    """An order to repeat is used up by the repetition."""
    interruption = Interruption()
    working = asyncio.create_task(interruption.work(endless()))
    await asyncio.sleep(0)
    interruption.repeat()
    assert await working == Repeat()
    assert await interruption.work(seven()) == 7


async def test_orders_after_the_work_come_too_late() -> None:
    """The answer is on its way, and an order says that it changed nothing."""
    interruption = Interruption()
    assert await interruption.work(seven()) == 7
    assert not interruption.stop("why")
    assert not interruption.repeat()


async def test_a_second_order_lets_the_work_clear_up() -> None:
    """What cleans up after a first order is not cut short by the next."""
    cleared = asyncio.Event()

    async def work() -> int:
        try:
            return await endless()
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            cleared.set()
            raise

    interruption = Interruption()
    working = asyncio.create_task(interruption.work(work()))
    await asyncio.sleep(0.001)
    assert interruption.repeat()
    await asyncio.sleep(0.001)
    assert interruption.stop("why")
    assert await working == Stopped("why")
    assert cleared.is_set()


async def test_cancelling_the_one_who_waits_is_no_order() -> None:
    """A stop of the node ends the task and its work, even after an order."""
    interruption = Interruption()
    ended = asyncio.Event()

    async def work() -> int:
        try:
            return await endless()
        finally:
            ended.set()

    working: asyncio.Task[object] = asyncio.create_task(interruption.work(work()))
    await asyncio.sleep(0.001)
    interruption.stop("why")
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert ended.is_set()


async def test_an_error_of_the_work_is_the_errors_own() -> None:
    """What the work raises reaches whoever waits for it."""

    async def fail() -> int:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Interruption().work(fail())
