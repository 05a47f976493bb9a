"""Peers that never end an instance: all is taken, in room that does not grow."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from tests.dds import cyclone
from tests.dds.cyclone import TaskIdImpl, cyclone_peer
from tests.domains import fresh_domain
from tests.transports import NODE, PATIENCE_S

from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import Topic

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

MANY = 25_000
"""More instances than a reader once could hold in its life."""

WRITING = """
import time
from tests.dds.test_native import *
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import *

participant = joined({domain})
topic = Topic.{topic}
quality = Quality(is_reliable=True, is_retained=True, depth=1, instances=0)
writer = native.Writer(
    participant, topic.dds_name, native_type(STRUCTS[topic.sample_type]), native_qos(quality)
)
wait_for(lambda: bool(writer.matched()))
for number in range(1, {count} + 1):
    writer.write(encode({sample}))
    if number % 100 == 0:
        time.sleep(0.01)
sys.stdin.read()
"""

SAMPLES = {
    Topic.USER_INPUT: "UserInput(task_id=TaskId(number, 1))",
    Topic.REQUEST: "ConfigurationRequest(1, number, 'x')",
    Topic.CONTROL: "NodeControl(source_node='s', task_id=TaskId(number, 1))",
}


@asynccontextmanager
async def node(domain: int) -> AsyncIterator[FastDdsTransport]:
    """Have a node's transport, connected."""
    transport = FastDdsTransport(FastDdsConfig(domain, NODE, loopback_only=True))
    await transport.open()
    transport.connect()
    try:
        yield transport
    finally:
        await transport.close()


@contextmanager
def writing(domain: int, topic: Topic, count: int) -> Iterator[None]:
    """A peer that writes samples, each of an instance of its own, and never ends one."""
    script = WRITING.format(domain=domain, topic=topic.name, count=count, sample=SAMPLES[topic])
    peer = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        peer.communicate(b"")


@pytest.mark.parametrize(
    ("topic", "written", "expected"),
    [
        (Topic.USER_INPUT, MANY, MANY),
        (Topic.REQUEST, MANY, MANY),
        # Commands are sent once, and may be lost on the way.
        (Topic.CONTROL, 12_000, 6_000),
    ],
)
async def test_samples_of_instances_that_never_end_go_on_arriving(
    topic: Topic, written: int, expected: int
) -> None:
    """Inputs, requests and commands arrive, and a newcomer is heard as the first was."""
    domain = fresh_domain()
    async with node(domain) as transport:
        arrivals = transport.arrivals()
        for count, at_least in ((written, expected), (10, 10)):
            with writing(domain, topic, count):
                received = 0
                async with asyncio.timeout(80):
                    while received < at_least:
                        arrival = await anext(arrivals)
                        received += arrival.topic is topic and arrival.sample is not None


async def test_instances_of_cyclonedds_do_not_fill_a_reader() -> None:
    """Another implementation matches, and loses nothing when its instances are forgotten."""
    domain, count = fresh_domain(), 3_000
    async with node(domain) as transport:
        arrivals = transport.arrivals()
        with cyclone_peer(domain) as peer:
            assert await transport.wait_for_match(Topic.USER_INPUT, timeout_s=PATIENCE_S)
            seen = set()
            async with asyncio.timeout(60):
                for number in range(1, count + 1):
                    peer.write(cyclone.UserInputImpl(task_id=TaskIdImpl(number, 1)))
                    seen.add((await anext(arrivals)).key)
                # Forgotten long ago, and written once more.
                peer.write(cyclone.UserInputImpl(modality="again", task_id=TaskIdImpl(1, 1)))
                again = await anext(arrivals)
            assert len(seen) == count
            assert (again.key, getattr(again.sample, "modality", None)) == ((1, 1), "again")
