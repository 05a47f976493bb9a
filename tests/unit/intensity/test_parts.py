"""How a text falls into parts."""

import pytest

from carbon_node.intensity.parts import is_network_address, is_turning, labelled, parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Paris, France", ["Paris", "France"]),
        ("Lyon (France)", ["Lyon", "France"]),
        ("Berlin / Vienna", ["Berlin", "Vienna"]),
        ("Baden-Württemberg", ["Baden-Württemberg"]),
        ("Paris \u2013 France", ["Paris", "France"]),
        (", ,", []),
        ("Springfield MA 01103", ["Springfield", "MA 01103"]),
        ("London ON N6A 3K7", ["London", "ON N6A 3K7"]),
        ("D-80331 München", ["80331 München", "DE"]),
        ("CH-1015 Lausanne", ["1015 Lausanne", "CH"]),
        ("us-east-1", ["us-east-1"]),
        ("Munich 🇩🇪", ["Munich", "🇩🇪"]),
    ],
)
def test_a_text_falls_into_parts(text: str, parts: list[str]) -> None:
    """At commas and the like, before a state with its code, and around flags."""
    assert parts_of(text) == parts


def test_a_text_of_24_words_is_read() -> None:
    """A longer one is no address."""
    assert parts_of("a " * 24) == [("a " * 24).strip()]
    assert parts_of("a " * 25) is None
    assert parts_of("a, " * 24) == ["a"] * 24
    assert parts_of("a, " * 25) is None


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("country: DE", "DE"),
        ('{"country": "DE"}', "DE"),
        ("TZ=Europe/Berlin", "Europe/Berlin"),
        ("country code = fr", "fr"),
        ("capital: Paris", None),
        ("country DE", None),
        ("France", None),
    ],
)
def test_what_stands_behind_a_label(text: str, inner: str | None) -> None:
    """Labels of forms and of JSON name what kind of code follows."""
    assert labelled(text) == inner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.de/paris", True),
        ("www.example.fr", True),
        ("someone@example.fr", True),
        ("Paris @ France", False),
        ("awww.example", False),
        ("France", False),
    ],
)
def test_addresses_of_networks_are_told_from_places(text: str, expected: bool) -> None:  # noqa: FBT001
    """Names of hosts hold names of places."""
    assert is_network_address(text) is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("or", True),
        ("Or", True),
        ("OR", False),
        ("not", True),
        ("O", False),
        ("o", True),
        ("Ohio", False),
    ],
)
def test_words_that_turn_the_meaning(word: str, expected: bool) -> None:  # noqa: FBT001 - a case
    """Capitals are codes of states."""
    assert is_turning(word) is expected
