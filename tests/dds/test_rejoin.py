"""A transport that joins its domain again, as another participant."""

import asyncio

import pytest
from tests.calling_transport import CallingTransport
from tests.transports import NODE, PATIENCE_S, PEERS, fastdds_world, opened

from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, NodeControl, TaskId, UserInput

pytestmark = pytest.mark.anyio


def user_input(number: int) -> UserInput:
    """An input of a task of its own."""
    return UserInput(task_id=TaskId(number, 1))


async def test_what_has_arrived_is_kept_and_comes_once() -> None:
    """Peers retain their inputs, and a new reader gets them all: those taken before are known."""
    async with opened(fastdds_world(), NODE, PEERS) as (node, peer):
        assert isinstance(node, CallingTransport)
        assert isinstance(peer, CallingTransport)
        arrivals = node.arrivals()
        peer.publish(Topic.USER_INPUT, user_input(1))
        keys = [(await anext(arrivals)).key]
        peer.publish(Topic.USER_INPUT, user_input(2))
        assert await peer.wait_for_acknowledgments(Topic.USER_INPUT, PATIENCE_S)
        former = {peer.guid for peer in peer.peers()}

        node.rejoin()

        peer.publish(Topic.USER_INPUT, user_input(3))
        async with asyncio.timeout(PATIENCE_S):
            keys += [(await anext(arrivals)).key for _ in range(2)]
            assert await peer.wait_for_peers(
                lambda peers: {each.guid for each in peers}.isdisjoint(former), PATIENCE_S
            )
        assert keys == [(1, 1), (2, 1), (3, 1)]


async def test_all_endpoints_are_there_again() -> None:
    """Outputs, commands and the configuration service work as before."""
    async with opened(fastdds_world(), NODE, PEERS) as (node, peer):
        assert isinstance(node, CallingTransport)
        assert isinstance(peer, CallingTransport)
        calls, arrivals, outputs = node.configuration_calls(), node.arrivals(), peer.arrivals()

        node.rejoin()

        async with asyncio.timeout(PATIENCE_S):
            assert await node.wait_for_match(Topic.FOOTPRINT, timeout_s=PATIENCE_S)
            node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TaskId(1, 1)))
            assert (await anext(outputs)).key == (1, 1)
            assert await node.wait_for_match(Topic.CONTROL, timeout_s=PATIENCE_S)
            assert await peer.wait_for_match(Topic.CONTROL, timeout_s=PATIENCE_S)
            peer.publish(Topic.CONTROL, NodeControl(source_node="peer"))
            assert isinstance((await anext(arrivals)).sample, NodeControl)
            asking = asyncio.create_task(peer.call_configuration("now?", PATIENCE_S))
            node.answer(await anext(calls), "now")
            assert await asking == "now"
