"""Whether a task has to be computed or was answered before, and which answers leave again."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from carbon_node.tasks.answer import Kept


class Republish(StrEnum):
    """Which stored answers are published again when a restart delivers their inputs again."""

    UNACKNOWLEDGED = "unacknowledged"
    ALL = "all"
    NONE = "none"


class ComputeReason(StrEnum):
    """Why a task has to be computed."""

    NEW = "new"
    INTERRUPTED = "interrupted"
    CHANGED = "changed"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Compute:
    """The task has no answer for these inputs: compute it.

    Args:
        reason: NEW: never seen; INTERRUPTED: accepted before and never answered; CHANGED: answered
            or accepted with other inputs, which stay in the history; REPEATED: answered, and the
            caller asked for it to be computed again.
    """

    reason: ComputeReason


@dataclass(frozen=True, slots=True)
class Answered:
    """The task was answered with the same inputs: never measure it again.

    Args:
        kept: what was, or was about to be, published.
        is_acknowledged: whether the readers that were matched then are known to have it.
    """

    kept: Kept
    is_acknowledged: bool


Decision: TypeAlias = Compute | Answered
