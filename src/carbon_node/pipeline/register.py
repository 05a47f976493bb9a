"""Which tasks the node has: in progress, and answered a short while ago.

Whatever has to be said of a task is said here: it is logged, counted and kept for a repetition.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import structlog

from carbon_node.pipeline.ports import Observer
from carbon_node.pipeline.task import Progress, TaskInputs
from carbon_node.tasks.answer import WORDS, Answer, Outcome
from carbon_node.wire.samples import TaskId

ANSWERED_KEPT = 400
"""Answered tasks that can be repeated: as many as outputs that are retained."""

MAX_KEPT_BYTES = 65_536
"""Inputs above this are not kept: a model may travel in them. All that are kept stay below
26 MB."""

STORED = "stored"
"""What metrics call a task that was answered before, in this run of the node or an earlier one."""

MAX_TEXT_CHARS = 200
"""Longest text of a peer that is logged; a line has to stay readable."""

_NUMBERS = ("energy_kwh", "intensity_g_per_kwh", "carbon_g")

log = structlog.get_logger(__name__)


class TaskRegister:
    """Finds tasks by the id that commands name them by, and says what became of them.

    A restarted orchestrator uses ids again; the latest task of an id is the one that is meant.

    Args:
        observer: counts answered tasks.
        on_change: called when tasks come and go.
    """

    def __init__(self, observer: Observer, on_change: Callable[[], None] = lambda: None) -> None:
        self._observer = observer
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
        self._open.setdefault(progress.inputs.key.task_id, []).append(progress)
        self._on_change()

    def leave(self, progress: Progress) -> None:
        """Note that a task is in progress no more."""
        task_id = progress.inputs.key.task_id
        self._open[task_id].remove(progress)
        if not self._open[task_id]:
            del self._open[task_id]
        self._on_change()

    def computed(self, progress: Progress, answer: Answer) -> None:
        """Note that a task was computed and its output published."""
        log.info("task answered", **_line(progress, answer, {"origin": "computed"}))
        energy_kwh, carbon_g = answer.energy_kwh or 0.0, answer.carbon_g or 0.0
        self._observer.task_finished(WORDS[answer.outcome], energy_kwh, carbon_g)
        if answer.tracker_failure:
            self._observer.tracker_failed(answer.tracker_failure)
        for name, seconds in progress.stage_s.items():
            self._observer.stage(name, seconds)
        self._keep(progress, answer)

    def repeated(self, progress: Progress, answer: Answer, *, is_sent: bool) -> None:
        """Note that a task had its answer already.

        Args:
            progress: the task.
            answer: its answer.
            is_sent: whether that was published again.
        """
        origin = {"origin": "store", "is_published_again": is_sent}
        log.info("task answered", **_line(progress, answer, origin))
        self._observer.task_finished(STORED)
        self._keep(progress, answer)

    def running(self) -> list[Progress]:
        """List the tasks for which something is done, in the order of their starts."""
        found = [progress for same_id in self._open.values() for progress in same_id]
        return sorted(
            (progress for progress in found if progress.is_running),
            key=lambda progress: progress.position,
        )

    def find_open(self, task_id: TaskId) -> Progress | None:
        """Find the latest task of an id that waits or is in progress."""
        found = self._open.get(task_id)
        return found[-1] if found else None

    def find_answered(self, task_id: TaskId) -> TaskInputs | None:
        """Find the inputs of the latest answered task of an id, if they are still kept."""
        return self._answered.get(task_id)

    def _keep(self, progress: Progress, answer: Answer) -> None:
        self.answered_count += 1
        self.failed_count += answer.outcome is Outcome.NOT_COMPUTED
        inputs = progress.inputs
        if inputs.size_bytes <= MAX_KEPT_BYTES:
            # A copy: what was parsed of them would stay in memory with them.
            self._answered[inputs.key.task_id] = replace(inputs)
            self._answered.move_to_end(inputs.key.task_id)
        if len(self._answered) > ANSWERED_KEPT:
            self._answered.popitem(last=False)


def _line(progress: Progress, answer: Answer, origin: dict[str, object]) -> dict[str, object]:
    """Collect what an operator wants to know of an answered task: one line says it all."""
    inputs = progress.inputs
    found = {
        "mode": answer.mode,
        "place": answer.place_name or answer.place_code,
        **{name: getattr(answer, name) for name in _NUMBERS},
        "reason": answer.reason,
        "detail": answer.detail[:MAX_TEXT_CHARS],
    }
    return {
        "task_id": progress.name,
        "model": inputs.ml_model.model[:MAX_TEXT_CHARS],
        "hardware": inputs.hw_resource.hw_description[:MAX_TEXT_CHARS],
        **origin,
        "outcome": WORDS[answer.outcome],
        **{name: value for name, value in found.items() if value not in (None, "")},
        "stage_s": progress.stage_s,
    }
