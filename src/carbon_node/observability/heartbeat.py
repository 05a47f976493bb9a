"""Signs of life of the node's parts: what the watchdog and the health probe go by."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from carbon_node.errors import CarbonNodeError

PERIOD_S = 5.0
"""Seconds between two questions."""

LIMIT_S = 15.0
"""Seconds of silence after which a part stands still: three questions unanswered, and half of the
30 s after which the service's watchdog acts."""


class Heartbeat:
    """Asks one part of the node again and again for a sign of life.

    Args:
        part: its name.
        ask: returns once the part has answered; raises CarbonNodeError if it cannot.
        period_s: seconds between two questions, > 0.
        limit_s: seconds of silence after which the part stands still, > `period_s`.
        clock: monotonic time in seconds.
    """

    def __init__(
        self,
        part: str,
        ask: Callable[[], Awaitable[object]],
        period_s: float = PERIOD_S,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._part = part
        self._ask = ask
        self._period_s = period_s
        self._limit_s = limit_s
        self._clock = clock
        self._answered_s = clock()
        self._problem = ""

    async def run(self) -> None:
        """Ask, until cancelled; a question that is never answered is not followed by another."""
        while True:
            try:
                await self._ask()
            except CarbonNodeError as error:
                self._problem = f": {error}"
            else:
                self._answered_s, self._problem = self._clock(), ""
            await asyncio.sleep(self._period_s)

    def check(self) -> str | None:
        """Return None, or that the part stands still and what it last said."""
        silent_s = self._clock() - self._answered_s
        if silent_s <= self._limit_s:
            return None
        return f"{self._part} has given no sign of life for {silent_s:.0f} s{self._problem}"
