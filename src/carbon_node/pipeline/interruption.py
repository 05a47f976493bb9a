"""How control commands reach into the work on one task.

The work runs as an asyncio task of its own: cancelling that one, not the task that publishes, is
what keeps the promise of one output.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stopped:
    """The work was ended.

    Args:
        why: who asked, in words.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """The work has to begin again."""


Order: TypeAlias = Stopped | Repeat


class Interruption:
    """Orders to the work on one task; all calls come from the loop's thread."""

    def __init__(self) -> None:
        self.order: Order | None = None
        """What the work was told and has not heeded yet."""
        self._work: asyncio.Task[Any] | None = None
        self._has_begun = False

    def stop(self, why: str) -> bool:
        """End the work, or do not let it begin.

        Args:
            why: who asked, in words.

        Returns:
            False if it is too late: the work is done.
        """
        return self._interrupt(Stopped(why))

    def repeat(self) -> bool:
        """Let the work begin again; nothing happens to work that has not begun.

        Returns:
            False if it is too late: the work is done.
        """
        return self._interrupt(Repeat()) if self._has_begun else True

    async def wait(self, turn: Coroutine[Any, Any, None]) -> bool:
        """Wait for the work's turn, but no longer than until it is stopped.

        Args:
            turn: ends when the work may begin.

        Returns:
            Whether the turn has come.
        """
        return await self._guarded(turn) is None

    async def work(self, work: Coroutine[Any, Any, Result]) -> Result | Order:
        """Do the work, unless it is stopped before its end.

        Returns:
            Its result, or the order that ended it.
        """
        self._has_begun = True
        if isinstance(self.order, Repeat):
            self.order = None
        return await self._guarded(work)

    def _interrupt(self, order: Order) -> bool:
        if self._has_begun and (self._work is None or self._work.done()):
            return False
        self.order = order
        # A second cancellation would cut short what the first one lets the work clear up.
        if self._work is not None and not self._work.cancelling():
            self._work.cancel()
        return True

    async def _guarded(self, work: Coroutine[Any, Any, Result]) -> Result | Order:
        if (order := self._pending()) is not None:
            work.close()
            return order
        guarded: asyncio.Task[Result] = asyncio.create_task(work)
        self._work = guarded
        try:
            return await guarded
        except asyncio.CancelledError:
            order = self._pending()
            if order is None or _is_cancelled():
                raise
            return order
        finally:
            self._work = None

    def _pending(self) -> Order | None:
        return self.order


def _is_cancelled() -> bool:
    """Whether the running task was cancelled itself, beside what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
