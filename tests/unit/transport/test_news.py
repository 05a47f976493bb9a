"""Waiting for something to happen."""

import asyncio
import weakref

import pytest

from carbon_node.errors import TransportError
from carbon_node.transport.news import News

pytestmark = pytest.mark.anyio


async def test_every_waiter_wakes_at_an_announcement() -> None:
    """Several coroutines may wait at once, and each announcement wakes those that wait then."""
    news = News()
    waiting = [asyncio.create_task(news.next()) for _ in range(3)]
    await asyncio.sleep(0)
    news.announce()
    await asyncio.gather(*waiting)
    again = asyncio.create_task(news.next())
    await asyncio.sleep(0)
    assert not again.done()
    again.cancel()


async def test_a_fact_that_holds_needs_no_news() -> None:
    """What is true already is not waited for, even without time to wait."""
    assert await News().until(lambda: True, 0.0)


async def test_a_fact_is_looked_at_again_with_each_announcement() -> None:
    """Waiting ends with the announcement after which the fact holds."""
    news = News()
    looks: list[int] = []

    def third_look() -> bool:
        looks.append(len(looks))
        return len(looks) == 3

    waiting = asyncio.create_task(news.until(third_look, 10.0))
    for _ in range(2):
        await asyncio.sleep(0)
        news.announce()
    assert await waiting


async def test_waiting_ends_in_time() -> None:
    """A fact that never holds is given up after the time limit."""
    assert not await News().until(lambda: False, 0.01)


async def test_items_are_not_held_while_the_next_one_is_waited_for() -> None:
    """What was handed out belongs to its consumer alone: it may be large, and the next far."""

    class Item:
        """Something that can be seen to go."""

    news, batches = News(), [[Item(), Item()]]
    stream = news.stream(lambda: batches.pop() if batches else [])
    gone = [weakref.ref(await anext(stream)) for _ in range(2)]
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    assert [item() for item in gone] == [None, None]
    waiting.cancel()


async def test_a_stream_wakes_for_what_it_brings_only_and_ends_with_the_news() -> None:
    """An announcement without an item leaves the consumer asleep; closing ends every stream."""
    news = News()
    batches: list[list[int]] = [[]]
    stream = news.stream(lambda: batches.pop() if batches else [])
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    for batch in ([], [1, 2]):
        assert not waiting.done()
        batches.append(batch)
        news.announce()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert [await waiting, await anext(stream)] == [1, 2]

    ending = asyncio.ensure_future(anext(stream, None))
    await asyncio.sleep(0)
    news.close()
    assert await ending is None
    assert [item async for item in stream] == []


async def test_an_error_in_taking_reaches_the_consumer() -> None:
    """Whoever waits learns that nothing can be taken, and the announcer goes on."""
    news, errors = News(), [TransportError("gone")]

    def take() -> list[int]:
        if is_broken.is_set():
            raise errors[0]
        return []

    is_broken = asyncio.Event()
    waiting = asyncio.ensure_future(anext(news.stream(take)))
    await asyncio.sleep(0)
    is_broken.set()
    news.announce()
    with pytest.raises(TransportError, match="gone"):
        await waiting
