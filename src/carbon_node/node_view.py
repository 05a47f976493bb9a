"""What the local interface shows of this node, made from the pipeline's own view of it."""

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property

from carbon_node.errors import IntensityError
from carbon_node.estimation import Estimate
from carbon_node.intensity import tables_edition
from carbon_node.observability.supervisor import ProgressCheck
from carbon_node.observability.view import NodeSummary, RunningTask, SettingValue, TaskResult
from carbon_node.pipeline.progress import Progress
from carbon_node.pipeline.recent import PublishedResult
from carbon_node.pipeline.view import NodeView
from carbon_node.settings import ConfigurationService
from carbon_node.settings.catalogue import flat, shown
from carbon_node.transport.wire import Status, TaskId

READY = (Status.IDLE, Status.RUNNING)
"""Statuses of a node that answers tasks."""


class LocalView:
    """Satisfies `observability.view.NodeView`.

    Args:
        view: the pipeline's view.
        service: holds the configuration in force.
        checks: what has to make progress.
    """

    def __init__(
        self, view: NodeView, service: ConfigurationService, checks: Iterable[ProgressCheck]
    ) -> None:
        self._view = view
        self._service = service
        self._checks = tuple(checks)

    def status(self) -> NodeSummary:
        """Return what the node is doing."""
        facts = self._view.facts()
        return NodeSummary(
            version=facts.identity.version,
            state=facts.status.name,
            is_ready=facts.status in READY and not facts.is_paused,
            stalled=tuple(filter(None, (check() for check in self._checks))),
            degraded=facts.degraded,
            pid=os.getpid(),
            domain=facts.identity.domain,
            transport=facts.identity.transport,
            uptime_s=facts.uptime_s,
            waiting=facts.incomplete_count + facts.waiting_count,
            running=tuple(_running(task) for task in facts.running),
            intensity_table_age_s=self._table_age_s(),
        )

    async def results(self, limit: int, offset: int) -> Sequence[TaskResult]:
        """Return published results, newest first."""
        return [_shown(result) for result in self._view.published(limit, offset)]

    async def result(self, problem_id: int, iteration_id: int) -> TaskResult | None:
        """Return the newest result of a task, None if there is none."""
        results = self._view.published_of(TaskId(problem_id, iteration_id))
        return _shown(results[0]) if results else None

    def settings(self) -> Mapping[str, SettingValue]:
        """Return every setting by its name, nested ones with a dot; never a secret."""
        current = self._service.current
        return {
            key: SettingValue(shown(value), str(current.origins[key]))
            for key, value in flat(current.settings).items()
        }

    @cached_property
    def _edition(self) -> datetime | None:
        try:
            return datetime.combine(tables_edition(), datetime.min.time(), UTC)
        except IntensityError:
            return None  # each task's provenance says that there are no tables

    def _table_age_s(self) -> float | None:
        if self._edition is None:
            return None
        return max((datetime.now(UTC) - self._edition).total_seconds(), 0.0)


def _running(progress: Progress) -> RunningTask:
    task_id, running_s = progress.inputs.task_id, time.monotonic() - progress.since_s
    return RunningTask(
        task_id.problem_id, task_id.iteration_id, progress.current_stage, round(running_s, 3)
    )


def _shown(published: PublishedResult) -> TaskResult:
    result = published.result if isinstance(published.result, Estimate) else None
    return TaskResult(
        problem_id=published.task_id.problem_id,
        iteration_id=published.task_id.iteration_id,
        outcome=published.outcome,
        finished_at=published.published_at.isoformat(timespec="milliseconds"),
        model=published.model,
        hardware=published.hardware,
        place=result.intensity.place if result else "",
        mode=result.mode.value if result else "",
        carbon_g=result.carbon_g.value if result else None,
        energy_kwh=result.energy_kwh.value if result else None,
        intensity_g_per_kwh=result.intensity.g_per_kwh.value if result else None,
        extra_data=json.loads(published.extra_data),
    )
