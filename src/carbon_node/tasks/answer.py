"""What a task is answered with: the one record that everything else reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType

from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import CO2Footprint


class Outcome(StrEnum):
    """Whether the answer carries numbers."""

    COMPUTED = "computed"
    NOT_COMPUTED = "not_computed"


WORDS: Mapping[Outcome, str] = MappingProxyType(
    {Outcome.COMPUTED: "estimated", Outcome.NOT_COMPUTED: "failed"}
)
"""Words for it in the log, in metrics and on the status screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One task's result, as published and in the units of this project.

    Log line, metrics, history and the JSON of results read these fields by their names, and the
    database has a column for each but the first: a new one needs its line here, its value in
    `pipeline.translate` and its column in `store.schema`.

    Args:
        footprint: the sample as published, in whatever units the settings chose; its extra_data is
            kept without secrets.
        place_code: code that the place text was resolved to.
        outcome: whether the numbers below exist.
        reason: why not, from the closed list of reasons; empty when computed.
        mode: how it was found, e.g. "declared".
        energy_kwh: facility energy in kilowatt-hours, >= 0.
        device_energy_kwh: energy of the computing hardware in kilowatt-hours, >= 0.
        intensity_g_per_kwh: carbon intensity in gCO2e per kilowatt-hour, >= 0.
        carbon_g: footprint in gCO2e, >= 0.
        carbon_low_g: low end of its interval.
        carbon_high_g: high end of its interval.
        revision: revision of the settings that it was computed with.
        stage_seconds: monotonic duration of each stage by its name.
        detail: the reason in one line, with the values and what to do about them.
        place_name: name of the place whose intensity was used.
        tracker_failure: name of the failure of the measurement; empty if none failed.
        agrees: whether tracker and formula agree; None where there is nothing to compare.
    """

    footprint: CO2Footprint
    place_code: str = ""
    outcome: Outcome
    reason: str = ""
    mode: str = ""
    energy_kwh: float | None = None
    device_energy_kwh: float | None = None
    intensity_g_per_kwh: float | None = None
    carbon_g: float | None = None
    carbon_low_g: float | None = None
    carbon_high_g: float | None = None
    revision: int = 0
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    detail: str = ""
    place_name: str = ""
    tracker_failure: str = ""
    agrees: bool | None = None


FINDINGS = tuple(field.name for field in fields(Answer) if field.name != "footprint")
"""Names of what an answer says beside the sample."""


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
