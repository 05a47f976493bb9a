"""JSON of other programs, read within a bound on its nesting that is ours.

How deep Python's parser goes before it raises `RecursionError` differs between its releases and
with the depth of the calling stack, and what is read is walked recursively later. So everything
that this package reads as JSON is read here; only data that it ships is not.
"""

import json
from collections.abc import Callable, Iterable
from itertools import accumulate, chain
from typing import Any, TypeAlias

MAX_DEPTH = 64
"""Levels of arrays and objects that are read. Real JSON has less than ten, and a recursive function
goes through so many in every supported release of Python."""

_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One up and one down, as signed bytes."""

_OTHER_OCTETS = bytes(octet for octet in range(256) if octet not in b"[{]}")

_Container: TypeAlias = "dict[Any, object] | list[object]"


class NestedTooDeep(ValueError):
    """A document has more than `MAX_DEPTH` levels."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {MAX_DEPTH} levels")


def loads(
    document: str | bytes,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
    parse_constant: Callable[[str], Any] | None = None,
) -> Any:  # noqa: ANN401  # what JSON can be
    """Parse JSON as `json.loads` does, unless it is nested too deep.

    The bound is checked before anything is parsed, without recursion and in linear time: at most
    some 60 ms per MiB, and about nothing for a document with few brackets.

    Args:
        document: text, or octets in UTF-8, UTF-16 or UTF-32.
        object_pairs_hook: see `json.loads`.
        parse_constant: see `json.loads`.

    Raises:
        NestedTooDeep: it has more than `MAX_DEPTH` levels.
        ValueError: it is not JSON, or an integer in it has more digits than Python reads.
    """
    text = document if isinstance(document, str) else _decoded(document)
    # Two counts rule nearly every document out; only the others are looked at bracket by bracket.
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth_of_text(text) > MAX_DEPTH:
        raise NestedTooDeep
    return json.loads(text, object_pairs_hook=object_pairs_hook, parse_constant=parse_constant)


def check_depth(value: object) -> None:
    """Hold a value that another parser made to the same bound.

    Raises:
        NestedTooDeep: it has more than `MAX_DEPTH` levels of lists and dictionaries.
    """
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = _containers(chain.from_iterable(map(_members, level)))
    if level:
        raise NestedTooDeep


def _decoded(octets: bytes) -> str:
    return octets.decode(json.detect_encoding(octets), "surrogatepass")


def _depth_of_text(text: str) -> int:
    """Return the deepest level that a parser reaches before it ends or finds an error."""
    without_escapes = text.replace("\\\\", "").replace('\\"', "")
    outside_strings = "".join(without_escapes.split('"')[::2])
    steps = outside_strings.encode("ascii", "ignore").translate(_STEPS, _OTHER_OCTETS)
    return max(accumulate(memoryview(steps).cast("b")), default=0)


def _containers(values: Iterable[object]) -> list[_Container]:
    return [value for value in values if isinstance(value, dict | list)]


def _members(container: _Container) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container
