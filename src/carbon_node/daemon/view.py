"""What the node reports of itself to peers and to the local interface.

Both get the same results in the same JSON, read from the store.
"""

import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeAlias

from carbon_node.errors import IntensityError
from carbon_node.http.view import NodeSummary, RunningTask, SettingValue
from carbon_node.intensity import tables_edition
from carbon_node.json_value import Json
from carbon_node.observability.supervisor import ProgressCheck
from carbon_node.pipeline.facts import FactsSource
from carbon_node.pipeline.task import Progress
from carbon_node.settings import ConfigurationService
from carbon_node.settings.catalogue import flat, shown
from carbon_node.settings.requests import MAX_RESULTS
from carbon_node.store import Edition, Query
from carbon_node.store.result import as_json
from carbon_node.wire.samples import Status, TaskId

EditionSource: TypeAlias = Callable[[Query], Awaitable[Sequence[Edition]]]

READY = (Status.IDLE, Status.RUNNING)
"""Statuses of a node that answers tasks."""

MAX_RESULTS_BYTES = 2**20
"""Bytes of extra_data in one answer: a usual result has 2.5 kB, but what peers send may be large,
and the store answers nobody else meanwhile."""


class PublishedResults:
    """Results that were published, in this start of the node or an earlier one.

    Args:
        editions: finds them in the store, oldest first.
    """

    def __init__(self, editions: EditionSource) -> None:
        self._editions = editions

    async def last(self, limit: int, offset: int = 0) -> list[dict[str, Json]]:
        """Return results, newest first.

        Args:
            limit: how many at most, >= 1; fewer if they are larger than `MAX_RESULTS_BYTES`.
            offset: how many of the newest to leave out, >= 0.

        Raises:
            StoreError: the store cannot be read now.
        """
        return await self._found(Query(last=limit, offset=offset))

    async def of(self, task_id: TaskId, limit: int) -> list[dict[str, Json]]:
        """Return results of one task, newest first; none if there are none.

        Args:
            task_id: id on the wire, whichever orchestrator counted it.
            limit: how many at most, >= 1.

        Raises:
            StoreError: the store cannot be read now.
        """
        return await self._found(Query(task_id=task_id, last=limit))

    async def _found(self, query: Query) -> list[dict[str, Json]]:
        answered = replace(query, is_answered=True, max_bytes=MAX_RESULTS_BYTES)
        return [as_json(edition) for edition in reversed(await self._editions(answered))]


class PeerView:
    """What the node reports to peers; satisfies `settings.NodeQuestions`.

    Args:
        facts: knows how the node is.
        results: what was published.
    """

    def __init__(self, facts: FactsSource, results: PublishedResults) -> None:
        self._facts = facts
        self._results = results

    def status(self) -> Mapping[str, Json]:
        """Return how the node is."""
        facts = self._facts.facts()
        identity = facts.identity
        return {
            "node": facts.status.name,
            "is_paused": facts.is_paused,
            "degraded": list(facts.degraded),
            "tasks": {
                "incomplete": facts.incomplete_count,
                "waiting": facts.waiting_count,
                "running": len(facts.running),
                "answered": facts.answered_count,
                "failed": facts.failed_count,
            },
            "commands": dict(facts.commands),
            "domain": identity.domain,
            "transport": {"name": identity.transport, "reason": identity.transport_reason},
            "uptime_s": round(facts.uptime_s, 3),
            "version": identity.version,
        }

    async def last_results(self, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the latest results, newest first, at most `count`."""
        return await self._results.last(count)

    async def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:
        """Return the results of one task, newest first; none if there are none."""
        return await self._results.of(TaskId(problem_id, iteration_id), MAX_RESULTS)


class LocalView:
    """What the local interface shows; satisfies `http.view.NodeView`.

    Args:
        facts: knows how the node is.
        results: what was published.
        service: holds the configuration in force.
        checks: what has to make progress.
    """

    def __init__(
        self,
        facts: FactsSource,
        results: PublishedResults,
        service: ConfigurationService,
        checks: Iterable[ProgressCheck],
    ) -> None:
        self._facts = facts
        self._results = results
        self._service = service
        self._checks = tuple(checks)

    def status(self) -> NodeSummary:
        """Return what the node is doing."""
        facts = self._facts.facts()
        return NodeSummary(
            version=facts.identity.version,
            state=facts.status.name,
            is_ready=facts.status in READY and not facts.is_paused and facts.overload is None,
            stalled=tuple(filter(None, (check() for check in self._checks))),
            degraded=facts.degraded,
            pid=os.getpid(),
            domain=facts.identity.domain,
            transport=facts.identity.transport,
            uptime_s=facts.uptime_s,
            incomplete=facts.incomplete_count,
            waiting=facts.waiting_count,
            running=tuple(_running(task) for task in facts.running),
            intensity_table_age_s=self._table_age_s(),
        )

    async def results(self, limit: int, offset: int) -> Sequence[Mapping[str, Json]]:
        """Return published results, newest first."""
        return await self._results.last(limit, offset)

    async def result(self, problem_id: int, iteration_id: int) -> Mapping[str, Json] | None:
        """Return the newest result of a task, None if there is none."""
        found = await self._results.of(TaskId(problem_id, iteration_id), 1)
        return found[0] if found else None

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
            # Each task's provenance says that there are no tables.
            return None

    def _table_age_s(self) -> float | None:
        if self._edition is None:
            return None
        return max((datetime.now(UTC) - self._edition).total_seconds(), 0.0)


def _running(progress: Progress) -> RunningTask:
    task_id, running_s = progress.inputs.task_id, time.monotonic() - progress.since_s
    return RunningTask(
        task_id.problem_id, task_id.iteration_id, progress.current_stage, round(running_s, 3)
    )
