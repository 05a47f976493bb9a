"""The one rule by which names of hardware are compared and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.hardware.names import (
    is_pattern,
    near,
    normalised,
    normalised_pattern,
    own_characters,
    processor_name,
    shown,
)


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_plain_names_are_reduced_as_all_others(text: str) -> None:
    """The short way for ASCII gives what the long one gives."""
    assert normalised(f"{text}é") == f"{normalised(text)}é"


@given(st.text(max_size=200))
def test_normalising_twice_changes_nothing(name: str) -> None:
    """What is compared is a fixed point."""
    assert normalised(normalised(name)) == normalised(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("H100_x4", "h100x4"),
        ("Zynq UltraScale+ ZCU102", "zynqultrascale+zcu102"),
        ("Intel(R) Core(TM) i7", "intelcorei7"),
        ("\uff28\uff11\uff10\uff10", "h100"),
        ("x" * 200, "x" * 200),
        ("x" * 201, ""),
        ("\x00\x1b[2J", "2j"),
    ],
)
def test_capitals_separators_and_signs_do_not_matter(name: str, expected: str) -> None:
    """Letters, digits and plus do."""
    assert normalised(name) == expected


def test_a_pattern_keeps_its_wildcards() -> None:
    """Brackets too, with what stands in them."""
    assert normalised_pattern("H100 x[2-4]*") == "h100x[2-4]*"


def test_a_pattern_is_as_long_as_a_name_at_most() -> None:
    """200 characters, wildcards included."""
    assert normalised_pattern("X" * 199 + "*") == "x" * 199 + "*"
    assert normalised_pattern("X" * 200 + "*") == ""


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("H100 x[2-4]*", 5), ("*", 0), ("a?b", 2), ("plain name", 9), ("[ab][cd]-", 0)],
)
def test_own_characters_are_those_outside_of_wildcards(pattern: str, count: int) -> None:
    """The more a pattern requires, the fewer names it catches."""
    assert own_characters(pattern) == count


@pytest.mark.parametrize(
    ("name", "expected"),
    [("H100*", True), ("H10?", True), ("H[12]00", True), ("H100", False), ("H[100", False)],
)
def test_a_wildcard_makes_a_pattern(name: str, expected: bool) -> None:  # noqa: FBT001 - a case
    """A bracket that is never closed is none."""
    assert is_pattern(name) is expected


def test_a_processor_loses_what_no_list_has() -> None:
    """Clock rate, core count, generation."""
    name = processor_name("11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz")
    assert name == "Intel Core i7-1185G7"


@given(st.text())
def test_a_shown_name_is_a_short_printable_line(name: str) -> None:
    """Whatever it was."""
    assert len(shown(name)) <= 64
    assert shown(name).isprintable()


def test_a_name_of_64_characters_is_shown_whole() -> None:
    """Longer ones end in an ellipsis."""
    assert shown("x" * 64) == "x" * 64
    assert shown("x" * 65) == "x" * 63 + "…"


def test_names_that_hold_the_text_come_first() -> None:
    """Then those that look like it."""
    known = ["NVIDIA A100 SXM", "NVIDIA A10", "NVIDIA A100 PCIe", "AMD EPYC 9654"]
    assert near("a100", known, 3) == ["NVIDIA A100 SXM", "NVIDIA A100 PCIe"]
    assert near("a100", reversed(known), 1) == ["NVIDIA A100 SXM"]
    assert near("nvidia a1O", known, 2) == ["NVIDIA A10", "NVIDIA A100 SXM"]
    assert near("a10", known, 2) == ["NVIDIA A10", "NVIDIA A100 SXM"]


@pytest.mark.parametrize("text", ["", "_", "zzz"])
def test_nothing_is_near_to_nothing(text: str) -> None:
    """A text without letters does not stand in every name."""
    assert near(text, ["NVIDIA A10", "AMD EPYC 9654"], 3) == []
