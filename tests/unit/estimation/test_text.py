"""Foreign text: how much of it is kept, and what is replaced."""

import pytest

from carbon_node.estimation.text import one_line


@pytest.mark.parametrize(
    ("text", "length", "shown"),
    [
        ("", 5, ""),
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        ("abcdef", 1, "…"),
        ("a\nb", 5, "a�b"),
        ("a\nbcdef", 5, "a�bc…"),
        ("\ud800", 5, "�"),
    ],
)
def test_a_text_is_kept_up_to_its_length(text: str, length: int, shown: str) -> None:
    """The mark of a shortened text is part of the length that is allowed."""
    assert one_line(text, length) == shown
