"""Play the other nodes of a pipeline for a carbon node, in a domain of their own.

One participant writes the three inputs and reads what the node answers. It must never meet a real
orchestrator, which cannot cope with participants that it does not know.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from carbon_node.errors import TransportError
from carbon_node.wire.contract import NODE_NAME, ORCHESTRATOR_NAME, Arrival, Peer, Role, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    NodeStatus,
    Sample,
    Status,
    TaskId,
    TaskStatus,
    UserInput,
)

PEERS_ROLE = Role(
    participant_name="carbon_node_submit",
    reads=(Topic.FOOTPRINT, Topic.STATUS),
    writes=(Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE),
)
"""How the simulated peers join a domain."""

DISCOVERY_S = 0.5
"""Seconds within which an orchestrator in the domain announces itself: five initial announcements,
0.1 s apart."""

LOOK_S = 0.25
"""Seconds between two looks for tasks that wait without a sign of the node."""


class PeersTransport(Protocol):
    """What the simulated peers need from a transport."""

    async def open(self) -> None:
        """Join the domain."""
        ...

    async def close(self) -> None:
        """Leave the domain."""
        ...

    def connect(self, *topics: Topic) -> None:
        """Create readers and writers."""
        ...

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Yield samples."""
        ...

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Write a sample."""
        ...

    def retire(self, topic: Topic, sample: Sample) -> None:
        """End the instance of a sample."""
        ...

    def peers(self) -> tuple[Peer, ...]:
        """Other participants of the domain."""
        ...


@dataclass(frozen=True, slots=True)
class SubmittedTask:
    """The three inputs of a task, in the order in which they are written."""

    user_input: UserInput
    ml_model: MLModel
    hw_resource: HWResource

    @property
    def task_id(self) -> TaskId:
        """Id on the wire."""
        return self.user_input.task_id

    def samples(self) -> tuple[tuple[Topic, Sample], ...]:
        """Return each input with its topic."""
        return (
            (Topic.USER_INPUT, self.user_input),
            (Topic.ML_MODEL, self.ml_model),
            (Topic.HW_RESOURCE, self.hw_resource),
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a task.

    Args:
        footprint: the node's output.
        seconds: from the last input written to the output received.
    """

    footprint: CO2Footprint
    seconds: float


@dataclass(frozen=True, slots=True)
class Situation:
    """How far the tasks are, and what is known of the node.

    Args:
        is_node_there: whether a carbon node is in the domain.
        status: what the node last said of itself; None before it said anything.
        sent_count: tasks submitted so far.
        begun_count: those of them that the node has begun and not answered.
        done_count: those of them that are answered.
    """

    is_node_there: bool
    status: Status | None
    sent_count: int
    begun_count: int
    done_count: int


@dataclass(slots=True, eq=False)
class _Pending:
    """A task without an answer."""

    sent_s: float
    answered: asyncio.Future[CO2Footprint | None]
    has_begun: bool = False


class SimulatedPeers:
    """The other nodes of a pipeline, as far as a carbon node notices.

    A sign of the node is a status that it publishes, or an output for one of the tasks.

    Args:
        transport: built for `PEERS_ROLE`.
        domain: DDS domain id, for messages.
        timeout_s: seconds without a sign of the node after which a task is given up, > 0.
        clock: tells a monotonic time in seconds.
    """

    def __init__(
        self,
        transport: PeersTransport,
        domain: int,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._domain = domain
        self._timeout_s = timeout_s
        self._clock = clock
        self._pending: dict[TaskId, _Pending] = {}
        self._sent_count = self._done_count = 0
        self._sign_s = clock()
        self._status: Status | None = None
        self._node_is_ready = asyncio.Event()

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[None]:
        """Stay in the domain for as long as this context lasts.

        Raises:
            TransportError: an orchestrator is in the domain, or the domain cannot be joined.
        """
        await self._transport.open()
        helpers = [asyncio.create_task(self._read()), asyncio.create_task(self._watch())]
        try:
            await self._refuse_orchestrator()
            self._transport.connect(*PEERS_ROLE.writes, *PEERS_ROLE.reads)
            yield
        finally:
            for helper in helpers:
                helper.cancel()
            await self._transport.close()

    async def wait_for_node(self) -> None:
        """Wait until a carbon node takes tasks.

        Raises:
            TransportError: none is ready in time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._node_is_ready.wait()
        except TimeoutError:
            raise TransportError(
                f"no carbon node answered in domain {self._domain} within {self._timeout_s:g} s; "
                f"start one with: carbon-node run --domain {self._domain}"
            ) from None

    async def submit(self, task: SubmittedTask) -> Answer | None:
        """Write the inputs of a task and wait for its output, as long as the node gives signs.

        Args:
            task: what to submit; its id must not have been used with these peers.

        Returns:
            The output and how long it took; None if the node fell silent before.
        """
        for topic, sample in task.samples():
            self._transport.publish(topic, sample)
        answered: asyncio.Future[CO2Footprint | None] = asyncio.get_running_loop().create_future()
        pending = _Pending(self._clock(), answered)
        self._pending[task.task_id] = pending
        self._sent_count += 1
        try:
            footprint = await answered
        finally:
            del self._pending[task.task_id]
        if footprint is None:
            return None
        self._done_count += 1
        answer = Answer(footprint, self._clock() - pending.sent_s)
        # Room in the writers for the tasks that follow.
        for topic, sample in task.samples():
            self._transport.retire(topic, sample)
        return answer

    def situation(self) -> Situation:
        """Return how far the tasks are."""
        return Situation(
            any(peer.name == NODE_NAME for peer in self._transport.peers()),
            self._status,
            self._sent_count,
            sum(pending.has_begun for pending in self._pending.values()),
            self._done_count,
        )

    async def _refuse_orchestrator(self) -> None:
        deadline_s = time.monotonic() + DISCOVERY_S
        while time.monotonic() < deadline_s:
            if any(peer.name == ORCHESTRATOR_NAME for peer in self._transport.peers()):
                raise TransportError(
                    f"domain {self._domain} has an {ORCHESTRATOR_NAME}, which would take these "
                    "simulated nodes for its own; choose another domain with --domain"
                )
            await asyncio.sleep(0.02)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            limit_s = self._clock() - self._timeout_s
            if self._sign_s > limit_s:
                continue
            for pending in self._pending.values():
                if pending.sent_s <= limit_s and not pending.answered.done():
                    pending.answered.set_result(None)

    async def _read(self) -> None:
        async for arrival in self._transport.arrivals():
            match arrival.sample:
                case CO2Footprint() as footprint:
                    self._deliver(footprint)
                case NodeStatus(node_name=name) as status if name == NODE_NAME:
                    self._note(status)
                case _:
                    pass

    def _deliver(self, footprint: CO2Footprint) -> None:
        pending = self._pending.get(footprint.task_id)
        if pending is not None and not pending.answered.done():
            self._sign_s = self._clock()
            pending.answered.set_result(footprint)

    def _note(self, status: NodeStatus) -> None:
        self._sign_s = self._clock()
        self._status = status.node_status
        if status.node_status in (Status.IDLE, Status.RUNNING):
            self._node_is_ready.set()
        if status.node_status is Status.INITIALIZING:
            # It was started again, and begins with everything once more.
            for each in self._pending.values():
                each.has_begun = False
        pending = self._pending.get(status.task_id)
        if pending is not None and status.task_status is TaskStatus.RUNNING:
            pending.has_begun = True
