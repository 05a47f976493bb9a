"""The words that say where a setting's value came from."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """Kinds of sources, weakest first at a start; requests come on top while the node runs."""

    DEFAULT = "default"
    FRAMEWORK = "framework"
    FILE = "file"
    PERSISTED = "persisted"
    ENVIRONMENT = "environment"
    OPTION = "option"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one value came from.

    Args:
        source: kind of the source.
        name: which one of its kind: a file's path, a variable's or an option's name, a revision.
    """

    source: Source
    name: str = ""

    def __str__(self) -> str:
        """Return it in words, e.g. "environment CARBON_NODE_PUE"."""
        return f"{self.source} {self.name}".rstrip()

    @property
    def has_last_word(self) -> bool:
        """Whether it wins over persisted changes at every start."""
        return self.source in (Source.ENVIRONMENT, Source.OPTION)
