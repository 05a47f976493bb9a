"""A mutant: a module of the package with one small change."""

import difflib
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path("src/carbon_node")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One module with one change.

    Attributes:
        module: Dotted name below `carbon_node`, such as `estimation.interval`.
        path: Its file.
        line: Where the change is, from 1.
        operator: What changed, in Cosmic Ray's words.
        source: The whole module with the change.
    """

    module: str
    path: str
    line: int
    operator: str
    source: str

    @property
    def before(self) -> str:
        """The changed lines as they stand, without their indentation."""
        return _stripped(self._changes("-"))

    @property
    def after(self) -> str:
        """The changed lines with the change, without their indentation."""
        return _stripped(self._changes("+"))

    @property
    def diff(self) -> str:
        """The changed lines, old then new."""
        return "\n".join(
            f"{sign} {line}" for sign in "-+" for line in self._changes(sign) if line.strip()
        )

    def _changes(self, sign: str) -> list[str]:
        original = Path(self.path).read_text(encoding="utf-8").splitlines()
        compared = list(difflib.unified_diff(original, self.source.splitlines(), n=0, lineterm=""))
        # The first two lines name files.
        return [line[1:] for line in compared[2:] if line.startswith(sign)]


def _stripped(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
