"""What the local interface shows of the node, and the Protocol by which it asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from carbon_node.store import Cursor


@dataclass(frozen=True, slots=True)
class RunningTask:
    """A task for which something is done.

    Args:
        problem_id: first part of the task id.
        iteration_id: second part of the task id.
        stage: what is being done for it, e.g. "tracker".
        running_s: seconds since its last input arrived, >= 0.
    """

    problem_id: int
    iteration_id: int
    stage: str
    running_s: float


@dataclass(frozen=True, slots=True)
class NodeSummary:
    """What the node is doing right now.

    Args:
        version: of this package.
        state: the node's status as published, e.g. "IDLE".
        is_ready: whether tasks are answered: IDLE or RUNNING, and nothing is refused.
        stalled: what makes no progress, one line each; empty in a node that is alive.
        degraded: what works less well than configured and why, one line each.
        warnings: what the operator should look at although it works as configured, one line each.
        pid: process id.
        domain: DDS domain id.
        transport: name of the transport in use.
        uptime_s: seconds since the start, >= 0.
        incomplete: how many tasks wait for an input.
        waiting: how many complete tasks wait for their turn or for a worker.
        running: the tasks for which something is done.
        intensity_table_age_s: seconds since the edition of the intensity table; None without one.
    """

    version: str
    state: str
    is_ready: bool
    stalled: tuple[str, ...]
    degraded: tuple[str, ...]
    warnings: tuple[str, ...]
    pid: int
    domain: int
    transport: str
    uptime_s: float
    incomplete: int
    waiting: int
    running: tuple[RunningTask, ...]
    intensity_table_age_s: float | None


@dataclass(frozen=True, slots=True)
class SettingValue:
    """One setting.

    Args:
        value: as JSON.
        source: where the value came from, e.g. "default" or "environment".
    """

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class ResultsPage:
    """Some results, newest first.

    Args:
        results: each in the JSON of `store.result`, as text.
        following: where the next page begins; None if the history ends with this one.
    """

    results: Sequence[str]
    following: Cursor | None


class NodeView(Protocol):
    """Read access to the node; called in the loop's thread, so nothing here may block it."""

    def status(self) -> NodeSummary:
        """Return what the node is doing."""

    async def results(self, limit: int, after: Cursor | None) -> ResultsPage:
        """Return published results, newest first; ends early when it is cancelled.

        Args:
            limit: how many at most, >= 1.
            after: behind which result they begin; None for the newest.
        """

    async def result(self, problem_id: int, iteration_id: int) -> str | None:
        """Return the newest result of a task, likewise as text; None if there is none."""

    def settings(self) -> Mapping[str, SettingValue]:
        """Return every setting by its name, nested ones with a dot; never a secret."""
