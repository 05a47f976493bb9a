"""Bounds what libraries may log: a peer can make some of them repeat themselves without end.

The node's own records pass: each says something that an operator asked for.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

BURST = 20
"""Records of one library's logger that pass at once."""

REFILL_S = 3.0
"""Seconds after which one more of them passes."""

LOGGERS_KEPT = 200
"""Loggers that are told apart; those beyond share the bound of the last."""

OWN = "carbon_node"
"""First part of the names of the node's own loggers."""

TALKATIVE = ("httpx", "httpcore", "matplotlib", "asyncio", "PIL")
"""Loggers whose records below a warning tell of everyday work, like one line for each request."""


def quieten_libraries() -> None:
    """Let libraries that tell of everyday work log warnings and errors only."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


@dataclass(slots=True)
class _Allowance:
    left: float
    since_s: float
    suppressed_count: int = 0


class NoiseFilter(logging.Filter):
    """Lets through so many records of each library's logger; the next one says how many were not.

    Args:
        clock: monotonic time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._allowances: dict[str, _Allowance] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes."""
        if record.name.partition(".")[0] == OWN:
            return True
        allowance = self._allowance(record.name)
        self._refill(allowance)
        if allowance.left < 1:
            allowance.suppressed_count += 1
            return False
        allowance.left -= 1
        if allowance.suppressed_count:
            record.suppressed_count = allowance.suppressed_count
            allowance.suppressed_count = 0
        return True

    def _allowance(self, name: str) -> _Allowance:
        name = name if name in self._allowances or len(self._allowances) < LOGGERS_KEPT else ""
        return self._allowances.setdefault(name, _Allowance(BURST, self._clock()))

    def _refill(self, allowance: _Allowance) -> None:
        now_s = self._clock()
        allowance.left = min(BURST, allowance.left + (now_s - allowance.since_s) / REFILL_S)
        allowance.since_s = now_s
