"""A reader of outputs with the limits and habits of a real peer's."""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_type
from carbon_node.transport.fastdds import LOCAL_PROPERTIES, LOOPBACK
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint
from carbon_node.wire.types import STRUCTS, decode

LOOK_EVERY_S = 0.1


class PeerReader:
    """Reads outputs as the orchestrator does: 500 instances, one sample taken per notification.

    Args:
        domain: DDS domain id.
    """

    def __init__(self, domain: int) -> None:
        self.seen: list[CO2Footprint] = []
        self.may_go_on = threading.Event()
        """While it is cleared, the reader is busy with the sample that it has taken."""
        self.may_go_on.set()
        self._is_closing = threading.Event()
        self._participant = native.Participant(
            domain=domain,
            name="test_peer_reader",
            propagated_properties=[],
            local_properties=list(LOCAL_PROPERTIES),
            lease_duration_s=20.0,
            announcement_period_s=5.0,
            interfaces=list(LOOPBACK),
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
        self._thread = threading.Thread(target=self._read)

    def is_matched(self) -> bool:
        """Whether it has met the node."""
        return bool(self._reader.matched())

    def start(self) -> None:
        """Read from now on; what was notified before does not count."""
        self._participant.clear()
        self._thread.start()

    def close(self) -> None:
        """Leave."""
        self._is_closing.set()
        self.may_go_on.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._participant.close()

    def _read(self) -> None:
        notifications = self._participant.fileno()
        while not self._is_closing.is_set():
            if select.select([notifications], [], [], LOOK_EVERY_S)[0]:
                # The eventfd counts the notifications that have come since the last look.
                for _ in range(os.eventfd_read(notifications)):
                    self._take_one()

    def _take_one(self) -> None:
        for sample in self._reader.take(1):
            if sample.value is not None:
                footprint = decode(CO2Footprint, sample.value)
                assert isinstance(footprint, CO2Footprint)
                self.seen.append(footprint)
                self.may_go_on.wait()


@contextmanager
def peer_reader(domain: int) -> Iterator[PeerReader]:
    """A reader in a domain."""
    reader = PeerReader(domain)
    try:
        yield reader
    finally:
        reader.close()
