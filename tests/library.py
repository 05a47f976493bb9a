"""The library of a SustainML workspace as tests see it: what its node receives and sends.

Where the library is installed, the peers of its node are real participants, in this process; the
node itself has to be in another one, because two Fast DDS must not meet. Elsewhere the stand-in in
`tests/stand_in` takes the library's place.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from tests.domains import fresh_domain
from tests.transports import PATIENCE_S, PEERS

from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import Sample
from carbon_node.wire.types import STRUCTS, decode, key_of

STAND_IN = Path(__file__).parent / "stand_in"
IS_INSTALLED = find_spec("sustainml_py") is not None


class Peers(Protocol):
    """The rest of the pipeline."""

    def arrivals(self) -> AsyncIterator[Arrival]:
        """Yield what the node says."""
        ...

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Send a sample to the node."""
        ...


@dataclass(frozen=True, slots=True)
class LibraryWorld:
    """A domain that a node on the library can join.

    Args:
        peers: the rest of the pipeline.
        domain: DDS domain id.
        env: environment in which a node finds the library and the domain.
    """

    peers: Peers
    domain: int
    env: Mapping[str, str]


class StandInPeers:
    """Peers of a node on the stand-in."""

    def __init__(self) -> None:
        self.statuses: list[str] = []
        self.has_left = asyncio.Event()
        self.writer: asyncio.StreamWriter | None = None
        self._early: list[bytes] = []
        self._arrived: asyncio.Queue[Arrival] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Be connected to a node until it leaves."""
        self.writer = writer
        writer.writelines(self._early)
        while line := await reader.readline():
            self._take(**json.loads(line))
        self.has_left.set()

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Send a sample, now or when the node comes."""
        line = json.dumps({"topic": topic.name, "members": _members(sample)}) + "\n"
        if self.writer is None:
            self._early.append(line.encode())
        else:
            self.writer.write(line.encode())

    async def arrivals(self) -> AsyncIterator[Arrival]:
        """Iterate over footprints and responses."""
        while True:
            yield await self._arrived.get()

    def _take(self, topic: str, members: dict[str, Any]) -> None:
        if topic == "STATUS":
            self.statuses.append(members["node_status"])
        else:
            sample = _sample(Topic[topic], members)
            self._arrived.put_nowait(Arrival(Topic[topic], sample, key_of(sample), "stand-in", 1))


class LibraryObject:
    """An object of the library, which has accessors instead of attributes."""

    def __init__(self, **values: object) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *new: self.values.update({name: new[0]}) if new else self.values[name]


def _members(sample: Sample) -> dict[str, Any]:
    values = {member.name: getattr(sample, member.name) for member in STRUCTS[type(sample)].members}
    return {
        name: list(value) if isinstance(value, bytes | tuple) else value
        for name, value in values.items()
    }


def _sample(topic: Topic, members: dict[str, Any]) -> Sample:
    values = {**members, "extra_data": bytes(members.get("extra_data", []))}
    names = [member.name for member in STRUCTS[topic.sample_type].members]
    return decode(topic.sample_type, tuple(values[name] for name in names))


@asynccontextmanager
async def stand_in_world(directory: Path) -> AsyncIterator[tuple[LibraryWorld, StandInPeers]]:
    """Provide a domain that the stand-in can join; its socket is in a directory."""
    peers, domain = StandInPeers(), fresh_domain()
    env = {"PYTHONPATH": str(STAND_IN), "SUSTAINML_STAND_IN": str(directory)}
    async with await asyncio.start_unix_server(
        peers.serve, directory / str(domain), limit=2**26
    ) as server:
        yield LibraryWorld(peers, domain, env), peers
        server.close()
        if peers.writer is not None:
            peers.writer.close()
            await asyncio.wait_for(peers.has_left.wait(), PATIENCE_S)


@asynccontextmanager
async def library_world(directory: Path) -> AsyncIterator[LibraryWorld]:
    """Provide a domain that a node on the library can join: the real one where it is installed."""
    if not IS_INSTALLED:
        async with stand_in_world(directory) as (world, _):
            yield world
        return
    domain = fresh_domain()
    peers = FastDdsTransport(FastDdsConfig(domain, PEERS))
    await peers.open()
    peers.connect()
    try:
        yield LibraryWorld(peers, domain, env={})
    finally:
        await peers.close()
