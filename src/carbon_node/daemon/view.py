"""What the node reports of itself to peers and to the local interface.

Both get the same results in the same JSON, read from the store.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TypeVar

from carbon_node.errors import IntensityError
from carbon_node.http.view import NodeSummary, ResultsPage, RunningTask, SettingValue
from carbon_node.intensity import tables_edition
from carbon_node.json_value import Json
from carbon_node.observability.supervisor import ProgressCheck
from carbon_node.pipeline.facts import FactsSource
from carbon_node.pipeline.task import Progress
from carbon_node.settings import ConfigurationService
from carbon_node.settings.catalogue import flat, shown
from carbon_node.settings.requests import MAX_RESULTS
from carbon_node.store import Cursor, Edition, Page, Query
from carbon_node.store.result import as_json, as_text
from carbon_node.wire.samples import Status, TaskId

Shown = TypeVar("Shown")

READY = (Status.IDLE, Status.RUNNING)
"""Statuses of a node that answers tasks."""

MAX_RESULTS_BYTES = 2**20
"""Bytes of extra_data in one answer: a usual result has 2.5 kB, but what peers send may be large,
and each caller's answer is in memory as a whole."""


class PublishedResults:
    """Results that were published, in this start of the node or an earlier one.

    Args:
        fill: fills a page of the history from the store.
    """

    def __init__(self, fill: Callable[[Page], Awaitable[Page]]) -> None:
        self._fill = fill
        self._turn = asyncio.Lock()

    async def page(
        self,
        show: Callable[[Edition], Shown],
        limit: int,
        after: Cursor | None = None,
        task_id: TaskId | None = None,
    ) -> tuple[list[Shown], Cursor | None]:
        """Return results, newest first, and where the next page begins; None without one.

        Args:
            show: turns a result into what is shown of it; runs in a thread.
            limit: how many at most, >= 1; fewer if they are larger than `MAX_RESULTS_BYTES`.
            after: behind which result they begin; None for the newest.
            task_id: whose results, whichever orchestrator counted it; None for all tasks'.

        Raises:
            StoreError: the store cannot be read now.
        """
        query = Query(is_answered=True, task_id=task_id)
        page = await self._fill(Page(query, limit, MAX_RESULTS_BYTES, after))
        # In a thread, as a full page takes a tenth of a second; one after the other, since threads
        # that wait for the interpreter hold up the loop.
        async with self._turn:
            shown = await asyncio.to_thread(lambda: [show(edition) for edition in page.editions])
        return shown, page.following


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
        results, _ = await self._results.page(as_json, count)
        return results

    async def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:
        """Return the results of one task, newest first; none if there are none."""
        task_id = TaskId(problem_id, iteration_id)
        results, _ = await self._results.page(as_json, MAX_RESULTS, task_id=task_id)
        return results


class LocalView:
    """What the local interface shows; satisfies `http.view.NodeView`.

    Args:
        facts: knows how the node is.
        results: what was published.
        service: holds the configuration in force.
        checks: what has to make progress.
        warnings: tells what the operator should look at, one line each.
    """

    def __init__(
        self,
        facts: FactsSource,
        results: PublishedResults,
        service: ConfigurationService,
        checks: Iterable[ProgressCheck],
        warnings: Callable[[], Sequence[str]] = tuple,
    ) -> None:
        self._facts = facts
        self._results = results
        self._service = service
        self._checks = tuple(checks)
        self._warnings = warnings

    def status(self) -> NodeSummary:
        """Return what the node is doing."""
        facts = self._facts.facts()
        return NodeSummary(
            version=facts.identity.version,
            state=facts.status.name,
            is_ready=facts.status in READY and not facts.is_paused and facts.overload is None,
            stalled=tuple(filter(None, (check() for check in self._checks))),
            degraded=facts.degraded,
            warnings=tuple(self._warnings()),
            pid=os.getpid(),
            domain=facts.identity.domain,
            transport=facts.identity.transport,
            uptime_s=facts.uptime_s,
            incomplete=facts.incomplete_count,
            waiting=facts.waiting_count,
            running=tuple(_running(task) for task in facts.running),
            intensity_table_age_s=self._table_age_s(),
        )

    async def results(self, limit: int, after: Cursor | None) -> ResultsPage:
        """Return published results, newest first, behind one of them."""
        return ResultsPage(*await self._results.page(as_text, limit, after))

    async def result(self, problem_id: int, iteration_id: int) -> str | None:
        """Return the newest result of a task, None if there is none."""
        task_id = TaskId(problem_id, iteration_id)
        found, _ = await self._results.page(as_text, 1, task_id=task_id)
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
