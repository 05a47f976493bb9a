"""What only the embedded transport does: its domain, its limits, its log, its bad peers."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.calling_transport import CallingTransport
from tests.dds.test_native import joined, waited
from tests.domains import fresh_domain
from tests.transports import NODE, PATIENCE_S, PEERS, Transport, World, opened, take

from carbon_node.errors import TransportError, WireError
from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_qos, native_type
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport, severity_of
from carbon_node.wire.contract import LEASE_DURATION_S, NODE_NAME, Role, Topic
from carbon_node.wire.quality import WRITER
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput
from carbon_node.wire.types import Member, Struct

pytestmark = pytest.mark.anyio

TASK = TaskId(7, 3)
LOOPBACK_PROFILE = Path(__file__).parents[1] / "loopback.xml"


def in_domain(
    domain: int, log: list[str] | None = None, lease_duration_s: float = LEASE_DURATION_S
) -> Callable[[Role], CallingTransport]:
    """Make transports of one domain on loopback."""
    lines = [] if log is None else log

    def transport(role: Role) -> CallingTransport:
        return CallingTransport(
            FastDdsConfig(
                domain,
                role,
                lease_duration_s=lease_duration_s,
                loopback_only=True,
                log=lambda *line: lines.append(" ".join(line)),
            )
        )

    return transport


async def test_participants_say_what_they_belong_to() -> None:
    """The orchestrator knows the nodes of a SustainML pipeline by two properties."""
    domain = fresh_domain()
    watching = joined(domain)
    async with opened(in_domain(domain), NODE):
        (event, *_) = waited(watching, watching.take_peer_events)
    watching.close()
    assert event.name == NODE_NAME
    assert ("fastdds.application.id", "SUSTAINML") in event.properties
    assert ("fastdds.application.metadata", "") in event.properties
    assert ("made.by", "test") in event.properties


async def discovery_s(world: World) -> float:
    """Seconds until a new participant sees the node that is in the domain."""
    second = world(NODE)
    await second.open()
    since_s = time.monotonic()
    assert await second.wait_until(
        lambda: any(peer.name == NODE_NAME for peer in second.peers()), PATIENCE_S
    )
    seconds = time.monotonic() - since_s
    await second.close()
    return seconds


async def test_another_node_is_seen_within_moments() -> None:
    """A node that is in the domain is discovered within a fifth of a second.

    The quickest of several counts, because a busy machine delays any one of them.
    """
    world = in_domain(fresh_domain())
    async with opened(world, NODE):
        assert min([await discovery_s(world) for _ in range(10)]) < 0.2


async def test_a_left_participant_is_gone_at_once() -> None:
    """Closing tells peers, who do not have to wait for the end of a lease."""
    domain = fresh_domain()
    async with opened(in_domain(domain), PEERS) as (peers,):
        async with opened(in_domain(domain, lease_duration_s=10 * PATIENCE_S), NODE):
            assert await peers.wait_until(lambda: bool(peers.peers()), PATIENCE_S)
        assert await peers.wait_until(lambda: not peers.peers(), PATIENCE_S)


async def test_a_node_passes_thousands_of_outputs_to_a_peer_that_keeps_500() -> None:
    """Outputs that were read and are retired make room in a peer of another process."""
    domain = fresh_domain()
    script = f"""
from tests.dds.test_native import *
quality = Quality(is_reliable=True, is_retained=True, depth=1, instances=500)
participant = joined({domain})
reader = native.Reader(
    participant, "{Topic.FOOTPRINT.dds_name}", FOOTPRINT, native_qos(quality)
)
received = 0
while received < 3000:
    taken = sum(sample.value is not None for sample in reader.take(100))
    received += taken
    print(received, flush=True) if taken else time.sleep(0.0005)
"""
    async with opened(in_domain(domain), NODE) as (node,):
        peer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import time\n" + script, stdout=subprocess.PIPE
        )
        assert peer.stdout is not None
        assert await node.wait_for_match(Topic.FOOTPRINT, timeout_s=PATIENCE_S)
        for batch in range(30):
            outputs = [
                CO2Footprint(task_id=TaskId(batch * 100 + number, 1)) for number in range(100)
            ]
            for output in outputs:
                node.publish(Topic.FOOTPRINT, output)
            while int(await peer.stdout.readline()) < 100 * (batch + 1):
                pass
            for output in outputs:
                node.retire(Topic.FOOTPRINT, output)
        assert await peer.wait() == 0


async def acknowledgment_s(node: Transport) -> float:
    """Seconds until an output is acknowledged."""
    since_s = time.monotonic()
    node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
    assert await node.wait_for_acknowledgments(Topic.FOOTPRINT, PATIENCE_S)
    return time.monotonic() - since_s


async def test_a_peer_of_another_process_acknowledges_quickly() -> None:
    """Acknowledgment does not wait for Fast DDS's own heartbeats, three seconds apart.

    The quickest of several counts, because a busy machine delays any one of them.
    """
    domain = fresh_domain()
    script = f"""
from tests.dds.test_native import *
participant = joined({domain})
reader = native.Reader(participant, "{Topic.FOOTPRINT.dds_name}", FOOTPRINT, QOS)
sys.stdin.read()
"""
    async with opened(in_domain(domain), NODE) as (node,):
        peer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdin=subprocess.PIPE
        )
        assert await node.wait_for_match(Topic.FOOTPRINT, timeout_s=PATIENCE_S)
        assert min([await acknowledgment_s(node) for _ in range(10)]) < 1.5
        await peer.communicate(b"")


async def test_a_sample_that_does_not_fit_the_wire_is_refused() -> None:
    """A value out of its range is an error of the sample, not of DDS."""
    async with opened(in_domain(fresh_domain()), PEERS) as (peers,):
        with pytest.raises(WireError, match="minimum_samples"):
            peers.publish(Topic.USER_INPUT, UserInput(minimum_samples=-1))


async def test_a_domain_that_cannot_be_joined_is_an_error() -> None:
    """Opening fails with the domain and the reason."""
    transport = FastDdsTransport(FastDdsConfig(233, NODE))
    with pytest.raises(TransportError, match=r"join domain 233.*232"):
        await transport.open()
    await transport.close()


def write_foreign(domain: int, topic: Topic, member: Member, value: object) -> None:
    """Write a sample of a type that shares only its name with the topic's."""
    participant = joined(domain, "FOREIGN")
    name = {Topic.ML_MODEL: "MLModelImpl", Topic.HW_RESOURCE: "HWResourceImpl"}[topic]
    struct_type = native_type(Struct(name, (member,)))
    writer = native.Writer(participant, topic.dds_name, struct_type, native_qos(WRITER))
    while not writer.matched():
        time.sleep(0.001)
    writer.write((value,))
    assert writer.wait_for_acknowledgments(PATIENCE_S)
    participant.close()


async def test_text_that_is_not_utf_8_is_readable() -> None:
    """Foreign octets in a text become replacement characters; the sample arrives."""
    domain = fresh_domain()
    async with opened(in_domain(domain), NODE) as (node,):
        # On the wire, a string is a sequence of octets that ends in NUL.
        member = Member("model_path", "sequence<octet>", is_key=True)
        octets = b"a\xff\xc3\x00"
        await asyncio.to_thread(write_foreign, domain, Topic.ML_MODEL, member, octets)

        (arrival,) = await take(node.arrivals(), 1)

        assert arrival.sample == MLModel(model_path="a\ufffd\ufffd")


async def test_malformed_samples_are_ignored() -> None:
    """A sample that ends within a member is dropped, and the next one arrives."""
    domain = fresh_domain()
    async with opened(in_domain(domain), NODE, PEERS) as (node, peers):
        member = Member("hw_description", "uint32", is_key=True)
        await asyncio.to_thread(write_foreign, domain, Topic.HW_RESOURCE, member, 10**6)
        peers.publish(Topic.HW_RESOURCE, HWResource(task_id=TASK))

        (arrival,) = await take(node.arrivals(), 1)

        assert arrival.sample == HWResource(task_id=TASK)


async def test_the_log_of_fast_dds_comes_out() -> None:
    """Fast DDS's errors and warnings are logged on the loop's thread."""
    log: list[str] = []
    world = in_domain(fresh_domain(), log)
    async with opened(world, NODE) as (node,):
        with pytest.raises(native.Error):
            joined(fresh_domain(), propagation="perhaps")
        assert await node.wait_until(
            lambda: any("Invalid value for property" in line for line in log), PATIENCE_S
        )
    assert log[0].startswith("error RTPS_QOS_CHECK ")


def test_harmless_lines_of_fast_dds_lose_their_weight() -> None:
    """What Fast DDS says of an orchestrator's content filter is for debugging only."""
    line = "No TypeObject found for type NodeStatusImpl"
    assert severity_of("error", f"Filter: {line}") == "debug"
    assert severity_of("error", "Out of memory") == "error"


async def test_where_single_readers_cannot_be_followed_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For whoever wonders why a dead reader is waited for; at level debug, since all works."""
    environment = tmp_path / "environment.json"
    environment.write_text("{}")
    lines: list[str] = []
    async with opened(in_domain(fresh_domain(), lines), NODE):
        assert lines == []
    monkeypatch.setenv("FASTDDS_ENVIRONMENT_FILE", str(environment))
    async with opened(in_domain(fresh_domain(), lines), NODE):
        (line,) = [line for line in lines if line.startswith("debug carbon_node")]
    assert line.endswith("FASTDDS_ENVIRONMENT_FILE is set")


@pytest.mark.parametrize("profile", [None, LOOPBACK_PROFILE])
def test_a_profile_file_decides_on_transports(profile: Path | None) -> None:
    """The XML file that Fast DDS's own environment variable names is respected."""
    domain = fresh_domain()
    script = f"""
import asyncio
from pathlib import Path
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from tests.transports import NODE

async def test():
    transport = FastDdsTransport(FastDdsConfig({domain}, NODE))
    await transport.open()
    print("/dev/shm/fast" in Path("/proc/self/maps").read_text())
    await transport.close()

asyncio.run(test())
"""
    chosen = {} if profile is None else {"FASTDDS_DEFAULT_PROFILES_FILE": str(profile)}

    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | chosen,
        capture_output=True,
        text=True,
        check=True,
    )

    uses_shared_memory = done.stdout.strip() == "True"
    assert uses_shared_memory is (profile is None)
