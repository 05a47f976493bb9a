"""When the next output may leave: once the readers have acknowledged the one before.

The orchestrator takes one sample for each notification. A lost packet holds back what follows it
in the reader, and when it has been sent again, all of that becomes readable under one notification:
the orchestrator takes one sample of it, and the rest stays unseen until as many more come. So
nothing follows an output before it is acknowledged. A reader that takes in its callback, as the
orchestrator does, acknowledges only when it has taken, so the node never gets ahead of it.

The rule, which docs/operations.md states for operators:

1. At least the gap lies between two outputs. A gap of 0 turns all of this off.
2. The next output leaves when every matched reader has acknowledged the one before, or
   `ACKNOWLEDGED_WITHIN_S` after it. Where no reader is matched, there is nothing to wait for.
3. After `MISSES` outputs in a row that were not acknowledged in time, a reader does not respond. It
   is waited for no longer, so that it cannot slow the others down for ever: outputs leave
   `BLIND_GAP_S` apart, until everything is acknowledged again, or the reader is gone.
"""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable

import structlog

ACKNOWLEDGED_WITHIN_S = 0.2
"""Seconds that an output waits for the one before to be acknowledged: without loss it takes some
10 ms, and each loss in a row adds as much."""

MISSES = 5
"""Outputs in a row that are not acknowledged in time before a reader counts as not responding: it
costs the others a second."""

BLIND_GAP_S = 0.03
"""Seconds between two outputs while a reader does not respond: time for a lost packet to be noticed
and sent again, so that the other readers see each output. Real orchestrators took all outputs so,
at 3 % loss."""

LOOK_S = 0.1
"""Seconds between two looks at the gap while an output waits for it: a change of settings counts
for what waits already."""

log = structlog.get_logger(__name__)


class Pacing:
    """Says when the next output may leave; the rule is that of this module.

    Args:
        gap_s: tells the least time between two outputs in seconds, from the start of one write to
            that of the next; asked again each time, since it can change at run time.
        is_acknowledged: tells at once whether all matched readers have all that has left.
        acknowledged: waits until they have, so many seconds at most.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        gap_s: Callable[[], float],
        is_acknowledged: Callable[[], bool],
        acknowledged: Callable[[float], Awaitable[object]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap_s = gap_s
        self._is_acknowledged = is_acknowledged
        self._acknowledged = acknowledged
        self._clock = clock
        self._left_s = -math.inf
        self._missed_count = 0

    def is_due(self) -> bool:
        """Whether an output may leave now."""
        return self._wait_s() <= 0

    async def due(self) -> None:
        """Wait until an output may leave."""
        while (wait_s := self._wait_s()) > 0:
            if self._since_s() < self._gap_s():
                # The gap may change meanwhile.
                await asyncio.sleep(min(wait_s, LOOK_S))
            else:
                await self._acknowledged(wait_s)

    def left(self) -> None:
        """Note that an output leaves now."""
        if self._gap_s() > 0:
            self._judge()
        self._left_s = self._clock()

    def _wait_s(self) -> float:
        """Seconds until an output may leave without acknowledgment; 0 or less if it may now."""
        gap_s = self._gap_s()
        if gap_s <= 0:
            return 0.0
        since_s = self._since_s()
        if since_s < gap_s:
            return gap_s - since_s
        limit_s = ACKNOWLEDGED_WITHIN_S if self._missed_count < MISSES else BLIND_GAP_S
        if since_s >= limit_s or self._is_acknowledged():
            return 0.0
        return limit_s - since_s

    def _since_s(self) -> float:
        """Seconds since the last output left."""
        return self._clock() - self._left_s

    def _judge(self) -> None:
        was_responding = self._missed_count < MISSES
        self._missed_count = 0 if self._is_acknowledged() else min(self._missed_count + 1, MISSES)
        if was_responding and self._missed_count == MISSES:
            log.warning(
                "a reader does not acknowledge outputs; they leave without waiting for it",
                waited_s=MISSES * ACKNOWLEDGED_WITHIN_S,
                gap_s=BLIND_GAP_S,
            )
        elif not was_responding and self._missed_count == 0:
            log.info("all readers acknowledge outputs again")
