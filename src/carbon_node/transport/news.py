"""How coroutines wait for something to happen at a transport."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

Item = TypeVar("Item")


class News:
    """Wakes every waiting coroutine each time something happened.

    All calls belong to the loop's thread. Check first, then wait: nothing is missed as long as no
    `await` lies between.
    """

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def announce(self) -> None:
        """Wake everyone who waits now."""
        self._next.set()
        self._next = asyncio.Event()

    async def next(self) -> None:
        """Wait for the next announcement."""
        await self._next.wait()

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

    async def stream(
        self, take: Callable[[], list[Item]], is_open: Callable[[], bool]
    ) -> AsyncIterator[Item]:
        """Iterate over what can be taken, now and later, until closed.

        Other coroutines get a turn after each item, however many wait.

        Args:
            take: takes some of what waits, without blocking.
            is_open: whether there is more to come.
        """
        while is_open():
            items = deque(take())
            if not items:
                await self.next()
            while items:
                # Not kept in a variable here: an item may hold megabytes, and the next may be far.
                yield items.popleft()
                if not is_open():
                    return
                await asyncio.sleep(0)
