"""What discovery says of participants that mean no good, or were written without care."""

import asyncio
import random

import pytest
from tests.dds.test_fastdds import in_domain
from tests.domains import fresh_domain
from tests.rtps import (
    PID_ENTITY_NAME,
    PID_PROPERTY_LIST,
    TYPE_LOOKUP,
    Parameter,
    hostile,
    properties,
    raw_participant,
    text,
)
from tests.transports import NODE, PATIENCE_S, PEERS, opened, take

from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import Peer, Topic
from carbon_node.wire.samples import HWResource, TaskId

pytestmark = pytest.mark.anyio


async def discovered(*parameters: Parameter) -> Peer:
    """Announce a participant to a transport; how it is known there."""
    config = FastDdsConfig(fresh_domain(), NODE, loopback_only=True)
    transport = FastDdsTransport(config)
    await transport.open()
    try:
        with raw_participant(config.domain) as raw:
            # Again and again, as participants do: a packet may come before the port is open.
            async with asyncio.timeout(PATIENCE_S):
                raw.announce(*parameters)
                while not await transport.wait_until(lambda: bool(transport.peers()), 1.0):
                    raw.announce(*parameters)
        (peer,) = transport.peers()
        return peer
    finally:
        await transport.close()


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"\xff", "\ufffd"),
        ("Knoten-Küche".encode("latin-1"), "Knoten-K\ufffdche"),
        ("Knoten-Küche".encode(), "Knoten-Küche"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    ],
)
async def test_a_name_of_any_octets_is_readable(octets: bytes, name: str) -> None:
    """What is not UTF-8 becomes replacement characters, so no name ends the event loop."""
    assert (await discovered((PID_ENTITY_NAME, text(octets)))).name == name


async def test_properties_of_any_octets_are_readable() -> None:
    """Names and values that are not UTF-8 are replaced as names of participants are."""
    pairs = [(b"good", b"value"), (b"\xe9t\xe9", b"\xff\xfe"), (b"", b"")]
    peer = await discovered((PID_ENTITY_NAME, text(b"x")), (PID_PROPERTY_LIST, properties(pairs)))
    assert ("good", "value") in peer.properties
    assert ("\ufffdt\ufffd", "\ufffd\ufffd") in peer.properties


async def test_no_types_are_asked_for_or_told() -> None:
    """A stranger is told that the node takes no part in the exchange of types."""
    config = FastDdsConfig(fresh_domain(), NODE, loopback_only=True)
    transport = FastDdsTransport(config)
    await transport.open()
    offered: int | None = None
    with raw_participant(config.domain) as raw:
        async with asyncio.timeout(PATIENCE_S):
            while offered is None:
                raw.announce()
                offered = await asyncio.to_thread(raw.builtin_endpoints, 1.0)
    await transport.close()
    assert offered & TYPE_LOOKUP == 0


async def test_no_announcement_stops_what_is_exchanged() -> None:
    """Samples go on arriving while participants and endpoints of any octets are announced.

    Some 500 of each a second, while tasks arrive; names, properties, user data, topics,
    types and quality of service are random, and so is every tenth packet as a whole.
    """
    chance = random.Random(11)  # noqa: S311 - the same packets in every run
    problems: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(context))
    domain = fresh_domain()
    async with opened(in_domain(domain), NODE, PEERS) as (node, peers):
        with raw_participant(domain) as raw:
            arrivals = node.arrivals()
            for number in range(1, 501):
                raw.announce(*hostile(chance), lease_duration_s=1)
                raw.announce_writer(*hostile(chance))
                if number % 10 == 0:
                    raw.send(b"RTPS\x02\x03" + chance.randbytes(chance.randrange(200)))
                    task_id = TaskId(number, 1)
                    peers.publish(Topic.HW_RESOURCE, HWResource(task_id=task_id))
                    (arrival,) = await take(arrivals, 1)
                    assert arrival.key == task_id
                await asyncio.sleep(0.002)
    assert problems == []
