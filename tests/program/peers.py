"""The simulated peers of `carbon-node submit` beside a node of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.patience import PATIENCE_S

from carbon_node.cli.peers import PEERS_ROLE, SimulatedPeers
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport


@asynccontextmanager
async def peers_of(domain: int) -> AsyncIterator[tuple[SimulatedPeers, FastDdsTransport]]:
    """Simulated peers that have met the node, and their transport for what they would not do."""
    transport = FastDdsTransport(FastDdsConfig(domain=domain, role=PEERS_ROLE, loopback_only=True))
    peers = SimulatedPeers(transport, domain)
    async with peers.joined():
        await peers.wait_for_node(PATIENCE_S)
        yield peers, transport
