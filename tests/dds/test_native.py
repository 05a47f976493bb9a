"""The binding itself: mechanism of Fast DDS without the pipeline's policy."""

import ctypes
import gc
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from tests.domains import fresh_domain
from tests.transports import PATIENCE_S, wait_for
from tests.wire_samples import samples

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_qos, native_type
from carbon_node.wire.contract import Topic
from carbon_node.wire.quality import READER, WRITER, Quality
from carbon_node.wire.samples import CO2Footprint, MLModel, NodeControl, Sample, TaskId
from carbon_node.wire.types import STRUCTS, decode, encode

Item = TypeVar("Item")

FOOTPRINT = native_type(STRUCTS[CO2Footprint])
QOS = native_qos(WRITER)


def joined(
    domain: int, name: str = "TEST", lease_duration_s: float = 5.0, propagation: str = "disabled"
) -> native.Participant:
    """Join a domain on loopback."""
    return native.Participant(
        domain=domain,
        name=name,
        propagated_properties=[],
        local_properties=[("fastdds.type_propagation", propagation)],
        lease_duration_s=lease_duration_s,
        announcement_period_s=lease_duration_s / 3,
        interfaces=["127.0.0.1"],
    )


def footprint(problem: int, octets: bytes = b"") -> tuple[object, ...]:
    """Values of an output."""
    return encode(CO2Footprint(extra_data=octets, task_id=TaskId(problem, 1)))


def taken(reader: native.Reader, count: int) -> list[native.Sample]:
    """Take a number of samples as they come."""
    found: list[native.Sample] = []

    def enough() -> bool:
        found.extend(reader.take(1000))
        return len(found) >= count

    wait_for(enough)
    return found


@pytest.mark.parametrize("topic", Topic)
def test_every_value_survives_the_wire(topic: Topic) -> None:
    """Whatever the types can hold is read as it was written."""
    participant = joined(fresh_domain())
    struct_type = native_type(STRUCTS[topic.sample_type])
    writer = native.Writer(participant, topic.dds_name, struct_type, QOS)
    reader = native.Reader(participant, topic.dds_name, struct_type, QOS)
    wait_for(lambda: bool(writer.matched() and reader.matched()))

    @given(samples(topic.sample_type))
    @settings(max_examples=40, deadline=None)
    def test(sample: Sample) -> None:
        writer.write(encode(sample))
        (received,) = taken(reader, 1)
        assert received.value is not None
        assert decode(topic.sample_type, received.value) == sample

    test()
    participant.close()


def test_threads_of_dds_never_need_the_gil() -> None:
    """Samples are received and acknowledged while this process's Python stands still."""
    domain = fresh_domain()
    participant = joined(domain)
    reader = native.Reader(participant, "t", FOOTPRINT, QOS)
    script = f"""
from tests.dds.test_native import *
participant = joined({domain})
writer = native.Writer(participant, "t", FOOTPRINT, QOS)
wait_for(lambda: bool(writer.matched()))
for problem in range(200):
    writer.write(footprint(problem, bytes(1000)))
os.write(1, b"y" if writer.wait_for_acknowledgments({PATIENCE_S}) else b"n")
"""
    peer = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert peer.stdout is not None
    said = ctypes.create_string_buffer(1)

    # PyDLL keeps the GIL, so that no Python of this process runs until the peer has spoken.
    ctypes.PyDLL(None).read(peer.stdout.fileno(), said, 1)

    assert said.value == b"y"
    assert len(reader.take(1000)) == 200
    peer.stdout.close()
    assert peer.wait(PATIENCE_S) == 0
    participant.close()


def test_news_make_the_descriptor_readable() -> None:
    """The descriptor is readable once something happened, until it is cleared."""
    domain = fresh_domain()
    watching, other = joined(domain), joined(domain, "OTHER")

    (event, *_) = waited(watching, watching.take_peer_events)

    assert (event.status, event.name) == ("discovered", "OTHER")
    assert event.guid == other.guid
    watching.clear()
    with pytest.raises(BlockingIOError):
        os.eventfd_read(watching.fileno())
    other.close()
    (event, *_) = waited(watching, watching.take_peer_events)
    assert event.status == "removed"
    watching.close()


def waited(participant: native.Participant, collect: Callable[[], list[Item]]) -> list[Item]:
    """Collect something by way of the participant's descriptor."""
    found: list[Item] = []

    def collected() -> bool:
        participant.clear()
        found.extend(collect())
        return bool(found)

    wait_for(collected)
    return found


def test_a_silent_participant_is_dropped_when_its_lease_ends() -> None:
    """A process that is killed is gone for others after its lease."""
    domain = fresh_domain()
    watching = joined(domain)
    script = f"""
import os, signal
from tests.dds.test_native import *
participant = joined({domain}, "DYING", 0.6)
waited(participant, participant.take_peer_events)
os.kill(os.getpid(), signal.SIGKILL)
"""
    dying = subprocess.Popen([sys.executable, "-c", script])
    statuses: list[str] = []

    def dropped() -> bool:
        statuses.extend(event.status for event in watching.take_peer_events())
        return "dropped" in statuses

    wait_for(dropped)
    assert statuses == ["discovered", "dropped"]
    dying.wait(PATIENCE_S)
    watching.close()


def test_participants_may_meet_while_they_close() -> None:
    """Closing ends, even while others are being discovered.

    Fast DDS 3.2 spins without end when it has to wait for a callback of the participant.
    """
    domain = fresh_domain()
    for _ in range(300):
        first, second = joined(domain), joined(domain)
        closing = threading.Thread(target=first.close)
        closing.start()
        second.close()
        closing.join(PATIENCE_S)
        assert not closing.is_alive()


def test_parts_may_be_dropped_in_any_order() -> None:
    """Endpoints outlive the name of their participant, and closing outlives endpoints."""
    participant = joined(fresh_domain())
    writer = native.Writer(participant, "t", FOOTPRINT, QOS)
    reader = native.Reader(participant, "t", FOOTPRINT, QOS)
    other = native.Reader(participant, "t", FOOTPRINT, QOS)
    del other
    gc.collect()
    participant.close()
    participant.close()
    with pytest.raises(native.Error, match="ALREADY_DELETED"):
        writer.write(footprint(1))
    with pytest.raises(native.Error, match="ALREADY_DELETED"):
        native.Reader(participant, "t", FOOTPRINT, QOS)
    del participant
    gc.collect()
    with pytest.raises(native.Error, match="ALREADY_DELETED"):
        reader.take(1)


def test_a_process_may_end_with_everything_open() -> None:
    """Nobody has to tidy up before a process ends, and it says nothing about that."""
    script = f"""
from tests.dds.test_native import *
participant = joined({fresh_domain()})
writer = native.Writer(participant, "t", FOOTPRINT, QOS)
reader = native.Reader(participant, "t", FOOTPRINT, QOS)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_keys_may_grow() -> None:
    """A long key after a short one neither damages memory nor hides an instance."""
    participant = joined(fresh_domain())
    control = native_type(STRUCTS[NodeControl])
    writer = native.Writer(participant, "t", control, QOS)
    reader = native.Reader(participant, "t", control, QOS)
    wait_for(lambda: bool(writer.matched() and reader.matched()))
    for length in (1, 10, 100, 1_000, 100_000, 1_000_000):
        writer.write(encode(NodeControl(source_node="x" * length)))
        (sample,) = taken(reader, 1)
        assert sample.value is not None
        assert len(sample.value[3]) == length
    participant.close()


def resident_mb() -> float:
    """Resident memory of this process, 1e6 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def received_view(octets: bytes) -> memoryview:
    """Send octets; return the view that was received, when all that received it is gone."""
    participant = joined(fresh_domain())
    struct_type = native_type(STRUCTS[MLModel])
    writer = native.Writer(participant, "t", struct_type, QOS)
    reader = native.Reader(participant, "t", struct_type, QOS)
    wait_for(lambda: bool(writer.matched() and reader.matched()))
    writer.write(encode(MLModel(raw_model=octets)))
    (sample,) = taken(reader, 1)
    assert sample.value is not None
    view = sample.value[2]
    assert isinstance(view, memoryview)
    assert type(view.obj).__name__ == "_View"
    participant.close()
    return view


def test_a_large_sample_lives_as_long_as_its_view() -> None:
    """Octets are read where they were received, outlive whoever received them, and go then."""
    octets = bytes(range(256)) * 250_000
    without_mb = resident_mb()
    view = received_view(octets)
    gc.collect()
    with_mb = resident_mb()
    assert with_mb - without_mb < 80
    assert view == octets
    part = view[-256:]
    del view
    assert part == octets[:256]
    del part
    assert with_mb - resident_mb() > 60


@pytest.mark.parametrize(
    "values",
    [
        (1.0, 2.0, 3.0, b"", (1, -1)),
        (1.0, 2.0, 3.0, b"", (2**32, 1)),
        (1.0, 2.0, "3", b"", (1, 1)),
        (1.0, 2.0, 3.0, "text", (1, 1)),
        (1.0, 2.0, 3.0, b"", 1),
        (1.0, 2.0, 3.0, b""),
        [1.0, 2.0, 3.0, b"", (1, 1)],
    ],
)
def test_values_that_do_not_fit_are_refused(values: tuple[object, ...]) -> None:
    """A value of the wrong kind, range or number is a TypeError that names the type."""
    participant = joined(fresh_domain())
    writer = native.Writer(participant, "t", FOOTPRINT, QOS)
    with pytest.raises(TypeError, match="Impl"):
        writer.write(values)
    participant.close()


def test_types_are_refused_with_a_reason() -> None:
    """A kind or extensibility that does not exist is named."""
    with pytest.raises(ValueError, match="int63"):
        native.Member("m", "int63", is_key=False, id=None, is_borrowed=False)
    with pytest.raises(ValueError, match="soft"):
        native.StructType("T", [], extensibility="soft")
    mutable = native.StructType("T", [], extensibility="mutable")
    member = native.Member("m", mutable, is_key=False, id=None, is_borrowed=False)
    with pytest.raises(ValueError, match=r"U\.m: only a mutable struct"):
        native.StructType("U", [member], extensibility="final")


def test_refusals_come_with_what_fast_dds_logged() -> None:
    """A participant that cannot be created says why."""
    with pytest.raises(native.Error, match=r"Invalid value for property fastdds\.type_propagation"):
        joined(fresh_domain(), propagation="perhaps")


def test_a_domain_without_ports_is_refused() -> None:
    """A domain id that is too high is an error; Fast DDS itself would end the process."""
    with pytest.raises(native.Error, match="233 is above 232"):
        joined(233)


def test_a_writer_passes_thousands_of_instances_to_a_reader_of_500() -> None:
    """Retired instances make room at both ends, without an end to their number."""
    quality = Quality(is_reliable=True, is_retained=True, depth=1, instances=500)
    participant = joined(fresh_domain())
    writer = native.Writer(participant, "t", FOOTPRINT, native_qos(quality))
    reader = native.Reader(participant, "t", FOOTPRINT, native_qos(quality))
    wait_for(lambda: bool(writer.matched() and reader.matched()))
    received = 0
    for problem in range(3000):
        writer.write(footprint(problem))
        if problem >= 100:
            assert writer.unregister(footprint(problem - 100))
        received += sum(sample.value is not None for sample in reader.take(1000))
    assert received == 3000
    assert not writer.unregister(footprint(0))
    participant.close()


def test_a_full_writer_says_so() -> None:
    """Without retirement, a writer refuses the instance beyond its limit."""
    quality = Quality(is_reliable=True, is_retained=True, depth=1, instances=10)
    participant = joined(fresh_domain())
    writer = native.Writer(participant, "t", FOOTPRINT, native_qos(quality))
    for problem in range(10):
        writer.write(footprint(problem))
    with pytest.raises(native.Error, match="TIMEOUT"):
        writer.write(footprint(10))
    writer.write(footprint(3))
    participant.close()


def test_a_reader_forgets_instances_that_their_writer_never_ends() -> None:
    """What was forgotten takes no room, loses no sample that waits, and may begin again."""
    participant = joined(fresh_domain())
    writer = native.Writer(participant, "t", FOOTPRINT, native_qos(WRITER))
    reader = native.Reader(participant, "t", FOOTPRINT, native_qos(replace(READER, samples=10)))
    other = native.Reader(participant, "t", FOOTPRINT, native_qos(READER))
    wait_for(lambda: bool(writer.matched() and reader.matched() and other.matched()))
    for problem in range(50):
        writer.write(footprint(problem))
        (first,) = taken(reader, 1)
        writer.write(footprint(problem, b"again"))
        reader.forget(first.instance)
        (second,) = taken(reader, 1)
        reader.forget(first.instance)
        assert first.value is not None
        assert second.value is not None
        assert (second.instance, second.value[-2]) == (first.instance, b"again")
    writer.write(footprint(0))
    assert [sample.value is not None for sample in taken(reader, 1)] == [True]
    assert reader.rejected_count() == 0
    assert all(sample.value is not None for sample in taken(other, 51))
    with pytest.raises(ValueError, match="16 octets"):
        reader.forget(b"")
    participant.close()


def test_a_full_reader_counts_what_it_refuses_and_gets_it_later() -> None:
    """Samples beyond its bound are refused, counted and sent again: none is lost."""
    domain = fresh_domain()
    participant = joined(domain)
    reader = native.Reader(participant, "t", FOOTPRINT, native_qos(replace(READER, samples=10)))
    script = f"""
from tests.dds.test_native import *
participant = joined({domain})
writer = native.Writer(participant, "t", FOOTPRINT, QOS)
wait_for(lambda: bool(writer.matched()))
for problem in range(100):
    writer.write(footprint(problem))
sys.exit(not writer.wait_for_acknowledgments({PATIENCE_S}))
"""
    peer = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: reader.rejected_count() > 0)
    assert participant.rejected_count() > 0
    found = taken(reader, 100)
    assert len({sample.instance for sample in found}) == 100
    assert peer.wait(PATIENCE_S) == 0
    participant.close()
