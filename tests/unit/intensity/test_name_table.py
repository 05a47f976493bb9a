"""Packed names: a dict that cannot change, in a fifth of its memory."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.intensity.name_table import NameTable

TEXTS = st.text(st.characters(codec=None), max_size=5)


@given(st.dictionaries(TEXTS, TEXTS), st.lists(TEXTS))
def test_it_finds_what_a_dict_finds(texts: dict[str, str], others: list[str]) -> None:
    """Any names, in any script, broken surrogates and separators too, are found; no others are."""
    table = NameTable(texts)

    assert dict(table) == texts
    assert list(table) == sorted(texts)
    assert len(table) == len(texts)
    for name in (*texts, *others):
        assert table.get(name) == texts.get(name)
        assert (name in table) == (name in texts)


def test_it_does_not_follow_what_it_was_made_from() -> None:
    """A later change of the dict changes nothing."""
    texts = {"paris": "FR"}
    table = NameTable(texts)

    texts["paris"] = "US-TX"

    assert table["paris"] == "FR"


@pytest.mark.parametrize("texts", [{"paris": None}, {"paris": 1}, {"paris": ["FR"]}])
def test_what_is_no_text_is_refused(texts: dict[str, str]) -> None:
    """A damaged table does not become a table of names."""
    with pytest.raises(TypeError):
        NameTable(texts)


def test_a_name_costs_few_bytes() -> None:
    """10,000 names take less than 40 bytes each."""
    texts = {f"name of city {number}": "FR US-TX" for number in range(10_000)}
    tracemalloc.start()
    table = NameTable(texts)
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert table["name of city 77"] == "FR US-TX"
    assert held_bytes < 400_000
