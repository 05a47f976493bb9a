"""Names and topics of the SustainML pipeline that both ends have to agree on."""

from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from carbon_node.wire import samples

NODE_NAME = "CARBON_FOOTPRINT_NODE"
"""Participant name by which the orchestrator knows this node, and `node_name` of every status."""

ORCHESTRATOR_NAME = "ORCHESTRATOR_NODE"
"""Participant name of the orchestrator."""

CONFIGURATION_NODE_ID = 1
"""`node_id` by which configuration requests of release 0.2 address the carbon node."""

DOMAIN_RANGE = range(233)
"""DDS domain ids whose ports fit below 65536 with the RTPS port formula."""


LEASE_DURATION_S = 5.0
"""Seconds after which peers give up a participant that fell silent, unless it announces others."""


class Topic(Enum):
    """Topics of the pipeline: DDS topic name and the dataclass of its samples."""

    USER_INPUT = ("/sustainml/user_input", samples.UserInput)
    ML_MODEL = ("/sustainml/ml_model_provider/output", samples.MLModel)
    HW_RESOURCE = ("/sustainml/hw_resources/output", samples.HWResource)
    FOOTPRINT = ("/sustainml/carbon_tracker/output", samples.CO2Footprint)
    BASELINE = ("/sustainml/carbon_tracker/baseline", samples.CO2Footprint)
    STATUS = ("/sustainml/status", samples.NodeStatus)
    CONTROL = ("/sustainml/control", samples.NodeControl)
    REQUEST = ("sustainml/request", samples.ConfigurationRequest)
    RESPONSE = ("sustainml/response", samples.ConfigurationResponse)

    def __init__(self, dds_name: str, sample_type: type[samples.Sample]) -> None:
        self.dds_name = dds_name
        self.sample_type = sample_type


class BaselinePolicy(StrEnum):
    """Whether this node publishes the baseline; AUTO: where no orchestrator is in the domain."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Role:
    """How a participant presents itself and which topics it reads and writes.

    Args:
        participant_name: DDS participant name.
        reads: topics to create readers for.
        writes: topics to create writers for.
        properties: propagated participant properties, beside those that every SustainML
            participant carries.
    """

    participant_name: str
    reads: tuple[Topic, ...]
    writes: tuple[Topic, ...]
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Another participant of the domain, as discovery announced it.

    Args:
        guid: RTPS GUID as text.
        name: participant name.
        properties: propagated participant properties.
    """

    guid: str
    name: str
    properties: tuple[tuple[str, str], ...] = ()


class Receipt(Enum):
    """Which of the matched readers have everything that was published."""

    NONE = auto()
    """None, or not all of those that answer, or that is unknown."""
    ANSWERING = auto()
    """All that still answer, and one at least. Others have not left, and may be dead."""
    ALL = auto()
    """All, or none is matched."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Peers have probably given this node up.

    Args:
        reason: what speaks for it, for people.
        is_lasting: whether they do not find it again by themselves, so that it has to join again.
    """

    reason: str
    is_lasting: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """One sample as it came from a reader.

    Args:
        topic: where it was read.
        sample: its content; None when the instance ended and only its key is known.
        key: task id of the instance where the type is keyed by it, else (0, 0).
        writer: GUID of the writer as text.
        source_timestamp_ns: when the writer says it wrote, nanoseconds since the epoch.
        sequence_number: its place among what its writer has written, from 1; 0 if the transport
            does not tell.
        received_ns: when it was received, nanoseconds since the epoch by the clock of this host; 0
            if the transport does not tell.
        received_s: the same on the monotonic clock, in seconds.
        known_for_s: seconds for which its writer's participant had been known then; 0 if the
            transport does not tell.
    """

    topic: Topic
    sample: samples.Sample | None
    key: samples.TaskId
    writer: str
    source_timestamp_ns: int
    sequence_number: int = 0
    received_ns: int = 0
    received_s: float = 0.0
    known_for_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ConfigurationCall:
    """A configuration request of main's orchestrator, which calls over DDS RPC.

    Args:
        text: the request.
        correlation: tells the transport which caller gets the answer; opaque.
    """

    text: str
    correlation: bytes
