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
        self._streams: list[Stream[Any]] = []
        self._is_closed = False

    def announce(self) -> None:
        """Wake everyone who waits now, and every stream for which something came."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
        for stream in self._streams:
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

    def stream(self, take: Callable[[], Collection[Item]]) -> "Stream[Item]":
        """Iterate over what can be taken, now and later, until closed; for one consumer.

        Args:
            take: takes some of what waits, without blocking.
        """
        stream = Stream(take)
        if self._is_closed:
            stream.close()
        else:
            self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Wake everyone a last time: nothing more will come, and every stream ends."""
        self._is_closed = True
        for stream in self._streams:
            stream.close()
        self._streams.clear()
        self.announce()


class Stream(AsyncIterator[Item]):
    """What arrives, one item at a time; made by `News.stream`.

    An announcement that brings nothing does not wake the consumer: the stream looks for itself.

    Args:
        take: takes some of what waits, without blocking.
    """

    def __init__(self, take: Callable[[], Collection[Item]]) -> None:
        self._take = take
        self._items: deque[Item] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_closed = False

    def look(self) -> None:
        """Take what has come, if the consumer waits for it; an error in that is its own."""
        if self._waiter is None or self._waiter.done():
            return
        try:
            self._items.extend(self._take())
        except Exception as error:  # noqa: BLE001 - handed to the consumer
            self._waiter.set_exception(error)
            return
        if self._items:
            self._waiter.set_result(None)

    def close(self) -> None:
        """End, and hand out nothing more."""
        self._is_closed = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def __anext__(self) -> Item:
        """Return the next item, as soon as there is one.

        Other coroutines get a turn before each item but the first of those that came together.
        """
        if self._items:
            await asyncio.sleep(0)
        elif not self._is_closed:
            self._items.extend(self._take())
        while not self._is_closed:
            if self._items:
                # Not kept in a variable here: an item may hold megabytes, and the next may be far.
                return self._items.popleft()
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._items.clear()
        raise StopAsyncIteration
