"""What it costs to operate the real node: its start, its memory and time when idle, a scrape.

    python -m bench.operations [--json]

The local interface is on. The bounds are those that the project promises; a bound that is not kept
gives exit status 1.
"""

import argparse
import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from bench.figures import Figure, figure_of, print_table

from carbon_node.peers import PEERS_ROLE, SimulatedPeers, SubmittedTask
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.transport.wire import HWResource, MLModel, TaskId, UserInput

DOMAIN = 98
STARTS = 10
SCRAPES = 100
TASKS = 20
IDLE_S = 20.0
PATIENCE_S = 30.0
BOUNDS = {
    "start to READY=1": 0.7,
    "memory of the idle node": 85.0,
    "processor time when idle": 0.3,
    "scrape of /metrics": 10.0,
}
"""Largest medians that are promised, by the beginning of the question."""


@dataclass(frozen=True, slots=True)
class Running:
    """A node that is ready.

    Args:
        process: its process.
        socket_path: where its interface listens.
        ready_s: seconds from its start to READY=1.
    """

    process: psutil.Process
    socket_path: Path
    ready_s: float


def main() -> int:
    """Measure and print; the exit status says whether all bounds were kept."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = options.parse_args().json
    figures = [start(), *idle()]
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    else:
        print_table(figures)
    broken = [figure.question for figure in figures if figure.median > _bound(figure)]
    print(f"bounds not kept: {', '.join(broken) or 'none'}", file=sys.stderr)
    return 1 if broken else 0


def start() -> Figure:
    """Time from the start of the process to the supervisor's READY=1."""
    seconds = []
    for _ in range(STARTS):
        with running() as node:
            seconds.append(node.ready_s)
    return figure_of("start to READY=1", "s", seconds)


def idle() -> list[Figure]:
    """Cost of a node that has answered tasks and been asked, while nothing happens."""
    with running() as node:
        _wait_for_interface(node)
        asyncio.run(_answered(TASKS))
        scrapes_ms = [_scrape_ms(node.socket_path) for _ in range(SCRAPES)]
        time.sleep(3.0)  # what follows a task, like the retirement of its status, is over then
        process = node.process
        before, descriptors = _used(process), process.num_fds()
        time.sleep(IDLE_S)
        after = _used(process)
        return [
            figure_of("memory of the idle node", "MB", [process.memory_info().rss / 1e6]),
            figure_of("processor time when idle", "%", [100 * (after[0] - before[0]) / IDLE_S]),
            figure_of(
                "wake-ups of all its threads per second", "", [(after[1] - before[1]) / IDLE_S]
            ),
            figure_of(
                "descriptors that were opened meanwhile", "", [process.num_fds() - descriptors]
            ),
            figure_of("scrape of /metrics", "ms", scrapes_ms),
        ]


@contextmanager
def running() -> Iterator[Running]:
    """Have a node that is ready, as a supervised process."""
    with (
        tempfile.TemporaryDirectory() as directory,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor,
    ):
        notify, listen = Path(directory, "notify"), Path(directory, "http.sock")
        supervisor.bind(str(notify))
        supervisor.settimeout(PATIENCE_S)
        options = [f"--domain={DOMAIN}", f"--state-dir={directory}", f"--http-listen={listen}"]
        command = [sys.executable, "-m", "carbon_node", "run", *options]
        environment = os.environ | {"NOTIFY_SOCKET": str(notify), "WATCHDOG_USEC": "30000000"}
        since_s = time.monotonic()
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment) as node:
            try:
                assert supervisor.recv(65536).startswith(b"READY=1")
                yield Running(psutil.Process(node.pid), listen, time.monotonic() - since_s)
            finally:
                node.send_signal(signal.SIGTERM)


def _wait_for_interface(node: Running) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not node.socket_path.exists() and time.monotonic() < deadline_s:
        time.sleep(0.01)


def _used(process: psutil.Process) -> tuple[float, int]:
    times = process.cpu_times()
    tasks = Path(f"/proc/{process.pid}/task").glob("*/status")
    lines = [line for task in tasks for line in task.read_text().splitlines()]
    switches = [int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt")]
    return times.user + times.system, sum(switches)


def _scrape_ms(path: Path) -> float:
    since_s = time.monotonic()
    connection = http.client.HTTPConnection("localhost", timeout=PATIENCE_S)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(str(path))
    connection.request("GET", "/metrics")
    assert b"carbon_node_ready 1.0" in connection.getresponse().read()
    connection.close()
    return 1000 * (time.monotonic() - since_s)


def _bound(figure: Figure) -> float:
    return next((bound for name, bound in BOUNDS.items() if figure.question == name), float("inf"))


async def _answered(count: int) -> None:
    transport = FastDdsTransport(FastDdsConfig(DOMAIN, PEERS_ROLE))
    peers = SimulatedPeers(transport, DOMAIN)
    async with peers.joined():
        await peers.wait_for_node(PATIENCE_S)
        await asyncio.gather(
            *(peers.submit(_task(number), PATIENCE_S) for number in range(1, count + 1))
        )


def _task(number: int) -> SubmittedTask:
    task_id = TaskId(number, 1)
    return SubmittedTask(
        UserInput(geo_location_region="France", task_id=task_id),
        MLModel(model="m", task_id=task_id),
        HWResource("hw", 300.0, 0.1, task_id=task_id),
    )


if __name__ == "__main__":
    sys.exit(main())
