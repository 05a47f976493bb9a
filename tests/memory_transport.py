"""A transport for tests: the pipeline's topics within one process, as the node knows them from DDS.

Late readers get the last sample of each instance, an instance that is not taken in time shows its
newest sample only, and peers come and go. There are no limits and no losses.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from carbon_node.errors import TransportError
from carbon_node.transport.news import News
from carbon_node.wire.contract import Arrival, ConfigurationCall, Peer, Receipt, Role, Topic
from carbon_node.wire.quality import FORGETTING_SAMPLES, reader_quality, writer_quality
from carbon_node.wire.samples import Sample
from carbon_node.wire.types import STRUCTS, decode, encode, instance_of, key_of

Instance = tuple[object, ...]


class MemoryBus:
    """What the transports of one imaginary domain share."""

    def __init__(self) -> None:
        self.transports: list[MemoryTransport] = []
        self.answers: dict[bytes, asyncio.Future[str]] = {}
        self.numbers = itertools.count(1)

    def others(self, transport: "MemoryTransport") -> list["MemoryTransport"]:
        """Find the open transports beside one."""
        return [other for other in self.transports if other is not transport]

    def announce(self) -> None:
        """Wake everyone who waits at any transport."""
        for transport in self.transports:
            transport.news.announce()


@dataclass(slots=True)
class _Reader:
    """Samples that wait to be taken, per instance, and the instances that are alive.

    Args:
        depth: samples of an instance that wait at most.
    """

    depth: int
    waiting: dict[Instance, deque[Arrival]] = field(default_factory=dict)
    alive: set[Instance] = field(default_factory=set)

    def receive(self, instance: Instance, arrival: Arrival) -> None:
        if arrival.sample is not None:
            self.alive.add(instance)
        elif instance in self.alive:
            self.alive.remove(instance)
        else:
            return
        self.waiting.setdefault(instance, deque(maxlen=self.depth)).append(arrival)

    def take(self) -> list[Arrival]:
        taken = [arrival for arrivals in self.waiting.values() for arrival in arrivals]
        self.waiting.clear()
        return taken


class MemoryTransport:
    """A participant of a `MemoryBus`; behaves as `FastDdsTransport` does.

    Args:
        bus: what connects it to others.
        role: what the participant is called, reads and writes.
    """

    def __init__(self, bus: MemoryBus, role: Role) -> None:
        self._bus = bus
        self._role = role
        self._guid = f"memory.{next(bus.numbers)}"
        self._sequence_numbers = itertools.count(1)
        self.news = News()
        self.calls: deque[ConfigurationCall] | None = None
        self.readers: dict[Topic, _Reader] = {}
        self.retained: dict[Topic, dict[Instance, Arrival]] = {}

    async def open(self) -> None:
        """Join the bus."""
        self._bus.transports.append(self)
        self._bus.announce()

    async def close(self) -> None:
        """Leave the bus, which peers see at once, and end `arrivals`; may be repeated."""
        if self._is_open():
            self._bus.transports.remove(self)
            self.news.close()
            self._bus.announce()

    def connect(self, *topics: Topic) -> None:
        """Create the role's endpoints of some topics; without any, all that are missing."""
        self._require_open()
        for topic in topics or (*self._role.writes, *self._role.reads):
            if topic in self._role.writes:
                self.retained.setdefault(topic, {})
            if topic in self._role.reads and topic not in self.readers:
                self.readers[topic] = self._catching_up(topic)
        self._bus.announce()

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Iterate over what is received, until closed; for one consumer."""
        return self.news.stream(self._take)

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Write a sample.

        Raises:
            TransportError: the topic has no writer.
        """
        received = decode(topic.sample_type, _as_received(topic, encode(sample)))
        arrival = self._arrival(topic, sample, received)
        retained = self._writer(topic)
        if writer_quality(topic).is_retained:
            retained[instance_of(sample)] = arrival
        self._deliver(topic, sample, arrival)

    def retire(self, topic: Topic, sample: Sample) -> None:
        """End the instance that a sample's key names, here and at the readers."""
        self._writer(topic).pop(instance_of(sample), None)
        self._deliver(topic, sample, self._arrival(topic, sample, None))

    def adopt(self, topic: Topic, sample: Sample) -> None:
        """Do nothing: here any writer can end any instance."""

    def peers(self) -> tuple[Peer, ...]:
        """Other participants that are there now."""
        return tuple(
            Peer(other._guid, other._role.participant_name, other._role.properties)
            for other in self._bus.others(self)
        )

    def matched(self, topic: Topic) -> int:
        """Count the endpoints of other participants that match ours of a topic."""
        self._require_open()
        others = self._bus.others(self)
        readers = sum(topic in other.readers for other in others) if topic in self.retained else 0
        writers = sum(topic in other.retained for other in others) if topic in self.readers else 0
        return readers + writers

    async def wait_until(self, fact: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until a fact about peers or matches holds; see `News.until`."""
        return await self.news.until(fact, timeout_s)

    async def wait_for_match(self, topic: Topic, count: int = 1, *, timeout_s: float) -> bool:
        """Wait until `count` endpoints of others match ours of a topic; False if none in time."""
        return await self.wait_until(lambda: self.matched(topic) >= count, timeout_s)

    def is_acknowledged(self, topic: Topic) -> bool:
        """Whether all matched readers have all that was published, which is always so."""
        self._writer(topic)
        return True

    def is_instance_acknowledged(self, topic: Topic, sample: Sample) -> bool:  # noqa: ARG002 - nothing is lost here
        """Whether all matched readers have a sample."""
        return self.matched(topic) > 0

    def is_in_doubt(self) -> bool:
        """Whether peers may have lost this transport: never."""
        return False

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Wait until all matched readers have all that was published, which is at once."""
        self._writer(topic)
        return await self.wait_until(lambda: True, timeout_s)

    async def wait_for_receipt(self, topic: Topic, timeout_s: float) -> Receipt:
        """Wait as for acknowledgments: every reader answers."""
        has_all = await self.wait_for_acknowledgments(topic, timeout_s)
        return Receipt.ALL if has_all else Receipt.NONE

    def configuration_calls(self) -> AsyncIterator[ConfigurationCall]:
        """Serve the configuration service from now on; iterate over its calls until closed."""
        self.calls = deque()
        self._bus.announce()
        return self.news.stream(self._take_calls)

    def answer(self, call: ConfigurationCall, text: str) -> None:
        """Answer a configuration call."""
        self._bus.answers[call.correlation].set_result(text)

    async def call_configuration(self, text: str, timeout_s: float) -> str:
        """Call the configuration service.

        Raises:
            TransportError: nobody serves, or no answer came in time.
        """
        if not await self.wait_until(lambda: bool(self._servers()), timeout_s):
            raise TransportError(f"nobody served the configuration service within {timeout_s} s")
        call = ConfigurationCall(text, next(self._bus.numbers).to_bytes(24))
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._bus.answers[call.correlation] = answer
        for calls in self._servers():
            calls.append(call)
        self._bus.announce()
        try:
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            raise TransportError(
                f"the configuration service did not answer within {timeout_s} s"
            ) from None
        finally:
            del self._bus.answers[call.correlation]

    def _servers(self) -> list[deque[ConfigurationCall]]:
        others = self._bus.others(self)
        return [other.calls for other in others if other.calls is not None]

    def _take(self) -> list[Arrival]:
        arrivals = [arrival for reader in self.readers.values() for arrival in reader.take()]
        return sorted(arrivals, key=lambda arrival: arrival.source_timestamp_ns)

    def _take_calls(self) -> list[ConfigurationCall]:
        calls = list(self.calls or ())
        self.calls = deque()
        return calls

    def _catching_up(self, topic: Topic) -> _Reader:
        reader = _Reader(reader_quality(topic).depth - FORGETTING_SAMPLES)
        for transport in self._bus.transports:
            for instance, arrival in transport.retained.get(topic, {}).items():
                reader.receive(instance, arrival)
        return reader

    def _deliver(self, topic: Topic, sample: Sample, arrival: Arrival) -> None:
        for transport in self._bus.transports:
            if topic in transport.readers:
                transport.readers[topic].receive(instance_of(sample), arrival)
                transport.news.announce()

    def _arrival(self, topic: Topic, sample: Sample, received: Sample | None) -> Arrival:
        written_ns = time.time_ns()
        return Arrival(
            topic,
            received,
            key_of(sample),
            f"{self._guid}|{topic.name}",
            written_ns,
            next(self._sequence_numbers),
            written_ns,
            time.monotonic(),
        )

    def _writer(self, topic: Topic) -> dict[Instance, Arrival]:
        self._require_open()
        try:
            return self.retained[topic]
        except KeyError:
            raise TransportError(f"{topic.dds_name} has no open writer: connect it first") from None

    def _is_open(self) -> bool:
        return self in self._bus.transports

    def _require_open(self) -> None:
        if not self._is_open():
            raise TransportError("the transport is not open")


def _as_received(topic: Topic, values: tuple[Any, ...]) -> tuple[Any, ...]:
    members = STRUCTS[topic.sample_type].members
    return tuple(
        memoryview(value) if member.is_borrowed else value
        for member, value in zip(members, values, strict=True)
    )
