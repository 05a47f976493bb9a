"""Names and what they stand for, as they lie in the file: the tables hold a hundred thousand.

As strings in a dict each name costs some 200 bytes, for a node that looks up a handful of places in
its life. Here the file stays as it is, a name and its areas per line in the order of their UTF-8,
and a name is found by bisection of blocks: some 25 bytes each, nothing to parse, 3 microseconds.
"""

import json
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping

BLOCK_BYTES = 2048
"""Names are searched within a block; its first name finds the block."""

_UNTOUCHED = "surrogatepass"
"""A place that a peer sent may hold half of a surrogate pair: it is looked up, and not found."""


class NameTable(Mapping[str, str]):
    r"""An immutable mapping of texts without tabs and line feeds, ordered by its names.

    Args:
        lines: "name\tareas\n" for each name, in the order of their UTF-8.
    """

    __slots__ = ("_firsts", "_lines", "_starts")

    def __init__(self, lines: bytes) -> None:
        # A line feed before each name, so that one search finds names and nothing within them.
        self._lines = b"\n" + lines
        self._starts = list(_starts(self._lines))
        self._firsts = [self._name_at(start) for start in self._starts]

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "NameTable":
        """Pack a mapping.

        Raises:
            TypeError: a name or what it stands for is no text.
        """
        lines = sorted((name + "\t" + texts[name] + "\n").encode("utf-8") for name in texts)
        return cls(b"".join(lines))

    @classmethod
    def from_file(cls, octets: bytes) -> "NameTable":
        """Read a shipped file, whose first line counts the names and sums up the others.

        Raises:
            ValueError: the file is cut, changed, or of another shape.
            KeyError: its first line lacks the sums.
        """
        head, _, lines = octets.partition(b"\n")
        about = json.loads(head)
        if lines.count(b"\n") != about["names"] or zlib.crc32(lines) != about["crc32"]:
            raise ValueError("its names are not those that its first line sums up")
        return cls(lines)

    def __getitem__(self, name: str) -> str:
        """Look a name up.

        Raises:
            KeyError: it is not there.
        """
        if not (areas := self.areas(name)):
            raise KeyError(name)
        return areas

    def areas(self, name: str) -> str:
        """Return what a name stands for, empty if it is not there."""
        at = self._find(name, b"\t") if name else -1
        if at < 0:
            return ""
        tab = self._lines.index(b"\t", at)
        return self._lines[tab + 1 : self._lines.index(b"\n", tab)].decode("utf-8")

    def begins_any(self, beginning: str) -> bool:
        """Whether a name begins with a text."""
        return self._find(beginning) >= 0

    def beginning(self, beginning: str) -> list[str]:
        """Return the names that begin with a text."""
        start = self._find(beginning)
        if start < 0 or not beginning:
            return []
        stop = self._find_after(beginning)
        lines = self._lines[start : stop - 1].decode("utf-8").split("\n")
        return [line.partition("\t")[0] for line in lines]

    def _find_after(self, beginning: str) -> int:
        """Return where the first name begins that is behind all that start with a text."""
        wanted = beginning.encode("utf-8", _UNTOUCHED)
        after = bisect_left(self._firsts, wanted + b"\xff")
        start = self._starts[after - 1]
        end = self._starts[after] if after < len(self._starts) else len(self._lines)
        last = self._lines.rfind(b"\n" + wanted, start - 1, end)
        return self._lines.index(b"\n", last + 1) + 1

    def _find(self, beginning: str, then: bytes = b"") -> int:
        """Return where the first name begins that starts with a text, -1 if none does."""
        wanted = beginning.encode("utf-8", _UNTOUCHED)
        if not self._starts:
            return -1
        after = bisect_left(self._firsts, wanted)
        block = max(after - 1, 0)
        # The first name of the next block may be the one.
        end = self._starts[after] if after < len(self._starts) else len(self._lines)
        line = b"\n" + wanted + then
        return self._lines.find(line, self._starts[block] - 1, end + len(line)) + 1 or -1

    def _name_at(self, start: int) -> bytes:
        return self._lines[start : self._lines.index(b"\t", start)]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in their order."""
        for line in self._lines.split(b"\n")[1:-1]:
            yield line.partition(b"\t")[0].decode("utf-8")

    def __len__(self) -> int:
        """Count the names."""
        return self._lines.count(b"\n") - 1


def _starts(lines: bytes) -> Iterator[int]:
    """Return where every block of lines begins."""
    start = 1
    while start < len(lines):
        yield start
        start = lines.find(b"\n", start + BLOCK_BYTES) + 1 or len(lines)
