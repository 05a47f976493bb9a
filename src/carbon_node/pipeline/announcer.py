"""What peers see of the node's status.

Each sample carries the node's status truthfully. The orchestrator's status reader holds 500
instances and takes one sample per notification, so a task gets one sample at its start and one at
its end, its instance is retired soon after, and the idle status is said once more when things have
been quiet, for readers that missed the first.
"""

import asyncio
from collections import OrderedDict

from carbon_node.pipeline.ports import Transport
from carbon_node.pipeline.status import NodeStatusMachine
from carbon_node.wire.contract import NODE_NAME, Topic
from carbon_node.wire.samples import ErrorCode, NodeStatus, Status, TaskId, TaskStatus

QUIET_S = 1.0
"""Seconds that an ended task's instance stays, and after which the idle status is repeated: long
against a reader's
notification."""

MAX_ENDED = 300
"""Ended tasks whose instances stay, whatever their age: with those in progress and the node's own
they leave the 500 instances of a reader unfilled."""


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
    def running_count(self) -> int:
        """Tasks that have started and not ended."""
        return self._machine.running_count

    @property
    def is_paused(self) -> bool:
        """Whether no more tasks begin until the node is told so."""
        return self._machine.is_paused

    def open(self) -> None:
        """Announce INITIALIZING."""
        self._publish_node(self._machine.open())

    def ready(self) -> None:
        """Announce IDLE."""
        self._publish_node(self._machine.ready())

    def pause(self) -> None:
        """Announce that no more tasks begin: INACTIVE once none runs."""
        self._publish_node(self._machine.pause())

    def resume(self) -> None:
        """Announce that tasks begin again."""
        self._publish_node(self._machine.resume())

    def stop(self) -> None:
        """Announce TERMINATING, and tidy no more."""
        self._publish_node(self._machine.stop())
        self._cancel_timer()

    def repeat(self) -> None:
        """Say the status again, to peers that took a dead predecessor's end for this node's."""
        self._publish_node(self._machine.status)

    def task_started(self, task_id: TaskId) -> None:
        """Announce that a task runs."""
        self._ended.pop(task_id, None)
        status = self._machine.task_started()
        self._publish(NodeStatus(status, TaskStatus.RUNNING, node_name=NODE_NAME, task_id=task_id))

    def task_ended(self, task_id: TaskId, error: str | None) -> None:
        """Announce that a task ended.

        Args:
            task_id: id of the task.
            error: why it has no result; None if it has one.
        """
        status = self._machine.task_ended()
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
        self._transport.retire(Topic.STATUS, NodeStatus(node_name=NODE_NAME, task_id=task_id))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _publish_node(self, status: Status) -> None:
        self._publish(NodeStatus(status, node_name=NODE_NAME))

    def _publish(self, status: NodeStatus) -> None:
        self._transport.publish(Topic.STATUS, status)
