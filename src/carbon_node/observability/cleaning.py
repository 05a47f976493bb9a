"""Arbitrary logged values as bounded JSON values without secrets."""

import math
from collections.abc import Mapping, MutableMapping
from typing import Any, TypeAlias

from carbon_node.observability.redaction import HIDDEN, Secrets, is_secret_key

Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | float | int | bool | None
Event: TypeAlias = MutableMapping[str, Any]  # structlog's event dictionary

ITEM_LIMIT = 32
"""Fields per line, and items per list or mapping; further ones are left out."""

DEPTH_LIMIT = 5
"""Levels of lists and mappings; what is deeper is shown as text."""

READ_LIMIT = 256 * 1024
"""Characters of a text that are looked at; no line shows more."""

_TAIL_MATTERS = ("exception", "stack")  # the last lines of a traceback say what happened
_EXACT_INT = 1 << 64  # larger ones are shown as text: JSON readers would round them


class Cleaner:
    """Cleans events of secrets and of size.

    Args:
        secrets: values that must not appear.
        text_limit: characters that are shown of each text.
    """

    def __init__(self, secrets: Secrets, text_limit: int) -> None:
        self._secrets = secrets
        self._text_limit = text_limit

    def event(self, event: Event) -> Event:
        """Return the event with JSON values, at most `ITEM_LIMIT` fields of it."""
        shown = list(event.items())[:ITEM_LIMIT]
        return {self._text(str(key)): self._field(str(key), value, 0) for key, value in shown}

    def _field(self, key: str, value: object, depth: int) -> Json:
        if is_secret_key(key) and value:
            return HIDDEN
        if key in _TAIL_MATTERS and isinstance(value, str):
            return self._tail(value)
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> Json:
        match value:
            case None | bool():
                return value
            case int() | float():
                return self._number(value)
            case str():
                return self._text(value)
            case bytes() | bytearray():
                return f"<{len(value)} bytes>"
            case Mapping() if depth < DEPTH_LIMIT:
                items = list(value.items())[:ITEM_LIMIT]
                return {self._text(str(k)): self._field(str(k), v, depth + 1) for k, v in items}
            case list() | tuple() | set() | frozenset() if depth < DEPTH_LIMIT:
                return [self._value(item, depth + 1) for item in list(value)[:ITEM_LIMIT]]
            case _:
                return self._text(_shown(value))

    def _number(self, number: float) -> Json:
        is_exact = math.isfinite(number) if isinstance(number, float) else abs(number) < _EXACT_INT
        return number if is_exact else self._text(_shown(number))

    def _text(self, text: str) -> str:
        clean = self._clean(text[:READ_LIMIT])
        return clean if len(clean) <= self._text_limit else clean[: self._text_limit] + "…"

    def _tail(self, text: str) -> str:
        clean = self._clean(text[-READ_LIMIT:])
        return clean if len(clean) <= self._text_limit else "…" + clean[-self._text_limit :]

    def _clean(self, text: str) -> str:
        clean = self._secrets.redact(text)
        return clean if clean.isascii() else clean.encode(errors="replace").decode()


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # a value of any library, whose method may raise anything
        return f"<{type(value).__name__}>"
