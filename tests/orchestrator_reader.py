"""Readers of outputs with the limits and habits of the real orchestrator's, on two vendors' DDS.

The orchestrator reads 500 instances, takes one sample for each notification, and ignores samples of
instances that have ended. Whatever comes without a notification of its own therefore stays behind:
it shows only after as many further notifications.
"""

# CycloneDDS has no types for a checker.
# mypy: disable-error-code="no-untyped-call"

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cyclonedds.core import InstanceState, Listener, Qos
from cyclonedds.domain import Domain, DomainParticipant
from cyclonedds.sub import DataReader
from cyclonedds.topic import Topic as CycloneTopic
from tests.dds.cyclone import CDR, PEER_LIMITS, QOS, READ, CO2FootprintImpl, configuration
from tests.patience import PATIENCE_S

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_type
from carbon_node.transport.fastdds import LOCAL_PROPERTIES, LOOPBACK
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, TaskId
from carbon_node.wire.types import STRUCTS, decode

LOOK_EVERY_S = 0.1

LEASE_S = 20.0
"""Seconds after which others give up a real orchestrator: what Fast DDS has by default."""


class Habits:
    """What an orchestrator does with what it takes; base of the readers of both vendors."""

    def __init__(self) -> None:
        self.seen: list[CO2Footprint] = []
        """Outputs in the order in which they were taken, without those of ended instances."""
        self.ended_count = 0
        """Samples that were ignored because their instance had ended."""
        self.busy_s = 0.0
        """Seconds for which each output keeps it busy."""
        self._changed = threading.Condition()

    def is_matched(self) -> bool:
        """Whether it has met a node."""
        raise NotImplementedError

    def wait_until_matched(self) -> None:
        """Wait until it has met a node.

        Raises:
            AssertionError: it has not, in `PATIENCE_S`.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        while not self.is_matched():
            assert time.monotonic() < deadline_s, "the reader has met no node"
            time.sleep(0.01)

    def wait_for(self, fact: Callable[[list[CO2Footprint]], bool]) -> None:
        """Wait until a fact about the outputs that it has seen holds; blocks.

        Raises:
            AssertionError: it does not, in `PATIENCE_S`.
        """
        with self._changed:
            holds = self._changed.wait_for(lambda: fact(self.seen), PATIENCE_S)
        assert holds, f"after {PATIENCE_S} s the reader has seen {len(self.seen)} outputs only"

    def wait_for_count(self, count: int) -> None:
        """Wait until it has seen so many outputs; blocks.

        Raises:
            AssertionError: it has not, in `PATIENCE_S`.
        """
        self.wait_for(lambda seen: len(seen) >= count)

    def _take_in(self, footprint: CO2Footprint | None) -> None:
        """Take one sample in; None if its instance has ended."""
        with self._changed:
            if footprint is None:
                self.ended_count += 1
            else:
                self.seen.append(footprint)
            self._changed.notify_all()
        if footprint is not None:
            time.sleep(self.busy_s)


class FastDdsReader(Habits):
    """The orchestrator's reader on Fast DDS, as in the real pipeline.

    There, on Fast DDS 3.4, each instance that lives when its writer goes turns into a sample that
    has no notification. Fast DDS 3.2, on which this runs, makes none, so they are made here. Of
    what waits, the lowest key is taken first, and each instance has one sample.

    Args:
        domain: DDS domain id.
        interface: IPv4 address of the interface that it stays on; None for all.
        lease_s: seconds after which others give it up if it fell silent.
    """

    def __init__(self, domain: int, interface: str | None, lease_s: float) -> None:
        super().__init__()
        self._is_closing = threading.Event()
        self._participant = native.Participant(
            domain=domain,
            name="test_orchestrator_reader",
            propagated_properties=[],
            local_properties=list(LOCAL_PROPERTIES),
            lease_duration_s=lease_s,
            announcement_period_s=min(3.0, lease_s / 3),
            interfaces=[] if interface is None else [interface],
        )
        qos = native.Qos(
            reliable=True,
            transient_local=True,
            history_depth=1,
            max_samples=500,
            max_instances=500,
            max_samples_per_instance=1,
            heartbeat_period_s=3.0,
        )
        self._reader = native.Reader(
            self._participant, Topic.FOOTPRINT.dds_name, native_type(STRUCTS[CO2Footprint]), qos
        )
        self._writers: set[str] = set()
        # By instance: whoever wrote it last.
        self._alive: dict[bytes, str] = {}
        # By instance: what was taken from DDS to wait here, or None for a writer that went.
        self._waiting: dict[bytes, native.Sample | None] = {}
        self._rejected_count = 0
        self._due_count = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def is_matched(self) -> bool:
        """Whether it has met a node."""
        return bool(self._reader.matched())

    def close(self) -> None:
        """Leave."""
        self._is_closing.set()
        self._thread.join()
        self._participant.close()

    def _read(self) -> None:
        notifications = self._participant.fileno()
        while not self._is_closing.is_set():
            if select.select([notifications], [], [], LOOK_EVERY_S)[0]:
                # The eventfd counts every signal since the last look, those of samples among them.
                self._due_count += os.eventfd_read(notifications)
                # What is counted before its own signal was read leaves a debt, until that comes.
                self._due_count -= self._other_news()
            while self._due_count > 0 and not self._is_closing.is_set():
                self._due_count -= 1
                self._take_one()

    def _other_news(self) -> int:
        """Count signals that told of peers, log lines, matches and refusals: no sample each."""
        writers = set(self._reader.matched())
        changed_count = len(writers ^ self._writers)
        gone, self._writers = self._writers - writers, writers
        for instance in [each for each, writer in self._alive.items() if writer in gone]:
            del self._alive[instance]
            self._waiting[instance] = None
        rejected_count = self._participant.rejected_count()
        refused_count, self._rejected_count = (
            rejected_count - self._rejected_count,
            rejected_count,
        )
        lines = self._participant.take_log_lines()
        return (
            len(self._participant.take_peer_events()) + len(lines) + changed_count + refused_count
        )

    def _take_one(self) -> None:
        self._waiting |= {sample.instance: sample for sample in self._reader.take(1)}
        if not self._waiting:
            return
        sample = self._waiting.pop(min(self._waiting))
        if sample is None:
            self._take_in(None)
        elif sample.value is None or sample.state is not native.InstanceState.ALIVE:
            self._alive.pop(sample.instance, None)
            self._take_in(None)
        else:
            self._alive[sample.instance] = sample.writer
            footprint = decode(CO2Footprint, sample.value)
            assert isinstance(footprint, CO2Footprint)
            self._take_in(footprint)


class CycloneReader(Habits):
    """A reader with the orchestrator's habits on CycloneDDS.

    Its Python binding cannot read the ends that Fast DDS sends, which name an instance by the hash
    of its key only. So it sees instances end with their writers, and here that costs nothing: it
    takes on until it has taken an output.

    A process has one CycloneDDS domain of an id at a time: not beside a `CyclonePeer` of the same.

    Args:
        domain: DDS domain id.
        interface: IPv4 address of the interface that it stays on; None for all.
        lease_s: seconds after which others give it up if it fell silent.
    """

    def __init__(self, domain: int, interface: str | None, lease_s: float) -> None:
        super().__init__()
        # The domain must outlive the participant: it holds the configuration.
        self._domain = Domain(domain, configuration(interface, lease_s))
        self._participant = DomainParticipant(domain)
        topic = CycloneTopic(
            self._participant, READ[CO2FootprintImpl], CO2FootprintImpl, qos=Qos(CDR)
        )
        self._listener = Listener(on_data_available=self._take_one)
        self._reader = DataReader(
            self._participant, topic, qos=QOS + Qos(PEER_LIMITS), listener=self._listener
        )

    def is_matched(self) -> bool:
        """Whether it has met a node."""
        return bool(self._reader.get_matched_publications())

    def close(self) -> None:
        """Leave."""
        # Entities refer to each other, and the garbage collector would free them without leaving.
        self._participant.__del__()
        self._domain.__del__()

    def _take_one(self, reader: DataReader[Any]) -> None:
        for sample in iter(lambda: next(iter(reader.take(N=1)), None), None):
            info = sample.sample_info
            if info.valid_data and info.instance_state == InstanceState.Alive:
                self._take_in(_footprint(sample))
                return
            self._take_in(None)


READERS: dict[str, type[FastDdsReader | CycloneReader]] = {
    "fastdds": FastDdsReader,
    "cyclonedds": CycloneReader,
}
"""By the name of the vendor's DDS, for tests that run with each."""


@contextmanager
def orchestrator_reader(
    domain: int,
    vendor: str = "fastdds",
    interface: str | None = LOOPBACK[0],
    lease_s: float = LEASE_S,
) -> Iterator[FastDdsReader | CycloneReader]:
    """A reader in a domain, which reads from now on and leaves at the end."""
    reader = READERS[vendor](domain, interface, lease_s)
    try:
        yield reader
    finally:
        reader.close()


def _footprint(sample: Any) -> CO2Footprint:  # noqa: ANN401 - wire types of CycloneDDS have none
    return CO2Footprint(
        sample.carbon_footprint,
        sample.energy_consumption,
        sample.carbon_intensity,
        bytes(sample.extra_data),
        TaskId(sample.task_id.problem_id, sample.task_id.iteration_id),
    )
