"""Which spellings of a name are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.intensity.text import normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("FRANCE", "france"),
        ("  France  ", "France"),
        ("Côte d\u2019Ivoire", "Cote d'Ivoire"),
        ("St. Lucia", "Saint Lucia"),
        ("Trinidad & Tobago", "Trinidad and Tobago"),
        ("the Netherlands", "Netherlands"),
        ("United-Kingdom", "united_kingdom"),
        ("\uff26\uff52\uff41\uff4e\uff43\uff45", "France"),
        ("Straße", "STRASSE"),
        ("Łódź", "Lodz"),
        ("İstanbul", "istanbul"),
        ("København", "Kobenhavn"),
        ("Росси\u0438\u0306", "Россий"),
    ],
)
def test_habits_of_spelling_do_not_matter(one: str, other: str) -> None:
    """Case, accents, punctuation, width and common abbreviations are taken out."""
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Austria", "Australia"), ("ガーナ", "カナ"), ("Niger", "Nigeria"), ("Fr\u0430nce", "France")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    """Marks that tell words apart stay, and letters of another script are other letters."""
    assert normalised(one) != normalised(other)


@given(st.text())
def test_what_is_normalised_stays_so(text: str) -> None:
    """Normalising twice changes nothing but a further article."""
    once = normalised(text)
    assert normalised("x " + once) == f"x {once}".strip()


def test_an_article_alone_is_a_word() -> None:
    """Nothing is taken from a text that is only an article."""
    assert normalised("the") == "the"
