"""Samples become tasks, and what becomes of the others is said."""

import structlog

from carbon_node.errors import CarbonNodeError
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.join import Join, Ready, Rejected, Repeated, Waiting
from carbon_node.pipeline.task import TaskInputs
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import UserInput

INPUT_TOPICS = frozenset({Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE})
"""Topics whose samples make up a task."""

log = structlog.get_logger(__name__)


class Intake:
    """Joins arrivals and keeps the baseline up to date.

    Args:
        join: where samples meet.
        baseline: told of every new user input.
    """

    def __init__(self, join: Join, baseline: Baseline) -> None:
        self._join = join
        self._baseline = baseline

    def take_in(self, arrival: Arrival, now_s: float) -> TaskInputs | None:
        """Take in one arrival of an input topic.

        Args:
            arrival: a sample of a task.
            now_s: monotonic time in seconds.

        Returns:
            The task, if the arrival completed it.
        """
        event = self._join.add(arrival, now_s)
        match event:
            case Ready() | Waiting():
                self._update_baseline(arrival)
            case Repeated(identity):
                log.info(
                    "repeated input ignored", topic=arrival.topic.dds_name, task_id=identity.task_id
                )
            case Rejected(reason):
                log.warning("sample rejected", topic=arrival.topic.dds_name, reason=reason)
        self.evict(now_s)
        return event.inputs if isinstance(event, Ready) else None

    def evict(self, now_s: float) -> None:
        """Give up incomplete tasks that are beyond the bounds, and say so."""
        for evicted in self._join.evict(now_s):
            log.warning(
                "incomplete task given up",
                task_id=evicted.task_id,
                missing=evicted.missing,
                reason=evicted.reason,
            )

    def _update_baseline(self, arrival: Arrival) -> None:
        if not isinstance(arrival.sample, UserInput):
            return
        try:
            self._baseline.user_input_arrived(arrival.sample.task_id)
        except CarbonNodeError as error:
            log.warning("baseline not published", task_id=arrival.sample.task_id, error=str(error))
