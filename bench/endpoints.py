"""How quickly are configuration requests and scrapes answered, idle and under load?

Requests go over both endpoints, the topics of release 0.2 and the RPC of main, as a second process
sees them. References: the answer found in this process without DDS, and a bare server that sends
the same page.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

from tests.calling_transport import participant
from tests.quiet_node import QuietNode

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, UNPACED, Node, running
from bench.scraping import scrape, scrape_ms
from carbon_node.settings import ConfigurationService, load
from carbon_node.wire.contract import CONFIGURATION_NODE_ID, Role, Topic
from carbon_node.wire.samples import ConfigurationRequest, ConfigurationResponse

REQUEST = '{"get": "all"}'
RATE_HZ = 100
WARM_UP = 20
PATIENCE_S = 20.0

UNLIMITED: Mapping[str, str] = {"CARBON_NODE_CONFIGURATION_REQUESTS_PER_S": "100000"}
"""Without it, the node's own bound on requests would be measured."""

ANSWER = Target(Statistic.MEDIAN, 5.0)
SCRAPE = Target(Statistic.MEDIAN, 10.0)

ROLE = Role("carbon_node_bench_caller", reads=(Topic.RESPONSE,), writes=(Topic.REQUEST,))

Ask = Callable[[], Awaitable[None]]


def figures(effort: Effort) -> list[Figure]:
    """Ask an idle node, and one that answers tasks at the same time."""
    with running(FORMULA, UNPACED, UNLIMITED, has_interface=True) as node:
        # Each with transactions of its own: the node keeps its responses for late readers.
        idle = _asked(node, effort, 1, "idle node")
        with _load(node):
            busy = _asked(node, effort, 1_000_000, f"{RATE_HZ} tasks a second")
    return [*idle, *busy]


def _asked(node: Node, effort: Effort, first: int, when: str) -> list[Figure]:
    topics_ms, calls_ms = asyncio.run(_requests_ms(node.domain, effort.requests, first))
    scrapes_ms = [scrape_ms(node.interface) for _ in range(effort.requests)]
    here = ("the answer without DDS", asyncio.run(_in_this_process_ms(effort.requests)))
    page = scrape(node.interface)
    bare = ("bare server, same page", asyncio.run(_bare_scrapes_ms(page, effort.requests)))
    return [
        figure(f"get all over topics, {when}", "ms", topics_ms, here, ANSWER),
        figure(f"get all over RPC, {when}", "ms", calls_ms, here, ANSWER),
        figure(f"scrape of /metrics, {when}", "ms", scrapes_ms, bare, SCRAPE),
    ]


@contextmanager
def _load(node: Node) -> Iterator[None]:
    """Let another process send tasks at a fixed rate."""
    command = [sys.executable, "-m", "bench.load", str(node.domain), str(RATE_HZ)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
        assert load.stdout is not None
        load.stdout.readline()
        yield
        load.communicate()
    if load.returncode:
        raise RuntimeError("the load was not answered")


async def _requests_ms(domain: int, runs: int, first: int) -> tuple[list[float], list[float]]:
    async with _asking(domain, first) as (by_topic, by_call):
        return await _runs_ms(by_topic, runs), await _runs_ms(by_call, runs)


@asynccontextmanager
async def _asking(domain: int, first: int) -> AsyncIterator[tuple[Ask, Ask]]:
    async with participant(domain, ROLE) as transport:
        arrivals, transactions = transport.arrivals(), count(first)

        async def by_topic() -> None:
            number = next(transactions)
            request = ConfigurationRequest(CONFIGURATION_NODE_ID, number, REQUEST)
            transport.publish(Topic.REQUEST, request)
            async for arrival in arrivals:
                match arrival.sample:
                    case ConfigurationResponse(transaction_id=answered) if answered == number:
                        return
                    case _:
                        pass

        async def by_call() -> None:
            await transport.call_configuration(REQUEST, PATIENCE_S)

        yield by_topic, by_call


async def _runs_ms(ask: Ask, runs: int) -> list[float]:
    for _ in range(WARM_UP):
        await ask()
    values = []
    for _ in range(runs):
        since_s = time.perf_counter()
        await ask()
        values.append(1000 * (time.perf_counter() - since_s))
    return values


async def _in_this_process_ms(runs: int) -> list[float]:
    configuration = load({"domain": 0, "configuration_requests_per_s": 100_000}).configuration
    service = ConfigurationService(configuration, QuietNode(), lambda _: None)
    values = []
    for _ in range(runs):
        since_s = time.perf_counter()
        assert (await service.answer(REQUEST)).text
        values.append(1000 * (time.perf_counter() - since_s))
    return values


async def _bare_scrapes_ms(page: bytes, runs: int) -> list[float]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + page)
        writer.close()

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "bare.sock")
        async with await asyncio.start_unix_server(answer, path):
            return [await asyncio.to_thread(scrape_ms, path) for _ in range(runs)]
