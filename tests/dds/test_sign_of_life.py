"""The transport's sign of life, which the watchdog goes by."""

import asyncio

import pytest
from tests.domains import fresh_domain
from tests.patience import PATIENCE_S

from carbon_node.errors import TransportError
from carbon_node.observability.heartbeat import Heartbeat
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import NODE_NAME, Role, Topic

pytestmark = pytest.mark.anyio


def transport() -> FastDdsTransport:
    """A transport in a domain of its own."""
    role = Role(NODE_NAME, reads=(Topic.USER_INPUT,), writes=())
    return FastDdsTransport(FastDdsConfig(domain=fresh_domain(), role=role, loopback_only=True))


async def test_a_living_transport_answers() -> None:
    """The question wakes the loop the way a sample would."""
    living = transport()
    await living.open()
    try:
        for _ in range(3):
            await asyncio.wait_for(living.sign_of_life(), PATIENCE_S)
    finally:
        await living.close()


async def test_a_closed_transport_gives_none_and_is_named() -> None:
    """The watchdog's report says why it is not fed."""
    closed = transport()
    with pytest.raises(TransportError, match="not open"):
        await closed.sign_of_life()
    heartbeat = Heartbeat("the transport", closed.sign_of_life, 0.01, 0.05)
    asking = asyncio.create_task(heartbeat.run())
    await asyncio.sleep(0.1)
    asking.cancel()
    problem = heartbeat.check()
    assert problem is not None
    assert problem.endswith("the transport is not open")


async def test_a_transport_whose_loop_does_not_hear_it_gives_none() -> None:
    """If what wakes the loop is lost, the question stays without an answer."""
    deaf = transport()
    await deaf.open()
    loop = asyncio.get_running_loop()
    try:
        assert deaf._participant is not None  # what a fault would break, there is no other way
        loop.remove_reader(deaf._participant.fileno())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(deaf.sign_of_life(), 0.2)
        loop.add_reader(deaf._participant.fileno(), deaf._listen)
    finally:
        await deaf.close()
