"""Bounds how often records of one kind are logged: a peer can have many of them repeated for ever.

Of each kind some pass at once, then one now and then, with the number of those that were left out.
What was left out last is told by a record of its own, which `NoiseFilter.left_out` makes: whoever
owns the log asks for it now and then.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

BURST = 20
"""Records of one kind that pass at once."""

REFILL_S = 3.0
"""Seconds after which one more of them passes."""

KINDS_KEPT = 200
"""Kinds that are told apart; those beyond share one bound."""

OWN = "carbon_node"
"""First part of the names of the node's own loggers."""

TALKATIVE = ("httpx", "httpcore", "matplotlib", "asyncio", "PIL")
"""Loggers whose records below a warning tell of everyday work, like one line for each request."""

LEFT_OUT = "records were left out"
"""Event of the record that counts those of one kind."""


def quieten_libraries() -> None:
    """Let libraries that tell of everyday work log warnings and errors only."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Kind:
    """What records of one kind have in common.

    Args:
        logger: its name.
        level: weight.
        message: the message, which is constant in the node's own records; empty for a library's.
    """

    logger: str
    level: int
    message: str


_Key: TypeAlias = Kind | None


@dataclass(slots=True)
class _Allowance:
    left: float
    since_s: float
    suppressed_count: int = 0


class NoiseFilter(logging.Filter):
    """Lets through so many records of each kind; the next one says how many were not.

    Args:
        always: messages of the node's own records that are never left out.
        clock: monotonic time in seconds.
    """

    def __init__(
        self, always: Collection[str] = (), clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._always = frozenset(always)
        self._clock = clock
        self._allowances: dict[_Key, _Allowance] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes."""
        kind = _kind_of(record)
        if kind.message in self._always:
            return True
        allowance = self._allowance(kind)
        self._refill(allowance)
        if allowance.left < 1:
            allowance.suppressed_count += 1
            return False
        allowance.left -= 1
        if allowance.suppressed_count:
            _add(record, "suppressed_count", allowance.suppressed_count)
            allowance.suppressed_count = 0
        return True

    def left_out(self, *, is_end: bool = False) -> list[logging.LogRecord]:
        """Return a record for each kind of which some were left out, and count them from 0 again.

        Args:
            is_end: whether the log ends. Before that, a kind in the middle of its repetition is
                left to be counted by its own next record.
        """
        records = []
        for kind, allowance in list(self._allowances.items()):
            self._refill(allowance)
            if allowance.suppressed_count and (is_end or allowance.left >= 1):
                records.append(_summary(kind, allowance.suppressed_count))
                allowance.suppressed_count = 0
        return records

    def _allowance(self, kind: Kind) -> _Allowance:
        is_kept = kind in self._allowances or len(self._allowances) < KINDS_KEPT
        return self._allowances.setdefault(
            kind if is_kept else None, _Allowance(BURST, self._clock())
        )

    def _refill(self, allowance: _Allowance) -> None:
        now_s = self._clock()
        allowance.left = min(BURST, allowance.left + (now_s - allowance.since_s) / REFILL_S)
        allowance.since_s = now_s


def _kind_of(record: logging.LogRecord) -> Kind:
    if record.name.partition(".")[0] != OWN:
        return Kind(record.name, record.levelno, "")
    # structlog's events come as dictionaries.
    message = record.msg.get("event", "") if isinstance(record.msg, dict) else record.msg
    return Kind(record.name, record.levelno, str(message))


def _add(record: logging.LogRecord, name: str, value: object) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, name: value}
    else:
        setattr(record, name, value)


def _summary(kind: _Key, count: int) -> logging.LogRecord:
    logger, level = (OWN, logging.WARNING) if kind is None else (kind.logger, kind.level)
    fields = {"count": count} | ({"of": kind.message} if kind and kind.message else {})
    origin = {"name": logger, "levelno": level, "levelname": logging.getLevelName(level)}
    return logging.makeLogRecord({**origin, "msg": LEFT_OUT, **fields})
