"""Both endpoints of the configuration service, between transports in memory."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from structlog.testing import capture_logs
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.transports import PATIENCE_S, PEERS, opened, take

from carbon_node.errors import TransportError
from carbon_node.observability.metrics import Metrics
from carbon_node.pipeline.endpoints import (
    MAX_WAITING,
    RESPONSES_RETAINED,
    RpcEndpoint,
    TopicEndpoint,
)
from carbon_node.wire.contract import NODE_NAME, ConfigurationCall, Role, Topic
from carbon_node.wire.samples import (
    ConfigurationRequest,
    ConfigurationResponse,
    ErrorCode,
    Sample,
)

pytestmark = pytest.mark.anyio

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
        self.may_end = asyncio.Event()

    async def answer(self, text: str) -> Answer:
        """Answer with the request and its number; "slow" waits for the test."""
        if text == "slow":
            await self.may_end.wait()
        return Answer(text != "no", f"{text} {next(self._numbers)}")


class BrokenWriter(MemoryTransport):
    """A transport whose writers refuse."""

    def publish(self, topic: Topic, sample: Sample) -> None:  # noqa: ARG002 - all are refused
        """Refuse."""
        raise TransportError("the writer is full")

    def answer(self, call: ConfigurationCall, text: str) -> None:  # noqa: ARG002 - all are refused
        """Refuse."""
        raise TransportError("the writer is full")


@asynccontextmanager
async def between_two(
    kind: type[MemoryTransport] = MemoryTransport,
) -> AsyncIterator[tuple[MemoryTransport, MemoryTransport]]:
    """The transports of a node, of some kind, and of a peer."""
    bus = MemoryBus()

    def transport(role: Role) -> MemoryTransport:
        return (kind if role is NODE else MemoryTransport)(bus, role)

    async with opened(transport, NODE, PEERS) as (node, peer):
        assert isinstance(node, MemoryTransport)
        assert isinstance(peer, MemoryTransport)
        yield node, peer


@asynccontextmanager
async def answering(
    node: MemoryTransport, service: Echo | None = None, metrics: Metrics | None = None
) -> AsyncIterator[TopicEndpoint]:
    """An endpoint that answers."""
    endpoint = TopicEndpoint(node, service or Echo(), metrics or Metrics())
    running = asyncio.create_task(endpoint.run())
    try:
        yield endpoint
    finally:
        running.cancel()


def responses(node: MemoryTransport) -> list[ConfigurationResponse]:
    """What the node's writer holds, oldest first."""
    samples = [arrival.sample for arrival in node.retained[Topic.RESPONSE].values()]
    return [sample for sample in samples if isinstance(sample, ConfigurationResponse)]


def is_last(response: ConfigurationResponse) -> bool:
    """Whether it answers the last request of a test that sends too many."""
    return response.transaction_id == MAX_WAITING + 2


async def until(fact: Callable[[], bool]) -> None:
    """Let the endpoint work until a fact holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not fact():  # noqa: ASYNC110 - facts of all kinds
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("text", "success", "code"),
    [("yes", True, ErrorCode.NO_ERROR), ("no", False, ErrorCode.INTERNAL_ERROR)],
)
async def test_a_request_is_answered_with_its_ids_and_counted(
    text: str, *, success: bool, code: ErrorCode
) -> None:
    """Node id and transaction id are echoed, success and error code say how it went."""
    metrics = Metrics()
    async with between_two() as (node, peer), answering(node, metrics=metrics) as endpoint:
        endpoint.take(ConfigurationRequest(1, -7, text))
        (arrival,) = await take(peer.arrivals(), 1)
        assert arrival.sample == ConfigurationResponse(1, -7, success, code, f"{text} 1")
    assert metrics.requests == {("topics", "granted" if success else "refused"): 1}


@pytest.mark.parametrize("node_id", [0, 2, -1, 2**31 - 1])
async def test_requests_to_other_nodes_are_not_answered(node_id: int) -> None:
    """The service is not even asked."""
    async with between_two() as (node, peer), answering(node) as endpoint:
        endpoint.take(ConfigurationRequest(node_id, 1, "a"))
        endpoint.take(ConfigurationRequest(1, 2, "b"))
        (arrival,) = await take(peer.arrivals(), 1)
        assert isinstance(arrival.sample, ConfigurationResponse)
        assert arrival.sample.configuration == "b 1"


async def test_the_same_transaction_is_answered_again() -> None:
    """A request that is sent again gets an answer again, though its ids are known."""
    async with between_two() as (node, peer), answering(node) as endpoint:
        arrivals = peer.arrivals()
        for number in (1, 2):
            endpoint.take(ConfigurationRequest(1, 5, "a"))
            (arrival,) = await take(arrivals, 1)
            assert isinstance(arrival.sample, ConfigurationResponse)
            assert arrival.sample.configuration == f"a {number}"


async def test_answers_keep_the_order_of_their_requests() -> None:
    """A request whose answer takes long is not overtaken by those behind it."""
    service = Echo()
    async with between_two() as (node, _peer), answering(node, service) as endpoint:
        for number, text in enumerate(("a", "slow", "b", "c")):
            endpoint.take(ConfigurationRequest(1, number, text))
        await until(lambda: len(responses(node)) == 1)
        service.may_end.set()
        await until(lambda: len(responses(node)) == 4)
        assert [each.configuration for each in responses(node)] == ["a 1", "slow 2", "b 3", "c 4"]


async def test_requests_that_wait_are_bounded() -> None:
    """Of too many the oldest is given up; the others are answered in their order."""
    service = Echo()
    async with between_two() as (node, _peer), answering(node, service) as endpoint:
        endpoint.take(ConfigurationRequest(1, 0, "slow"))
        await asyncio.sleep(0)
        for number in range(1, MAX_WAITING + 3):
            endpoint.take(ConfigurationRequest(1, number, "a"))
        service.may_end.set()
        await until(lambda: bool(responses(node)) and is_last(responses(node)[-1]))
        assert responses(node)[-1].configuration == f"a {MAX_WAITING + 1}"


async def test_old_responses_are_retired() -> None:
    """The writer never fills a reader of 500 instances, and the latest stay."""
    async with between_two() as (node, _peer), answering(node) as endpoint:
        for number in range(RESPONSES_RETAINED + 50):
            endpoint.take(ConfigurationRequest(1, number, "a"))
        await until(lambda: responses(node)[-1:] != [] and responses(node)[0].transaction_id == 50)
        assert len(responses(node)) == RESPONSES_RETAINED < 500


async def test_a_response_that_was_written_again_is_young_again() -> None:
    """What counts is when an instance was written last."""
    async with between_two() as (node, _peer), answering(node) as endpoint:
        for number in (*range(RESPONSES_RETAINED), 0, RESPONSES_RETAINED):
            endpoint.take(ConfigurationRequest(1, number, "a"))
        expected = set(range(RESPONSES_RETAINED + 1)) - {1}
        await until(lambda: {one.transaction_id for one in responses(node)} == expected)


async def test_calls_are_answered_one_by_one() -> None:
    """Each caller gets its own answer."""
    async with between_two() as (node, peer):
        serving = asyncio.create_task(RpcEndpoint(node, Echo(), Metrics()).run())
        answers = await asyncio.gather(
            *(peer.call_configuration(text, PATIENCE_S) for text in ("a", "b", "no"))
        )
        assert answers == ["a 1", "b 2", "no 3"]
        serving.cancel()


async def test_a_response_that_cannot_be_written_is_only_logged() -> None:
    """The endpoints go on when a writer refuses, and the log names each transaction."""
    async with between_two(BrokenWriter) as (node, peer), answering(node) as endpoint:
        with capture_logs() as lines:
            for number in (1, 2):
                endpoint.take(ConfigurationRequest(1, number, "a"))
            await until(lambda: len(lines) == 2)
        assert [line["transaction_id"] for line in lines] == [1, 2]
        serving = asyncio.create_task(RpcEndpoint(node, Echo(), Metrics()).run())
        for _ in range(2):
            with pytest.raises(TransportError, match="did not answer"):
                await peer.call_configuration("a", 0.05)
        assert not serving.done()
        serving.cancel()
