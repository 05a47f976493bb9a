"""Every transport behind one interface, for the tests of their contract."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

from tests.calling_transport import CallingTransport
from tests.domains import fresh_domain
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S as PATIENCE_S

from carbon_node.transport.fastdds import FastDdsConfig
from carbon_node.wire.contract import NODE_NAME, Arrival, Role, Topic

INPUTS = (Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE, Topic.CONTROL, Topic.REQUEST)
OUTPUTS = (Topic.STATUS, Topic.FOOTPRINT, Topic.RESPONSE)
NODE = Role(NODE_NAME, reads=INPUTS, writes=OUTPUTS, properties=(("made.by", "test"),))
PEERS = Role("TEST_PEERS", reads=OUTPUTS, writes=INPUTS)


Transport: TypeAlias = MemoryTransport | CallingTransport
World: TypeAlias = Callable[[Role], Transport]
"""Makes the transports of one domain."""


def memory_world() -> World:
    """Provide a domain in memory."""
    bus = MemoryBus()
    return lambda role: MemoryTransport(bus, role)


def fastdds_world() -> World:
    """Provide a DDS domain on loopback."""
    domain = fresh_domain()
    return lambda role: CallingTransport(FastDdsConfig(domain, role, loopback_only=True))


WORLDS: dict[str, Callable[[], World]] = {"memory": memory_world, "fastdds": fastdds_world}


@asynccontextmanager
async def opened(world: World, *roles: Role) -> AsyncIterator[list[Transport]]:
    """Open a transport for each role, with all its endpoints, matched with those of the others."""
    async with AsyncExitStack() as stack:
        transports = [world(role) for role in roles]
        for transport in transports:
            await transport.open()
            stack.push_async_callback(transport.close)
            transport.connect()
        for transport, role in zip(transports, roles, strict=True):
            for topic in (*role.reads, *role.writes):
                others = [other for other in roles if other is not role]
                count = sum(topic in (*other.reads, *other.writes) for other in others)
                assert await transport.wait_for_match(topic, count, timeout_s=PATIENCE_S)
        yield transports


async def take(arrivals: AsyncIterator[Arrival], count: int) -> list[Arrival]:
    """Take a number of arrivals."""
    async with asyncio.timeout(PATIENCE_S):
        return [await anext(arrivals) for _ in range(count)]


def wait_for(fact: Callable[[], bool]) -> None:
    """Wait until a fact holds, in a test without a loop."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not fact():
        assert time.monotonic() < deadline_s, "what the test waits for did not happen"
        time.sleep(0.001)
