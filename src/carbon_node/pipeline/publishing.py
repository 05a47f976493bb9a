"""Answers leave the node: paced, and their status before them."""

from collections.abc import Callable

from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.outbox import Outbox
from carbon_node.pipeline.outputs import Outputs
from carbon_node.tasks.answer import Kept, Outcome
from carbon_node.wire import extra_data
from carbon_node.wire.samples import TaskId


class Publishing:
    """Publishes answers in turn.

    Args:
        outputs: writes them.
        announcer: told of each task's end, before its output leaves.
        baseline: remembers each output.
        gap_s: tells the least time between two outputs in seconds.
    """

    def __init__(
        self,
        outputs: Outputs,
        announcer: StatusAnnouncer,
        baseline: Baseline,
        gap_s: Callable[[], float],
    ) -> None:
        self._outputs = outputs
        self._announcer = announcer
        self._baseline = baseline
        self._outbox = Outbox(gap_s, outputs)

    async def run(self) -> None:
        """Let answers leave, until cancelled."""
        await self._outbox.run()

    async def follow(self) -> None:
        """Follow outputs until readers have them, until cancelled."""
        await self._outputs.run()

    async def settle(self) -> None:
        """Give readers a moment to receive what left last."""
        await self._outputs.confirm()

    def task_started(self, task_id: TaskId) -> None:
        """Take back the output of an earlier task of the same id.

        A restarted orchestrator counts from (1, 1) again: what its predecessor's task got must not
        reach it as the answer to its own.

        Raises:
            TransportError: it could not be retired.
        """
        self._announcer.task_started(task_id)
        self._outputs.end(task_id)

    def answered_before(self, kept: Kept) -> None:
        """Note an answer that has left in an earlier life of the node."""
        self._baseline.remember(kept.answer.footprint)

    async def publish(self, position: int, kept: Kept) -> None:
        """Wait for the turn of an answer, and publish it.

        Args:
            position: unique place of the task in the order of starts.
            kept: the answer, which is on disk.

        Raises:
            TransportError: it could not be written.
        """
        await self._outbox.send(position, lambda: self._write(kept))

    def _write(self, kept: Kept) -> None:
        footprint = kept.answer.footprint
        is_failed = kept.answer.outcome is Outcome.NOT_COMPUTED
        error = extra_data.error_in(footprint.extra_data) if is_failed else None
        self._announcer.task_ended(footprint.task_id, error)
        self._outputs.publish(kept)
        self._baseline.remember(footprint)
