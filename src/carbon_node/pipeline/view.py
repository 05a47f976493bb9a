"""What the node tells about itself when it is asked; the one source for every door."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts, Fate
from carbon_node.pipeline.progress import Progress
from carbon_node.pipeline.recent import Json, RecentResults
from carbon_node.pipeline.register import TaskRegister
from carbon_node.wire.samples import Status, TaskId


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


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """How the node is right now.

    Args:
        identity: what stays the same.
        status: as published.
        is_paused: whether no more tasks begin until a peer says so.
        incomplete_count: tasks of which an input is missing.
        waiting_count: complete tasks that wait for their turn.
        running: tasks in progress.
        answered_count: tasks answered since the start.
        failed_count: those of them whose answer is that there is no result.
        commands: counts of control commands.
        degraded: what works less well than it should and why, one line each.
        uptime_s: seconds since the start.
    """

    identity: Identity
    status: Status
    is_paused: bool
    incomplete_count: int
    waiting_count: int
    running: tuple[Progress, ...]
    answered_count: int
    failed_count: int
    commands: Mapping[str, int]
    degraded: tuple[str, ...]
    uptime_s: float


class NodeView:
    """Facts and results; answers at once.

    Args:
        identity: what stays the same.
        announcer: knows the status.
        register: knows the tasks.
        results: knows the results.
        commands: counts of control commands.
        degraded: tells what works less well than it should and why, one line each.
        incomplete_count: tells how many tasks miss an input; none, unless told.
    """

    def __init__(
        self,
        identity: Identity,
        announcer: StatusAnnouncer,
        register: TaskRegister,
        results: RecentResults,
        commands: CommandCounts,
        degraded: Callable[[], Sequence[str]],
        incomplete_count: Callable[[], int] = int,
    ) -> None:
        self._identity = identity
        self._announcer = announcer
        self._register = register
        self._results = results
        self._commands = commands
        self._incomplete_count = incomplete_count
        self._degraded = degraded

    def facts(self) -> NodeFacts:
        """Return how the node is."""
        running = tuple(self._register.in_progress())
        return NodeFacts(
            identity=self._identity,
            status=self._announcer.status,
            is_paused=self._announcer.is_paused,
            incomplete_count=self._incomplete_count(),
            waiting_count=self._register.open_count - len(running),
            running=running,
            answered_count=self._register.answered_count,
            failed_count=self._register.failed_count,
            commands={fate.value: self._commands[fate] for fate in Fate},
            degraded=(*self._degraded(), *self._paused()),
            uptime_s=time.monotonic() - self._identity.started_s,
        )

    def _paused(self) -> Iterator[str]:
        if self._announcer.is_paused:
            yield "a peer's STOP_NODE lets no more tasks begin until its START_NODE"

    def status(self) -> Mapping[str, Json]:
        """Return how the node is, for peers."""
        facts, identity = self.facts(), self._identity
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

    def last_results(self, count: int) -> Sequence[Mapping[str, Json]]:
        """Return the latest results for peers, newest first, at most `count`."""
        return [result.as_json() for result in self._results.last(count)]

    def results_of(self, problem_id: int, iteration_id: int) -> Sequence[Mapping[str, Json]]:
        """Return the kept results of one task for peers, newest first; none if there are none."""
        results = self._results.of(TaskId(problem_id, iteration_id))
        return [result.as_json() for result in results]
