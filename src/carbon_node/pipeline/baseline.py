"""The previous iteration's footprint for the ML model provider, in a pipeline without orchestrator.

Where there is one, the orchestrator publishes the baseline itself; a second one would contradict
it.
"""

from collections import OrderedDict
from dataclasses import replace

from carbon_node.pipeline.outputs import RetainedSamples
from carbon_node.pipeline.ports import Transport
from carbon_node.wire.contract import ORCHESTRATOR_NAME, BaselinePolicy, Topic
from carbon_node.wire.samples import CO2Footprint, TaskId

REMEMBERED_PROBLEMS = 512
"""Problems whose latest footprint is kept: more than the 500 instances that a peer can retain, at
a few kB each."""

RETAINED = 400
"""Baselines kept for a provider that is slow to take them; older instances end before the 500 of
its reader, and the writer's own, are full."""


class Baseline:
    """Publishes the previous iteration's footprint when a user input asks for the next.

    Args:
        transport: where it goes.
        policy: whether it is published; AUTO means where no orchestrator is in the domain.
    """

    def __init__(self, transport: Transport, policy: BaselinePolicy) -> None:
        self._transport = transport
        self._policy = policy
        self._samples = RetainedSamples(transport, Topic.BASELINE, RETAINED)
        self._latest: OrderedDict[int, CO2Footprint] = OrderedDict()

    def remember(self, footprint: CO2Footprint) -> None:
        """Keep the footprint of an iteration for the next one."""
        problem_id = footprint.task_id.problem_id
        self._latest[problem_id] = footprint
        self._latest.move_to_end(problem_id)
        if len(self._latest) > REMEMBERED_PROBLEMS:
            self._latest.popitem(last=False)

    def user_input_arrived(self, task_id: TaskId) -> None:
        """Publish what the ML model provider compares the new iteration with.

        Args:
            task_id: id of the new task; its footprint so far is empty on iteration 1.

        Raises:
            TransportError: it could not be written.
        """
        if not self._is_ours():
            return
        previous = self._latest.get(task_id.problem_id)
        if previous is None or previous.task_id.iteration_id != task_id.iteration_id - 1:
            previous = CO2Footprint()
        self._samples.publish(replace(previous, task_id=task_id), CO2Footprint(task_id=task_id))

    def _is_ours(self) -> bool:
        match self._policy:
            case BaselinePolicy.ALWAYS:
                return True
            case BaselinePolicy.NEVER:
                return False
            case BaselinePolicy.AUTO:
                return all(peer.name != ORCHESTRATOR_NAME for peer in self._transport.peers())
