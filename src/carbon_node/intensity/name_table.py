"""Names and what they stand for, packed: the shipped tables hold tens of thousands of them.

As strings in a dict each name costs some 200 bytes, for a node that looks up a handful of places in
its life. Here the names lie sorted in one bytes object and are found by bisection: some 25 bytes
each, and 5 microseconds instead of 0.1 for a look-up; a place is looked up once, then remembered.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain, repeat

_UNTOUCHED = "surrogatepass"
"""A place that a peer sent may hold half of a surrogate pair: it is looked up, and not found."""


class NameTable(Mapping[str, str]):
    """An immutable mapping of texts, ordered by its names.

    Args:
        texts: what it holds; not kept.

    Raises:
        TypeError: a name or what it stands for is no text.
    """

    __slots__ = ("_ends", "_octets")

    def __init__(self, texts: Mapping[str, str]) -> None:
        # Texts are ordered like their UTF-8, and the shipped files are in order already.
        names = sorted(texts)
        meanings = map(texts.__getitem__, names)
        parts = list(chain.from_iterable(zip(names, meanings, strict=True)))
        self._octets = "".join(parts).encode("utf-8", _UNTOUCHED)
        sizes = map(len, map(str.encode, parts, repeat("utf-8"), repeat(_UNTOUCHED)))
        # As bytes: a small object that is made while a file's remains lie around would keep the
        # megabyte around it from being given back.
        self._ends = array("I", list(accumulate(sizes, initial=0))).tobytes()

    def __getitem__(self, name: str) -> str:
        """Look a name up.

        Raises:
            KeyError: it is not there.
        """
        wanted = name.encode("utf-8", _UNTOUCHED)
        octets, ends = self._octets, memoryview(self._ends).cast("I")

        def part(index: int) -> bytes:
            return octets[ends[index] : ends[index + 1]]

        index = bisect_left(range(0, len(ends) - 1, 2), wanted, key=part) * 2
        if index == len(ends) - 1 or part(index) != wanted:
            raise KeyError(name)
        return part(index + 1).decode("utf-8", _UNTOUCHED)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the order of their code points."""
        ends = memoryview(self._ends).cast("I")
        for index in range(0, len(ends) - 1, 2):
            yield self._octets[ends[index] : ends[index + 1]].decode("utf-8", _UNTOUCHED)

    def __len__(self) -> int:
        """Count the names."""
        return len(self._ends) // 8
