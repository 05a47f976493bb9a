"""How quickly the node starts and answers, and what it costs when idle.

    python -m bench.node [--json]

References measured in the same run: a bare Python process that creates one Fast DDS participant
for the start, the tracker's window for the answer.
"""

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import psutil
from bench.figures import Figure, figure_of, print_table

from carbon_node.peers import PEERS_ROLE, SimulatedPeers, SubmittedTask
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.transport.wire import HWResource, MLModel, TaskId, UserInput

DOMAIN = 97
STARTS = 10
TASKS = 20
WINDOW_S = 0.5
IDLE_S = 10.0
PATIENCE_S = 30.0
BARE = (
    "import asyncio\n"
    "from carbon_node.transport.contract import Role\n"
    "from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport\n"
    f"transport = FastDdsTransport(FastDdsConfig({DOMAIN}, Role('bare', (), ())))\n"
    "asyncio.run(transport.open())\n"
    "print('ready', flush=True)\n"
    "import os; os._exit(0)"
)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = options.parse_args().json
    with tempfile.TemporaryDirectory() as state_dir:
        figures = [start(state_dir), *idle(state_dir), answer(state_dir)]
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    else:
        print_table(figures)


def start(state_dir: str) -> Figure:
    """Time from the start of the process to IDLE published."""
    seconds, bare = [], []
    for _ in range(STARTS):
        since_s = time.monotonic()
        with running(state_dir):
            seconds.append(time.monotonic() - since_s)
        since_s = time.monotonic()
        subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True)
        bare.append(time.monotonic() - since_s)
    return figure_of("start to ready; reference: bare participant", "s", seconds, bare)


def idle(state_dir: str) -> list[Figure]:
    """Memory and processor time of the node's process when nothing happens, after one task."""
    with running(state_dir) as process:
        asyncio.run(_answered(1))
        before = process.cpu_times()
        time.sleep(IDLE_S)
        after = process.cpu_times()
        used_s = after.user + after.system - before.user - before.system
        resident_mb = process.memory_info().rss / 1e6
    return [
        figure_of("resident memory of the idle node", "MB", [resident_mb]),
        figure_of(f"processor time when idle for {IDLE_S:g} s", "%", [100 * used_s / IDLE_S]),
    ]


def answer(state_dir: str) -> Figure:
    """Time from the last input written to the output received, less the window, one at a time."""
    with running(state_dir):
        seconds = asyncio.run(_answered(TASKS))
    beyond_ms = [1000 * (each - WINDOW_S) for each in seconds]
    return figure_of(f"answer beyond the window of {WINDOW_S:g} s", "ms", beyond_ms)


@contextmanager
def running(state_dir: str) -> Iterator[psutil.Process]:
    """Have a node that is ready."""
    options = [f"--domain={DOMAIN}", f"--state-dir={state_dir}", "--http-listen=off"]
    command = [sys.executable, "-m", "carbon_node", "run", *options]
    environment = os.environ | {"CARBON_NODE_TRACKER__WINDOW_S": str(WINDOW_S)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as node:
        assert node.stderr is not None
        next(line for line in node.stderr if '"ready"' in line)
        yield psutil.Process(node.pid)
        node.send_signal(signal.SIGTERM)


async def _answered(count: int) -> list[float]:
    transport = FastDdsTransport(FastDdsConfig(DOMAIN, PEERS_ROLE))
    peers = SimulatedPeers(transport, DOMAIN)
    async with peers.joined():
        await peers.wait_for_node(PATIENCE_S)
        return [
            (await peers.submit(_task(number), PATIENCE_S)).seconds
            for number in range(1, count + 1)
        ]


def _task(number: int) -> SubmittedTask:
    task_id = TaskId(number, 1)
    return SubmittedTask(
        UserInput(geo_location_region="France", task_id=task_id),
        MLModel(model="m", task_id=task_id),
        HWResource("hw", 300.0, 0.1, task_id=task_id),
    )


if __name__ == "__main__":
    main()
