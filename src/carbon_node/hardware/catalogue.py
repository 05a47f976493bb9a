"""Named hardware and the power that its makers or measurements state."""

import difflib
import json
from dataclasses import dataclass
from importlib.resources import files

from carbon_node.errors import ConfigError
from carbon_node.estimation import Factor, Interval

SUGGESTIONS = 3
"""Similar names that an error message shows."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """Hardware of the catalogue.

    Args:
        name: its full name.
        power: watts under load, and who says so.
    """

    name: str
    power: Factor


def find_hardware(name: str) -> Hardware:
    """Find hardware by its name; capitals and the maker in front do not matter.

    Args:
        name: e.g. "NVIDIA H200" or "h200".

    Raises:
        ConfigError: if no hardware or more than one has that name.
    """
    catalogue = _catalogue()
    wanted = name.casefold().split()
    found = [known for known in catalogue if _matches(wanted, known.casefold().split())]
    if len(found) != 1:
        raise ConfigError(_not_found(name, found or _similar(name, list(catalogue))))
    return Hardware(found[0], catalogue[found[0]])


def _catalogue() -> dict[str, Factor]:
    table = json.loads(
        (files("carbon_node.hardware") / "catalogue.json").read_text(encoding="utf-8")
    )
    return {
        name: Factor(Interval(row["low"], row["value"], row["high"]), f"{name}: {row['source']}")
        for name, row in table["hardware"].items()
    }


def _matches(wanted: list[str], known: list[str]) -> bool:
    """Whether a name is the known one, with or without its maker."""
    return wanted in (known, known[1:])


def _similar(name: str, known: list[str]) -> list[str]:
    by_folded = {folded: full for full in known for folded in (full.casefold(), _short(full))}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=SUGGESTIONS, cutoff=0.4)
    return list(dict.fromkeys(by_folded[folded] for folded in near))


def _short(name: str) -> str:
    return " ".join(name.casefold().split()[1:])


def _not_found(name: str, similar: list[str]) -> str:
    hint = f"; similar: {', '.join(similar)}" if similar else ""
    return f"hardware {name[:60]!r} is not in the catalogue{hint}; or give its watts with --power"
