"""Which samples of models and hardware were used for which tasks.

A sample is known by its writer's GUID and its sequence number, which it keeps when a restarted
reader gets it again. One that was used for a task is used up. Of what was used in an earlier life
of the node the store knows; `Streams` knows where it has to be asked.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from carbon_node.tasks.memory import NumberMemory
from carbon_node.wire.contract import Arrival

MAX_STREAMS = 10_000
"""Pairs of a user input's writer and a sample's writer that are remembered, 300 bytes each: both
are new with each start of a peer."""


@dataclass(frozen=True, slots=True)
class SampleId:
    """Identity of a sample.

    Args:
        writer: GUID of its writer as text.
        sequence_number: its place among what that writer has written, from 1; 0 if the transport
            does not tell.
    """

    writer: str = ""
    sequence_number: int = 0

    @property
    def is_known(self) -> bool:
        """Whether it identifies a sample."""
        return self.sequence_number > 0


@dataclass(frozen=True, slots=True)
class Sources:
    """The samples that completed a task, beside its user input.

    Args:
        ml_model: of the model.
        hw_resource: of the hardware.
        is_certain: whether both were certainly written for this task.
    """

    ml_model: SampleId = SampleId()
    hw_resource: SampleId = SampleId()
    is_certain: bool = False

    @property
    def samples(self) -> tuple[SampleId, SampleId]:
        """Both."""
        return self.ml_model, self.hw_resource

    @property
    def are_known(self) -> bool:
        """Whether they identify samples."""
        return self.ml_model.is_known and self.hw_resource.is_known


UNKNOWN = Sources()
"""Of a task whose transport does not identify samples."""


@dataclass(frozen=True, slots=True)
class Use:
    """A sample that a task of some id was completed with.

    Args:
        user_writer: GUID of the task's user input writer.
        sample: of its model or its hardware.
    """

    user_writer: str
    sample: SampleId


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a writer's samples one session used, in an earlier life of the node.

    Args:
        user_writer: GUID of the session's user input writer.
        writer: GUID of the samples' writer.
        first: lowest sequence number that was certainly written in the session; None if none was.
        last: highest sequence number that was used.
    """

    user_writer: str
    writer: str
    first: int | None
    last: int


def id_of(arrival: Arrival) -> SampleId:
    """Return the identity of a sample that arrived."""
    return SampleId(arrival.writer, arrival.sequence_number)


class Streams:
    """What was used of each writer's samples.

    Args:
        max_blocks: blocks of used samples that are remembered, >= 1; see `NumberMemory`.
    """

    def __init__(self, max_blocks: int) -> None:
        self._used: NumberMemory[str] = NumberMemory(max_blocks)
        self._first: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._last_in_past: dict[str, int] | None = {}

    def learn(self, past: Iterable[Span] | None) -> None:
        """Take in what earlier lives of the node used; None if that cannot be told."""
        if past is None:
            self._last_in_past = None
            return
        self._last_in_past = {}
        for span in past:
            last = self._last_in_past.get(span.writer, 0)
            self._last_in_past[span.writer] = max(last, span.last)
            if span.first is not None:
                self._begin(span.user_writer, SampleId(span.writer, span.first))

    def use(self, user_writer: str, sources: Sources) -> None:
        """Note what a task was completed with."""
        for sample in sources.samples:
            if sample.is_known:
                self._used.add(sample.writer, sample.sequence_number)
                if sources.is_certain:
                    self._begin(user_writer, sample)

    def is_used_up(self, sample: SampleId) -> bool:
        """Whether a sample was used in this life of the node."""
        return sample.is_known and self._used.has(sample.writer, sample.sequence_number)

    def may_be_of_past(self, sample: SampleId) -> bool:
        """Whether a sample may have been used in an earlier life of the node."""
        if not sample.is_known:
            return False
        past = self._last_in_past
        return past is None or sample.sequence_number <= past.get(sample.writer, 0)

    def is_of_session(self, user_writer: str, sample: SampleId) -> bool:
        """Whether a sample was written since its writer wrote the first one of a session."""
        first = self._first.get((user_writer, sample.writer))
        return first is not None and first <= sample.sequence_number

    def _begin(self, user_writer: str, sample: SampleId) -> None:
        pair = (user_writer, sample.writer)
        self._first[pair] = min(
            self._first.get(pair, sample.sequence_number), sample.sequence_number
        )
        self._first.move_to_end(pair)
        if len(self._first) > MAX_STREAMS:
            self._first.popitem(last=False)
