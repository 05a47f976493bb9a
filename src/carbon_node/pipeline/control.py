"""What the commands of the control topic do, as a table.

Anyone in the domain can send commands. They end, repeat and postpone work; only the operator's
`allow_remote_terminate` lets one end the node.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias

import structlog

from carbon_node.pipeline.ports import Observer
from carbon_node.secret_texts import redacted
from carbon_node.wire.contract import NODE_NAME
from carbon_node.wire.samples import NodeCommand, NodeControl, TaskCommand, TaskId

MAX_NAME_CHARS = 100
"""Longest name of a sender that is quoted."""

LONGEST_READ_NAME_CHARS = 10_000
"""Longest name of a sender that is searched for secrets; what follows is not quoted anyway."""

log = structlog.get_logger(__name__)


class Fate(StrEnum):
    """What became of a command."""

    OBEYED = "obeyed"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"
    REFUSED = "refused"


CommandCounts: TypeAlias = Counter[Fate]


class Commandable(Protocol):
    """What can be done with the node's tasks; each says whether it could be done."""

    def stop_task(self, task_id: TaskId, why: str) -> bool:
        """End a waiting or running task with a failed result."""
        ...

    def repeat_task(self, task_id: TaskId) -> bool:
        """Compute a task again."""
        ...

    def pause(self) -> bool:
        """Let no more tasks begin."""
        ...

    def resume(self) -> bool:
        """Let tasks begin again."""
        ...


class Control:
    """Obeys the commands that are addressed to this node.

    Args:
        tasks: what commands act on.
        reset: returns to the configuration at start-up.
        terminate: stops the node if the operator allows that; says whether it does.
        counts: where the fate of each command is counted.
        observer: counts requests at every interface.
    """

    def __init__(
        self,
        tasks: Commandable,
        reset: Callable[[], None],
        terminate: Callable[[], bool],
        counts: CommandCounts,
        observer: Observer,
    ) -> None:
        self._reset = reset
        self._observer = observer
        self._counts = counts
        # PREEMPT_TASK is missing: tasks run side by side, so that none has to make way.
        self._of_node: Mapping[NodeCommand, Callable[[], bool]] = {
            NodeCommand.START: tasks.resume,
            NodeCommand.STOP: tasks.pause,
            NodeCommand.RESET: self._reset_node,
            NodeCommand.TERMINATE: terminate,
        }
        self._of_task: Mapping[TaskCommand, Callable[[TaskId, str], bool]] = {
            TaskCommand.STOP: tasks.stop_task,
            TaskCommand.TERMINATE: tasks.stop_task,
            TaskCommand.RESET: lambda task_id, _: tasks.repeat_task(task_id),
        }

    def obey(self, command: NodeControl) -> None:
        """Do what a command says, or ignore it and count why; it may hold two commands."""
        for name, fate in self._fates(command):
            self._counts[fate] += 1
            self._observer.request("control", fate.value)
            say = log.info if fate is Fate.OBEYED else log.debug
            say(
                "control command",
                command=name,
                fate=fate.value,
                task_id=command.task_id,
                source_node=_name(command),
            )

    def _fates(self, command: NodeControl) -> list[tuple[str, Fate]]:
        if command.target_node != NODE_NAME:
            return [("any", Fate.FOREIGN)]
        fates = []
        if command.cmd_node is not NodeCommand.NO_COMMAND:
            fates.append((f"{command.cmd_node.name}_NODE", self._fate_of_node(command)))
        if command.cmd_task is not TaskCommand.NO_COMMAND:
            fates.append((f"{command.cmd_task.name}_TASK", self._fate_of_task(command)))
        return fates or [("none", Fate.UNKNOWN)]

    def _fate_of_node(self, command: NodeControl) -> Fate:
        action = self._of_node.get(command.cmd_node)
        return Fate.UNKNOWN if action is None else _fate(is_done=action())

    def _fate_of_task(self, command: NodeControl) -> Fate:
        action = self._of_task.get(command.cmd_task)
        if action is None:
            return Fate.UNKNOWN
        sender = _name(command) or "a peer"
        why = f"{command.cmd_task.name}_TASK by {sender}; send RESET_TASK to compute it after all"
        return _fate(is_done=action(command.task_id, why))

    def _reset_node(self) -> bool:
        self._reset()
        return True


def _name(command: NodeControl) -> str:
    """Return the name of a command's sender, which goes into the log and into outputs."""
    return redacted(command.source_node[:LONGEST_READ_NAME_CHARS])[:MAX_NAME_CHARS]


def _fate(*, is_done: bool) -> Fate:
    return Fate.OBEYED if is_done else Fate.REFUSED
