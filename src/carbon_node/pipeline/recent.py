"""The latest results, in memory, for whoever asks the node."""

import itertools
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.pipeline.canonical_line import ESTIMATED, FAILED, MAX_TEXT_CHARS
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.wire.samples import TaskId

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

RESULTS_KEPT = 500
"""Results that are kept; each has some 2 kB, most of it extra_data that the output shares."""


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """What is shown of a result; the estimate itself, with all its intervals, is not kept for it.

    Args:
        task_id: id on the wire.
        published_at: when, with its zone.
        model: model id as received, cut.
        hardware: hardware description as received, cut.
        outcome: the same word as in log and metrics.
        findings: its numbers by name and unit, or the reason why there are none.
        extra_data: as published.
    """

    task_id: TaskId
    published_at: datetime
    model: str
    hardware: str
    outcome: str
    findings: Mapping[str, Json]
    extra_data: bytes

    def as_json(self) -> Mapping[str, Json]:
        """Return it for peers."""
        return {
            **self.task_id._asdict(),
            "published_at": self.published_at.isoformat(timespec="milliseconds"),
            "model": self.model,
            "hardware": self.hardware,
            "outcome": self.outcome,
            **self.findings,
            "extra_data": json.loads(self.extra_data),
        }


class RecentResults:
    """Results as they were published, newest first when asked for."""

    def __init__(self) -> None:
        self._results: deque[PublishedResult] = deque(maxlen=RESULTS_KEPT)

    def add(self, progress: Progress, answer: Answer, published_at: datetime) -> None:
        """Remember a published result."""
        self._results.appendleft(_published(progress, answer, published_at))

    def last(self, count: int) -> Sequence[PublishedResult]:
        """Return the latest results, at most `count`."""
        return list(itertools.islice(self._results, count))

    def of(self, task_id: TaskId) -> Sequence[PublishedResult]:
        """Return the results of a task; none if none is kept."""
        return [result for result in self._results if result.task_id == task_id]


def _published(progress: Progress, answer: Answer, published_at: datetime) -> PublishedResult:
    inputs = progress.inputs
    return PublishedResult(
        inputs.task_id,
        published_at,
        inputs.ml_model.model[:MAX_TEXT_CHARS],
        inputs.hw_resource.hw_description[:MAX_TEXT_CHARS],
        ESTIMATED if isinstance(answer.result, Estimate) else FAILED,
        _findings(answer.result),
        answer.footprint.extra_data,
    )


def _findings(result: Estimate | NotComputed) -> Mapping[str, Json]:
    match result:
        case Estimate():
            return {
                "carbon_g": result.carbon_g.value,
                "energy_kwh": result.energy_kwh.value,
                "intensity_g_per_kwh": result.intensity.g_per_kwh.value,
            }
        case NotComputed():
            return {"reason": result.reason.value}
