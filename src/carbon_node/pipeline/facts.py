"""How the node is right now: the one source for everyone who asks."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts, Fate
from carbon_node.pipeline.register import TaskRegister
from carbon_node.pipeline.task import Progress
from carbon_node.wire.samples import Status

PAUSED = "a peer's STOP_NODE lets no more tasks begin until its START_NODE"
"""What a paused node lists among what works less well."""


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
        waiting_count: complete tasks that wait for their turn or for a worker of the tracker.
        running: tasks for which something is done, in the order of their starts.
        answered_count: tasks answered since the start.
        failed_count: those of them whose answer is that there is no result.
        commands: counts of control commands.
        overload: what is refused for lack of room now; None if nothing is.
        degraded: what works less well than it should and why, one line each; the overload too.
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
    overload: str | None
    degraded: tuple[str, ...]
    uptime_s: float


class FactsSource:
    """Tells how the node is; answers at once.

    Args:
        identity: what stays the same.
        announcer: knows the status.
        register: knows the tasks.
        incomplete_count: tells how many tasks miss an input.
        commands: counts of control commands.
        overload: tells what is refused for lack of room now; None if nothing is.
        degraded: tells what else works less well than it should and why, one line each.
    """

    def __init__(
        self,
        identity: Identity,
        announcer: StatusAnnouncer,
        register: TaskRegister,
        incomplete_count: Callable[[], int],
        commands: CommandCounts,
        overload: Callable[[], str | None],
        degraded: Callable[[], Sequence[str]],
    ) -> None:
        self._identity = identity
        self._announcer = announcer
        self._register = register
        self._incomplete_count = incomplete_count
        self._commands = commands
        self._overload = overload
        self._degraded = degraded

    def facts(self) -> NodeFacts:
        """Return how the node is."""
        running, is_paused = tuple(self._register.running()), self._announcer.is_paused
        overload = self._overload()
        problems = (overload, PAUSED if is_paused else None)
        return NodeFacts(
            identity=self._identity,
            status=self._announcer.status,
            is_paused=is_paused,
            incomplete_count=self._incomplete_count(),
            waiting_count=self._register.open_count - len(running),
            running=running,
            answered_count=self._register.answered_count,
            failed_count=self._register.failed_count,
            commands={fate.value: self._commands[fate] for fate in Fate},
            overload=overload,
            degraded=(*self._degraded(), *filter(None, problems)),
            uptime_s=time.monotonic() - self._identity.started_s,
        )
