"""The previous iteration's footprint, in a pipeline without orchestrator."""

import pytest
from tests.calling_transport import CallingTransport
from tests.domains import fresh_domain

from carbon_node.pipeline.baseline import RETAINED, Baseline
from carbon_node.transport.fastdds import FastDdsConfig
from carbon_node.wire.contract import NODE_NAME, BaselinePolicy, Role, Topic
from carbon_node.wire.quality import WRITER_INSTANCES
from carbon_node.wire.samples import TaskId

NODE = Role(NODE_NAME, reads=(), writes=(Topic.BASELINE,))
PROVIDER = Role("TEST_PROVIDER", reads=(Topic.BASELINE,), writes=())

pytestmark = pytest.mark.anyio


async def test_the_baseline_goes_on_beyond_the_instances_of_a_writer() -> None:
    """Old baselines end: the writer is never full, and a late provider gets the latest."""
    domain = fresh_domain()
    node = CallingTransport(FastDdsConfig(domain, NODE, loopback_only=True))
    await node.open()
    try:
        node.connect()
        baseline = Baseline(node, BaselinePolicy.ALWAYS)
        for number in range(1, WRITER_INSTANCES + 1001):
            baseline.user_input_arrived(TaskId(number, 1))
        provider = CallingTransport(FastDdsConfig(domain, PROVIDER, loopback_only=True))
        await provider.open()
        try:
            provider.connect()
            arrivals = provider.arrivals()
            found = {(await anext(arrivals)).key.problem_id for _ in range(RETAINED)}
        finally:
            await provider.close()
    finally:
        await node.close()

    assert found == set(range(WRITER_INSTANCES + 1001 - RETAINED, WRITER_INSTANCES + 1001))
