"""Raw RTPS packets of a participant that keeps to no rule.

A socket sends what an implementation of DDS would refuse to say: names and properties that are no
text, types and user data of any octets.
"""

import itertools
import os
import random
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

PARTICIPANT, WRITER = 0x000100C2, 0x000003C2
"""Entities that announce participants and writers; a reader's last octet is 5 higher."""

PID_USER_DATA, PID_PROPERTY_LIST, PID_ENTITY_NAME = 0x2C, 0x59, 0x62
PID_TOPIC_NAME, PID_TYPE_NAME = 0x05, 0x07

PID_BUILTIN_ENDPOINTS = 0x58

TYPE_LOOKUP = 0x0000F000
"""Builtin endpoints that ask for types of other participants, and tell one's own, both ends."""

PUBLICATIONS_ANNOUNCED = 0x0000003F
"""Builtin endpoints of participants, publications and subscriptions, both ends."""

PIDS = [pid for pid in range(0x80) if pid != 0x73]
"""Ids of random parameters. Fast DDS 3.2 believes any count of data representations (0x73) and
allocates for it, up to 8 GB: nothing outside of it can help against that."""

Parameter = tuple[int, bytes]


def text(octets: bytes) -> bytes:
    """A string as it travels, with whatever octets."""
    return struct.pack("<I", len(octets) + 1) + octets + b"\0"


def properties(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A list of properties as it travels, with whatever octets."""
    items = [padded(text(octets)) for pair in pairs for octets in pair]
    return struct.pack("<I", len(items) // 2) + b"".join(items)


def padded(octets: bytes) -> bytes:
    """Octets up to the next multiple of four."""
    return octets + bytes(-len(octets) % 4)


PARTICIPANT_IDS = 10
"""Participants of a process whose ports are tried."""


class RawParticipant:
    """A participant made of single packets, known to the participants of a domain on this host.

    Args:
        domain: DDS domain id.
    """

    def __init__(self, domain: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        # The RTPS port formula; a process that has other participants gives the node a later id.
        self._ports = [7410 + 250 * domain + 2 * number for number in range(PARTICIPANT_IDS)]
        self._prefixes = itertools.count(1)
        self._prefix = b""
        self._numbers = {PARTICIPANT: 0, WRITER: 0}

    def close(self) -> None:
        """Stop sending."""
        self._socket.close()

    def announce(self, *parameters: Parameter, lease_duration_s: int = 100) -> None:
        """Announce a new participant."""
        unique = struct.pack(">II", os.getpid(), next(self._prefixes))
        self._prefix = b"\x01\x0f\xee\xee" + unique
        self._numbers = {PARTICIPANT: 0, WRITER: 0}
        host, port = self._socket.getsockname()
        locator = struct.pack("<iI", 1, port) + bytes(12) + socket.inet_aton(host)
        ours: tuple[Parameter, ...] = (
            (0x15, b"\x02\x03\0\0"),
            (0x16, b"\x01\x0f\0\0"),
            (0x50, self._prefix + b"\0\0\x01\xc1"),
            (0x31, locator),
            (0x32, locator),
            (0x02, struct.pack("<iI", lease_duration_s, 0)),
            (PID_BUILTIN_ENDPOINTS, struct.pack("<I", PUBLICATIONS_ANNOUNCED)),
        )
        self._send(PARTICIPANT, ours + parameters)

    def announce_writer(self, *parameters: Parameter) -> None:
        """Announce a new writer of the last participant."""
        number = self._numbers[WRITER] + 1
        guid = self._prefix + struct.pack(">I", (number << 8) | 0x02)
        reliable = struct.pack("<IiI", 2, 0, 100_000_000)
        ours: tuple[Parameter, ...] = ((0x5A, guid), (0x70, guid), (0x1A, reliable))
        self._send(WRITER, ours + parameters)

    def builtin_endpoints(self, timeout_s: float) -> int | None:
        """Wait for what a participant answers to an announcement: its builtin endpoints, as bits.

        Returns:
            None if nobody answered in time.
        """
        self._socket.settimeout(timeout_s)
        mark = struct.pack("<HH", PID_BUILTIN_ENDPOINTS, 4)
        try:
            while mark not in (packet := self._socket.recv(65_536)):
                pass
        except TimeoutError:
            return None
        return int.from_bytes(packet.split(mark, 1)[1][:4], "little")

    def send(self, octets: bytes) -> None:
        """Send octets as they are."""
        for port in self._ports:
            self._socket.sendto(octets, ("127.0.0.1", port))

    def _send(self, writer: int, parameters: tuple[Parameter, ...]) -> None:
        self._numbers[writer] += 1
        content = b"".join(
            struct.pack("<HH", name, len(padded(value))) + padded(value)
            for name, value in parameters
        )
        payload = b"\0\x03\0\0" + content + struct.pack("<HH", 1, 0)
        ends = struct.pack(">II", writer + 5, writer)
        data = b"\0\0\x10\0" + ends + struct.pack("<iI", 0, self._numbers[writer]) + payload
        header = b"RTPS\x02\x03\x01\x0f" + self._prefix
        self.send(header + struct.pack("<BBH", 0x15, 0x05, len(data)) + data)


@contextmanager
def raw_participant(domain: int) -> Iterator[RawParticipant]:
    """Provide a sender of raw packets."""
    raw = RawParticipant(domain)
    try:
        yield raw
    finally:
        raw.close()


def hostile(chance: random.Random) -> tuple[Parameter, ...]:
    """Draw parameters of a participant or an endpoint, well formed or not."""

    def octets(most: int) -> bytes:
        return chance.randbytes(chance.randrange(most))

    pairs = [(octets(20), octets(20)) for _ in range(chance.randrange(4))]
    parameters: list[Parameter] = [
        (PID_ENTITY_NAME, text(octets(300))),
        (PID_PROPERTY_LIST, properties(pairs)),
        (PID_USER_DATA, len(data := octets(300)).to_bytes(4, "little") + data),
        (PID_TOPIC_NAME, text(chance.choice([octets(40), b"/sustainml/user_input"]))),
        (PID_TYPE_NAME, text(chance.choice([octets(40), b"UserInputImpl"]))),
        (chance.choice(PIDS), octets(64)),
        (chance.choice([PID_ENTITY_NAME, PID_PROPERTY_LIST, PID_USER_DATA]), octets(64)),
    ]
    return tuple(chance.sample(parameters, chance.randrange(len(parameters) + 1)))
