"""Packed names: a mapping that cannot change, in a fifth of the memory of a dict."""

import json
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.intensity.name_table import NameTable

NAMES = st.text(st.characters(exclude_characters="\t\n", codec="utf-8"), min_size=1, max_size=5)
ANYTHING = st.text(st.characters(codec=None), max_size=5)


@given(st.dictionaries(NAMES, NAMES), st.lists(ANYTHING))
def test_it_finds_what_a_dict_finds(texts: dict[str, str], others: list[str]) -> None:
    """Any names, in any script, are found; nothing else is, broken surrogates included."""
    table = NameTable.of(texts)

    assert dict(table) == texts
    assert list(table) == sorted(texts)
    assert len(table) == len(texts)
    for name in (*texts, *others):
        assert table.get(name) == texts.get(name)
        assert (name in table) == (name in texts)


@given(st.dictionaries(NAMES, NAMES, max_size=40), NAMES)
def test_it_knows_which_names_begin_so(texts: dict[str, str], beginning: str) -> None:
    """Longer names are found by their beginnings, in their order."""
    table = NameTable.of(texts)

    expected = sorted(name for name in texts if name.startswith(beginning))
    assert table.beginning(beginning) == expected
    assert table.begins_any(beginning) == bool(expected)


def test_names_are_found_across_blocks() -> None:
    """A table of many blocks holds each of its names, first and last of a block included."""
    texts = {f"name {number:05}": f"A{number}" for number in range(5000)}
    table = NameTable.of(texts)

    assert all(table[name] == area for name, area in texts.items())
    assert table.beginning("name 04") == [f"name {number:05}" for number in range(4000, 5000)]
    assert table.get("name 05000") is None


def test_it_does_not_follow_what_it_was_made_from() -> None:
    """A later change of the dict changes nothing."""
    texts = {"paris": "FR"}
    table = NameTable.of(texts)

    texts["paris"] = "US-TX"

    assert table["paris"] == "FR"


@pytest.mark.parametrize("texts", [{"paris": None}, {"paris": 1}, {"paris": ["FR"]}])
def test_what_is_no_text_is_refused(texts: dict[str, str]) -> None:
    """A damaged table does not become a table of names."""
    with pytest.raises(TypeError):
        NameTable.of(texts)


def shipped(lines: bytes, **changed: int) -> bytes:
    """Return a file as it is shipped, with changes to the sums of its first line."""
    sums = {"names": lines.count(b"\n"), "crc32": zlib.crc32(lines), **changed}
    return json.dumps(sums).encode() + b"\n" + lines


def test_a_file_is_taken_as_it_lies() -> None:
    """Name and areas by line, behind a line that sums them up."""
    assert NameTable.from_file(shipped(b"lyon\tFR\nparis\tFR US-TX\n"))["paris"] == "FR US-TX"


@pytest.mark.parametrize(
    "octets",
    [
        shipped(b"paris\tFR\n", names=2),
        shipped(b"paris\tFR\n", crc32=1),
        shipped(b"paris\tFR\n")[:-3],
        shipped(b"paris\tFR\n").replace(b"FR", b"DE"),
    ],
)
def test_a_file_that_was_cut_or_changed_is_refused(octets: bytes) -> None:
    """A wrong country never comes from a damaged file."""
    with pytest.raises(ValueError, match="first line"):
        NameTable.from_file(octets)


def test_a_name_costs_few_bytes() -> None:
    """10,000 names take less than 40 bytes each."""
    texts = {f"name of city {number}": "FR US-TX" for number in range(10_000)}
    tracemalloc.start()
    table = NameTable.of(texts)
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert table["name of city 77"] == "FR US-TX"
    assert held_bytes < 400_000
