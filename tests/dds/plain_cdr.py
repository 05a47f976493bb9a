"""An encoder of XCDR1's plain encoding, independent of the binding's, for both endiannesses."""

import struct
from typing import Any

from carbon_node.wire.types import Kind, Struct

_PRIMITIVES: dict[Kind, str] = {"boolean": "?", "int32": "i", "uint32": "I", "double": "d"}


class PlainCdr:
    """A payload that grows.

    Args:
        is_big: whether numbers are big-endian.
    """

    def __init__(self, *, is_big: bool) -> None:
        self._order = ">" if is_big else "<"
        self._body = bytearray()

    def payload(self) -> bytes:
        """Return what was added, behind its encapsulation header."""
        return bytes((0, self._order == "<", 0, 0)) + self._body

    def add(self, kind: Kind | Struct, value: Any) -> None:  # noqa: ANN401 - as kind says
        """Encode a value."""
        match kind:
            case Struct():
                for member, each in zip(kind.members, value, strict=True):
                    self.add(member.type, each)
            case "string":
                self._add_octets(value.encode() + b"\0")
            case "sequence<octet>":
                self._add_octets(value)
            case "sequence<string>":
                self._add_number("I", len(value))
                for each in value:
                    self.add("string", each)
            case _:
                self._add_number(_PRIMITIVES[kind], value)

    def _add_octets(self, octets: bytes) -> None:
        self._add_number("I", len(octets))
        self._body += octets

    def _add_number(self, code: str, number: float) -> None:
        size = struct.calcsize(f"<{code}")
        self._body += bytes(-len(self._body) % size)
        self._body += struct.pack(f"{self._order}{code}", number)


def plain_payload(kind: Struct, values: tuple[Any, ...], *, is_big: bool) -> bytes:
    """Encode a sample."""
    encoded = PlainCdr(is_big=is_big)
    encoded.add(kind, values)
    return encoded.payload()
