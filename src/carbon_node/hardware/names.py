"""The one rule by which names of hardware are compared and shown.

Two names are the same if they agree once capitals, trademark signs and everything but letters,
digits and "+" are gone: `H100_x4`, `h100 X4` and `H100-x4` are one name, and `Xeon 8480+` is not
`Xeon 8480`. Nothing else is ever taken for the same: near matches are for people.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from carbon_node.estimation.text import one_line

MAX_NAME: Final = 200
"""Characters of a name; a longer text is no name, and matches nothing."""

MAX_SHOWN: Final = 64
"""Characters of a foreign name that a message repeats."""

_TRADEMARKS: Final = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
_ASCII_NOISE: Final = re.compile(r"[^a-z0-9+]+")
_WILDCARDS: Final = re.compile(r"(\[[^\]]*\]|[*?])")
_PROCESSOR_WORDS: Final = re.compile(
    r"@.*|\bCPU\b|\bProcessor\b|\b\w+-Core\b|\b\d+th Gen\b|\bw/.*|\bwith Radeon.*", re.IGNORECASE
)


def normalised(name: str) -> str:
    """Reduce a name to what decides whether two names are the same.

    Args:
        name: as sent.

    Returns:
        Lower-case letters, digits and "+"; empty if the name has none of them, or is too long to be
        one.
    """
    return "" if len(name) > MAX_NAME else _reduced(name)


def normalised_pattern(pattern: str) -> str:
    """Reduce a shell-style pattern like `normalised`, with its `*`, `?` and `[...]` kept.

    Args:
        pattern: as an operator wrote it.
    """
    if len(pattern) > MAX_NAME:
        return ""
    parts = _WILDCARDS.split(pattern)
    return "".join(
        part.casefold() if _WILDCARDS.fullmatch(part) else _reduced(part) for part in parts
    )


def is_pattern(name: str) -> bool:
    """Whether a name stands for several: it has a wildcard of the shell."""
    return _WILDCARDS.search(name) is not None


def own_characters(pattern: str) -> int:
    """How many letters and digits a pattern requires; the more, the fewer names it catches."""
    return sum(
        len(part)
        for part in _WILDCARDS.split(normalised_pattern(pattern))
        if not _WILDCARDS.fullmatch(part)
    )


def processor_name(model_name: str) -> str:
    """Take the words off a kernel's processor name that no list of processors has.

    Args:
        model_name: e.g. "AMD EPYC 9654 96-Core Processor", "Intel(R) Xeon(R) CPU @ 2.20GHz".
    """
    return " ".join(_PROCESSOR_WORDS.sub(" ", _TRADEMARKS.sub(" ", model_name)).split())


def shown(name: str) -> str:
    """Make a foreign name safe to print: one short line without control characters."""
    return one_line(name, MAX_SHOWN)


def near(name: str, known: Iterable[str], count: int) -> list[str]:
    """Find names that look alike, for people to choose from; nothing is ever taken from these.

    Args:
        name: what was asked for.
        known: names that exist.
        count: how many to return at most.
    """
    by_normalised = {normalised(each): each for each in known}
    wanted = normalised(name)
    within = [full for key, full in by_normalised.items() if wanted and wanted in key]
    alike = difflib.get_close_matches(wanted, by_normalised, n=count, cutoff=0.6)
    found = [*sorted(within, key=len), *(by_normalised[key] for key in alike)]
    return list(dict.fromkeys(found))[:count]


def _reduced(text: str) -> str:
    if text.isascii():
        # Gives the same in a fifth of the time, which counts for the 6,000 names of the catalogue.
        return _ASCII_NOISE.sub("", _TRADEMARKS.sub("", text).lower())
    plain = unicodedata.normalize("NFKC", _TRADEMARKS.sub("", text)).casefold()
    return "".join(character for character in plain if character.isalnum() or character == "+")
