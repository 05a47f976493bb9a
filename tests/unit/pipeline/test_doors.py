"""Both doors of the configuration service, between transports in memory."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from tests.transports import PATIENCE_S, PEERS, opened, run, take

from carbon_node.errors import TransportError
from carbon_node.pipeline.doors import RESPONSES_RETAINED, RpcEndpoint, TopicEndpoint
from carbon_node.transport.memory import MemoryBus, MemoryTransport
from carbon_node.wire.contract import NODE_NAME, ConfigurationCall, Role, Topic
from carbon_node.wire.samples import (
    ConfigurationRequest,
    ConfigurationResponse,
    ErrorCode,
    Sample,
)

NODE = Role(NODE_NAME, reads=(Topic.REQUEST,), writes=(Topic.RESPONSE,))


@dataclass(frozen=True)
class Answer:
    """An answer of the service."""

    success: bool
    text: str


class Echo:
    """Grants every request but "no", and counts them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def answer(self, text: str) -> Answer:
        """Answer with the request and its number."""
        return Answer(text != "no", f"{text} {next(self._numbers)}")


class BrokenWriter(MemoryTransport):
    """A transport whose writers refuse."""

    def publish(self, topic: Topic, sample: Sample) -> None:  # noqa: ARG002 - all are refused
        """Refuse."""
        raise TransportError("the writer is full")

    def answer(self, call: ConfigurationCall, text: str) -> None:  # noqa: ARG002 - all are refused
        """Refuse."""
        raise TransportError("the writer is full")


Scenario = Callable[[MemoryTransport, MemoryTransport], Awaitable[None]]


def between_two(scenario: Scenario, kind: type[MemoryTransport] = MemoryTransport) -> None:
    """Run a scenario between a node's transport and a peer's."""
    bus = MemoryBus()

    def transport(role: Role) -> MemoryTransport:
        return (kind if role is NODE else MemoryTransport)(bus, role)

    async def test() -> None:
        async with opened(transport, NODE, PEERS) as (node, peer):
            assert isinstance(node, MemoryTransport)
            assert isinstance(peer, MemoryTransport)
            await scenario(node, peer)

    run(test())


@pytest.mark.parametrize(
    ("text", "success", "code"),
    [("yes", True, ErrorCode.NO_ERROR), ("no", False, ErrorCode.INTERNAL_ERROR)],
)
def test_a_request_is_answered_with_its_ids(text: str, *, success: bool, code: ErrorCode) -> None:
    """Node id and transaction id are echoed, success and error code say how it went."""

    async def scenario(node: MemoryTransport, peer: MemoryTransport) -> None:
        TopicEndpoint(node, Echo()).answer(ConfigurationRequest(1, -7, text))
        (arrival,) = await take(peer.arrivals(), 1)
        assert arrival.sample == ConfigurationResponse(1, -7, success, code, f"{text} 1")

    between_two(scenario)


@pytest.mark.parametrize("node_id", [0, 2, -1, 2**31 - 1])
def test_requests_to_other_nodes_are_not_answered(node_id: int) -> None:
    """The service is not even asked."""

    async def scenario(node: MemoryTransport, peer: MemoryTransport) -> None:
        door = TopicEndpoint(node, Echo())
        door.answer(ConfigurationRequest(node_id, 1, "a"))
        door.answer(ConfigurationRequest(1, 2, "b"))
        (arrival,) = await take(peer.arrivals(), 1)
        assert isinstance(arrival.sample, ConfigurationResponse)
        assert arrival.sample.configuration == "b 1"

    between_two(scenario)


def test_the_same_transaction_is_answered_again() -> None:
    """A request that is sent again gets an answer again, though its ids are known."""

    async def scenario(node: MemoryTransport, peer: MemoryTransport) -> None:
        door, arrivals = TopicEndpoint(node, Echo()), peer.arrivals()
        for number in (1, 2):
            door.answer(ConfigurationRequest(1, 5, "a"))
            (arrival,) = await take(arrivals, 1)
            assert isinstance(arrival.sample, ConfigurationResponse)
            assert arrival.sample.configuration == f"a {number}"

    between_two(scenario)


def test_old_responses_are_retired() -> None:
    """The writer never holds more than its bound, and the latest stay."""

    async def scenario(node: MemoryTransport, _peer: MemoryTransport) -> None:
        door = TopicEndpoint(node, Echo())
        for number in range(RESPONSES_RETAINED + 50):
            door.answer(ConfigurationRequest(1, number, "a"))
        kept = [arrival.sample for arrival in node.retained[Topic.RESPONSE].values()]
        assert len(kept) == RESPONSES_RETAINED
        assert isinstance(kept[0], ConfigurationResponse)
        assert kept[0].transaction_id == 50

    between_two(scenario)


def test_a_response_that_was_written_again_is_young_again() -> None:
    """What counts is when an instance was written last."""

    async def scenario(node: MemoryTransport, _peer: MemoryTransport) -> None:
        door = TopicEndpoint(node, Echo())
        for number in (*range(RESPONSES_RETAINED), 0, RESPONSES_RETAINED):
            door.answer(ConfigurationRequest(1, number, "a"))
        kept = [arrival.sample for arrival in node.retained[Topic.RESPONSE].values()]
        numbers = {one.transaction_id for one in kept if isinstance(one, ConfigurationResponse)}
        assert numbers == set(range(RESPONSES_RETAINED + 1)) - {1}

    between_two(scenario)


def test_calls_are_answered_one_by_one() -> None:
    """Each caller gets its own answer."""

    async def scenario(node: MemoryTransport, peer: MemoryTransport) -> None:
        serving = asyncio.create_task(RpcEndpoint(node, Echo()).run())
        answers = await asyncio.gather(
            *(peer.call_configuration(text, PATIENCE_S) for text in ("a", "b", "no"))
        )
        assert answers == ["a 1", "b 2", "no 3"]
        serving.cancel()

    between_two(scenario)


def test_a_response_that_cannot_be_written_is_only_logged() -> None:
    """The doors stay open when a writer refuses."""

    async def scenario(node: MemoryTransport, peer: MemoryTransport) -> None:
        TopicEndpoint(node, Echo()).answer(ConfigurationRequest(1, 1, "a"))
        serving = asyncio.create_task(RpcEndpoint(node, Echo()).run())
        for _ in range(2):
            with pytest.raises(TransportError, match="did not answer"):
                await peer.call_configuration("a", 0.05)
        assert not serving.done()
        serving.cancel()

    between_two(scenario, BrokenWriter)
