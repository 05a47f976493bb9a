"""What a node can rely on, whatever transport it runs on."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeAlias

import pytest
from tests.library import library_world
from tests.library_node import library_node
from tests.transports import (
    NODE,
    PATIENCE_S,
    PEERS,
    World,
    fastdds_world,
    memory_world,
    opened,
    take,
)
from tests.wire_samples import full_inputs

from carbon_node.wire.contract import NODE_NAME, Arrival, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    ErrorCode,
    NodeStatus,
    Sample,
    Status,
    TaskId,
)

pytestmark = pytest.mark.anyio

TASK = TaskId(4, 2)


class End(Protocol):
    """One end of a pipeline."""

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Yield what arrives at this end."""
        ...

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Send a sample to the other end."""
        ...


class Node(End, Protocol):
    """The node's end."""

    def retire(self, topic: Topic, sample: Sample) -> None:
        """End an instance."""
        ...

    async def close(self) -> None:
        """Leave."""
        ...


Pipeline: TypeAlias = Callable[[Path], AbstractAsyncContextManager[tuple[Node, End]]]


def on(world: Callable[[], World]) -> Pipeline:
    """Have node and peers on the same transport."""

    @asynccontextmanager
    async def pipeline(_directory: Path) -> AsyncIterator[tuple[Node, End]]:
        async with opened(world(), NODE, PEERS) as (node, peers):
            yield node, peers

    return pipeline


@asynccontextmanager
async def on_library(directory: Path) -> AsyncIterator[tuple[Node, End]]:
    """Have the node on the library, or its stand-in."""
    async with library_world(directory) as world:
        path = os.pathsep.join([world.env.get("PYTHONPATH", ""), os.environ.get("PYTHONPATH", "")])
        node = await library_node(world.domain, {**os.environ, **world.env, "PYTHONPATH": path})
        try:
            yield node, world.peers
        finally:
            await node.close()


PIPELINES: dict[str, Pipeline] = {
    "memory": on(memory_world),
    "fastdds": on(fastdds_world),
    "sustainml": on_library,
}


@pytest.fixture(params=PIPELINES)
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    """Each transport in turn."""
    return PIPELINES[request.param]


def send(peers: End, task_id: TaskId = TASK) -> None:
    """Publish the inputs of a task."""
    for topic, sample in full_inputs(task_id).items():
        peers.publish(topic, sample)


async def answer(arrivals: AsyncIterator[Arrival]) -> Arrival:
    """Take arrivals at the peers up to an answer of the node; its status may come between."""
    async with asyncio.timeout(PATIENCE_S):
        async for arrival in arrivals:
            if not isinstance(arrival.sample, NodeStatus):
                return arrival
    raise AssertionError("the peers' arrivals ended")


async def test_the_inputs_of_a_task_arrive_complete(pipeline: Pipeline, tmp_path: Path) -> None:
    """What the peers publish arrives at the node with equal content, key, writer and time."""
    async with pipeline(tmp_path) as (node, peers):
        send(peers)
        arrivals = await take(node.arrivals(), 3)
        node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        await answer(peers.arrivals())

    assert {arrival.topic: arrival.sample for arrival in arrivals} == full_inputs(TASK)
    assert {arrival.key for arrival in arrivals} == {TASK}
    assert all(arrival.writer and arrival.source_timestamp_ns > 0 for arrival in arrivals)


async def test_a_footprint_arrives_complete(pipeline: Pipeline, tmp_path: Path) -> None:
    """What the node publishes for a task arrives at the peers with equal content."""
    footprint = CO2Footprint(1.5, 0.25, 6.0, bytes(range(256)), TASK)
    async with pipeline(tmp_path) as (node, peers):
        send(peers)
        await take(node.arrivals(), 3)
        node.publish(Topic.FOOTPRINT, footprint)
        arrival = await answer(peers.arrivals())

    assert (arrival.topic, arrival.sample, arrival.key) == (Topic.FOOTPRINT, footprint, TASK)


async def test_each_of_two_tasks_gets_its_own_footprint(pipeline: Pipeline, tmp_path: Path) -> None:
    """Answers find their tasks, whichever is answered first."""
    ids = [TaskId(1, 1), TaskId(2, 1)]
    async with pipeline(tmp_path) as (node, peers):
        for task_id in ids:
            send(peers, task_id)
        await take(node.arrivals(), 6)
        answers = peers.arrivals()
        for task_id in reversed(ids):
            node.publish(Topic.FOOTPRINT, CO2Footprint(task_id.problem_id, task_id=task_id))
            arrival = await answer(answers)
            assert arrival.sample == CO2Footprint(task_id.problem_id, task_id=task_id)


@pytest.mark.parametrize("is_granted", [True, False])
async def test_a_configuration_request_is_answered_with_its_ids(
    pipeline: Pipeline,
    tmp_path: Path,
    is_granted: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The caller gets the node's answer under the ids that it sent."""
    code = ErrorCode.NO_ERROR if is_granted else ErrorCode.INTERNAL_ERROR
    async with pipeline(tmp_path) as (node, peers):
        peers.publish(Topic.REQUEST, ConfigurationRequest(1, -7, '{"get": "é"}'))
        (arrival,) = await take(node.arrivals(), 1)
        request = arrival.sample
        assert isinstance(request, ConfigurationRequest)
        assert (request.node_id, request.configuration) == (1, '{"get": "é"}')
        response = ConfigurationResponse(1, request.transaction_id, is_granted, code, "{}")
        node.publish(Topic.RESPONSE, response)
        received = await answer(peers.arrivals())

    assert received.sample == replace(response, transaction_id=-7)


async def test_status_and_retirement_are_never_refused(pipeline: Pipeline, tmp_path: Path) -> None:
    """A node may publish its status and retire what it has published on every transport."""
    async with pipeline(tmp_path) as (node, peers):
        status = NodeStatus(Status.RUNNING, node_name=NODE_NAME, task_id=TASK)
        node.publish(Topic.STATUS, status)
        node.retire(Topic.STATUS, status)
        send(peers)
        await take(node.arrivals(), 3)
        node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        await answer(peers.arrivals())
        node.retire(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))


async def test_closing_ends_the_arrivals(pipeline: Pipeline, tmp_path: Path) -> None:
    """A wait for arrivals ends when the transport closes, and closing twice is fine."""
    async with pipeline(tmp_path) as (node, peers):
        send(peers)
        arrivals = node.arrivals()
        await take(arrivals, 3)
        node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        await answer(peers.arrivals())
        end = asyncio.create_task(anext(arrivals, None))
        await node.close()
        assert await asyncio.wait_for(end, PATIENCE_S) is None
        await node.close()
