"""Readers and writers of the binding for the pipeline's topics."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice

from carbon_node.errors import TransportError, WireError
from carbon_node.transport.binding import native
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.quality import (
    LIVE_INSTANCES,
    WRAPPING,
    Quality,
    reader_quality,
    writer_quality,
)
from carbon_node.wire.samples import TaskId
from carbon_node.wire.types import STRUCTS, Struct, decode, key_in_handle, key_of

WRITERS_REMEMBERED = 1_000
"""Writers of which it is known what was taken: more than a pipeline has, restarts included."""

FORGOTTEN_AT_ONCE = 64
"""Instances that are forgotten in one go, some milliseconds' work."""


def native_qos(quality: Quality) -> native.Qos:
    """Quality of service as the binding takes it."""
    has_own_bound = quality.samples is not None
    return native.Qos(
        reliable=quality.is_reliable,
        transient_local=quality.is_retained,
        history_depth=quality.depth,
        max_samples=quality.samples or quality.instances * quality.depth,
        max_instances=quality.instances,
        max_samples_per_instance=WRAPPING // quality.instances if has_own_bound else quality.depth,
        heartbeat_period_s=quality.heartbeat_period_s,
    )


def native_type(struct: Struct) -> native.StructType:
    """Build a struct's type for the binding."""
    members = [
        native.Member(
            member.name,
            native_type(member.type) if isinstance(member.type, Struct) else member.type,
            is_key=member.is_key,
            id=member.id,
            is_borrowed=member.is_borrowed,
        )
        for member in struct.members
    ]
    return native.StructType(struct.name, members, extensibility=struct.extensibility)


def open_writer(participant: native.Participant, topic: Topic) -> native.Writer:
    """Create a topic's writer."""
    struct_type = native_type(STRUCTS[topic.sample_type])
    return native.Writer(
        participant, topic.dds_name, struct_type, native_qos(writer_quality(topic))
    )


class Reader:
    """A topic's reader.

    At the end of an instance DDS tells its handle only. That is its key, if it is short; longer
    keys are remembered. An instance takes room until all its writers have ended it, which many
    never do: of those, the oldest are forgotten.

    Args:
        participant: the one it belongs to.
        topic: what it reads.
        former: the reader of a former participant, whose samples do not come again.
    """

    def __init__(
        self, participant: native.Participant, topic: Topic, former: "Reader | None" = None
    ) -> None:
        self.topic = topic
        struct_type = native_type(STRUCTS[topic.sample_type])
        self._native = native.Reader(
            participant, topic.dds_name, struct_type, native_qos(reader_quality(topic))
        )
        self._keys: dict[bytes, TaskId] = {}
        self._are_events = topic is Topic.CONTROL
        self._live: dict[bytes, None] = {}
        self._rejected_count = 0
        self._taken_before = {} if former is None else dict(former.last_taken)
        self.last_taken: dict[str, int] = dict(self._taken_before)
        """Number of the last sample that was taken, by GUID of its writer."""
        self._is_key_in_handle = key_in_handle(topic.sample_type, bytes(16)) is not None
        self.matched = self._native.matched
        """Returns the GUIDs of the matched writers."""

    def take(self, limit: int) -> list[native.Sample]:
        """Take up to `limit` waiting samples, and forget the oldest of too many instances.

        Of what waits of one instance and writer, only the newest counts, unless the samples are
        events.
        """
        samples = self._native.take(limit)
        newest = {
            (sample.instance, sample.writer): sample for sample in samples if self._is_new(sample)
        }
        self._live.update(dict.fromkeys(sample.instance for sample in samples))
        # Forgetting takes room itself: not while more samples wait, perhaps in a full reader.
        if len(samples) < limit:
            self._forget_oldest()
        return samples if self._are_events else list(newest.values())

    def _is_new(self, sample: native.Sample) -> bool:
        if sample.value is None:
            return True
        last = self.last_taken.pop(sample.writer, 0)
        self.last_taken[sample.writer] = max(last, sample.sequence_number)
        if len(self.last_taken) > WRITERS_REMEMBERED:
            del self.last_taken[next(iter(self.last_taken))]
        return sample.sequence_number > self._taken_before.get(sample.writer, 0)

    def _forget_oldest(self) -> None:
        excess = min(len(self._live) - LIVE_INSTANCES, FORGOTTEN_AT_ONCE)
        for oldest in list(islice(self._live, max(excess, 0))):
            del self._live[oldest]
            # An instance that cannot be forgotten takes some room; what was taken matters more.
            with suppress(native.Error):
                self._native.forget(oldest)

    def has_refused(self) -> bool:
        """Whether a sample has found no room since this was last asked."""
        known, self._rejected_count = self._rejected_count, self._native.rejected_count()
        return self._rejected_count > known

    def arrival(
        self, sample: native.Sample, received_s: float, known_for_s: float
    ) -> Arrival | None:
        """Read a taken sample; None for the end of an instance whose key cannot be told.

        Args:
            sample: as it was taken.
            received_s: when it was received, monotonic time in seconds.
            known_for_s: seconds for which its writer's participant had been known then.

        Raises:
            WireError: a value that the contract does not know.
        """
        if sample.value is None:
            content, key = None, self._recall(sample.instance)
        else:
            content = decode(self.topic.sample_type, sample.value)
            key = self._remember(sample.instance, key_of(content))
        if key is None:
            return None
        return Arrival(
            self.topic,
            content,
            key,
            sample.writer,
            sample.source_timestamp_ns,
            sample.sequence_number,
            sample.reception_timestamp_ns,
            received_s,
            known_for_s,
        )

    def _remember(self, instance: bytes, key: TaskId) -> TaskId:
        if not self._is_key_in_handle:
            self._keys[instance] = key
            if len(self._keys) > LIVE_INSTANCES:
                del self._keys[next(iter(self._keys))]
        return key

    def _recall(self, instance: bytes) -> TaskId | None:
        known = self._keys.pop(instance, None)
        return key_in_handle(self.topic.sample_type, instance) if known is None else known


@contextmanager
def translated_errors(action: str) -> Iterator[None]:
    """Turn the binding's errors into ours: what could not be done, and why.

    Raises:
        TransportError: Fast DDS refused.
        WireError: a value does not fit its wire type.
    """
    try:
        yield
    # RuntimeError is what libraries below Fast DDS throw: no thread or descriptor to be had.
    except (native.Error, RuntimeError, TypeError) as error:
        raise translated(action, error) from error


def translated(action: str, error: Exception) -> TransportError | WireError:
    """Turn an error of the binding into ours; for calls too frequent for a context."""
    kind = WireError if isinstance(error, TypeError) else TransportError
    return kind(f"cannot {action}: {error}")
