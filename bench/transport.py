"""What the embedded transport costs: its start, discovery, a sample, a call, an instance.

    python -m bench.transport [--json]

Each end runs in a process of its own, on loopback. Reference for round trips, measured in the same
run: the same octets over a bare UDP socket.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict

import psutil
from bench.figures import Figure, figure_of, print_table
from tests.domains import fresh_domain
from tests.transports import NODE, PEERS

from carbon_node.transport.contract import Arrival, Role, Topic
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.transport.wire import CO2Footprint, HWResource, TaskId

STARTS = 10
ROUNDS = 500
INSTANCES = 5_000
PATIENCE_S = 20.0
EXTRA_DATA = bytes(1000)

START = """
import asyncio, time
since_s = time.monotonic()
from carbon_node.transport.contract import NODE_NAME, Role
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
async def start():
    transport = FastDdsTransport(FastDdsConfig({domain}, Role(NODE_NAME, (), ())))
    await transport.open()
    print(1000 * (time.monotonic() - since_s))
    await transport.close()
asyncio.run(start())
"""


def main() -> None:
    """Measure and print, or be the other end of a measurement."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for other_end in ("--echo", "--fill"):
        options.add_argument(other_end, type=int, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.echo is not None:
        asyncio.run(_echo(given.echo))
    elif given.fill is not None:
        asyncio.run(_fill(given.fill))
    else:
        _print(asyncio.run(_figures()), as_json=given.json)


def _print(figures: list[Figure], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    else:
        print_table(figures)


async def _figures() -> list[Figure]:
    figures = [figure_of("imports and participant, in a new process", "ms", _starts())]
    async with _two_ends() as (peers, discovery_ms):
        figures.append(
            figure_of("open, discover a node and match its topics", "ms", [discovery_ms])
        )
        figures.append(await _round_trips(peers))
        figures.append(await _calls(peers))
        figures.append(_publishing(peers))
    figures.append(await _instance_size())
    return figures


def _starts() -> list[float]:
    script = START.format(domain=fresh_domain())
    return [
        float(
            subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
        )
        for _ in range(STARTS)
    ]


@asynccontextmanager
async def _two_ends() -> AsyncIterator[tuple[FastDdsTransport, float]]:
    domain = fresh_domain()
    async with _other_end("--echo", domain):
        since_s = time.monotonic()
        async with _opened(domain, PEERS) as peers:
            for topic in (Topic.HW_RESOURCE, Topic.FOOTPRINT):
                assert await peers.wait_for_match(topic, timeout_s=PATIENCE_S)
            yield peers, 1000 * (time.monotonic() - since_s)


@asynccontextmanager
async def _opened(domain: int, role: Role) -> AsyncIterator[FastDdsTransport]:
    transport = FastDdsTransport(FastDdsConfig(domain, role, loopback_only=True))
    await transport.open()
    transport.connect()
    try:
        yield transport
    finally:
        await transport.close()


async def _echo(domain: int) -> None:
    async with _opened(domain, NODE) as node:
        serving = asyncio.create_task(_answer_calls(node))
        print("ready", flush=True)
        async for arrival in node.arrivals():
            _answer(node, arrival)
        await serving


def _answer(node: FastDdsTransport, arrival: Arrival) -> None:
    match arrival.sample:
        case HWResource(task_id=task_id):
            node.publish(Topic.FOOTPRINT, CO2Footprint(extra_data=EXTRA_DATA, task_id=task_id))
        case _:
            pass


async def _answer_calls(node: FastDdsTransport) -> None:
    async for call in node.configuration_calls():
        node.answer(call, call.text)


async def _round_trips(peers: FastDdsTransport) -> Figure:
    arrivals = peers.arrivals()
    took_us = []
    for number in range(ROUNDS):
        since_s = time.monotonic()
        sample = HWResource(extra_data=EXTRA_DATA, task_id=TaskId(number, 1))
        peers.publish(Topic.HW_RESOURCE, sample)
        await anext(arrivals)
        took_us.append(1e6 * (time.monotonic() - since_s))
    # The first ones still pay for the match of the other end.
    return figure_of("sample there and back, 1 kB", "us", took_us[10:], _udp_round_trips())


async def _calls(peers: FastDdsTransport) -> Figure:
    took_us = []
    for _ in range(ROUNDS):
        since_s = time.monotonic()
        await peers.call_configuration("{}", PATIENCE_S)
        took_us.append(1e6 * (time.monotonic() - since_s))
    return figure_of("configuration call over RPC", "us", took_us[10:])


def _publishing(peers: FastDdsTransport) -> Figure:
    samples = [
        HWResource(extra_data=EXTRA_DATA, task_id=TaskId(number, 2)) for number in range(ROUNDS)
    ]
    return figure_of(
        "publish, to a reader of another process",
        "us",
        _timed_us(samples, lambda sample: peers.publish(Topic.HW_RESOURCE, sample)),
    )


def _timed_us(samples: Sequence[HWResource], act: Callable[[HWResource], None]) -> list[float]:
    took_us = []
    for sample in samples:
        since_s = time.monotonic()
        act(sample)
        took_us.append(1e6 * (time.monotonic() - since_s))
    return took_us


def _udp_round_trips() -> list[float]:
    took_us = []
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there,
    ):
        here.bind(("127.0.0.1", 0))
        there.bind(("127.0.0.1", 0))
        for _ in range(ROUNDS):
            since_s = time.monotonic()
            here.sendto(EXTRA_DATA, there.getsockname())
            there.sendto(there.recv(2000), here.getsockname())
            here.recv(2000)
            took_us.append(1e6 * (time.monotonic() - since_s))
    return took_us


async def _instance_size() -> Figure:
    domain = fresh_domain()
    async with _opened(domain, NODE) as node, _other_end("--fill", domain):
        arrivals = node.arrivals()
        warm = [await anext(arrivals) for _ in range(INSTANCES // 10)]
        before_bytes = psutil.Process().memory_info().rss
        warm.clear()
        for _ in range(INSTANCES - INSTANCES // 10):
            await anext(arrivals)
        grown_bytes = psutil.Process().memory_info().rss - before_bytes
    size = grown_bytes / (INSTANCES - INSTANCES // 10)
    return figure_of("memory of an instance that a peer never ends", "B", [size])


async def _fill(domain: int) -> None:
    async with _opened(domain, PEERS) as peers:
        await peers.wait_for_match(Topic.HW_RESOURCE, timeout_s=PATIENCE_S)
        print("ready", flush=True)
        for number in range(INSTANCES):
            peers.publish(Topic.HW_RESOURCE, HWResource(task_id=TaskId(number, 1)))
        await asyncio.sleep(PATIENCE_S)


@asynccontextmanager
async def _other_end(option: str, domain: int) -> AsyncIterator[None]:
    other = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.transport", f"{option}={domain}", stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    await other.stdout.readline()
    try:
        yield
    finally:
        other.terminate()
        await other.wait()


if __name__ == "__main__":
    main()
