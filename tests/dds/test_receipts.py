"""What single readers have acknowledged, heard in the packets that arrive."""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dds.test_native import FOOTPRINT, footprint, joined
from tests.domains import fresh_domain
from tests.orchestrator_reader import READERS
from tests.patience import PATIENCE_S
from tests.program.processes import environment
from tests.transports import wait_for

from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_qos
from carbon_node.wire.contract import Topic
from carbon_node.wire.quality import writer_quality

QOS = native_qos(writer_quality(Topic.FOOTPRINT))
LEASE_S = 3 * PATIENCE_S
"""Longer than anything that is waited for here."""

WAIT_S = 0.2
SILENT_S = 0.5

HEADER = b"RTPS\x02\x03\x01\x0f" + bytes(range(12))
PREFIX = "00.01.02.03.04.05.06.07.08.09.0a.0b"
ACKNACK, INFO_SOURCE, INFO_DESTINATION = 0x06, 0x0C, 0x0E


@contextmanager
def other_reader(domain: int, vendor: str) -> Iterator[subprocess.Popen[bytes]]:
    """A reader in a process of its own; it is killed afterwards."""
    script = f"""
import time
from tests.orchestrator_reader import *
with orchestrator_reader({domain}, {vendor!r}, lease_s={LEASE_S}) as reader:
    reader.wait_until_matched()
    print("met", flush=True)
    time.sleep({LEASE_S})
"""
    env = {**environment(), "PYTHONPATH": os.pathsep.join(sys.path)}
    reader = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=env)
    try:
        yield reader
    finally:
        reader.kill()
        reader.communicate()


def receipt(writer: native.Writer) -> native.Receipt:
    """Wait a moment for the readers of a writer."""
    return writer.wait_for_receipt(WAIT_S, SILENT_S)


@pytest.mark.parametrize("vendor", READERS)
def test_a_reader_that_stands_still_is_told_from_those_that_answer(vendor: str) -> None:
    """Those have a sample long before the lease of the other one ends; that gets it later too."""
    domain = fresh_domain()
    participant = joined(domain, lease_duration_s=15.0)
    assert participant.why_deaf == ""
    writer = native.Writer(participant, Topic.FOOTPRINT.dds_name, FOOTPRINT, QOS)
    with ExitStack() as stack:
        readers = [stack.enter_context(other_reader(domain, vendor)) for _ in range(2)]
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == b"met\n"
        wait_for(lambda: len(writer.matched()) == len(readers))
        writer.write(footprint(1))
        wait_for(lambda: receipt(writer) is native.Receipt.ALL)
        silent, living = readers
        silent.send_signal(signal.SIGSTOP)
        writer.write(footprint(2))
        assert receipt(writer) is native.Receipt.NONE
        wait_for(lambda: receipt(writer) is native.Receipt.ANSWERING)
        writer.write(footprint(3))
        wait_for(lambda: receipt(writer) is native.Receipt.ANSWERING)
        silent.send_signal(signal.SIGCONT)
        wait_for(lambda: receipt(writer) is native.Receipt.ALL)
        living.kill()
        writer.write(footprint(4))
        # Somebody has to have it.
        silent.kill()
        writer.write(footprint(5))
        assert [receipt(writer) for _ in range(6)] == [native.Receipt.NONE] * 6
    participant.close()


def submessage(kind: int, content: bytes, *, is_little: bool = True) -> bytes:
    """One submessage of a datagram."""
    order = "<" if is_little else ">"
    return struct.pack(order + "BBH", kind, int(is_little), len(content)) + content


def acknack(base: int, bits: int = 0, *, is_little: bool = True) -> bytes:
    """An acknowledgment of everything below a number, which asks for some from there on."""
    order = "<" if is_little else ">"
    ends = b"\0\0\x01\x04" + b"\0\0\x02\x03"
    missing = struct.pack(order + "iII", base >> 32, base & 0xFFFFFFFF, bits)
    content = ends + missing + bytes((bits + 31) // 32 * 4) + struct.pack(order + "I", 1)
    return submessage(ACKNACK, content, is_little=is_little)


@pytest.mark.parametrize("is_little", [True, False])
@pytest.mark.parametrize(
    ("base", "up_to"), [(0, 0), (1, 0), (2, 1), (2**32, 2**32 - 1), (-5, 0), (2**62, 2**62 - 1)]
)
def test_a_reader_has_all_below_the_number_that_it_names(
    base: int, up_to: int, *, is_little: bool
) -> None:
    """In either order of octets; a new reader names 0 or 1."""
    datagram = HEADER + acknack(base, 33, is_little=is_little)
    unknown = ".".join(["00"] * 12)
    assert [each[1:] for each in native.acknowledgments_in(datagram)] in (
        [("|GUID UNKNOWN|", up_to)],
        [(f"{unknown}|0.0.2.3", up_to)],
    )
    assert native.acknowledgments_in(datagram)[0][0] == f"{PREFIX}|0.0.1.4"


def test_an_acknowledgment_names_who_speaks_and_to_whom() -> None:
    """Submessages before it say so, and those of other kinds are passed over."""
    other = bytes(range(32, 44))
    datagram = (
        HEADER
        + submessage(INFO_DESTINATION, other)
        + submessage(0x15, bytes(100))
        + acknack(8)
        + submessage(INFO_SOURCE, bytes(8) + other)
        + acknack(9)
    )
    name = "20.21.22.23.24.25.26.27.28.29.2a.2b"
    assert native.acknowledgments_in(datagram) == [
        (f"{PREFIX}|0.0.1.4", f"{name}|0.0.2.3", 7),
        (f"{name}|0.0.1.4", f"{name}|0.0.2.3", 8),
    ]


@pytest.mark.parametrize("size", range(len(HEADER + acknack(9, 64))))
def test_a_datagram_that_was_cut_off_says_nothing(size: int) -> None:
    """Whatever its submessage claims to hold."""
    assert native.acknowledgments_in((HEADER + acknack(9, 64))[:size]) == []


submessages = st.builds(
    lambda kind, flags, size, content: struct.pack("<BBH", kind, flags, size) + content,
    st.sampled_from([ACKNACK, INFO_SOURCE, INFO_DESTINATION, 0x01, 0x09, 0x15])
    | st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 64) | st.integers(0, 65535),
    st.binary(max_size=64),
)


@given(
    octets=st.binary(max_size=64) | st.lists(submessages, max_size=6).map(b"".join),
    has_header=st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_octets_of_any_kind_are_read_within_bounds(octets: bytes, *, has_header: bool) -> None:
    """A packet from the network can say anything; the answer never holds more than fits into it."""
    datagram = HEADER * has_header + octets
    found = native.acknowledgments_in(datagram)
    assert len(found) * 28 <= len(octets)
    assert all(up_to >= 0 for _, _, up_to in found)
