"""Texts of places made comparable: case, accents, punctuation and spelling habits taken out."""

import re
import unicodedata
from functools import lru_cache

_COMBINING = re.compile("[\u0300-\u036f\u0483-\u0487]")
_APOSTROPHES = str.maketrans("", "", "'`\u00b4\u02bb\u02bc\u02be\u02bf\u2018\u2019")
_LETTERS = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "\u0131": "i",
        "&": " and ",
    }
)
_NOT_TEXT = frozenset("PSZC")
_WORDS = {"st": "saint", "ste": "sainte"}


@lru_cache(maxsize=4096)
def normalised(text: str) -> str:
    """Return the form under which names are compared.

    Accents of alphabets go, marks of other scripts stay, for there they tell words apart.

    Args:
        text: name in any language.
    """
    plain = _COMBINING.sub("", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)))
    folded = unicodedata.normalize("NFKC", plain.casefold().translate(_LETTERS))
    words = "".join(_spaced(character) for character in folded).split()
    return " ".join(_WORDS.get(word, word) for word in _without_article(words))


def _spaced(character: str) -> str:
    return " " if unicodedata.category(character)[0] in _NOT_TEXT else character


def _without_article(words: list[str]) -> list[str]:
    return words[1:] if len(words) > 1 and words[0] == "the" else words
