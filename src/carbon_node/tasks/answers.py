"""What a task's answer is and where it stands: the vocabulary between pipeline and store.

Identity: an orchestrator that restarts counts its tasks from (1, 1) again, so the task id alone
names no task. The writer of
the user input does: its GUID is new with every start of the orchestrator.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from carbon_node.wire import samples


@dataclass(frozen=True, slots=True)
class TaskKey:
    """Identity of a task across restarts of this node and of the orchestrator.

    Args:
        task_id: id as on the wire.
        writer: GUID of the user input's writer as text.
    """

    task_id: samples.TaskId
    writer: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a task was about, as the peers sent it; kept up to 1,000 characters of each text.

    Args:
        model: model id.
        hardware: hardware description.
        place: geo-location text of the user input.
    """

    model: str = ""
    hardware: str = ""
    place: str = ""


class Outcome(StrEnum):
    """Whether the answer carries numbers."""

    COMPUTED = "computed"
    NOT_COMPUTED = "not_computed"


@dataclass(frozen=True, slots=True)
class Answer:
    """One task's result, as published and in the units of this project.

    Args:
        footprint: the sample as published, in whatever units the settings chose; its extra_data is
            kept without secrets.
        outcome: whether the numbers below exist.
        reason: why not, from the closed list of reasons; empty when computed.
        mode: how it was found, e.g. "declared".
        place_code: code that the place text was resolved to.
        energy_kwh: facility energy in kilowatt-hours, >= 0.
        device_energy_kwh: energy of the computing hardware in kilowatt-hours, >= 0.
        intensity_g_per_kwh: carbon intensity in gCO2e per kilowatt-hour, >= 0.
        carbon_g: footprint in gCO2e, >= 0.
        carbon_low_g: low end of its interval.
        carbon_high_g: high end of its interval.
        revision: revision of the settings that it was computed with.
        stage_seconds: monotonic duration of each stage by its name.
    """

    footprint: samples.CO2Footprint
    outcome: Outcome
    reason: str = ""
    mode: str = ""
    place_code: str = ""
    energy_kwh: float | None = None
    device_energy_kwh: float | None = None
    intensity_g_per_kwh: float | None = None
    carbon_g: float | None = None
    carbon_low_g: float | None = None
    carbon_high_g: float | None = None
    revision: int = 0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that the store keeps, to be published and then marked.

    Args:
        key: the task.
        edition: 1 for the task's first answer, then counting.
        answer: what to publish: the first answer that was saved for these inputs.
    """

    key: TaskKey
    edition: int
    answer: Answer


class Why(StrEnum):
    """Why a task has to be computed."""

    NEW = "new"
    INTERRUPTED = "interrupted"
    CHANGED = "changed"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Due:
    """The task has no answer for these inputs: compute it.

    Args:
        why: NEW: never seen; INTERRUPTED: accepted before and never answered; CHANGED: answered or
            accepted with other inputs, which stay in the history; REPEATED: answered, and the
            caller asked for it to be computed again.
    """

    why: Why


@dataclass(frozen=True, slots=True)
class Answered:
    """The task was answered with the same inputs: never measure it again.

    Args:
        kept: what was, or was about to be, published.
        is_acknowledged: whether the readers that were matched then are known to have it.
    """

    kept: Kept
    is_acknowledged: bool


Standing: TypeAlias = Due | Answered
