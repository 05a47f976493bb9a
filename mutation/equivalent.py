"""The mutants that are known to change nothing that a caller could notice, with their reasons."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from mutation.mutant import SOURCES, Mutant

LIST = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """One entry of the list.

    Attributes:
        module: Dotted name below `carbon_node`.
        before: The changed lines as they stand, stripped and joined by spaces.
        after: The same with the change; None for any change of these lines.
        reason: Why nobody can notice.
    """

    module: str
    before: str
    after: str | None
    reason: str

    def matches(self, mutant: Mutant) -> bool:
        """Whether the mutant is meant."""
        return (
            self.module == mutant.module
            and self.before == mutant.before
            and self.after in (None, mutant.after)
        )

    @property
    def is_stale(self) -> bool:
        """Whether the module is gone or has no such lines any more."""
        path = SOURCES.joinpath(*self.module.split(".")).with_suffix(".py")
        if not path.is_file():
            return True
        lines = path.read_text(encoding="utf-8").splitlines()
        return self.before not in " ".join(line.strip() for line in lines)


def known() -> list[Equivalent]:
    """Return the list.

    Raises:
        ValueError: An entry is about lines that are gone: take it out, or correct it.
    """
    entries = tomllib.loads(LIST.read_text(encoding="utf-8")).get("equivalent", [])
    listed = [
        Equivalent(entry["module"], entry["before"], entry.get("after"), entry["reason"])
        for entry in entries
    ]
    for entry in listed:
        if entry.is_stale:
            raise ValueError(f"{LIST.name}: {entry.module} has no lines {entry.before!r}")
    return listed
