"""The pipeline's topics on Fast DDS, embedded in this process.

Threads of DDS never run Python. They make an eventfd readable; the loop then looks for peers and
log lines, and wakes all who wait. Samples stay in their readers until `arrivals` takes them, so a
slow consumer holds nothing but what DDS keeps: the newest sample of each instance.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from carbon_node.errors import TransportError, WireError
from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import Reader, open_writer, translated, translated_errors
from carbon_node.transport.freeze import TICK_S, FreezeWatch
from carbon_node.transport.news import News
from carbon_node.transport.refusals import Refusals
from carbon_node.transport.rpc import ConfigurationServer
from carbon_node.transport.standing import Standing
from carbon_node.wire.contract import (
    LEASE_DURATION_S,
    Arrival,
    ConfigurationCall,
    Loss,
    Peer,
    Receipt,
    Role,
    Topic,
)
from carbon_node.wire.samples import CO2Footprint, Sample
from carbon_node.wire.types import encode

BATCH = 64
"""Samples taken from one reader at once, a millisecond's work."""

ANNOUNCEMENTS_PER_LEASE = 3
"""How often a participant says that it lives within one lease: two announcements may be lost."""

PROBE_PERIOD_S = 3.0
"""Seconds between two looks whether readers of another vendor still know this participant."""

PROBE_WAIT_S = 0.5
"""Seconds in which they acknowledge, if they do."""

PATIENCE_S = 0.75
"""Seconds of waits for acknowledgments in which a reader that lives has answered. The writer asks
every 2 ms, and a reader on Fast DDS answers after 5 ms: one that lives is silent for so long only
if all of some hundred questions or answers are lost."""

SUSTAINML_PROPERTIES = (
    ("fastdds.application.id", "SUSTAINML"),
    ("fastdds.application.metadata", ""),
)
"""What every participant of a SustainML pipeline says of itself."""

LOCAL_PROPERTIES = (("fastdds.type_propagation", "disabled"),)
"""Ask no participant for its types, and answer no such question: the binding announces none of its
own, so that types match by name, and needs none of others."""

LOOPBACK = ("127.0.0.1",)

RECEIPTS: Mapping[native.Receipt, Receipt] = MappingProxyType(
    {
        native.Receipt.NONE: Receipt.NONE,
        native.Receipt.ANSWERING: Receipt.ANSWERING,
        native.Receipt.ALL: Receipt.ALL,
    }
)
"""What the binding says, in the words of the wire."""

Found = TypeVar("Found")

HARMLESS_LOG = (
    # The orchestrator's content filter on the status, which then runs at the orchestrator.
    "No TypeObject found for type NodeStatusImpl",
    # A peer left.
    "Automatically unmatching on ~WriterProxy",
    # What ends instances in a reader of ours, beside other readers of the topic.
    "Different Partitions",
    # A CycloneDDS participant left; its lease ends a few seconds later.
    "Ignoring Serialized Payload for too large key-only data",
)
"""Lines that Fast DDS logs as errors or warnings in everyday life."""


def ignore(severity: str, category: str, message: str) -> None:
    """Take a log line and do nothing."""


@dataclass(frozen=True, slots=True)
class FastDdsConfig:
    """How to join a domain.

    Args:
        domain: DDS domain id, 0 to 232.
        role: what the participant is called, reads and writes.
        lease_duration_s: seconds after which peers give up a participant that fell silent.
        loopback_only: stay on this host's loopback interface, without shared memory.
        log: gets Fast DDS's own log, on the loop's thread: severity (error, warning, info or
            debug), category, message.
    """

    domain: int
    role: Role
    lease_duration_s: float = LEASE_DURATION_S
    loopback_only: bool = False
    log: Callable[[str, str, str], None] = ignore


class FastDdsTransport:
    """One participant with the readers and writers of its role.

    All methods belong to the thread of the loop that opened it.
    """

    def __init__(self, config: FastDdsConfig) -> None:
        self._config = config
        self._news = News()
        self._peer_news = News()
        self._peers: dict[str, Peer] = {}
        # Monotonic time in seconds at which each was discovered, by its participant's GUID.
        self._known_since_s: dict[str, float] = {}
        self._standing = Standing()
        limit_s = config.lease_duration_s * (1 - 1 / ANNOUNCEMENTS_PER_LEASE)
        self._freeze = FreezeWatch(max(limit_s, 2 * TICK_S))
        self._left: deque[Arrival] = deque()
        self._left_calls: deque[ConfigurationCall] = deque()
        self._refused_before = 0
        self._refusals = Refusals()
        self._readers: dict[Topic, Reader] = {}
        self._writers: dict[Topic, native.Writer] = {}
        self._server: ConfigurationServer | None = None
        self._participant: native.Participant | None = None

    async def open(self) -> None:
        """Join the domain; discovery runs from now on.

        Raises:
            TransportError: Fast DDS refused; the message holds what it logged.
        """
        self._join()
        self._freeze.start(self._wake)

    def _join(self) -> None:
        with translated_errors(f"join domain {self._config.domain}"):
            self._participant = native.Participant(
                domain=self._config.domain,
                name=self._config.role.participant_name,
                propagated_properties=[*SUSTAINML_PROPERTIES, *self._config.role.properties],
                local_properties=list(LOCAL_PROPERTIES),
                lease_duration_s=self._config.lease_duration_s,
                announcement_period_s=self._config.lease_duration_s / ANNOUNCEMENTS_PER_LEASE,
                interfaces=list(LOOPBACK) if self._config.loopback_only else [],
            )
        if why := self._participant.why_deaf:
            message = (
                f"a reader that died without leaving is waited for until its lease ends: {why}"
            )
            self._config.log("debug", "carbon_node", message)
        asyncio.get_running_loop().add_reader(self._participant.fileno(), self._listen)

    async def close(self) -> None:
        """Leave the domain, which peers see at once, and end `arrivals`; may be repeated."""
        participant, self._participant = self._participant, None
        if participant is None:
            return
        asyncio.get_running_loop().remove_reader(participant.fileno())
        self._peers.clear()
        self._known_since_s.clear()
        self._readers.clear()
        self._writers.clear()
        self._server = None
        self._freeze.stop()
        self._news.close()
        self._peer_news.close()
        # Waits for a wait_for_acknowledgments that is still under way, so not on the loop's thread.
        await asyncio.to_thread(participant.close)

    def connect(self, *topics: Topic) -> None:
        """Create the role's endpoints of some topics; without any, all that are missing."""
        participant = self._opened()
        role = self._config.role
        for topic in topics or (*role.writes, *role.reads):
            with translated_errors(f"connect {topic.dds_name}"):
                if topic in role.writes and topic not in self._writers:
                    self._writers[topic] = open_writer(participant, topic)
                if topic in role.reads and topic not in self._readers:
                    self._readers[topic] = Reader(participant, topic)

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Iterate over what is received, in that order, until closed; for one consumer."""
        return self._news.stream(self._take_waiting)

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Write a sample; takes some 50 microseconds.

        Raises:
            WireError: a value does not fit its wire type.
            TransportError: the writer is full: too many instances are not retired, or their
                retirement is not acknowledged.
        """
        writer = self._writer(topic)
        try:
            writer.write(encode(sample))
        except (native.Error, TypeError) as error:
            raise translated(f"publish on {topic.dds_name}", error) from error

    def retire(self, topic: Topic, sample: Sample) -> None:
        """End the instance that a sample's key names, which frees it here and at the readers.

        A reader that has not taken the instance's last sample yet never sees it.

        Raises:
            TransportError: Fast DDS refused.
        """
        writer = self._writer(topic)
        try:
            writer.unregister(encode(sample))
        except (native.Error, TypeError) as error:
            raise translated(f"retire an instance of {topic.dds_name}", error) from error

    def adopt(self, topic: Topic, sample: Sample) -> None:
        """Take over an instance that an earlier participant of this node wrote, to retire it.

        Raises:
            TransportError: Fast DDS refused.
        """
        with translated_errors(f"adopt an instance of {topic.dds_name}"):
            self._writer(topic).register(encode(sample))

    def peers(self) -> tuple[Peer, ...]:
        """Other participants of the domain that are there now."""
        self._note_peers()
        return tuple(self._peers.values())

    def matched(self, topic: Topic) -> int:
        """Count the endpoints of other participants that match ours of a topic."""
        endpoints = (self._writers.get(topic), self._readers.get(topic))
        own = _participant_of(self._opened().guid)
        return sum(
            _participant_of(guid) != own
            for endpoint in endpoints
            if endpoint is not None
            for guid in endpoint.matched()
        )

    async def wait_until(self, fact: Callable[[], bool], timeout_s: float | None) -> bool:
        """Wait until a fact about peers or matches holds; see `News.until`."""
        return await self._news.until(fact, timeout_s)

    async def wait_for_peers(
        self, fact: Callable[[Collection[Peer]], bool], timeout_s: float
    ) -> bool:
        """Wait until a fact about the peers holds; looks again when one comes, changes or goes."""
        return await self._peer_news.until(lambda: fact(self.peers()), timeout_s)

    async def wait_for_match(self, topic: Topic, count: int = 1, *, timeout_s: float) -> bool:
        """Wait until `count` endpoints of others match ours of a topic; False if none in time."""
        return await self.wait_until(lambda: self.matched(topic) >= count, timeout_s)

    def is_acknowledged(self, topic: Topic) -> bool:
        """Whether all matched readers have all that was published; takes half a microsecond."""
        try:
            return self._writer(topic).wait_for_acknowledgments(0.0)
        except native.Error as error:
            raise translated(f"follow acknowledgments on {topic.dds_name}", error) from error

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:
        """Wait until all matched readers have all that was published; False if not in time."""
        wait = partial(self._writer(topic).wait_for_acknowledgments, timeout_s)
        return await self._wait_for(topic, wait, otherwise=False)

    async def wait_for_receipt(self, topic: Topic, timeout_s: float) -> Receipt:
        """Wait until the matched readers, or all that still answer, have what was published.

        A reader that lacks something and is silent for `PATIENCE_S` answers no more.
        """
        wait = partial(self._writer(topic).wait_for_receipt, timeout_s, PATIENCE_S)
        return RECEIPTS[await self._wait_for(topic, wait, otherwise=native.Receipt.NONE)]

    async def _wait_for(self, topic: Topic, wait: Callable[[], Found], otherwise: Found) -> Found:
        writer = self._writer(topic)
        try:
            return await asyncio.to_thread(wait)
        except native.Error as error:
            if self._writers.get(topic) is not writer:
                # Another participant has taken its place meanwhile.
                return otherwise
            action = f"wait for acknowledgments on {topic.dds_name}"
            raise translated(action, error) from error

    def is_instance_acknowledged(self, topic: Topic, sample: Sample) -> bool:
        """Whether all matched readers have the last sample of an instance."""
        return self._writer(topic).is_instance_acknowledged(encode(sample))

    def is_in_doubt(self) -> bool:
        """Whether the process has stood still, and `loss` has not told yet."""
        return self._freeze.look()

    async def loss(self) -> Loss:
        """Wait until peers have probably lost this participant, and say why."""
        while True:
            if await self._news.until(self._freeze.look, PROBE_PERIOD_S):
                frozen_s = self._freeze.take()
                reason = f"the process stood still for {frozen_s:.1f} s"
                return Loss(reason, is_lasting=self._standing.has_met_others)
            if await self._is_forgotten():
                reason = "a reader of another vendor lives and has stopped acknowledging"
                return Loss(reason, is_lasting=True)

    def rejoin(self) -> None:
        """Leave the domain and join it again as another participant, with the same endpoints.

        Takes some tens of milliseconds. What has arrived is kept, and does not come again. What was
        published is gone: whatever readers still need has to be published again.

        Raises:
            TransportError: Fast DDS refused.
        """
        former = self._opened()
        readers, writers = self._readers, tuple(self._writers)
        self._set_aside(former)
        asyncio.get_running_loop().remove_reader(former.fileno())
        self._readers, self._writers = {}, {}
        self._peers.clear()
        # What they retain comes again with their discovery, as after a start.
        self._known_since_s.clear()
        former.close()
        self._standing.rejoined()
        self._join()
        self.connect(*writers)
        with translated_errors("read again"):
            self._readers = {
                topic: Reader(self._opened(), topic, former=reader)
                for topic, reader in readers.items()
            }
            if self._server is not None:
                self._server = ConfigurationServer(self._opened(), self._news)
        self._news.announce()

    def _set_aside(self, former: native.Participant) -> None:
        while arrivals := self._take():
            self._left.extend(arrivals)
        if self._server is not None:
            self._left_calls.extend(self._server.rest())
        self._refused_before += former.rejected_count()

    async def _is_forgotten(self) -> bool:
        """Ask the readers of outputs for an acknowledgment, if one may have forgotten the node."""
        writer = self._writers.get(Topic.FOOTPRINT)
        readers = () if writer is None else tuple(map(_participant_of, writer.matched()))
        if not self._standing.has_foreign(readers):
            self._standing.nobody_asked()
            return False
        if self._standing.asked(time.monotonic()):
            # The end of an instance that never was: to be acknowledged, and nothing to be seen.
            # A writer without room for it has something else that is not acknowledged.
            with suppress(TransportError):
                self.adopt(Topic.FOOTPRINT, CO2Footprint())
                self.retire(Topic.FOOTPRINT, CO2Footprint())
        if await self.wait_for_acknowledgments(Topic.FOOTPRINT, PROBE_WAIT_S):
            self._standing.answered()
        return self._standing.is_lost(readers, time.monotonic())

    def _wake(self) -> None:
        participant = self._participant
        if participant is not None:
            participant.signal()

    def overload(self) -> str | None:
        """Say which samples are refused now for lack of room; None if none are."""
        return self._refusals.problem()

    async def sign_of_life(self) -> None:
        """Wake the loop as a thread of DDS would, and wait until that has woken all who wait.

        Raises:
            TransportError: the transport is not open.
        """
        self._opened().signal()
        await self._news.next()

    def configuration_calls(self) -> AsyncIterator[ConfigurationCall]:
        """Serve main's configuration service from now on; iterate over its calls until closed."""
        with translated_errors("serve the configuration service"):
            self._server = ConfigurationServer(self._opened(), self._news)
        return self._news.stream(self._take_calls)

    def answer(self, call: ConfigurationCall, text: str) -> None:
        """Answer a configuration call.

        Raises:
            TransportError: Fast DDS refused, or the call did not come from here.
        """
        if self._server is None:
            raise TransportError(
                "the configuration service is not served: iterate over its calls first"
            )
        self._server.answer(call, text)

    def _listen(self) -> None:
        participant = self._opened()
        participant.clear()
        try:
            for line in participant.take_log_lines():
                severity = severity_of(line.severity, line.message)
                self._config.log(severity, line.category, line.message)
            self._note_peers()
            self._note_refusals(participant)
        finally:
            # Whatever goes wrong here, nobody may go on sleeping over samples that have come.
            self._news.announce()

    def _note_refusals(self, participant: native.Participant) -> None:
        count = self._refused_before + participant.rejected_count()
        where = (topic.dds_name for topic, each in self._readers.items() if each.has_refused())
        is_first = self._refusals.note(count, where, time.monotonic())
        if is_first and (problem := self._refusals.problem()) is not None:
            self._config.log("warning", "carbon_node", problem)

    def _note_peers(self) -> None:
        events = () if self._participant is None else self._participant.take_peer_events()
        for event in events:
            participant = _participant_of(event.guid)
            if event.status in ("discovered", "changed"):
                self._peers[event.guid] = Peer(event.guid, event.name, tuple(event.properties))
                self._known_since_s.setdefault(participant, time.monotonic())
                self._standing.met(participant, event.vendor, event.lease_duration_s)
            else:
                self._peers.pop(event.guid, None)
                self._known_since_s.pop(participant, None)
                self._standing.left(participant)
        if events:
            self._peer_news.announce()

    def _take_calls(self) -> list[ConfigurationCall]:
        if self._left_calls:
            return [self._left_calls.popleft()]
        return [] if self._server is None else self._server.take()

    def _take_waiting(self) -> list[Arrival]:
        return [self._left.popleft()] if self._left else self._take()

    def _take(self) -> list[Arrival]:
        taken = [
            (sample, reader) for reader in self._readers.values() for sample in reader.take(BATCH)
        ]
        taken.sort(key=lambda each: each[0].reception_timestamp_ns)
        # By which the wall clock of this host is ahead of the monotonic one.
        ahead_s = time.time() - time.monotonic()
        arrivals = (self._arrival(sample, reader, ahead_s) for sample, reader in taken)
        return [arrival for arrival in arrivals if arrival is not None]

    def _arrival(self, sample: native.Sample, reader: Reader, ahead_s: float) -> Arrival | None:
        received_s = sample.reception_timestamp_ns / 1e9 - ahead_s
        since_s = self._known_since_s.get(_participant_of(sample.writer), received_s)
        try:
            return reader.arrival(sample, received_s, max(received_s - since_s, 0.0))
        except WireError as error:
            self._config.log(
                "warning", reader.topic.name, f"sample of {sample.writer} ignored: {error}"
            )
            return None

    def _writer(self, topic: Topic) -> native.Writer:
        try:
            return self._writers[topic]
        except KeyError:
            raise TransportError(f"{topic.dds_name} has no open writer: connect it first") from None

    def _opened(self) -> native.Participant:
        if self._participant is None:
            raise TransportError("the transport is not open")
        return self._participant


def severity_of(severity: str, message: str) -> str:
    """Give a line of Fast DDS's log the severity that it has for this node."""
    return "debug" if any(phrase in message for phrase in HARMLESS_LOG) else severity


def _participant_of(guid: str) -> str:
    return guid.partition("|")[0]
