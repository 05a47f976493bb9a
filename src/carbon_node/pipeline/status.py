"""The node's status as a table of transitions."""

from enum import Enum, auto

from carbon_node.errors import StatusTransitionError
from carbon_node.transport.wire import Status


class Event(Enum):
    """What can happen to the node."""

    OPENED = auto()
    READY = auto()
    TASK_STARTED = auto()
    TASK_ENDED = auto()
    LAST_TASK_ENDED = auto()
    STOPPED = auto()


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.INACTIVE, Event.OPENED): Status.INITIALIZING,
    (Status.INITIALIZING, Event.READY): Status.IDLE,
    (Status.INITIALIZING, Event.STOPPED): Status.TERMINATING,
    (Status.IDLE, Event.TASK_STARTED): Status.RUNNING,
    (Status.IDLE, Event.STOPPED): Status.TERMINATING,
    (Status.RUNNING, Event.TASK_STARTED): Status.RUNNING,
    (Status.RUNNING, Event.TASK_ENDED): Status.RUNNING,
    (Status.RUNNING, Event.LAST_TASK_ENDED): Status.IDLE,
    (Status.RUNNING, Event.STOPPED): Status.TERMINATING,
    # Tasks that end within the budget of a stop are still answered.
    (Status.TERMINATING, Event.TASK_ENDED): Status.TERMINATING,
    (Status.TERMINATING, Event.LAST_TASK_ENDED): Status.TERMINATING,
}
"""Every transition that exists. A failed task is an ended task: the pipeline waits until all nodes
are IDLE, so data can never put the node in ERROR."""


class NodeStatusMachine:
    """Status of the node and the number of tasks it runs."""

    def __init__(self) -> None:
        self._status = Status.INACTIVE
        self._running_count = 0

    @property
    def status(self) -> Status:
        """Current status."""
        return self._status

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
            IDLE after the last task, else RUNNING; TERMINATING during a stop.

        Raises:
            StatusTransitionError: no task runs.
        """
        if self._running_count == 0:
            raise StatusTransitionError(
                f"no task runs that could end; the node is {self._status.name}"
            )
        status = self._follow(
            Event.LAST_TASK_ENDED if self._running_count == 1 else Event.TASK_ENDED
        )
        self._running_count -= 1
        return status

    def stop(self) -> Status:
        """Note that the node takes no more tasks.

        Returns:
            TERMINATING.

        Raises:
            StatusTransitionError: the node was never opened, or stops already.
        """
        return self._follow(Event.STOPPED)

    def _follow(self, event: Event) -> Status:
        following = TRANSITIONS.get((self._status, event))
        if following is None:
            raise StatusTransitionError(
                f"{event.name} cannot happen to a node that is {self._status.name}"
            )
        self._status = following
        return following
