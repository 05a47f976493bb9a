"""The embedded transport towards CycloneDDS, a foreign implementation of DDS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.dds import cyclone
from tests.dds.cyclone import CyclonePeer, TaskIdImpl, cyclone_peer
from tests.domains import fresh_domain
from tests.transports import NODE, PATIENCE_S, take

from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import NODE_NAME, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    ErrorCode,
    HWResource,
    MLModel,
    NodeCommand,
    NodeControl,
    NodeStatus,
    Status,
    TaskCommand,
    TaskId,
    TaskStatus,
    UserInput,
)

pytestmark = pytest.mark.anyio

# CycloneDDS describes wire types by annotations that are no types to a checker.
# mypy: disable-error-code="arg-type"

TASK = TaskId(7, 3)
FOREIGN_TASK = TaskIdImpl(7, 3)


@asynccontextmanager
async def node_and_peer(
    log: list[str] | None = None,
) -> AsyncIterator[tuple[FastDdsTransport, CyclonePeer]]:
    """Have a node's transport and a CycloneDDS peer in one domain, matched."""
    lines = [] if log is None else log
    config = FastDdsConfig(
        fresh_domain(), NODE, loopback_only=True, log=lambda *line: lines.append(" ".join(line))
    )
    node = FastDdsTransport(config)
    await node.open()
    node.connect()
    with cyclone_peer(config.domain) as peer:
        await asyncio.to_thread(peer.wait_for_node)
        for topic in (*NODE.reads, *NODE.writes):
            assert await node.wait_for_match(topic, timeout_s=PATIENCE_S)
        yield node, peer
    await node.close()


async def test_everything_that_the_others_write_is_read() -> None:
    """Inputs, commands and requests of a foreign implementation arrive with equal content."""
    async with node_and_peer() as (node, peer):
        peer.write(
            cyclone.UserInputImpl(
                modality="modalité",
                inputs=["a", ""],
                minimum_samples=2**32 - 1,
                optimize_carbon_footprint_auto=True,
                previous_iteration=-1,
                desired_carbon_footprint=0.1,
                extra_data=list(b'{"goal": 1}'),
                task_id=FOREIGN_TASK,
            ),
            cyclone.MLModelImpl(
                model="m", raw_model=list(range(256)), target_latency=2.5, task_id=FOREIGN_TASK
            ),
            cyclone.HWResourceImpl(
                hw_description="cpu",
                power_consumption=270.0,
                latency=0.35,
                task_id=FOREIGN_TASK,
            ),
            cyclone.NodeControlImpl(2, 1, NODE_NAME, "ORCHESTRATOR_NODE", FOREIGN_TASK),
            cyclone.RequestTypeImpl(1, 9, '{"get": "all"}'),
        )

        arrivals = await take(node.arrivals(), 5)

        assert {arrival.topic: arrival.sample for arrival in arrivals} == {
            Topic.USER_INPUT: UserInput(
                modality="modalité",
                inputs=("a", ""),
                minimum_samples=2**32 - 1,
                optimize_carbon_footprint_auto=True,
                previous_iteration=-1,
                desired_carbon_footprint=0.1,
                extra_data=b'{"goal": 1}',
                task_id=TASK,
            ),
            Topic.ML_MODEL: MLModel(
                model="m", raw_model=bytes(range(256)), target_latency=2.5, task_id=TASK
            ),
            Topic.HW_RESOURCE: HWResource("cpu", 270.0, 0.35, task_id=TASK),
            Topic.CONTROL: NodeControl(
                NodeCommand.STOP, TaskCommand.STOP, NODE_NAME, "ORCHESTRATOR_NODE", TASK
            ),
            Topic.REQUEST: ConfigurationRequest(1, 9, '{"get": "all"}'),
        }


async def test_a_type_that_differs_matches_by_its_name() -> None:
    """A peer of another release announces another type; the members that are known are read."""
    async with node_and_peer() as (node, peer):
        peer.add_writer(cyclone.NewerHardware, of=cyclone.HWResourceImpl)
        peer.write(cyclone.NewerHardware("cpu", 270.0, task_id=FOREIGN_TASK, price=1.0))

        (arrival,) = await take(node.arrivals(), 1)

        assert arrival.sample == HWResource("cpu", 270.0, task_id=TASK)


async def test_everything_that_the_node_writes_is_read() -> None:
    """A foreign implementation reads outputs, statuses and responses with equal content."""
    async with node_and_peer() as (node, peer):
        node.publish(Topic.FOOTPRINT, CO2Footprint(1.5, 0.25, 6.0, b'{"num_outputs": 1}', TASK))
        node.publish(
            Topic.STATUS,
            NodeStatus(
                Status.RUNNING, TaskStatus.ERROR, ErrorCode.INTERNAL_ERROR, "é", NODE_NAME, TASK
            ),
        )
        node.publish(Topic.RESPONSE, ConfigurationResponse(1, 9, success=True, configuration="{}"))

        assert peer.wait_for(cyclone.CO2FootprintImpl) == cyclone.CO2FootprintImpl(
            1.5, 0.25, 6.0, list(b'{"num_outputs": 1}'), FOREIGN_TASK
        )
        assert peer.wait_for(cyclone.NodeStatusImpl) == cyclone.NodeStatusImpl(
            4, 1, 1, "é", NODE_NAME, FOREIGN_TASK
        )
        assert peer.wait_for(cyclone.ResponseTypeImpl) == cyclone.ResponseTypeImpl(
            1, 9, success=True, configuration="{}"
        )


async def test_a_late_foreign_reader_gets_what_is_retained() -> None:
    """A reader that joins after an output was written receives it."""
    domain = fresh_domain()
    node = FastDdsTransport(FastDdsConfig(domain, NODE, loopback_only=True))
    await node.open()
    node.connect()
    node.publish(Topic.FOOTPRINT, CO2Footprint(1.0, task_id=TASK))
    with cyclone_peer(domain) as peer:
        received = await asyncio.to_thread(peer.wait_for, cyclone.CO2FootprintImpl)
    assert received.task_id == FOREIGN_TASK
    await node.close()


async def test_an_unknown_command_arrives_as_such() -> None:
    """A command that the contract does not know is one that can be counted, and others follow."""
    async with node_and_peer([]) as (node, peer):
        arrivals = node.arrivals()
        peer.write(cyclone.NodeControlImpl(9, source_node="o"))
        peer.write(cyclone.NodeControlImpl(1, source_node="p"))

        commands = {arrival.sample for arrival in await take(arrivals, 2)}

        assert commands == {
            NodeControl(NodeCommand.UNKNOWN, source_node="o"),
            NodeControl(NodeCommand.START, source_node="p"),
        }
