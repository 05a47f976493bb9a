"""How a text of a place falls into parts, before any of them is looked up."""

import re

FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
"""Two regional indicators: the code of a country."""

MAX_PARTS = 24
"""Words of a text that are read; an address has fewer."""

_SEPARATORS = re.compile(
    r"[,;/|()\[\]{}\n\t>:=\"\u00ab\u00bb\u201c-\u201e\u00b7\u2192\u3001\uff0c]+"
    r"|\s+[-\u2013\u2014]\s+"
    # A state and its postal code end an address, whatever stands before.
    r"|\s+(?=[A-Z]{2}\s+(?:\d{5}(?:-\d{4})?|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b)"
    f"|({FLAG.pattern})"
)

_ADDRESS_OF_NETWORK = re.compile(r"://|\bwww\.|\S@\S+\.\S")
_LABEL = re.compile(
    r"\W*(?:cc|country|country[ _-]?code|iso|nation|tz|time[ _-]?zone|locale)\W*[:=]\W*(.+?)\W*",
    re.IGNORECASE,
)
"""What stands before a code in a form or in JSON."""

_COUNTRY_AND_CODE = re.compile(
    r"\b(?:(A|AT|B|BE|BG|CH|CZ|D|DE|DK|E|EE|ES|F|FI|FIN|FR|GR|H|HR|HU|I|IT|L|LT|LU|N|NL|NO|P|PL"
    r"|PT|RO|S|SE|SI|SK)-)(?=\d{2}-\d{3}\b|\d{3,5}\b)"
)
"""The country's letters before a European postal code: D-10117."""

_LETTERS_OF_COUNTRIES = {
    **{"A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "FIN": "FI", "H": "HU", "I": "IT"},
    **{"L": "LU", "N": "NO", "P": "PT", "S": "SE"},
}
"""Countries by the letters of their cars, where these are not their code."""

TURNING = frozenset(
    [
        "not",
        "no",
        "non",
        "or",
        "except",
        "but",
        "outside",
        "without",
        "excluding",
        "either",
        "neither",
        "from",
        "to",
        "near",
        "vs",
        "versus",
        "than",
        "oder",
        "nicht",
        "ou",
        "pas",
        "sauf",
        "o",
        "no",
        "excepto",
        "y",
        "und",
        "et",
        "and",
    ]
)
"""Words beside places that change which place is meant."""


def parts_of(text: str) -> list[str] | None:
    """Return the parts of a text between commas and the like, None if they are too many.

    Args:
        text: place as sent, without control characters.
    """
    parts = [part.strip() for part in _SEPARATORS.split(_country_last(text)) if part]
    is_long = sum(len(part.split()) for part in parts) > MAX_PARTS
    return None if is_long else [part for part in parts if part]


def is_network_address(text: str) -> bool:
    """Whether a text is a URL or an e-mail address: the names in it are no places."""
    return _ADDRESS_OF_NETWORK.search(text) is not None


def labelled(text: str) -> str | None:
    """Return what stands behind the label of a form or of JSON, None if there is none."""
    label = _LABEL.fullmatch(text) if ":" in text or "=" in text else None
    return label and label[1]


def _country_last(text: str) -> str:
    """Move the country's letters before a postal code to the end, where an address has it."""
    if "-" not in text:
        return text
    letters = [match[1] for match in _COUNTRY_AND_CODE.finditer(text)]
    countries = [_LETTERS_OF_COUNTRIES.get(code, code) for code in letters]
    return ", ".join([_COUNTRY_AND_CODE.sub("", text), *countries])


def is_turning(word: str) -> bool:
    """Whether a word turns the meaning: "or", but not OR, which is Oregon."""
    return word in TURNING or (word.istitle() and len(word) > 1 and word.casefold() in TURNING)
