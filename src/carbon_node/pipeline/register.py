"""Which tasks the node has: in progress, and answered a short while ago."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from carbon_node.pipeline.progress import Progress
from carbon_node.pipeline.task import TaskInputs
from carbon_node.wire.samples import TaskId

ANSWERED_KEPT = 400
"""Answered tasks that can be repeated: as many as outputs that are retained."""

MAX_KEPT_BYTES = 65_536
"""Inputs above this are not kept: a model may travel in them. All that are kept stay below
26 MB."""


class TaskRegister:
    """Finds tasks by the id that commands name them by, and counts them.

    A restarted orchestrator uses ids again; the latest task of an id is the one that is meant.

    Args:
        on_change: called when tasks come and go.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._open: dict[TaskId, list[Progress]] = {}
        self._answered: OrderedDict[TaskId, TaskInputs] = OrderedDict()
        self.answered_count = 0
        self.failed_count = 0

    @property
    def open_count(self) -> int:
        """Tasks that wait or are in progress."""
        return sum(map(len, self._open.values()))

    def enter(self, progress: Progress) -> None:
        """Note a task that waits for its turn."""
        self._open.setdefault(progress.inputs.task_id, []).append(progress)
        self._on_change()

    def leave(self, progress: Progress) -> None:
        """Note that a task is in progress no more."""
        task_id = progress.inputs.task_id
        self._open[task_id].remove(progress)
        if not self._open[task_id]:
            del self._open[task_id]
        self._on_change()

    def answered(self, progress: Progress, *, is_failed: bool) -> None:
        """Note that a task's output was published."""
        self.answered_count += 1
        self.failed_count += is_failed
        inputs = progress.inputs
        if inputs.size_bytes <= MAX_KEPT_BYTES:
            # A copy: what was parsed of them would stay in memory with them.
            self._answered[inputs.task_id] = replace(inputs)
            self._answered.move_to_end(inputs.task_id)
        if len(self._answered) > ANSWERED_KEPT:
            self._answered.popitem(last=False)

    def in_progress(self) -> list[Progress]:
        """List the tasks that wait no longer, in the order of their starts."""
        found = [progress for same_id in self._open.values() for progress in same_id]
        return sorted(
            (progress for progress in found if progress.has_begun),
            key=lambda progress: progress.position,
        )

    def find_open(self, task_id: TaskId) -> Progress | None:
        """Find the latest task of an id that waits or is in progress."""
        found = self._open.get(task_id)
        return found[-1] if found else None

    def find_answered(self, task_id: TaskId) -> TaskInputs | None:
        """Find the inputs of the latest answered task of an id, if they are still kept."""
        return self._answered.get(task_id)
