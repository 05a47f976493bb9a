"""How quickly configuration requests are answered: `python -m bench.configuration [--json]`.

A node runs as a process and a second participant asks it, one request after the other, through the
topics of release 0.2 and through the RPC of main; once while the node is idle, and once while two
measurements run. The target is a median below 5 ms; the reference is the answer found in this
process, without DDS.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from itertools import count

from bench.figures import Figure, figure_of, print_table

from carbon_node.settings import ConfigurationService, load
from carbon_node.settings.catalogue import Json
from carbon_node.transport.contract import CONFIGURATION_NODE_ID, Role, Topic
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.transport.wire import (
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    TaskId,
    UserInput,
)

REQUEST = '{"get": "all"}'
RUNS = 500
WARM_UP = 20
TIMEOUT_S = 20.0
BUSY_TASKS = 2
TARGET_MS = 5.0

ROLE = Role(
    "carbon_node_bench",
    reads=(Topic.RESPONSE,),
    writes=(Topic.REQUEST, Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE),
)

Ask = Callable[[], Awaitable[None]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--domain", type=int, default=97)
    parser.add_argument("--json", action="store_true", dest="as_json")
    arguments = parser.parse_args()
    with running_node(arguments.domain):
        figures = asyncio.run(_measured(arguments.domain))
    if arguments.as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    else:
        print_table(figures)
    slowest_ms = max(figure.median for figure in figures)
    verdict = "meets" if slowest_ms < TARGET_MS else "misses"
    print(f"slowest median {slowest_ms:.2f} ms {verdict} {TARGET_MS:g} ms", file=sys.stderr)


@contextmanager
def running_node(domain: int) -> Iterator[None]:
    """A node that is ready, and measures for a minute when it is given a task."""
    with tempfile.TemporaryDirectory() as state_dir:
        command = [sys.executable, "-m", "carbon_node", "run", f"--domain={domain}"]
        settings = {
            "CARBON_NODE_STATE_DIR": state_dir,
            "CARBON_NODE_HTTP_LISTEN": "off",
            "CARBON_NODE_LOG_FORMAT": "json",
            "CARBON_NODE_CONFIGURATION_REQUESTS_PER_S": "100000",
            "CARBON_NODE_TRACKER__MODE": "declared",
            "CARBON_NODE_TRACKER__WINDOW_S": "60",
            "CARBON_NODE_TRACKER__DEADLINE_S": "90",
            "CARBON_NODE_STOP_BUDGET_S": "0",
        }
        node = subprocess.Popen(command, env={**os.environ, **settings}, stderr=subprocess.PIPE)
        assert node.stderr is not None
        try:
            next(line for line in node.stderr if b'"event":"ready"' in line.replace(b" ", b""))
            yield
        finally:
            node.terminate()
            node.communicate()


async def _measured(domain: int) -> list[Figure]:
    reference_ms = _in_this_process_ms()
    async with _asking(domain) as (transport, by_topic, by_call):
        doors = {"topics": by_topic, "RPC": by_call}
        figures = [
            figure_of(f"get all, {door}, idle node", "ms", await _runs_ms(ask), reference_ms)
            for door, ask in doors.items()
        ]
        await _occupy(transport)
        return figures + [
            figure_of(
                f"get all, {door}, {BUSY_TASKS} measurements run",
                "ms",
                await _runs_ms(ask),
                reference_ms,
            )
            for door, ask in doors.items()
        ]


@asynccontextmanager
async def _asking(domain: int) -> AsyncIterator[tuple[FastDdsTransport, Ask, Ask]]:
    transport = FastDdsTransport(FastDdsConfig(domain, ROLE))
    await transport.open()
    try:
        transport.connect()
        for topic in (*ROLE.reads, *ROLE.writes):
            assert await transport.wait_for_match(topic, timeout_s=TIMEOUT_S), topic
        arrivals, transactions = transport.arrivals(), count(1)

        async def by_topic() -> None:
            transaction = next(transactions)
            transport.publish(
                Topic.REQUEST, ConfigurationRequest(CONFIGURATION_NODE_ID, transaction, REQUEST)
            )
            async for arrival in arrivals:
                match arrival.sample:
                    case ConfigurationResponse(transaction_id=answered) if answered == transaction:
                        return
                    case _:
                        pass

        async def by_call() -> None:
            await transport.call_configuration(REQUEST, TIMEOUT_S)

        yield transport, by_topic, by_call
    finally:
        await transport.close()


async def _runs_ms(ask: Ask) -> list[float]:
    for _ in range(WARM_UP):
        await ask()
    values = []
    for _ in range(RUNS):
        start_s = time.perf_counter()
        await ask()
        values.append((time.perf_counter() - start_s) * 1000)
    return values


async def _occupy(transport: FastDdsTransport) -> None:
    for problem_id in range(1, BUSY_TASKS + 1):
        task_id = TaskId(problem_id, 1)
        transport.publish(Topic.USER_INPUT, UserInput(task_id=task_id))
        transport.publish(Topic.ML_MODEL, MLModel(model="m", task_id=task_id))
        transport.publish(Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0, task_id=task_id))
    while await _running_count(transport) < BUSY_TASKS:  # noqa: ASYNC110 - asks over DDS
        await asyncio.sleep(0.05)


async def _running_count(transport: FastDdsTransport) -> int:
    answer = json.loads(await transport.call_configuration('{"status": true}', TIMEOUT_S))
    count_running: int = answer["status"]["tasks"]["running"]
    return count_running


class _QuietNode:
    def status(self) -> Mapping[str, Json]:
        return {}

    def last_results(self, _count: int) -> Sequence[Mapping[str, Json]]:
        return []

    def results_of(self, _problem_id: int, _iteration_id: int) -> Sequence[Mapping[str, Json]]:
        return []


def _in_this_process_ms() -> list[float]:
    configuration = load({"domain": 0, "configuration_requests_per_s": 100_000}).configuration
    service = ConfigurationService(configuration, _QuietNode(), lambda _: None)
    values = []
    for _ in range(RUNS):
        start_s = time.perf_counter()
        assert service.answer(REQUEST).text
        values.append((time.perf_counter() - start_s) * 1000)
    return values


if __name__ == "__main__":
    main()
