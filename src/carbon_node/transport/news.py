"""How coroutines wait for something to happen at a transport."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any, TypeVar

Item = TypeVar("Item")


class News:
    """Wakes every waiting coroutine each time something happened.

    All calls belong to the loop's thread. Check first, then wait: nothing is missed as long as no
    `await` lies between.
    """

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._streams: dict[Stream[Any], None] = {}

    def announce(self) -> None:
        """Wake everyone who waits now, and every stream for which something came."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        for stream in tuple(self._streams):
            stream.look()

    async def next(self) -> None:
        """Wait for the next announcement."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        await waiter

    async def until(self, fact: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until a fact holds, looking again at each announcement.

        Args:
            fact: quick look at the state; must not block.
            timeout_s: seconds to wait at most; None waits for ever.

        Returns:
            Whether the fact held in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not fact():
                    await self.next()
        except TimeoutError:
            return False
        return True

    def stream(
        self, take: Callable[[], Collection[Item]], is_open: Callable[[], bool]
    ) -> "Stream[Item]":
        """Iterate over what can be taken, now and later, until closed; for one consumer.

        Args:
            take: takes some of what waits, without blocking.
            is_open: whether there is more to come.
        """
        stream = Stream(self, take, is_open)
        self._streams[stream] = None
        return stream

    def remove(self, stream: "Stream[Any]") -> None:
        """Announce to a stream no more."""
        self._streams.pop(stream, None)


class Stream(AsyncIterator[Item]):
    """What arrives, one item at a time; made by `News.stream`.

    An announcement that brings nothing does not wake the consumer: the stream looks for itself.
    """

    def __init__(
        self, news: News, take: Callable[[], Collection[Item]], is_open: Callable[[], bool]
    ) -> None:
        self._news = news
        self._take = take
        self._is_open = is_open
        self._items: deque[Item] = deque()
        self._waiter: asyncio.Future[None] | None = None

    def look(self) -> None:
        """Take what has come, if the consumer waits for it; belongs to the loop's thread."""
        if self._waiter is None or self._waiter.done():
            return
        if self._is_open():
            self._items.extend(self._take())
            if not self._items:
                return
        self._waiter.set_result(None)

    async def __anext__(self) -> Item:
        """Return the next item, as soon as there is one.

        Other coroutines get a turn before each item but the first of those that came together.
        """
        if self._items:
            await asyncio.sleep(0)
        elif self._is_open():
            self._items.extend(self._take())
        while self._is_open():
            if self._items:
                # Not kept in a variable here: an item may hold megabytes, and the next may be far.
                return self._items.popleft()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._items.clear()
        self._news.remove(self)
        raise StopAsyncIteration
