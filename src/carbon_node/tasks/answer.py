"""What a task is answered with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import CO2Footprint


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

    footprint: CO2Footprint
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
