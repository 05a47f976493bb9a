"""
Fast DDS as carbon_node needs it: mechanism only, every policy comes from Python.
"""

from collections.abc import Sequence
import enum
from typing import Any


VERSION: str = '3.2.2'

class Error(Exception):
    """Fast DDS refused; the message ends in its return code."""

class StructType:
    """A struct on the wire; its samples are tuples in member order."""

    def __init__(self, name: str, members: Sequence[Member], *, extensibility: str) -> None:
        """Build the type; `extensibility` is "final", "appendable" or "mutable"."""

    @property
    def name(self) -> str:
        """Name of the type on the wire."""

    def to_payload(self, value: tuple[Any, ...], *, is_xcdr2: bool) -> bytes:
        """Encode a sample as a writer does, in XCDR version 1 or 2."""

    def from_payload(self, payload: bytes) -> tuple[Any, ...] | None:
        """
        Decode a sample as a reader does; None for a payload that a reader skips.
        """

    def handle_of(self, payload: bytes, *, is_hashed: bool) -> bytes:
        """
        Handle of the instance that a payload belongs to; `is_hashed` asks for the MD5 of a short key too.
        """

class Member:
    """One member of a struct."""

    def __init__(self, name: str, type: str | StructType, *, is_key: bool, id: int | None, is_borrowed: bool) -> None:
        """
        Describe a member; `type` is a struct or one of "boolean", "int32", "uint32", "double", "string", "sequence<octet>" (bytes) and "sequence<string>" (tuple of str). Text that is not UTF-8 is read with replacement characters. Octets of a member that `is_borrowed` are read as a memoryview over what was received, which it keeps; octets are written from any buffer.
        """

def acknowledgments_in(datagram: bytes) -> list[tuple[str, str, int]]:
    """
    Read the acknowledgments of an RTPS datagram: GUIDs of reader and writer, and the number up to which the reader has all samples. What is not well formed is skipped.
    """

class PeerEvent:
    """What discovery said about another participant."""

    @property
    def status(self) -> str:
        """"discovered", "changed", "removed" (left), "dropped" (lease ended)."""

    @property
    def guid(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def properties(self) -> list[tuple[str, str]]: ...

    @property
    def vendor(self) -> int:
        """Number of its implementation of DDS: 0x010F for Fast DDS."""

    @property
    def lease_duration_s(self) -> float:
        """Seconds of silence after which it counts as dead."""

class LogLine:
    """One line of Fast DDS's own log."""

    @property
    def severity(self) -> str:
        """"error" or "warning"."""

    @property
    def category(self) -> str: ...

    @property
    def message(self) -> str: ...

class Participant:
    """A participant of a domain. No thread of DDS takes the GIL."""

    def __init__(self, *, domain: int, name: str, propagated_properties: Sequence[tuple[str, str]], local_properties: Sequence[tuple[str, str]], lease_duration_s: float, announcement_period_s: float, interfaces: Sequence[str]) -> None:
        """
        Join the domain. `interfaces` are names or IPv4 addresses to stay on; without any, Fast DDS and its XML profile choose the transports.
        """

    @property
    def guid(self) -> str: ...

    @property
    def why_deaf(self) -> str:
        """
        Why acknowledgments of single readers are not heard; empty if they are.
        """

    def fileno(self) -> int:
        """
        File descriptor that is readable when samples, peers, matches or log lines may be waiting.
        """

    def clear(self) -> None:
        """
        Make `fileno` unreadable again; call it before collecting, so that nothing is missed.
        """

    def signal(self) -> None:
        """Make `fileno` readable, as news would."""

    def take_peer_events(self) -> list[PeerEvent]:
        """Collect what discovery found."""

    def take_log_lines(self) -> list[LogLine]:
        """
        Collect what Fast DDS logged in this process, warnings and errors; at most 1000 lines wait.
        """

    def rejected_count(self) -> int:
        """How often a sample found no room in a reader so far."""

    def close(self) -> None:
        """
        Leave the domain and delete all endpoints; peers see it at once. May be repeated.
        """

class Qos:
    """Quality of service of a reader or writer."""

    def __init__(self, *, reliable: bool, transient_local: bool, history_depth: int, max_samples: int, max_instances: int, max_samples_per_instance: int, heartbeat_period_s: float) -> None:
        """
        Everything is explicit: `history_depth` 0 keeps all, a limit of 0 is none.
        """

class Receipt(enum.Enum):
    """Which of the matched readers have everything."""

    NONE = 0
    """None, or not all that answer."""

    ANSWERING = 1
    """All that still answer, one at least."""

    ALL = 2
    """All, if there are any."""

class InstanceState(enum.Enum):
    """State of an instance when its sample was taken."""

    ALIVE = 0

    DISPOSED = 1

    NO_WRITERS = 2

class Sample:
    """One sample as it was taken."""

    @property
    def value(self) -> tuple[Any, ...] | None:
        """Members in order; None when only the state of the instance changed."""

    @property
    def instance(self) -> bytes:
        """Handle of the instance: 16 octets, equal for equal keys of one reader."""

    @property
    def state(self) -> InstanceState: ...

    @property
    def writer(self) -> str:
        """GUID of the writer."""

    @property
    def correlation(self) -> bytes:
        """24 octets that a request and its reply share."""

    @property
    def sequence_number(self) -> int:
        """Its place among what the writer has written, from 1."""

    @property
    def source_timestamp_ns(self) -> int: ...

    @property
    def reception_timestamp_ns(self) -> int: ...

class Reader:
    """A reader of a topic. Dropping it deletes it."""

    def __init__(self, participant: Participant, topic: str, type: StructType, qos: Qos) -> None: ...

    def take(self, limit: int) -> list[Sample]:
        """Take up to `limit` waiting samples."""

    def forget(self, instance: bytes) -> None:
        """
        Free what the reader keeps of an instance, though its writers live on; their next sample begins it again. Samples that wait are not lost, as long as `history_depth` leaves room for four more.
        """

    def matched(self) -> list[str]:
        """GUIDs of the matched writers."""

    def rejected_count(self) -> int:
        """
        How often a sample found no room so far; a reliable writer sends it again.
        """

class Writer:
    """A writer of a topic. Dropping it deletes it."""

    def __init__(self, participant: Participant, topic: str, type: StructType, qos: Qos) -> None: ...

    @property
    def guid(self) -> str: ...

    def write(self, value: tuple[Any, ...], correlation: bytes | None = None) -> bytes:
        """
        Write a sample, in reply to the one that came with `correlation`; returns the correlation that replies to it will have. A reliable writer blocks up to its maximum blocking time when it is full.
        """

    def register(self, value: tuple[Any, ...]) -> None:
        """
        Begin the instance of the key members of `value` without a sample, so that `unregister` can end what another writer has written of it.
        """

    def unregister(self, value: tuple[Any, ...]) -> bool:
        """
        Dispose and unregister the instance of the key members of `value`; its memory is free again once all readers acknowledged that. False when there is no such instance.
        """

    def wait_for_acknowledgments(self, timeout_s: float) -> bool:
        """
        Block until all matched reliable readers acknowledged everything; False when time ran out.
        """

    def wait_for_receipt(self, timeout_s: float, patience_s: float) -> Receipt:
        """
        Block until all matched readers acknowledged what was written before, or all those that still answer. A reader that was heard once and lacks something answers no more after `patience_s` of such waits without a word of it. Readers of this process are not heard.
        """

    def is_instance_acknowledged(self, value: tuple[Any, ...]) -> bool:
        """
        Whether all matched reliable readers acknowledged the last sample of the instance of the key members of `value`; blocks for a millisecond at most.
        """

    def matched(self) -> list[str]:
        """GUIDs of the matched readers."""
