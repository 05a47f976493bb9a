"""Texts of places as people write and read them: what is readable, and how a place is named."""

import difflib

from carbon_node.intensity.names import Names
from carbon_node.intensity.pieces import country
from carbon_node.intensity.tables import Tables

MAX_TEXT = 200
"""Characters of a place; longer texts are not read."""

NEAR_MATCH = 0.8
"""Likeness from which on a known name is mentioned to the reader; it never decides."""


def readable(text: str) -> tuple[str, bool]:
    """Return the text without control characters, and whether it was too long to read."""
    if len(text) > MAX_TEXT:
        return "", True
    return "".join(c if c.isprintable() else " " for c in text).strip(), False


def names_something(text: str) -> bool:
    """Whether a text holds a letter, a digit or a flag."""
    return any(c.isalnum() or "\U0001f1e6" <= c <= "\U0001f1ff" for c in text)


def area_title(area: str, tables: Tables) -> str:
    """Return the English name of a country or of a subdivision with its country."""
    title = tables.intensities.countries[country(area)].name
    name = tables.names.titles.get(area)
    return title if name is None else f"{name}, {title}"


def near_matches(name: str, names: Names) -> list[str]:
    """Return known names that are spelled nearly so, the most alike first; for people to read."""
    # Comparing costs 10 us: only with what begins or ends alike.
    similar = [
        known
        for known in names.well_known(name[:1])
        if abs(len(known) - len(name)) < 3 and (known[:3] == name[:3] or known[-2:] == name[-2:])
    ]
    return difflib.get_close_matches(name, similar, n=3, cutoff=NEAR_MATCH)


def quoted(text: str) -> str:
    """Show the beginning of a text that somebody else wrote."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:40])
    return f"'{shown}…'" if len(text) > 40 else f"'{shown}'"
