"""Names and what they stand for, packed: the shipped tables hold tens of thousands of them.

As strings in a dict each name costs some 200 bytes, for a node that looks up a handful of places in
its life. Here the names lie sorted in one bytes object and are found by bisection: some 25 bytes
each, and 5 microseconds instead of 0.1 for a look-up; a place is looked up once, then remembered.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate

_UNTOUCHED = "surrogatepass"
"""A place that a peer sent may hold half of a surrogate pair: it is looked up, and not found."""


class NameTable(Mapping[str, str]):
    """An immutable mapping of texts, ordered by its names.

    Args:
        texts: what it holds; not kept.

    Raises:
        AttributeError: a name or what it stands for is no text.
    """

    __slots__ = ("_ends", "_octets")

    def __init__(self, texts: Mapping[str, str]) -> None:
        # Texts are ordered like their UTF-8, and the shipped files are in order already.
        parts = [
            text.encode("utf-8", _UNTOUCHED)
            for name in sorted(texts)
            for text in (name, texts[name])
        ]
        self._octets = b"".join(parts)
        self._ends = array("I", accumulate(map(len, parts), initial=0))

    def __getitem__(self, name: str) -> str:
        """Look a name up.

        Raises:
            KeyError: it is not there.
        """
        wanted = name.encode("utf-8", _UNTOUCHED)
        row = bisect_left(range(len(self)), wanted, key=self._name)
        if row == len(self) or self._name(row) != wanted:
            raise KeyError(name)
        meaning = self._octets[self._ends[2 * row + 1] : self._ends[2 * row + 2]]
        return meaning.decode("utf-8", _UNTOUCHED)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the order of their code points."""
        return (self._name(row).decode("utf-8", _UNTOUCHED) for row in range(len(self)))

    def __len__(self) -> int:
        """Count the names."""
        return len(self._ends) // 2

    def _name(self, row: int) -> bytes:
        return self._octets[self._ends[2 * row] : self._ends[2 * row + 1]]
