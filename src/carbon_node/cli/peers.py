"""Play the other nodes of a pipeline for a carbon node, in a domain of their own.

One participant writes the three inputs and reads what the node answers. It must never meet a real
orchestrator, which cannot cope with participants that it does not know.
"""

import asyncio
import time
from collections.abc import AsyncIterator
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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a task.

    Args:
        footprint: the node's output.
        seconds: from the last input written to the output received.
    """

    footprint: CO2Footprint
    seconds: float


class SimulatedPeers:
    """The other nodes of a pipeline, as far as a carbon node notices.

    Args:
        transport: built for `PEERS_ROLE`.
        domain: DDS domain id, for messages.
    """

    def __init__(self, transport: PeersTransport, domain: int) -> None:
        self._transport = transport
        self._domain = domain
        self._answers: dict[TaskId, asyncio.Future[CO2Footprint]] = {}
        self._node_is_ready = asyncio.Event()

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[None]:
        """Stay in the domain for as long as this context lasts.

        Raises:
            TransportError: an orchestrator is in the domain, or the domain cannot be joined.
        """
        await self._transport.open()
        reading = asyncio.create_task(self._read())
        try:
            await self._refuse_orchestrator()
            self._transport.connect(*PEERS_ROLE.writes, *PEERS_ROLE.reads)
            yield
        finally:
            reading.cancel()
            await self._transport.close()

    async def wait_for_node(self, timeout_s: float) -> None:
        """Wait until a carbon node takes tasks.

        Args:
            timeout_s: seconds to wait, > 0.

        Raises:
            TransportError: none is ready in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._node_is_ready.wait()
        except TimeoutError:
            raise TransportError(
                f"no carbon node answered in domain {self._domain} within {timeout_s:g} s; "
                f"start one with: carbon-node run --domain {self._domain}"
            ) from None

    async def submit(self, task: SubmittedTask, timeout_s: float) -> Answer:
        """Write the inputs of a task and wait for its output.

        Args:
            task: what to submit; its id must not have been used with these peers.
            timeout_s: seconds to wait after the last input was written, > 0.

        Returns:
            The output and how long it took.

        Raises:
            TransportError: no output came in time.
        """
        answered: asyncio.Future[CO2Footprint] = asyncio.get_running_loop().create_future()
        self._answers[task.task_id] = answered
        self._transport.publish(Topic.USER_INPUT, task.user_input)
        self._transport.publish(Topic.ML_MODEL, task.ml_model)
        self._transport.publish(Topic.HW_RESOURCE, task.hw_resource)
        since_s = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s):
                return Answer(await answered, time.monotonic() - since_s)
        except TimeoutError:
            raise TransportError(
                f"task {task.task_id.problem_id}.{task.task_id.iteration_id} got no output within "
                f"{timeout_s:g} s; see the node's log"
            ) from None
        finally:
            del self._answers[task.task_id]

    async def _refuse_orchestrator(self) -> None:
        deadline_s = time.monotonic() + DISCOVERY_S
        while time.monotonic() < deadline_s:
            if any(peer.name == ORCHESTRATOR_NAME for peer in self._transport.peers()):
                raise TransportError(
                    f"domain {self._domain} has an {ORCHESTRATOR_NAME}, which would take these "
                    "simulated nodes for its own; choose another domain with --domain"
                )
            await asyncio.sleep(0.02)

    async def _read(self) -> None:
        async for arrival in self._transport.arrivals():
            match arrival.sample:
                case CO2Footprint() as footprint:
                    self._deliver(footprint)
                case NodeStatus(node_name=name, node_status=Status.IDLE | Status.RUNNING) if (
                    name == NODE_NAME
                ):
                    self._node_is_ready.set()
                case _:
                    pass

    def _deliver(self, footprint: CO2Footprint) -> None:
        answered = self._answers.get(footprint.task_id)
        if answered is not None and not answered.done():
            answered.set_result(footprint)
