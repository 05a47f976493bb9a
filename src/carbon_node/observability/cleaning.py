"""Arbitrary logged values as bounded JSON values without secrets.

An event is gone through once: what stands under a secret key is left out, everything else becomes
JSON, and its texts are collected and redacted together. How much of each text is shown is decided
afterwards, so that no cut leaves half a secret that nobody recognises.
"""

import math
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from carbon_node.observability.redaction import Secrets
from carbon_node.secret_keys import secret_entries
from carbon_node.secret_texts import HIDDEN

# The event dictionary of structlog.
Event: TypeAlias = MutableMapping[str, Any]

ITEM_LIMIT = 32
"""Fields per line, and items per list or mapping; further ones are left out."""

DEPTH_LIMIT = 5
"""Levels of lists and mappings; what is deeper is shown as text."""

READ_LIMIT = 16 * 1024
"""Characters of a text that are looked at; no line shows a quarter of it."""

UNSHOWN_CHARS = READ_LIMIT // 2
"""Characters beside the end of what is looked at that are never shown: a secret that goes on beyond
is not recognised."""

# The last lines of a traceback say what happened.
_TAIL_MATTERS = ("exception", "stack")
# Larger ones are shown as text: JSON readers would round them.
_EXACT_INT = 1 << 64


@dataclass(frozen=True, slots=True)
class _Text:
    """A text of the event, by its place among all.

    Args:
        index: its place.
        is_tail_shown: whether its end is shown if it is too long.
        is_whole: whether all of it was looked at.
    """

    index: int
    is_tail_shown: bool = False
    is_whole: bool = True


_Shape: TypeAlias = "dict[_Text, _Shape] | list[_Shape] | _Text | str | float | int | bool | None"


@dataclass(frozen=True, slots=True)
class CleanEvent:
    """An event without secrets.

    Args:
        shape: its fields, with places of texts instead of texts.
        texts: its texts.
    """

    shape: _Shape
    texts: Sequence[str]

    def cut(self, text_limit: int) -> Event:
        """Return the event as JSON values.

        Args:
            text_limit: characters that are shown of each text, > 0.
        """
        fields: Event = self._filled(self.shape, text_limit)
        return fields

    def _filled(self, shape: _Shape, limit: int) -> Any:  # noqa: ANN401  # what JSON can be
        match shape:
            case _Text():
                return self._cut(shape, limit)
            case dict():
                return {
                    self._cut(key, limit): self._filled(value, limit)
                    for key, value in shape.items()
                }
            case list():
                return [self._filled(item, limit) for item in shape]
            case _:
                return shape

    def _cut(self, place: _Text, limit: int) -> str:
        text = self.texts[place.index]
        if place.is_whole and len(text) <= limit:
            return text
        unshown = 0 if place.is_whole else UNSHOWN_CHARS
        if place.is_tail_shown:
            return "…" + text[unshown:][-limit:]
        return text[: max(0, len(text) - unshown)][:limit] + "…"


def clean(event: Mapping[str, object], secrets: Secrets) -> CleanEvent:
    """Take the secrets out of an event, and all but its first `ITEM_LIMIT` fields.

    Args:
        event: what was logged; values may be anything, of any size.
        secrets: values that must not appear.
    """
    collector = _Collector()
    shape = collector.mapping(event, 0)
    return CleanEvent(shape, secrets.redact(collector.texts))


class _Collector:
    """Turns values into JSON and collects their texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def mapping(self, entries: Mapping[Any, object], depth: int) -> _Shape:
        shown = {str(key): value for key, value in list(entries.items())[:ITEM_LIMIT]}
        hidden = secret_entries(shown)
        return {
            self._text(key): HIDDEN
            if key in hidden and value
            else self._value(value, depth, is_tail_shown=key in _TAIL_MATTERS)
            for key, value in shown.items()
        }

    def _value(self, value: object, depth: int, *, is_tail_shown: bool = False) -> _Shape:
        match value:
            case None | bool():
                return value
            case int() | float():
                return value if _is_exact(value) else self._text(_shown(value))
            case str():
                return self._text(value, is_tail_shown=is_tail_shown)
            case bytes() | bytearray():
                return f"<{len(value)} bytes>"
            case Mapping() if depth < DEPTH_LIMIT:
                return self.mapping(value, depth + 1)
            case list() | tuple() | set() | frozenset() if depth < DEPTH_LIMIT:
                return [self._value(item, depth + 1) for item in list(value)[:ITEM_LIMIT]]
            case _:
                return self._text(_shown(value))

    def _text(self, text: str, *, is_tail_shown: bool = False) -> _Text:
        is_whole = len(text) <= READ_LIMIT
        if not is_whole:
            text = text[-READ_LIMIT:] if is_tail_shown else text[:READ_LIMIT]
        # Half of a surrogate pair, which a peer's JSON may spell, cannot be written.
        self.texts.append(text if text.isascii() else text.encode(errors="replace").decode())
        return _Text(len(self.texts) - 1, is_tail_shown, is_whole)


def _is_exact(number: float) -> bool:
    return math.isfinite(number) if isinstance(number, float) else abs(number) < _EXACT_INT


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  # a value of any library, whose method may raise anything
        return f"<{type(value).__name__}>"
