"""The node's status as a table of transitions."""

from enum import Enum, auto

from carbon_node.errors import StatusTransitionError
from carbon_node.wire.samples import Status


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
    """Status of the node and the number of tasks it runs."""

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

    @property
    def running_count(self) -> int:
        """Tasks that have started and not ended."""
        return self._running_count

    def open(self) -> Status:
        """Note that the status writer exists.

        Returns:
            INITIALIZING.

        Raises:
            StatusTransitionError: the node was opened before.
        """
        return self._follow(Event.OPENED)

    def ready(self) -> Status:
        """Note that readers and writers exist.

        Returns:
            IDLE.

        Raises:
            StatusTransitionError: the node is not initializing.
        """
        return self._follow(Event.READY)

    def task_started(self) -> Status:
        """Count a task in.

        Returns:
            RUNNING.

        Raises:
            StatusTransitionError: the node does not take tasks now.
        """
        status = self._follow(Event.TASK_STARTED)
        self._running_count += 1
        return status

    def task_ended(self) -> Status:
        """Count a task out, whatever its outcome.

        Returns:
            IDLE after the last task, INACTIVE if the node is paused, else RUNNING; TERMINATING
            during a stop.

        Raises:
            StatusTransitionError: no task runs.
        """
        if self._running_count == 0:
            raise StatusTransitionError(
                f"no task runs that could end; the node is {self._state.name}"
            )
        status = self._follow(
            Event.LAST_TASK_ENDED if self._running_count == 1 else Event.TASK_ENDED
        )
        self._running_count -= 1
        return status

    def pause(self) -> Status:
        """Note that no more tasks begin.

        Returns:
            INACTIVE, or RUNNING while tasks run.

        Raises:
            StatusTransitionError: the node is paused already, or does not take tasks anyway.
        """
        return self._follow(Event.PAUSED)

    def resume(self) -> Status:
        """Note that tasks begin again.

        Returns:
            IDLE, or RUNNING while tasks run.

        Raises:
            StatusTransitionError: the node is not paused.
        """
        return self._follow(Event.RESUMED)

    def stop(self) -> Status:
        """Note that the node takes no more tasks.

        Returns:
            TERMINATING.

        Raises:
            StatusTransitionError: the node was never opened, or stops already.
        """
        return self._follow(Event.STOPPED)

    def _follow(self, event: Event) -> Status:
        following = TRANSITIONS.get((self._state, event))
        if following is None:
            raise StatusTransitionError(
                f"{event.name} cannot happen to a node that is {self._state.name}"
            )
        self._state = following
        return STATUS[following]
