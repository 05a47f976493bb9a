"""The simulated peers of `carbon-node submit` beside a node of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.patience import PATIENCE_S

from carbon_node.cli.peers import PEERS_ROLE, SimulatedPeers, SubmittedTask
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.samples import CO2Footprint


@asynccontextmanager
async def peers_of(domain: int) -> AsyncIterator[tuple[SimulatedPeers, FastDdsTransport]]:
    """Simulated peers that have met the node, and their transport for what they would not do."""
    transport = FastDdsTransport(FastDdsConfig(domain=domain, role=PEERS_ROLE, loopback_only=True))
    peers = SimulatedPeers(transport, domain, PATIENCE_S)
    async with peers.joined():
        await peers.wait_for_node()
        yield peers, transport


async def footprint_of(peers: SimulatedPeers, task: SubmittedTask) -> CO2Footprint:
    """Submit a task and wait for its output."""
    answer = await peers.submit(task)
    assert answer is not None, "the node gave no sign"
    return answer.footprint
