"""The latest results, in memory, for whoever asks the node."""

import itertools
import json
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.pipeline.canonical_line import MAX_TEXT_CHARS
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.transport.wire import TaskId

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

RESULTS_KEPT = 500
"""Results that are kept; each has some 4 kB."""


class RecentResults:
    """Results as they were published, newest first when asked for."""

    def __init__(self) -> None:
        self._results: deque[Mapping[str, Json]] = deque(maxlen=RESULTS_KEPT)

    def add(self, progress: Progress, answer: Answer, published_at: datetime) -> None:
        """Remember a published result."""
        self._results.appendleft(_result(progress, answer, published_at))

    def last(self, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the latest results, at most `count`."""
        return list(itertools.islice(self._results, count))

    def of(self, task_id: TaskId) -> Sequence[Mapping[str, Json]]:
        """Return the results of a task; none if none is kept."""
        return [
            result
            for result in self._results
            if (result["problem_id"], result["iteration_id"]) == task_id
        ]


def _result(progress: Progress, answer: Answer, published_at: datetime) -> Mapping[str, Json]:
    inputs = progress.inputs
    return {
        **inputs.task_id._asdict(),
        "published_at": published_at.isoformat(timespec="milliseconds"),
        "model": inputs.ml_model.model[:MAX_TEXT_CHARS],
        "hardware": inputs.hw_resource.hw_description[:MAX_TEXT_CHARS],
        **_numbers(answer.result),
        "extra_data": json.loads(answer.footprint.extra_data),
    }


def _numbers(result: Estimate | NotComputed) -> Mapping[str, Json]:
    match result:
        case Estimate():
            return {
                "outcome": "estimated",
                "carbon_g": result.carbon_g.value,
                "energy_kwh": result.energy_kwh.value,
                "intensity_g_per_kwh": result.intensity.g_per_kwh.value,
            }
        case NotComputed():
            return {"outcome": "failed", "reason": result.reason.value}
