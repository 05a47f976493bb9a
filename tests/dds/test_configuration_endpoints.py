"""Both endpoints of one configuration service at the same time, between real participants."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.calling_transport import CallingTransport, participant
from tests.dds.cyclone import CyclonePeer, RequestTypeImpl, ResponseTypeImpl, cyclone_peer
from tests.domains import fresh_domain
from tests.quiet_node import QuietNode
from tests.transports import PATIENCE_S

from carbon_node.observability.metrics import Metrics
from carbon_node.pipeline.endpoints import RpcEndpoint, TopicEndpoint
from carbon_node.settings import ConfigurationService, load
from carbon_node.wire.contract import NODE_NAME, Role, Topic
from carbon_node.wire.samples import ConfigurationRequest

pytestmark = pytest.mark.anyio

NODE = Role(NODE_NAME, reads=(Topic.REQUEST,), writes=(Topic.RESPONSE,))
REQUESTER = Role("TEST_REQUESTER", reads=(), writes=())

_transactions = itertools.count(1)


@asynccontextmanager
async def both_endpoints(domain: int) -> AsyncIterator[tuple[CyclonePeer, CallingTransport]]:
    """A CycloneDDS peer and a requester of the RPC before the two endpoints of one service."""
    configuration = load({"domain": domain}, {}, system_file=Path("/nowhere")).configuration
    service = ConfigurationService(configuration, QuietNode(), lambda _: None)
    async with (
        participant(domain, NODE, is_matched=False) as node,
        participant(domain, REQUESTER, is_matched=False) as requester,
        asyncio.TaskGroup() as group,
    ):
        topics = TopicEndpoint(node, service, Metrics())
        serving = [
            group.create_task(_serve_topic(node, topics)),
            group.create_task(topics.run()),
            group.create_task(RpcEndpoint(node, service, Metrics()).run()),
        ]
        with cyclone_peer(domain) as peer:
            assert await node.wait_for_match(Topic.REQUEST, timeout_s=PATIENCE_S)
            assert await node.wait_for_match(Topic.RESPONSE, timeout_s=PATIENCE_S)
            yield peer, requester
        for each in serving:
            each.cancel()


async def _serve_topic(node: CallingTransport, endpoint: TopicEndpoint) -> None:
    async for arrival in node.arrivals():
        if isinstance(arrival.sample, ConfigurationRequest):
            endpoint.take(arrival.sample)


async def ask(peer: CyclonePeer, text: str, node_id: int = 1) -> ResponseTypeImpl:
    """Ask through the topics, from CycloneDDS."""
    transaction = next(_transactions)
    peer.write(RequestTypeImpl(node_id=node_id, transaction_id=transaction, configuration=text))
    return await answer_to(peer, transaction)


async def answer_to(peer: CyclonePeer, transaction: int) -> ResponseTypeImpl:
    """Wait for the response to a transaction."""
    return await asyncio.to_thread(
        peer.wait_for, ResponseTypeImpl, lambda response: response.transaction_id == transaction
    )


async def test_what_one_endpoint_sets_the_other_shows() -> None:
    """CycloneDDS through the topics and Fast DDS through the RPC reach the same settings."""
    async with both_endpoints(fresh_domain()) as (peer, requester):
        response = await ask(peer, '{"set": {"pue": 1.25}}')
        assert (response.node_id, response.success, response.err_code) == (1, True, 0)
        by_call = json.loads(await requester.call_configuration('{"get": "all"}', PATIENCE_S))
        assert by_call["configuration"]["pue"] == 1.25
        by_topic = json.loads((await ask(peer, '{"get": "all"}')).configuration)
        assert by_topic == by_call


async def test_both_endpoints_are_open_at_the_same_time() -> None:
    """Requests that arrive together through both endpoints are all answered."""
    async with both_endpoints(fresh_domain()) as (peer, requester):
        transactions = [next(_transactions) for _ in range(50)]
        for transaction in transactions:
            peer.write(RequestTypeImpl(1, transaction, '{"get": ["pue"]}'))
        calls = [requester.call_configuration('{"get": ["pue"]}', PATIENCE_S) for _ in range(50)]
        answers = await asyncio.gather(*calls)
        responses = [await answer_to(peer, each) for each in transactions]
        assert {response.configuration for response in responses} == set(answers)
        assert all(response.success for response in responses)


async def test_refused_requests_are_answered_through_both_endpoints() -> None:
    """CycloneDDS gets success false and code 1; the RPC gets a normal reply that says so."""
    async with both_endpoints(fresh_domain()) as (peer, requester):
        response = await ask(peer, "nonsense")
        assert (response.success, response.err_code) == (False, 1)
        by_call = json.loads(await requester.call_configuration("nonsense", PATIENCE_S))
        assert by_call == json.loads(response.configuration)
        assert by_call["error"]["code"] == "not_json"


async def test_requests_to_others_are_not_answered_to_cyclonedds() -> None:
    """A request to node 2 leaves no response, though it came first."""
    async with both_endpoints(fresh_domain()) as (peer, _):
        peer.write(RequestTypeImpl(2, 999_999, '{"get": "all"}'))
        await ask(peer, '{"get": ["pue"]}')
        assert 999_999 not in [
            response.transaction_id for response in peer.received(ResponseTypeImpl)
        ]


async def test_a_caller_that_just_arrived_gets_its_reply() -> None:
    """A call that is sent as soon as it can be is not answered before its reader is known."""
    domain = fresh_domain()
    async with both_endpoints(domain):
        for _ in range(10):
            async with participant(domain, REQUESTER, is_matched=False) as newcomer:
                assert await newcomer.call_configuration("", PATIENCE_S)
