"""How many tasks are in progress at once, and whether any more may begin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from carbon_node.pipeline.task import WAITING, Progress


class Admission:
    """Places for tasks in progress, behind a gate that commands close and open.

    Args:
        place_count: tasks in progress at once, >= 1.
    """

    def __init__(self, place_count: int) -> None:
        self._places = asyncio.Semaphore(place_count)
        self._gate = asyncio.Event()
        self._gate.set()

    def open(self) -> None:
        """Let tasks begin."""
        self._gate.set()

    def close(self) -> None:
        """Let no more tasks begin; those in progress go on."""
        self._gate.clear()

    @asynccontextmanager
    async def place(self, progress: Progress) -> AsyncIterator[None]:
        """Wait for a place and hold it; a task that is stopped needs none and waits no longer."""
        with progress.stage(WAITING):
            has_place = await self._entered(progress)
        progress.has_begun = True
        try:
            yield
        finally:
            if has_place:
                self._places.release()

    async def _entered(self, progress: Progress) -> bool:
        """Whether the task has got a place; without yielding to the loop where one is free."""
        is_free = self._gate.is_set() and not self._places.locked()
        if is_free and progress.interruption.order is None:
            await self._enter()
            return True
        return await progress.interruption.wait(self._enter())

    async def _enter(self) -> None:
        while True:
            await self._gate.wait()
            await self._places.acquire()
            if self._gate.is_set():
                return
            self._places.release()
