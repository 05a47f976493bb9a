"""Texts of places as people read them: what is shown, and which names are near."""

import pytest

from carbon_node.intensity.tables import Tables
from carbon_node.intensity.wording import (
    area_title,
    names_something,
    near_matches,
    quoted,
    readable,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", "''"),
        ("x" * 40, f"'{'x' * 40}'"),
        ("x" * 41, f"'{'x' * 40}…'"),
        ("a\nb", "'a?b'"),
    ],
)
def test_a_quoted_text_is_short_and_printable(text: str, shown: str) -> None:
    """40 characters, and an ellipsis for the others."""
    assert quoted(text) == shown


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("  France\n", ("France", False)),
        ("Fra\tnce", ("Fra nce", False)),
        ("x" * 200, ("x" * 200, False)),
        ("x" * 201, ("", True)),
    ],
)
def test_a_text_is_read_up_to_200_characters(text: str, read: tuple[str, bool]) -> None:
    """Control characters are blanks."""
    assert readable(text) == read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (" -\u2013/", False),
        ("7", True),
        ("東", True),
        ("\U0001f1e6", True),
        ("\U0001f1ff", True),
        ("\U0001f1e5\U0001f300", False),
    ],
)
def test_letters_digits_and_flags_name_something(text: str, expected: bool) -> None:  # noqa: FBT001
    """Dashes and pictures name nothing."""
    assert names_something(text) is expected


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("germny", ["germany"]),
        ("frnace", ["france"]),
        ("swedn", ["sweden"]),
        ("austrailia", ["australia"]),
        ("xyzzy", []),
        ("fr", []),
    ],
)
def test_a_misspelt_name_has_its_near_match(tables: Tables, name: str, near: list[str]) -> None:
    """Names that begin or end alike, of nearly the same length; the most alike first."""
    assert near_matches(name, tables.names)[: len(near) or 1] == near


def test_at_most_three_near_matches_are_named(tables: Tables) -> None:
    """A list of all would help nobody."""
    assert len(near_matches("marshal island", tables.names)) <= 3
    assert all(len(near_matches(name, tables.names)) <= 3 for name in ("nigera", "guina", "irland"))


@pytest.mark.parametrize(("area", "title"), [("FR", "France"), ("US-OH", "Ohio, United States")])
def test_an_area_is_named_with_its_country(tables: Tables, area: str, title: str) -> None:
    """A subdivision is named before its country."""
    assert area_title(area, tables) == title
