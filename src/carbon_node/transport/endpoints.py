"""Endpoints and types of the binding as the topics need them; all quality of service is here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from carbon_node.errors import TransportError, WireError
from carbon_node.transport.binding import native
from carbon_node.transport.contract import Arrival, Topic
from carbon_node.transport.types import STRUCTS, Struct, decode, key_of
from carbon_node.transport.wire import TaskId

HEARTBEAT_PERIOD_S = 0.1
"""How often writers ask for acknowledgments that are missing; Fast DDS's own 3 s would be the time
that waiting for them takes."""

READER_INSTANCES = 20_000
"""Peers never dispose their tasks, and a reader that is full stops without an error. An instance
takes 400 bytes."""

WRITER_INSTANCES = 5_000
"""Ten times what peers read; an instance is free again once its retirement is acknowledged."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Quality of service of an endpoint.

    Args:
        is_reliable: whether lost samples are sent again.
        is_retained: whether late readers get the last samples.
        depth: samples kept per instance; 0 keeps all.
        instances: instances kept; 0 is no limit. Fast DDS's own 10 would stop an endpoint at its
            11th task.
    """

    is_reliable: bool
    is_retained: bool
    depth: int
    instances: int


READER = Quality(is_reliable=True, is_retained=True, depth=1, instances=READER_INSTANCES)
WRITER = Quality(is_reliable=True, is_retained=True, depth=1, instances=WRITER_INSTANCES)
CONTROL = Quality(is_reliable=False, is_retained=False, depth=16, instances=WRITER_INSTANCES)
"""Any writer of commands matches; commands are events, which do not replace each other."""
SERVICE = Quality(is_reliable=True, is_retained=False, depth=0, instances=0)


def reader_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's reader."""
    return CONTROL if topic is Topic.CONTROL else READER


def writer_quality(topic: Topic) -> Quality:
    """Quality of service of a topic's writer."""
    return CONTROL if topic is Topic.CONTROL else WRITER


def native_qos(quality: Quality) -> native.Qos:
    """Quality of service as the binding takes it."""
    return native.Qos(
        reliable=quality.is_reliable,
        transient_local=quality.is_retained,
        history_depth=quality.depth,
        max_samples=quality.instances * quality.depth,
        max_instances=quality.instances,
        max_samples_per_instance=quality.depth,
        heartbeat_period_s=HEARTBEAT_PERIOD_S,
    )


def native_type(struct: Struct) -> native.StructType:
    """Build a struct's type for the binding."""
    members = [
        native.Member(
            member.name,
            native_type(member.type) if isinstance(member.type, Struct) else member.type,
            is_key=member.is_key,
            id=member.id,
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
    """A topic's reader; remembers the keys of instances, which DDS does not tell at their end."""

    def __init__(self, participant: native.Participant, topic: Topic) -> None:
        self.topic = topic
        struct_type = native_type(STRUCTS[topic.sample_type])
        self._native = native.Reader(
            participant, topic.dds_name, struct_type, native_qos(reader_quality(topic))
        )
        self._keys: dict[bytes, TaskId] = {}

    def matched(self) -> list[str]:
        """GUIDs of the matched writers."""
        return self._native.matched()

    def take(self, limit: int) -> list[native.Sample]:
        """Take up to `limit` waiting samples."""
        return self._native.take(limit)

    def arrival(self, sample: native.Sample) -> Arrival | None:
        """Read a taken sample; None for the end of an instance of which nothing was received.

        Raises:
            WireError: a value that the contract does not know.
        """
        if sample.value is None:
            content, key = None, self._keys.pop(sample.instance, None)
        else:
            content = decode(self.topic.sample_type, sample.value)
            key = self._remember(sample.instance, key_of(content))
        if key is None:
            return None
        return Arrival(self.topic, content, key, sample.writer, sample.source_timestamp_ns)

    def _remember(self, instance: bytes, key: TaskId) -> TaskId:
        self._keys[instance] = key
        if len(self._keys) > READER_INSTANCES:
            del self._keys[next(iter(self._keys))]
        return key


@contextmanager
def explained(action: str) -> Iterator[None]:
    """Turn the binding's errors into ours: what could not be done, and why.

    Raises:
        TransportError: Fast DDS refused.
        WireError: a value does not fit its wire type.
    """
    try:
        yield
    except native.Error as error:
        raise TransportError(f"cannot {action}: {error}") from error
    except TypeError as error:
        raise WireError(f"cannot {action}: {error}") from error
