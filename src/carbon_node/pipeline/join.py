"""Bring the three samples of a task together.

Samples are joined by the set of their topics, never by count: a topic that is published twice is
still one topic, and any order of arrival completes the same task. Until a task starts, the newest
sample of each topic wins. A task whose model or hardware was not written for its user input waits
for newer ones: `freshness` has the rule.

A started task is remembered by its key, not by its id alone, and its samples are used up. A later
model or hardware sample of that id may be a correction or the first sign of a restarted
orchestrator; only a user input can tell, so such samples wait for one and age out when none comes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar, assert_never

from carbon_node.pipeline.freshness import Verdict, following, is_newer, judge
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.lineage import SampleId, Sources, Span, Streams, Use, id_of
from carbon_node.tasks.memory import TaskMemory
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import NO_TASK, HWResource, MLModel, TaskId, UserInput

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource)

USER_INPUT, ML_MODEL, HW_RESOURCE = "user input", "ML model", "hardware resource"
"""What people read of the samples of a task."""


@dataclass(frozen=True, slots=True)
class JoinBounds:
    """How much the join keeps.

    Args:
        incomplete_count: incomplete tasks kept at once, >= 1; more than the 500 instances that a
            peer can retain.
        incomplete_age_s: seconds after which an incomplete task is given up, > 0.
        remembered_blocks: blocks of started tasks and of used samples remembered to recognise
            repetitions, >= 1; see `NumberMemory`. A task that was forgotten and comes again is
            still found in the store.
        newer_wait_s: seconds that a complete task waits for newer samples if its model or hardware
            seems to be older than its user input, >= 0.
    """

    incomplete_count: int
    incomplete_age_s: float
    remembered_blocks: int
    newer_wait_s: float


@dataclass(frozen=True, slots=True)
class Ready:
    """All three samples of a task are there; it starts now."""

    inputs: TaskInputs


@dataclass(frozen=True, slots=True)
class Waiting:
    """The sample was kept; the task is not complete yet."""

    task_id: TaskId


@dataclass(frozen=True, slots=True)
class Held:
    """All three samples of a task are there, but some were not written for it; it waits for others.

    Args:
        task_id: id on the wire.
        used: names of the samples that were used for a task of another session.
        older: names of those that seem to be from before the user input.
    """

    task_id: TaskId
    used: tuple[str, ...]
    older: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Doubtful:
    """All three samples are there, and only the ledger knows whether they were used: `settle`.

    Args:
        task_id: id on the wire.
        ml_model: which model it is.
        hw_resource: which hardware it is.
    """

    task_id: TaskId
    ml_model: SampleId
    hw_resource: SampleId


@dataclass(frozen=True, slots=True)
class Repeated:
    """A sample of a task that has started already; nothing changes."""

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
        missing: names of the samples that never came, or not for this task.
        reason: which bound was passed.
    """

    task_id: TaskId
    missing: tuple[str, ...]
    reason: str


Settled: TypeAlias = Ready | Waiting | Held | Repeated | Rejected
JoinEvent: TypeAlias = Settled | Doubtful

_Arrivals: TypeAlias = tuple[Arrival, Arrival, Arrival]
"""Of user input, ML model and hardware resource."""


@dataclass(slots=True)
class _Newest(Generic[SampleT]):
    sample: SampleT | None = None
    arrival: Arrival | None = None

    def offer(self, sample: SampleT, arrival: Arrival) -> None:
        if self.arrival is None:
            self.sample, self.arrival = sample, arrival
        elif is_newer(arrival, self.arrival):
            self.sample, self.arrival = sample, following(arrival, self.arrival)


@dataclass(slots=True)
class _Partial:
    since_s: float
    user_input: _Newest[UserInput] = field(default_factory=_Newest)
    ml_model: _Newest[MLModel] = field(default_factory=_Newest)
    hw_resource: _Newest[HWResource] = field(default_factory=_Newest)
    uses: tuple[Use, ...] | None = None
    held: Held | None = None
    held_since_s: float = 0.0

    def offer(self, sample: UserInput | MLModel | HWResource, arrival: Arrival) -> None:
        match sample:
            case UserInput():
                self.user_input.offer(sample, arrival)
            case MLModel():
                self.ml_model.offer(sample, arrival)
                self.uses = None
            case HWResource():
                self.hw_resource.offer(sample, arrival)
                self.uses = None
            case _:
                assert_never(sample)

    def arrivals(self) -> _Arrivals | None:
        match self.user_input.arrival, self.ml_model.arrival, self.hw_resource.arrival:
            case Arrival() as user_input, Arrival() as ml_model, Arrival() as hw_resource:
                return user_input, ml_model, hw_resource
            case _:
                return None

    def inputs(self, *, is_certain: bool, older: tuple[str, ...]) -> TaskInputs:
        match self.user_input, self.ml_model, self.hw_resource:
            case (
                _Newest(UserInput() as user_input, Arrival(writer=writer)),
                _Newest(MLModel() as ml_model, Arrival() as model),
                _Newest(HWResource() as hw_resource, Arrival() as hardware),
            ):
                key = TaskKey(user_input.task_id, writer)
                sources = Sources(id_of(model), id_of(hardware), is_certain)
                return TaskInputs(key, user_input, ml_model, hw_resource, sources, older)
            case _:
                raise AssertionError("a task without all its samples was started")

    def missing(self) -> tuple[str, ...]:
        samples = {
            USER_INPUT: self.user_input.sample,
            ML_MODEL: self.ml_model.sample,
            HW_RESOURCE: self.hw_resource.sample,
        }
        absent = tuple(name for name, sample in samples.items() if sample is None)
        return absent or (() if self.held is None else (*self.held.used, *self.held.older))


class Join:
    """Incomplete tasks and the memory of started ones; no I/O, no clock, not thread-safe.

    Args:
        bounds: how much is kept.
    """

    def __init__(self, bounds: JoinBounds) -> None:
        self._bounds = bounds
        self._partials: OrderedDict[TaskId, _Partial] = OrderedDict()
        self._held: OrderedDict[TaskId, None] = OrderedDict()
        self._started = TaskMemory(bounds.remembered_blocks)
        self._streams = Streams(bounds.remembered_blocks)

    @property
    def incomplete_count(self) -> int:
        """How many tasks wait for a sample."""
        return len(self._partials)

    def learn(self, past: Iterable[Span] | None) -> None:
        """Take in what earlier lives of the node used; None if that cannot be told."""
        self._streams.learn(past)

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
        if key in self._started or self._streams.is_used_up(id_of(arrival)):
            return Repeated(key)
        self._partial(sample, arrival, now_s).offer(sample, arrival)
        return self._outcome(sample.task_id, now_s)

    def settle(self, task_id: TaskId, uses: Iterable[Use], now_s: float) -> Settled:
        """Go on with a doubtful task.

        Args:
            task_id: that of the `Doubtful`.
            uses: what the ledger knows of its samples.
            now_s: monotonic time in seconds.
        """
        partial = self._partials.get(task_id)
        arrivals = None if partial is None else partial.arrivals()
        if partial is None or arrivals is None:
            # Given up meanwhile.
            return Waiting(task_id)
        partial.uses = tuple(uses)
        return self._judged(task_id, partial.uses, arrivals, now_s)

    def overdue(self, now_s: float) -> Iterator[Ready]:
        """Start the tasks that have waited for newer samples for long enough.

        Args:
            now_s: monotonic time in seconds.

        Yields:
            Each of them, with its doubts.
        """
        while self._held:
            task_id = next(iter(self._held))
            partial = self._partials[task_id]
            if now_s - partial.held_since_s < self._bounds.newer_wait_s:
                return
            older = () if partial.held is None else partial.held.older
            yield self._start(task_id, is_certain=False, older=older)

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
            self._remove(task_id)
            yield Evicted(task_id, oldest.missing(), reason)

    def _partial(
        self, sample: UserInput | MLModel | HWResource, arrival: Arrival, now_s: float
    ) -> _Partial:
        partial = self._partials.setdefault(sample.task_id, _Partial(now_s))
        known = partial.user_input.arrival
        if isinstance(sample, UserInput) and (known is None or known.writer != arrival.writer):
            # What waited for it may have done so for a day; the task begins now.
            partial.since_s = now_s
            self._partials.move_to_end(sample.task_id)
            self._release(sample.task_id, partial)
        return partial

    def _outcome(self, task_id: TaskId, now_s: float) -> JoinEvent:
        partial = self._partials[task_id]
        arrivals = partial.arrivals()
        if arrivals is None:
            return Waiting(task_id)
        if partial.uses is None:
            others = id_of(arrivals[1]), id_of(arrivals[2])
            if any(map(self._streams.may_be_of_past, others)):
                return Doubtful(task_id, *others)
        return self._judged(task_id, partial.uses or (), arrivals, now_s)

    def _judged(
        self, task_id: TaskId, uses: tuple[Use, ...], arrivals: _Arrivals, now_s: float
    ) -> Settled:
        user_input, *others = arrivals
        model, hardware = (judge(each, user_input, uses, self._streams) for each in others)
        if model.is_good and hardware.is_good:
            return self._start(task_id, is_certain=model is hardware is Verdict.CERTAIN)
        verdicts = {ML_MODEL: model, HW_RESOURCE: hardware}
        held = Held(task_id, _named(Verdict.USED, verdicts), _named(Verdict.OLDER, verdicts))
        return self._hold(held, now_s)

    def _hold(self, held: Held, now_s: float) -> Held | Waiting:
        partial = self._partials[held.task_id]
        if partial.held == held:
            return Waiting(held.task_id)
        if held.used:
            self._held.pop(held.task_id, None)
        elif held.task_id not in self._held:
            self._held[held.task_id] = None
            partial.held_since_s = now_s
        partial.held = held
        return held

    def _release(self, task_id: TaskId, partial: _Partial) -> None:
        self._held.pop(task_id, None)
        partial.held = None

    def _start(self, task_id: TaskId, *, is_certain: bool, older: tuple[str, ...] = ()) -> Ready:
        inputs = self._partials[task_id].inputs(is_certain=is_certain, older=older)
        self._remove(task_id)
        self._started.add(inputs.key)
        self._streams.use(inputs.key.writer, inputs.sources)
        return Ready(inputs)

    def _remove(self, task_id: TaskId) -> None:
        del self._partials[task_id]
        self._held.pop(task_id, None)


def _named(wanted: Verdict, verdicts: Mapping[str, Verdict]) -> tuple[str, ...]:
    return tuple(name for name, verdict in verdicts.items() if verdict is wanted)
