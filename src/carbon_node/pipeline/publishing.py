"""Answers leave the node: paced, status before output, and retired after many others."""

from collections.abc import Callable

from carbon_node.pipeline import translate
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.outbox import Outbox
from carbon_node.pipeline.ports import Transport
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.pipeline.retained import RetainedSamples
from carbon_node.transport.contract import Topic
from carbon_node.transport.wire import CO2Footprint, TaskId

OUTPUTS_RETAINED = 400
"""Outputs kept for readers that come late; older instances are retired before the 500 of a peer's
reader are full."""


class Publishing:
    """Publishes answers in turn.

    Args:
        transport: where outputs go.
        announcer: told of each task's end, before its output leaves.
        baseline: remembers each output.
        gap_s: tells the least time between two outputs in seconds.
    """

    def __init__(
        self,
        transport: Transport,
        announcer: StatusAnnouncer,
        baseline: Baseline,
        gap_s: Callable[[], float],
    ) -> None:
        self._announcer = announcer
        self._baseline = baseline
        self._outbox = Outbox(gap_s)
        self._outputs = RetainedSamples(transport, Topic.FOOTPRINT, OUTPUTS_RETAINED)

    async def run(self) -> None:
        """Let answers leave, until cancelled."""
        await self._outbox.run()

    def task_started(self, task_id: TaskId) -> None:
        """Take back the output of an earlier task of the same id.

        A restarted orchestrator counts from (1, 1) again: what its predecessor's task got must not
        reach it as the answer to its own.

        Raises:
            TransportError: it could not be retired.
        """
        self._outputs.retire(CO2Footprint(task_id=task_id))

    async def publish(self, progress: Progress, answer: Answer) -> None:
        """Wait for the turn of an answer, and publish it.

        Raises:
            TransportError: it could not be written.
        """
        await self._outbox.send(progress.position, lambda: self._write(answer))

    def _write(self, answer: Answer) -> None:
        footprint = answer.footprint
        self._announcer.task_ended(footprint.task_id, translate.error_of(answer.result))
        self._outputs.publish(footprint, CO2Footprint(task_id=footprint.task_id))
        self._baseline.remember(footprint)
