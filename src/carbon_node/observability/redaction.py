"""Keeps secrets out of everything that is logged.

Two nets, because either alone has holes: what is recognised as a secret, by its key, its place or
its shape (`secret_keys`, `secret_texts`); and every value that was registered, wherever it appears,
for example in the message of somebody else's exception.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from carbon_node.secret_texts import redacted_all, spellings

SHORTEST_SECRET = 4
"""Characters; hiding shorter values would garble every line, and they protect nothing."""

SECRETS_KEPT = 4096
"""Registered values that are remembered; those registered longest ago go first. So many cost a
record a quarter of a millisecond."""

SECRETS_KEPT_CHARS = 1 << 20
"""Characters of all registered values together, likewise."""


class Secrets:
    """The values that must never be written; usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spellings: OrderedDict[str, frozenset[str]] = OrderedDict()
        self._kept_chars = 0
        self._known: tuple[str, ...] | None = ()

    def register(self, secret: str) -> None:
        """Hide this value from now on.

        Args:
            secret: the value; one shorter than four characters is ignored.
        """
        if len(secret) < SHORTEST_SECRET:
            return
        with self._lock:
            if secret in self._spellings:
                self._spellings.move_to_end(secret)
                return
            self._spellings[secret] = spellings(secret)
            self._kept_chars += len(secret)
            while len(self._spellings) > SECRETS_KEPT or self._kept_chars > SECRETS_KEPT_CHARS:
                self._kept_chars -= len(self._spellings.popitem(last=False)[0])
            self._known = None

    def redact(self, texts: Sequence[str]) -> list[str]:
        """Return texts without registered secrets and without what is recognised as a secret."""
        return redacted_all(texts, self._all())

    def _all(self) -> tuple[str, ...]:
        """Every spelling of every value; put together when it is asked for, not at each value."""
        known = self._known
        if known is None:
            with self._lock:
                known = tuple(each for kept in self._spellings.values() for each in kept)
                self._known = known
        return known
