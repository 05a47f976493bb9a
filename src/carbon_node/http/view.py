"""What the local interface shows of the node, and the Protocol by which it asks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from carbon_node.json_value import Json


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


class NodeView(Protocol):
    """Read access to the node; called in the loop's thread, so nothing here may block it."""

    def status(self) -> NodeSummary:
        """Return what the node is doing."""

    async def results(self, limit: int, offset: int) -> Sequence[Mapping[str, Json]]:
        """Return published results, newest first, in the JSON of `store.result`.

        Args:
            limit: how many at most, >= 1.
            offset: how many of the newest to leave out, >= 0.
        """

    async def result(self, problem_id: int, iteration_id: int) -> Mapping[str, Json] | None:
        """Return the newest result of a task, None if there is none."""

    def settings(self) -> Mapping[str, SettingValue]:
        """Return every setting by its name, nested ones with a dot; never a secret."""
