"""The node's status: a table of transitions, and what peers see of it.

Each sample carries the node's status truthfully. The orchestrator's status reader holds 500
instances and takes one sample per notification, so a task gets one sample at its start and one at
its end, its instance is retired soon after, and the idle status is said again when things have
been quiet, for readers that missed the first.
"""

import asyncio
from collections import OrderedDict
from enum import Enum, auto

import structlog

from carbon_node.errors import StatusTransitionError, TransportError
from carbon_node.pipeline.ports import Transport
from carbon_node.wire.contract import NODE_NAME, Topic
from carbon_node.wire.samples import ErrorCode, NodeStatus, Status, TaskId, TaskStatus

log = structlog.get_logger(__name__)

QUIET_S = 1.0
"""Seconds that an ended task's instance stays, and after which the idle status is repeated: long
against a reader's notification."""

MAX_ENDED = 300
"""Ended tasks whose instances stay, whatever their age: with those in progress and the node's own
they leave the 500 instances of a reader unfilled."""


class State(Enum):
    """What the node does; more than the wire's status can say."""

    CLOSED = auto()
    INITIALIZING = auto()
    IDLE = auto()
    RUNNING = auto()
    DRAINING = auto()
    PAUSED = auto()
    TERMINATING = auto()


STATUS: dict[State, Status] = {
    State.CLOSED: Status.INACTIVE,
    State.INITIALIZING: Status.INITIALIZING,
    State.IDLE: Status.IDLE,
    State.RUNNING: Status.RUNNING,
    State.DRAINING: Status.RUNNING,
    # The pipeline hands out tasks once all nodes are IDLE: a paused node must not say that.
    State.PAUSED: Status.INACTIVE,
    State.TERMINATING: Status.TERMINATING,
}
"""What peers are told of each state."""


class Event(Enum):
    """What can happen to the node."""

    OPENED = auto()
    READY = auto()
    TASK_STARTED = auto()
    TASK_ENDED = auto()
    LAST_TASK_ENDED = auto()
    PAUSED = auto()
    RESUMED = auto()
    STOPPED = auto()


RUNNING_STEP = {Event.TASK_STARTED: 1, Event.TASK_ENDED: -1}
"""What events change in the number of tasks that run."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.CLOSED, Event.OPENED): State.INITIALIZING,
    (State.INITIALIZING, Event.READY): State.IDLE,
    (State.INITIALIZING, Event.STOPPED): State.TERMINATING,
    (State.IDLE, Event.TASK_STARTED): State.RUNNING,
    (State.IDLE, Event.PAUSED): State.PAUSED,
    (State.IDLE, Event.STOPPED): State.TERMINATING,
    (State.RUNNING, Event.TASK_STARTED): State.RUNNING,
    (State.RUNNING, Event.TASK_ENDED): State.RUNNING,
    (State.RUNNING, Event.LAST_TASK_ENDED): State.IDLE,
    (State.RUNNING, Event.PAUSED): State.DRAINING,
    (State.RUNNING, Event.STOPPED): State.TERMINATING,
    (State.DRAINING, Event.TASK_STARTED): State.DRAINING,
    (State.DRAINING, Event.TASK_ENDED): State.DRAINING,
    (State.DRAINING, Event.LAST_TASK_ENDED): State.PAUSED,
    (State.DRAINING, Event.RESUMED): State.RUNNING,
    (State.DRAINING, Event.STOPPED): State.TERMINATING,
    # A task that is stopped while it waits for the node to be resumed is answered all the same.
    (State.PAUSED, Event.TASK_STARTED): State.DRAINING,
    (State.PAUSED, Event.RESUMED): State.IDLE,
    (State.PAUSED, Event.STOPPED): State.TERMINATING,
    # Tasks that end within the budget of a stop are still answered.
    (State.TERMINATING, Event.TASK_STARTED): State.TERMINATING,
    (State.TERMINATING, Event.TASK_ENDED): State.TERMINATING,
    (State.TERMINATING, Event.LAST_TASK_ENDED): State.TERMINATING,
}
"""Every transition that exists. A failed task is an ended task: the pipeline waits until all nodes
are IDLE, so data can never put the node in ERROR."""


class NodeStatusMachine:
    """The node's place in the table, and the number of tasks it runs."""

    def __init__(self) -> None:
        self._state = State.CLOSED
        self._running_count = 0

    @property
    def status(self) -> Status:
        """Current status."""
        return STATUS[self._state]

    @property
    def is_paused(self) -> bool:
        """Whether the node waits to be resumed, perhaps with tasks that still run."""
        return self._state in (State.DRAINING, State.PAUSED)

    def advance(self, event: Event) -> Status:
        """Follow the table.

        Args:
            event: what happened; the end of a task becomes LAST_TASK_ENDED if no other runs.

        Returns:
            The status from now on.

        Raises:
            StatusTransitionError: the event cannot happen now; nothing changes.
        """
        running_count = self._running_count + RUNNING_STEP.get(event, 0)
        if event is Event.TASK_ENDED and running_count == 0:
            event = Event.LAST_TASK_ENDED
        following = TRANSITIONS.get((self._state, event))
        if following is None or running_count < 0:
            raise StatusTransitionError(
                f"{event.name} cannot happen to a node that is {self._state.name}"
            )
        self._state, self._running_count = following, running_count
        return STATUS[following]


class StatusAnnouncer:
    """Publishes the status of the node and its tasks.

    Args:
        transport: where the status goes; its status writer has to be open.
        quiet_s: seconds, > 0; see `QUIET_S`.
    """

    def __init__(self, transport: Transport, quiet_s: float = QUIET_S) -> None:
        self._transport = transport
        self._quiet_s = quiet_s
        self._machine = NodeStatusMachine()
        self._ended: OrderedDict[TaskId, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def status(self) -> Status:
        """Current status of the node."""
        return self._machine.status

    @property
    def is_paused(self) -> bool:
        """Whether no more tasks begin until the node is told so."""
        return self._machine.is_paused

    def open(self) -> None:
        """Announce INITIALIZING."""
        self._publish_node(self._machine.advance(Event.OPENED))

    def ready(self) -> None:
        """Announce IDLE."""
        self._publish_node(self._machine.advance(Event.READY))

    def pause(self) -> None:
        """Announce that no more tasks begin: INACTIVE once none runs."""
        self._publish_node(self._machine.advance(Event.PAUSED))

    def resume(self) -> None:
        """Announce that tasks begin again."""
        self._publish_node(self._machine.advance(Event.RESUMED))

    def stop(self) -> None:
        """Announce TERMINATING, and retire no more instances."""
        self._publish_node(self._machine.advance(Event.STOPPED))
        self._cancel_timer()

    def repeat(self) -> None:
        """Say the status again, to peers that took a dead predecessor's end for this node's."""
        self._publish_node(self._machine.status)

    def task_started(self, task_id: TaskId) -> None:
        """Announce that a task runs."""
        self._ended.pop(task_id, None)
        status = self._machine.advance(Event.TASK_STARTED)
        self._publish(NodeStatus(status, TaskStatus.RUNNING, node_name=NODE_NAME, task_id=task_id))

    def task_ended(self, task_id: TaskId, error: str | None) -> None:
        """Announce that a task ended.

        Args:
            task_id: id of the task.
            error: why it has no result; None if it has one.
        """
        status = self._machine.advance(Event.TASK_ENDED)
        outcome = TaskStatus.SUCCEEDED if error is None else TaskStatus.ERROR
        code = ErrorCode.NO_ERROR if error is None else ErrorCode.INTERNAL_ERROR
        self._publish(NodeStatus(status, outcome, code, error or "", NODE_NAME, task_id))
        self._ended[task_id] = asyncio.get_running_loop().time()
        if len(self._ended) > MAX_ENDED:
            self._retire(next(iter(self._ended)))
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and self._machine.status is not Status.TERMINATING:
            self._timer = asyncio.get_running_loop().call_later(self._quiet_s, self._tidy)

    def _tidy(self) -> None:
        self._timer = None
        limit_s = asyncio.get_running_loop().time() - self._quiet_s
        # The timer may fire a clock tick early.
        for task_id in [
            task_id for task_id, ended_s in self._ended.items() if ended_s <= limit_s + 0.001
        ]:
            self._retire(task_id)
        if self._ended:
            self._schedule()
        elif self._machine.status is Status.IDLE:
            self._publish_node(Status.IDLE)

    def _retire(self, task_id: TaskId) -> None:
        del self._ended[task_id]
        try:
            self._transport.retire(Topic.STATUS, NodeStatus(node_name=NODE_NAME, task_id=task_id))
        except TransportError as error:
            log.error("status of a task goes on", problem=str(error))  # noqa: TRY400 - the message says it all

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _publish_node(self, status: Status) -> None:
        self._publish(NodeStatus(status, node_name=NODE_NAME))

    def _publish(self, status: NodeStatus) -> None:
        # Peers miss a status then; neither the count of tasks nor an output may depend on it.
        try:
            self._transport.publish(Topic.STATUS, status)
        except TransportError as error:
            log.error("status not published", problem=str(error))  # noqa: TRY400 - the message says it all
