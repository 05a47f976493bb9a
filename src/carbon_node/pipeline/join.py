"""Bring the three samples of a task together.

Samples are joined by the set of their topics, never by count: a topic that is published twice is
still one topic, and any order of arrival completes the same task. Until a task starts, the newest
sample of each topic wins, newest by its writer's own timestamp, so that the outcome does not
depend on which DDS thread was faster.

A started task is remembered by its key, not by its id alone, and its samples leave the join.
A later model or hardware sample of that id may be a repetition or the first sign of a restarted
orchestrator; only a user input can tell, so such samples wait for one and age out when none comes.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar, assert_never

from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.memory import TaskMemory
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import NO_TASK, HWResource, MLModel, TaskId, UserInput

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource)


@dataclass(frozen=True, slots=True)
class JoinBounds:
    """How much the join keeps.

    Args:
        incomplete_count: incomplete tasks kept at once, >= 1; more than the 500 instances that a
            peer can retain.
        incomplete_age_s: seconds after which an incomplete task is given up, > 0.
        remembered_blocks: blocks of started tasks remembered to recognise repetitions, >= 1; see
            `TaskMemory`. A task that was forgotten and comes again is still found in the store.
    """

    incomplete_count: int
    incomplete_age_s: float
    remembered_blocks: int


@dataclass(frozen=True, slots=True)
class Ready:
    """All three samples of a task are there; it starts now."""

    inputs: TaskInputs


@dataclass(frozen=True, slots=True)
class Waiting:
    """The sample was kept; the task is not complete yet."""

    task_id: TaskId


@dataclass(frozen=True, slots=True)
class Repeated:
    """A user input of a task that has started already; nothing changes."""

    key: TaskKey


@dataclass(frozen=True, slots=True)
class Rejected:
    """A sample that belongs to no task."""

    reason: str


@dataclass(frozen=True, slots=True)
class Evicted:
    """An incomplete task that was given up.

    Args:
        task_id: id on the wire.
        missing: names of the sample types that never came.
        reason: which bound was passed.
    """

    task_id: TaskId
    missing: tuple[str, ...]
    reason: str


JoinEvent: TypeAlias = Ready | Waiting | Repeated | Rejected


@dataclass(slots=True)
class _Newest(Generic[SampleT]):
    sample: SampleT | None = None
    writer: str = ""
    timestamp_ns: int = -1

    def offer(self, sample: SampleT, arrival: Arrival) -> None:
        if arrival.source_timestamp_ns >= self.timestamp_ns:
            self.sample, self.writer = sample, arrival.writer
            self.timestamp_ns = arrival.source_timestamp_ns


@dataclass(slots=True)
class _Partial:
    since_s: float
    user_input: _Newest[UserInput] = field(default_factory=_Newest)
    ml_model: _Newest[MLModel] = field(default_factory=_Newest)
    hw_resource: _Newest[HWResource] = field(default_factory=_Newest)

    def inputs(self) -> TaskInputs | None:
        match self.user_input.sample, self.ml_model.sample, self.hw_resource.sample:
            case UserInput() as user_input, MLModel() as ml_model, HWResource() as hw_resource:
                key = TaskKey(user_input.task_id, self.user_input.writer)
                return TaskInputs(key, user_input, ml_model, hw_resource)
            case _:
                return None

    def missing(self) -> tuple[str, ...]:
        samples = {
            "user input": self.user_input.sample,
            "ML model": self.ml_model.sample,
            "hardware resource": self.hw_resource.sample,
        }
        return tuple(name for name, sample in samples.items() if sample is None)


class Join:
    """Incomplete tasks and the memory of started ones; no I/O, no clock, not thread-safe.

    Args:
        bounds: how much is kept.
    """

    def __init__(self, bounds: JoinBounds) -> None:
        self._bounds = bounds
        self._partials: OrderedDict[TaskId, _Partial] = OrderedDict()
        self._started = TaskMemory(bounds.remembered_blocks)

    @property
    def incomplete_count(self) -> int:
        """How many tasks wait for a sample."""
        return len(self._partials)

    def add(self, arrival: Arrival, now_s: float) -> JoinEvent:
        """Take in one sample of an input topic.

        Args:
            arrival: a sample of type UserInput, MLModel or HWResource.
            now_s: monotonic time in seconds.

        Returns:
            What the sample led to.
        """
        sample = arrival.sample
        kind = type(sample).__name__
        if not isinstance(sample, UserInput | MLModel | HWResource):
            return Rejected(f"a {kind} is not an input of a task")
        if sample.task_id == NO_TASK:
            return Rejected(
                f"{kind} with the invalid task id (0, 0); its sender has to number its tasks"
            )
        key = TaskKey(sample.task_id, arrival.writer)
        if key in self._started:
            return Repeated(key)
        return self._put(sample, arrival, now_s)

    def _put(
        self, sample: UserInput | MLModel | HWResource, arrival: Arrival, now_s: float
    ) -> JoinEvent:
        partial = self._partials.setdefault(sample.task_id, _Partial(now_s))
        match sample:
            case UserInput():
                partial.user_input.offer(sample, arrival)
            case MLModel():
                partial.ml_model.offer(sample, arrival)
            case HWResource():
                partial.hw_resource.offer(sample, arrival)
            case _:
                assert_never(sample)
        inputs = partial.inputs()
        if inputs is None:
            return Waiting(sample.task_id)
        del self._partials[sample.task_id]
        self._started.add(inputs.key)
        return Ready(inputs)

    def evict(self, now_s: float) -> Iterator[Evicted]:
        """Give up the incomplete tasks that are too many or too old, oldest first.

        Args:
            now_s: monotonic time in seconds.

        Yields:
            Each task that was given up.
        """
        while self._partials:
            task_id, oldest = next(iter(self._partials.items()))
            if len(self._partials) > self._bounds.incomplete_count:
                reason = f"more than {self._bounds.incomplete_count} incomplete tasks"
            elif now_s - oldest.since_s > self._bounds.incomplete_age_s:
                reason = f"incomplete for more than {self._bounds.incomplete_age_s:g} s"
            else:
                return
            del self._partials[task_id]
            yield Evicted(task_id, oldest.missing(), reason)
