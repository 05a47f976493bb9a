"""What the local interface shows of this node: its own view of itself, and what its store keeps."""

import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeAlias

from carbon_node.errors import IntensityError
from carbon_node.http.view import NodeSummary, RunningTask, SettingValue, TaskResult
from carbon_node.intensity import tables_edition
from carbon_node.observability.supervisor import ProgressCheck
from carbon_node.pipeline.canonical_line import ESTIMATED, FAILED
from carbon_node.pipeline.progress import Progress
from carbon_node.pipeline.view import NodeView
from carbon_node.settings import ConfigurationService
from carbon_node.settings.catalogue import flat, shown
from carbon_node.store import Edition, Query
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.wire.samples import Status, TaskId

EditionSource: TypeAlias = Callable[[Query], Awaitable[Sequence[Edition]]]

READY = (Status.IDLE, Status.RUNNING)
"""Statuses of a node that answers tasks."""


class LocalView:
    """Satisfies `observability.view.NodeView`.

    Args:
        view: the pipeline's view.
        service: holds the configuration in force.
        checks: what has to make progress.
        editions: finds results in the store, oldest first.
    """

    def __init__(
        self,
        view: NodeView,
        service: ConfigurationService,
        checks: Iterable[ProgressCheck],
        editions: EditionSource,
    ) -> None:
        self._view = view
        self._editions = editions
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
        """Return kept results, newest first, also those of earlier starts."""
        found = await self._answers(Query(last=limit + offset))
        return found[offset:]

    async def result(self, problem_id: int, iteration_id: int) -> TaskResult | None:
        """Return the newest result of a task, None if there is none."""
        found = await self._answers(Query(task_id=TaskId(problem_id, iteration_id), last=1))
        return found[0] if found else None

    async def _answers(self, query: Query) -> list[TaskResult]:
        editions = await self._editions(query)
        return [
            _shown(edition, edition.answer)
            for edition in reversed(editions)
            if edition.answer is not None
        ]

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


def _shown(edition: Edition, answer: Answer) -> TaskResult:
    extra_data = json.loads(answer.footprint.extra_data)
    finished_ms = edition.finished_at_ms or edition.accepted_at_ms
    finished_at = datetime.fromtimestamp(finished_ms / 1000, UTC)
    return TaskResult(
        problem_id=edition.key.task_id.problem_id,
        iteration_id=edition.key.task_id.iteration_id,
        outcome=ESTIMATED if answer.outcome is Outcome.COMPUTED else FAILED,
        finished_at=finished_at.isoformat(timespec="milliseconds"),
        model=edition.summary.model,
        hardware=edition.summary.hardware,
        place=extra_data.get("place", {}).get("name", ""),
        mode=answer.mode,
        carbon_g=answer.carbon_g,
        energy_kwh=answer.energy_kwh,
        intensity_g_per_kwh=answer.intensity_g_per_kwh,
        extra_data=extra_data,
    )
