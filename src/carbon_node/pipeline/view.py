"""What the node tells about itself when it is asked."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts, Fate
from carbon_node.pipeline.recent import Json, RecentResults
from carbon_node.pipeline.register import TaskRegister
from carbon_node.transport.wire import TaskId


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same while the node runs.

    Args:
        version: of this package.
        domain: DDS domain id.
        transport: what speaks DDS.
        transport_reason: why that one.
        started_s: monotonic time of the start in seconds.
    """

    version: str
    domain: int
    transport: str
    transport_reason: str
    started_s: float


class NodeView:
    """Status and results; answers at once.

    Args:
        identity: what stays the same.
        announcer: knows the status.
        register: knows the tasks.
        results: knows the results.
        commands: counts of control commands.
        degraded: tells what works less well than it should and why, one line each.
    """

    def __init__(
        self,
        identity: Identity,
        announcer: StatusAnnouncer,
        register: TaskRegister,
        results: RecentResults,
        commands: CommandCounts,
        degraded: Callable[[], Sequence[str]],
    ) -> None:
        self._identity = identity
        self._announcer = announcer
        self._register = register
        self._results = results
        self._commands = commands
        self._degraded = degraded

    def status(self) -> Mapping[str, Json]:
        """Return how the node is, as JSON."""
        identity, running = self._identity, self._announcer.running_count
        return {
            "node": self._announcer.status.name,
            "is_paused": self._announcer.is_paused,
            "degraded": list(self._degraded()),
            "tasks": {
                "waiting": self._register.open_count - running,
                "running": running,
                "answered": self._register.answered_count,
                "failed": self._register.failed_count,
            },
            "commands": {fate.value: self._commands[fate] for fate in Fate},
            "domain": identity.domain,
            "transport": {"name": identity.transport, "reason": identity.transport_reason},
            "uptime_s": round(time.monotonic() - identity.started_s, 3),
            "version": identity.version,
        }

    def last_results(self, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the latest results, newest first, at most `count`."""
        return self._results.last(count)

    def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:
        """Return the kept results of one task, newest first; none if there are none."""
        return self._results.of(TaskId(problem_id, iteration_id))
