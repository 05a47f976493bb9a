"""The other nodes of a pipeline on CycloneDDS, an implementation of DDS that is not Fast DDS.

Its types are written down here a second time, from the contract, so that a mistake in the node's
own tables cannot hide.
"""

# CycloneDDS describes wire types by annotations that are no types to a checker.
# mypy: disable-error-code="type-arg, assignment, no-untyped-call, no-any-return"

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cyclonedds.core import Policy, Qos
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.annotations import final, key
from cyclonedds.idl.types import float64, int32, sequence, uint8, uint32
from cyclonedds.pub import DataWriter
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic
from cyclonedds.util import duration
from tests.patience import PATIENCE_S as PATIENCE_S

Kind = TypeVar("Kind", bound=IdlStruct)

CONFIGURATION = """
<CycloneDDS><Domain>
  {interface}
  <Discovery><LeaseDuration>{lease_s} s</LeaseDuration>{peers}</Discovery>
</Domain></CycloneDDS>
"""
INTERFACE = "<General><Interfaces><NetworkInterface address='{}'/></Interfaces></General>"
PEERS = "<Peers><Peer address='{}'/></Peers>"


def configuration(interface: str | None = "127.0.0.1", lease_s: float = 10.0) -> str:
    """Configuration of a domain.

    Args:
        interface: IPv4 address of the interface on which it stays, and finds participants without
            multicast; None lets CycloneDDS choose one, and use multicast.
        lease_s: seconds after which others give up a participant that fell silent.
    """
    return CONFIGURATION.format(
        interface="" if interface is None else INTERFACE.format(interface),
        peers="" if interface is None else PEERS.format(interface),
        lease_s=lease_s,
    )


@final
@dataclass
class TaskIdImpl(IdlStruct, typename="TaskIdImpl"):
    """Identity of a task."""

    problem_id: uint32 = 0
    iteration_id: uint32 = 0


@final
@dataclass
class UserInputImpl(IdlStruct, typename="UserInputImpl"):
    """What the user asks for."""

    modality: str = ""
    problem_short_description: str = ""
    problem_definition: str = ""
    inputs: sequence[str] = field(default_factory=list)
    outputs: sequence[str] = field(default_factory=list)
    minimum_samples: uint32 = 0
    maximum_samples: uint32 = 0
    optimize_carbon_footprint_manual: bool = False
    previous_iteration: int32 = 0
    optimize_carbon_footprint_auto: bool = False
    desired_carbon_footprint: float64 = 0.0
    geo_location_continent: str = ""
    geo_location_region: str = ""
    extra_data: sequence[uint8] = field(default_factory=list)
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class MLModelImpl(IdlStruct, typename="MLModelImpl"):
    """The chosen model."""

    model_path: str = ""
    model: str = ""
    raw_model: sequence[uint8] = field(default_factory=list)
    model_properties_path: str = ""
    model_properties: str = ""
    input_batch: sequence[str] = field(default_factory=list)
    target_latency: float64 = 0.0
    extra_data: sequence[uint8] = field(default_factory=list)
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class HWResourceImpl(IdlStruct, typename="HWResourceImpl"):
    """The chosen hardware."""

    hw_description: str = ""
    power_consumption: float64 = 0.0
    latency: float64 = 0.0
    memory_footprint_of_ml_model: float64 = 0.0
    max_hw_memory_footprint: float64 = 0.0
    extra_data: sequence[uint8] = field(default_factory=list)
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class NewerHardware(IdlStruct, typename="HWResourceImpl"):
    """The hardware as a later release may write it: other names, and a member more."""

    description: str = ""
    watts: float64 = 0.0
    latency: float64 = 0.0
    memory_footprint_of_ml_model: float64 = 0.0
    max_hw_memory_footprint: float64 = 0.0
    extra_data: sequence[uint8] = field(default_factory=list)
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    price: float64 = 0.0
    key("task_id")


@final
@dataclass
class CO2FootprintImpl(IdlStruct, typename="CO2FootprintImpl"):
    """The node's answer."""

    carbon_footprint: float64 = 0.0
    energy_consumption: float64 = 0.0
    carbon_intensity: float64 = 0.0
    extra_data: sequence[uint8] = field(default_factory=list)
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class NodeStatusImpl(IdlStruct, typename="NodeStatusImpl"):
    """Status of a node or of one of its tasks; enumerations are int32 on the wire."""

    node_status: int32 = 0
    task_status: int32 = 0
    error_code: int32 = 0
    error_description: str = ""
    node_name: str = ""
    key("node_name")
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class NodeControlImpl(IdlStruct, typename="NodeControlImpl"):
    """A command to a node."""

    cmd_node: int32 = 0
    cmd_task: int32 = 0
    target_node: str = ""
    source_node: str = ""
    key("source_node")
    task_id: TaskIdImpl = field(default_factory=TaskIdImpl)
    key("task_id")


@final
@dataclass
class RequestTypeImpl(IdlStruct, typename="RequestTypeImpl"):
    """A configuration request of release 0.2."""

    node_id: int32 = 0
    key("node_id")
    transaction_id: int32 = 0
    key("transaction_id")
    configuration: str = ""


@final
@dataclass
class ResponseTypeImpl(IdlStruct, typename="ResponseTypeImpl"):
    """The answer to a request."""

    node_id: int32 = 0
    key("node_id")
    transaction_id: int32 = 0
    key("transaction_id")
    success: bool = False
    err_code: int32 = 0
    configuration: str = ""


WRITTEN: dict[type[IdlStruct], str] = {
    UserInputImpl: "/sustainml/user_input",
    MLModelImpl: "/sustainml/ml_model_provider/output",
    HWResourceImpl: "/sustainml/hw_resources/output",
    NodeControlImpl: "/sustainml/control",
    RequestTypeImpl: "sustainml/request",
}
READ: dict[type[IdlStruct], str] = {
    CO2FootprintImpl: "/sustainml/carbon_tracker/output",
    NodeStatusImpl: "/sustainml/status",
    ResponseTypeImpl: "sustainml/response",
}
CDR = Policy.DataRepresentation(use_cdrv0_representation=True)
PEER_LIMITS = Policy.ResourceLimits(max_samples=500, max_instances=500, max_samples_per_instance=1)
"""What the nodes of a real pipeline read at most."""

QOS = Qos(
    Policy.Reliability.Reliable(duration(seconds=10)),
    Policy.Durability.TransientLocal,
    Policy.History.KeepLast(1),
    CDR,
)


class CyclonePeer:
    """Writes what the other nodes write, and reads what the carbon node writes.

    Every wait ends with an AssertionError after `PATIENCE_S`.

    Args:
        domain: DDS domain id.
        lease_duration_s: seconds after which others take it for dead; the default is CycloneDDS's.
        is_limited: whether it reads 500 instances, as the nodes of a real pipeline. CycloneDDS for
            Python does not understand how Fast DDS ends an instance, so that they last for ever.
    """

    def __init__(
        self, domain: int, lease_duration_s: float = 10.0, *, is_limited: bool = True
    ) -> None:
        # The domain must outlive the participant: it holds the configuration.
        self._domain = Domain(domain, configuration(lease_s=lease_duration_s))
        self._participant = DomainParticipant(domain)
        self._quality = QOS + Qos(PEER_LIMITS) if is_limited else QOS
        self._writers = {kind: self._writer(name, kind) for kind, name in WRITTEN.items()}
        self._readers = {kind: self._reader(name, kind) for kind, name in READ.items()}
        self._received: dict[type[IdlStruct], list[Any]] = {kind: [] for kind in READ}

    def _writer(self, name: str, kind: type[IdlStruct]) -> DataWriter[Any]:
        topic = Topic(self._participant, name, kind, qos=Qos(CDR))
        return DataWriter(self._participant, topic, qos=QOS)

    def _reader(self, name: str, kind: type[IdlStruct]) -> DataReader[Any]:
        topic = Topic(self._participant, name, kind, qos=Qos(CDR))
        return DataReader(self._participant, topic, qos=self._quality)

    def write(self, *samples: IdlStruct, ahead_s: float = 0.0) -> None:
        """Write samples, each on the topic of its type, by a clock that is ahead."""
        written_ns = time.time_ns() + round(ahead_s * 1e9)
        for sample in samples:
            self._writers[type(sample)].write(sample, written_ns)

    def add_writer(self, kind: type[IdlStruct], of: type[IdlStruct]) -> None:
        """Write one more type, on the topic of another."""
        self._writers[kind] = self._writer(WRITTEN[of], kind)

    def received(self, kind: type[Kind]) -> list[Kind]:
        """Every sample of a type that was received so far."""
        taken = self._readers[kind].take(N=500)
        self._received[kind].extend(sample for sample in taken if isinstance(sample, kind))
        return self._received[kind]

    def wait_for(self, kind: type[Kind], fact: Callable[[Kind], bool] = lambda _: True) -> Kind:
        """Wait for a sample of a type of which a fact holds; return the first such."""
        self._wait_until(lambda: any(map(fact, self.received(kind))), f"get a {kind.__name__}")
        return next(filter(fact, self._received[kind]))

    def wait_for_node(self) -> None:
        """Wait until someone reads the three inputs and someone writes status and output."""
        inputs = [self._writers[kind] for kind in (UserInputImpl, MLModelImpl, HWResourceImpl)]
        answers = [self._readers[kind] for kind in (CO2FootprintImpl, NodeStatusImpl)]
        self._wait_until(
            lambda: (
                all(writer.get_matched_subscriptions() for writer in inputs)
                and all(reader.get_matched_publications() for reader in answers)
            ),
            "match the node",
        )

    def close(self) -> None:
        """Leave the domain, with everything in it."""
        # Entities refer to each other, and the garbage collector would free them without leaving.
        self._participant.__del__()

    def _wait_until(self, fact: Callable[[], bool], what: str) -> None:
        deadline_s = time.monotonic() + PATIENCE_S
        while not fact():
            assert time.monotonic() < deadline_s, f"the CycloneDDS peer did not {what}"
            time.sleep(0.005)


@contextmanager
def cyclone_peer(domain: int, *, is_limited: bool = True) -> Iterator[CyclonePeer]:
    """Have a CycloneDDS peer in a domain."""
    peer = CyclonePeer(domain, is_limited=is_limited)
    try:
        yield peer
    finally:
        peer.close()
