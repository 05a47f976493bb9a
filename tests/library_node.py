"""A node on the library in a process of its own, for the tests of the transports' contract.

As a program it opens the transport, prints each arrival, and publishes or retires what it reads,
one pickle in base64 per line.
"""

import asyncio
import base64
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from carbon_node.transport.sustainml.callbacks import Deadlines, Unanswered
from carbon_node.transport.sustainml.transport import SustainmlConfig, SustainmlTransport
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, Sample, UserInput


def failed(
    user_input: UserInput, _ml_model: MLModel, _hw_resource: HWResource, why: Unanswered
) -> CO2Footprint:
    """Make an output that names why there is no other."""
    return CO2Footprint(extra_data=why.name.encode(), task_id=user_input.task_id)


def _line(message: object) -> bytes:
    return base64.b64encode(pickle.dumps(message)) + b"\n"


def _message(line: bytes) -> Any:  # noqa: ANN401 - whatever the other end wrote
    return pickle.loads(base64.b64decode(line))  # noqa: S301 - of our own process


async def _serve(domain: int) -> None:
    # Release 0.2 of the library prints on standard output.
    arrivals = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    transport = SustainmlTransport(SustainmlConfig(domain, Deadlines(20.0), failed))
    await transport.open()
    transport.connect()
    printing = asyncio.create_task(_print(transport, arrivals))
    while line := await asyncio.to_thread(sys.stdin.buffer.readline):
        action, topic, sample = _message(line)
        getattr(transport, action)(topic, sample)
    await transport.close()
    await printing


async def _print(transport: SustainmlTransport, target: BinaryIO) -> None:
    async for arrival in transport.arrivals():
        target.write(_line(arrival))
        target.flush()


class LibraryNode:
    """The near end of such a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def arrivals(self) -> AsyncIterator[Arrival]:
        """Iterate over what arrives at the node, until it is closed."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            yield _message(line)

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Let the node publish."""
        self._tell("publish", topic, sample)

    def retire(self, topic: Topic, sample: Sample) -> None:
        """Let the node retire."""
        self._tell("retire", topic, sample)

    async def close(self) -> None:
        """Close the node, and check that its process ends well; may be repeated."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert await self._process.wait() == 0, self._process.returncode

    def _tell(self, *message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(_line(message))


async def library_node(domain: int, env: Mapping[str, str]) -> LibraryNode:
    """Start a node on the library."""
    return LibraryNode(
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.library_node", str(domain)),
            cwd=Path(__file__).parents[1],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            limit=2**26,
        )
    )


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
