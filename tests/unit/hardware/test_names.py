"""The one rule by which names of hardware are compared and shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.hardware.names import near, normalised, normalised_pattern, processor_name, shown


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


def test_a_processor_loses_what_no_list_has() -> None:
    """Clock rate, core count, generation."""
    name = processor_name("11th Gen Intel(R) Core(TM) i7-1185G7 @ 3.00GHz")
    assert name == "Intel Core i7-1185G7"


@given(st.text())
def test_a_shown_name_is_a_short_printable_line(name: str) -> None:
    """Whatever it was."""
    assert len(shown(name)) <= 64
    assert shown(name).isprintable()


def test_names_that_hold_the_text_come_first() -> None:
    """Then those that look like it."""
    known = ["NVIDIA A100 SXM", "NVIDIA A10", "NVIDIA A100 PCIe", "AMD EPYC 9654"]
    assert near("a100", known, 3) == ["NVIDIA A100 SXM", "NVIDIA A100 PCIe"]
