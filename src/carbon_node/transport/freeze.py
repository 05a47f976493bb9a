"""Notices that this process has stood still: stopped, swapped out, or its machine suspended.

Peers give up a participant that is silent for its lease, and it cannot know that they did. An event
loop that is merely busy is no freeze, since the threads of DDS go on announcing the participant. So
a thread of its own looks at the clock: it is late only if everything was.
"""

import threading
import time
from collections.abc import Callable

TICK_S = 0.25
"""Seconds between two looks; a freeze is measured to this much too long at most."""


def boottime_s() -> float:
    """Return monotonic time in seconds that goes on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class FreezeWatch:
    """A thread that measures how long the process stood still; safe to use from any thread.

    A virtual machine whose clocks are stopped with it leaves nothing to see here.

    Args:
        limit_s: seconds from which a pause counts, > `TICK_S`.
        clock: monotonic time in seconds that goes on while nothing else does.
    """

    def __init__(self, limit_s: float, clock: Callable[[], float] = boottime_s) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_s = clock()
        self._frozen_s = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, noticed: Callable[[], None]) -> None:
        """Look from now on.

        Args:
            noticed: called after a freeze, in a thread of its own; must not block or raise.
        """
        self._looked_s = self._clock()
        self._thread = threading.Thread(target=self._run, args=(noticed,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; may be repeated."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> bool:
        """Look at the clock; say whether a freeze has been noticed and not been taken yet."""
        with self._lock:
            now_s = self._clock()
            pause_s, self._looked_s = now_s - self._looked_s, now_s
            if pause_s > self._limit_s:
                self._frozen_s = max(self._frozen_s, pause_s)
            return self._frozen_s > 0.0

    def take(self) -> float | None:
        """Return the seconds of the longest freeze since this was last asked; None without one."""
        with self._lock:
            frozen_s, self._frozen_s = self._frozen_s, 0.0
            return frozen_s if frozen_s > 0.0 else None

    def _run(self, noticed: Callable[[], None]) -> None:
        while not self._stop.wait(TICK_S):
            if self.look():
                noticed()
