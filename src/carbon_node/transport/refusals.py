"""Samples that found no room in a reader, in words."""

import time
from collections.abc import Iterable

REFUSING_S = 10.0
"""Seconds after a refusal for which the node counts as overloaded: a reliable writer tries again
several times within them."""


class Refusals:
    """How many samples were refused, when and where."""

    def __init__(self) -> None:
        self.count = 0
        self._last_s: float | None = None
        self._where = ""

    def note(self, count: int, where: Iterable[str], now_s: float) -> bool:
        """Take in the present count.

        Args:
            count: refusals since the start.
            where: topics on which there were some since the last time; asked only if there were.
            now_s: monotonic time in seconds.

        Returns:
            Whether they are the first for a while.
        """
        if count == self.count:
            return False
        is_first = self._last_s is None or now_s - self._last_s > REFUSING_S
        self.count, self._last_s, self._where = count, now_s, ", ".join(where)
        return is_first

    def problem(self) -> str | None:
        """Say what is refused now; None if nothing is."""
        if self._last_s is None or time.monotonic() - self._last_s > REFUSING_S:
            return None
        return (
            f"samples on {self._where} found no room, {self.count} times so far: peers write "
            "faster than this node takes; reliable writers send again"
        )
