"""What every transport does, whatever it is made of."""

import asyncio

import pytest
from tests.transports import NODE, OUTPUTS, PATIENCE_S, PEERS, WORLDS, World, opened, take
from tests.wire_samples import full_inputs

from carbon_node.errors import TransportError
from carbon_node.wire.contract import NODE_NAME, Role, Topic
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
    Sample,
    Status,
    TaskCommand,
    TaskId,
    TaskStatus,
    UserInput,
)

pytestmark = pytest.mark.anyio

TASK = TaskId(4, 2)
SAMPLES: dict[Topic, Sample] = {
    **full_inputs(TASK),
    Topic.FOOTPRINT: CO2Footprint(1.5, 0.25, 6.0, b"{}", TASK),
    Topic.STATUS: NodeStatus(
        Status.RUNNING, TaskStatus.ERROR, ErrorCode.INTERNAL_ERROR, "why", NODE_NAME, TASK
    ),
    Topic.CONTROL: NodeControl(
        NodeCommand.STOP, TaskCommand.RESET, NODE_NAME, "ORCHESTRATOR_NODE", TASK
    ),
    Topic.REQUEST: ConfigurationRequest(1, -1, '{"get": "all"}'),
    Topic.RESPONSE: ConfigurationResponse(
        1, -1, success=True, err_code=ErrorCode.INTERNAL_ERROR, configuration="{}"
    ),
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> World:
    """Each kind of domain in turn."""
    return WORLDS[request.param]()


@pytest.mark.parametrize("topic", SAMPLES, ids=lambda topic: topic.name)
async def test_samples_arrive_with_equal_content(world: World, topic: Topic) -> None:
    """What is published on a topic arrives there, complete, with its key and writer."""
    async with opened(world, NODE, PEERS) as (node, peers):
        writer, reader = (node, peers) if topic in OUTPUTS else (peers, node)
        writer.publish(topic, SAMPLES[topic])

        (arrival,) = await take(reader.arrivals(), 1)

        assert arrival.topic is topic
        assert arrival.sample == SAMPLES[topic]
        assert arrival.key == (TASK if topic not in (Topic.REQUEST, Topic.RESPONSE) else (0, 0))
        assert arrival.writer.partition("|")[0] == reader.peers()[0].guid.partition("|")[0]
        assert arrival.source_timestamp_ns > 0


async def test_a_late_reader_gets_the_last_sample_of_each_instance(world: World) -> None:
    """A late reader receives what is retained: the newest sample of each key."""
    async with opened(world, PEERS) as (peers,):
        for power in (1.0, 2.0):
            for problem in (1, 2):
                sample = HWResource(power_consumption=power, task_id=TaskId(problem, 1))
                peers.publish(Topic.HW_RESOURCE, sample)
        async with opened(world, NODE) as (node,):
            arrivals = await take(node.arrivals(), 2)

    by_key = sorted(arrivals, key=lambda arrival: arrival.key)
    assert [arrival.sample for arrival in by_key] == [
        HWResource(power_consumption=2.0, task_id=TaskId(problem, 1)) for problem in (1, 2)
    ]


async def test_an_untaken_sample_is_replaced_by_the_next_of_its_instance(world: World) -> None:
    """A slow reader sees the newest sample of an instance only, and each other instance."""
    async with opened(world, NODE, PEERS) as (node, peers):
        for latency in range(5):
            peers.publish(Topic.HW_RESOURCE, HWResource(latency=latency, task_id=TASK))
        last = HWResource(latency=9.0, task_id=TaskId(9, 9))
        peers.publish(Topic.HW_RESOURCE, last)
        assert await peers.wait_for_acknowledgments(Topic.HW_RESOURCE, PATIENCE_S)

        arrivals = await take(node.arrivals(), 2)

        assert [arrival.sample for arrival in arrivals] == [
            HWResource(latency=4.0, task_id=TASK),
            last,
        ]


async def test_commands_do_not_replace_each_other(world: World) -> None:
    """Two commands of one source about one task both arrive."""
    async with opened(world, NODE, PEERS) as (node, peers):
        commands = [
            NodeControl(command, source_node="o", task_id=TASK)
            for command in (NodeCommand.STOP, NodeCommand.START)
        ]
        for command in commands:
            peers.publish(Topic.CONTROL, command)

        arrivals = await take(node.arrivals(), 2)

        assert [arrival.sample for arrival in arrivals] == commands


async def test_samples_arrive_in_the_order_of_their_publication(world: World) -> None:
    """Tasks come out in the order in which they were written, whatever their ids."""
    ids = [TaskId(problem * 19 % 53, 1) for problem in range(1, 53)]
    async with opened(world, NODE, PEERS) as (node, peers):
        for task_id in ids:
            peers.publish(Topic.USER_INPUT, UserInput(task_id=task_id))
        assert await peers.wait_for_acknowledgments(Topic.USER_INPUT, PATIENCE_S)

        taken = await take(node.arrivals(), len(ids))

        assert [arrival.key for arrival in taken] == ids


async def test_a_burst_leaves_turns_to_other_coroutines(world: World) -> None:
    """Someone who only waits for turns gets some while thousands of samples are consumed."""
    async with opened(world, NODE, PEERS) as (node, peers):
        for problem in range(2000):
            peers.publish(Topic.USER_INPUT, UserInput(task_id=TaskId(problem, 1)))
        assert await peers.wait_for_acknowledgments(Topic.USER_INPUT, PATIENCE_S)
        turns = 0

        async def count_turns() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counting = asyncio.create_task(count_turns())
        await take(node.arrivals(), 2000)
        counting.cancel()

        assert turns > 1000


async def test_a_retired_instance_ends_for_its_readers(world: World) -> None:
    """A reader learns the key of an instance that was retired, and a late one nothing of it."""
    async with opened(world, NODE, PEERS) as (node, peers):
        arrivals = peers.arrivals()
        node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        await take(arrivals, 1)
        node.retire(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        node.retire(Topic.FOOTPRINT, CO2Footprint(task_id=TaskId(8, 8)))
        other = CO2Footprint(task_id=TaskId(5, 1))
        node.publish(Topic.FOOTPRINT, other)

        end, following = await take(arrivals, 2)

        assert (end.sample, end.key, end.topic) == (None, TASK, Topic.FOOTPRINT)
        assert following.sample == other
        async with opened(world, PEERS) as (late,):
            (arrival,) = await take(late.arrivals(), 1)
            assert arrival.sample == other


async def test_a_retired_key_can_be_used_again(world: World) -> None:
    """After its end, a key starts a new instance."""
    async with opened(world, NODE, PEERS) as (node, peers):
        arrivals = peers.arrivals()
        for carbon in (1.0, 2.0):
            node.publish(Topic.FOOTPRINT, CO2Footprint(carbon, task_id=TASK))
            (arrival,) = await take(arrivals, 1)
            assert arrival.sample == CO2Footprint(carbon, task_id=TASK)
            node.retire(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
            (end,) = await take(arrivals, 1)
            assert end.sample is None


async def test_peers_appear_and_leave(world: World) -> None:
    """Other participants are known by name and properties while they are there."""
    async with opened(world, PEERS) as (peers,):
        assert peers.peers() == ()
        async with opened(world, NODE):
            assert await peers.wait_until(lambda: bool(peers.peers()), PATIENCE_S)
            (peer,) = peers.peers()
            assert peer.name == NODE_NAME
            assert ("made.by", "test") in peer.properties
        assert await peers.wait_until(lambda: not peers.peers(), PATIENCE_S)


async def test_matches_count_the_endpoints_of_others(world: World) -> None:
    """Matches come and go with others, and a participant does not match itself."""
    async with opened(world, PEERS) as (first,):
        assert first.matched(Topic.STATUS) == 0
        async with opened(world, PEERS) as (_,), opened(world, NODE) as (node,):
            assert await node.wait_for_match(Topic.STATUS, 2, timeout_s=PATIENCE_S)
            assert not await node.wait_for_match(Topic.STATUS, 3, timeout_s=0.05)
            assert await first.wait_for_match(Topic.USER_INPUT, timeout_s=PATIENCE_S)
            assert first.matched(Topic.STATUS) == 1
        assert await first.wait_until(lambda: first.matched(Topic.STATUS) == 0, PATIENCE_S)


async def test_endpoints_open_one_by_one(world: World) -> None:
    """A role's topics can be connected singly; the rest follows with a call for all."""
    async with opened(world, PEERS) as (peers,):
        node = world(NODE)
        await node.open()
        node.connect(Topic.STATUS)
        node.publish(Topic.STATUS, NodeStatus(Status.INITIALIZING, node_name=NODE_NAME))
        with pytest.raises(TransportError, match="connect"):
            node.publish(Topic.FOOTPRINT, CO2Footprint())
        (arrival,) = await take(peers.arrivals(), 1)
        assert arrival.topic is Topic.STATUS
        assert peers.matched(Topic.FOOTPRINT) == 0
        node.connect()
        assert await peers.wait_for_match(Topic.FOOTPRINT, timeout_s=PATIENCE_S)
        await node.close()


async def test_acknowledgments_come(world: World) -> None:
    """A reader that is there acknowledges even what it has not taken."""
    async with opened(world, NODE, PEERS) as (node, _):
        for problem in range(20):
            node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TaskId(problem, 1)))
        assert await node.wait_for_acknowledgments(Topic.FOOTPRINT, PATIENCE_S)
        assert node.is_acknowledged(Topic.FOOTPRINT)


async def test_nobody_has_to_acknowledge_what_nobody_reads(world: World) -> None:
    """Without a reader, what was published counts as acknowledged."""
    async with opened(world, NODE) as (node,):
        node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        assert node.is_acknowledged(Topic.FOOTPRINT)


async def test_large_samples_arrive(world: World) -> None:
    """Five megabytes of octets and texts of one megabyte pass unchanged."""
    octets = bytes(range(256)) * 20_000
    text = "änd" * 350_000
    sent = MLModel(model=text, raw_model=octets, input_batch=(text, ""), task_id=TASK)
    async with opened(world, NODE, PEERS) as (node, peers):
        peers.publish(Topic.ML_MODEL, sent)
        (arrival,) = await take(node.arrivals(), 1)
        assert arrival.sample == sent


async def test_text_that_the_wire_cannot_hold_is_replaced(world: World) -> None:
    """NUL and half surrogate pairs never stop a sample."""
    async with opened(world, NODE, PEERS) as (node, peers):
        peers.publish(Topic.USER_INPUT, UserInput(modality="a\0b", inputs=("\ud800",)))
        (arrival,) = await take(node.arrivals(), 1)
        assert arrival.sample == UserInput(modality="a\ufffdb", inputs=("?",))


async def test_closing_ends_arrivals(world: World) -> None:
    """Arrivals and calls end when the transport closes, and later use is refused."""
    async with opened(world, NODE) as (node,):

        async def consume() -> int:
            return len([arrival async for arrival in node.arrivals()])

        async def serve() -> int:
            return len([call async for call in node.configuration_calls()])

        consuming = [asyncio.create_task(consume()), asyncio.create_task(serve())]
        await asyncio.sleep(0)
        await node.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await asyncio.gather(*consuming) == [0, 0]
        await node.close()
        assert node.peers() == ()
        with pytest.raises(TransportError, match="open"):
            node.publish(Topic.STATUS, NodeStatus())
        with pytest.raises(TransportError, match="open"):
            node.matched(Topic.STATUS)


async def test_a_configuration_call_is_answered(world: World) -> None:
    """The caller gets the answer to its own call, in whatever order answers are sent."""
    async with opened(world, NODE, PEERS) as (node, peers):
        calls = node.configuration_calls()
        texts = ("first", "é" * 500_000)
        asking = [asyncio.create_task(peers.call_configuration(text, PATIENCE_S)) for text in texts]
        async with asyncio.timeout(PATIENCE_S):
            for call in reversed([await anext(calls), await anext(calls)]):
                node.answer(call, call.text.upper())
        assert await asyncio.gather(*asking) == [text.upper() for text in texts]


async def test_a_configuration_call_without_server_fails(world: World) -> None:
    """A caller is told that nobody serves."""
    async with opened(world, PEERS) as (peers,):
        with pytest.raises(TransportError, match="nobody"):
            await peers.call_configuration("{}", 0.05)


async def test_a_role_without_topics_only_sees_peers(world: World) -> None:
    """A participant may have no endpoints at all."""
    async with opened(world, Role("WATCHER", (), ()), NODE) as (watcher, _):
        assert await watcher.wait_until(lambda: bool(watcher.peers()), PATIENCE_S)
