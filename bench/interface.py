"""What the local interface costs: its start, its memory, a scrape, and nothing when idle.

    python -m bench.interface [--json]

Reference for requests, measured in the same run: a bare asyncio server that sends fixed bytes.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

import psutil
from bench.figures import Figure, figure_of, print_table
from tests.unit.observability.node_view import ANY_PORT, PlainView

from carbon_node.observability.http.server import HttpInterface
from carbon_node.observability.metrics import STAGE_BOUNDS_S, Metrics
from carbon_node.settings import Settings

REQUESTS = 200
IDLE_S = 5.0
PATHS = ("/metrics", "/api/status", "/healthz")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = options.parse_args().json
    figures = asyncio.run(_figures())
    if as_json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
    else:
        print_table(figures)


async def _figures() -> list[Figure]:
    Settings()  # a node has its settings before its interface: pydantic is not the interface's cost
    process, before_mb = psutil.Process(), _resident_mb()
    interface = HttpInterface(ANY_PORT, PlainView(), _busy_metrics())
    since_s = time.monotonic()
    await interface.start()
    started_ms = 1000 * (time.monotonic() - since_s)
    port = int(str(interface.listens_at).rpartition(":")[2])
    requests = [await _requests(path, port) for path in PATHS]
    grown_mb = _resident_mb() - before_mb
    switches = process.num_ctx_switches().voluntary
    await asyncio.sleep(IDLE_S)
    wakeups = process.num_ctx_switches().voluntary - switches - 1  # one ends this wait
    await interface.stop()
    return [
        figure_of("start of the interface, in a thread", "ms", [started_ms]),
        figure_of("memory that it adds", "MB", [grown_mb]),
        *requests,
        figure_of(f"wake-ups when idle for {IDLE_S:g} s", "", [wakeups]),
    ]


async def _requests(path: str, port: int) -> Figure:
    content = await _ask(port, path)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(content)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as bare:
        bare_port = bare.sockets[0].getsockname()[1]
        reference = [await _timed_ms(lambda: _ask(bare_port, path)) for _ in range(REQUESTS)]
    times = [await _timed_ms(lambda: _ask(port, path)) for _ in range(REQUESTS)]
    return figure_of(f"GET {path} on a connection of its own", "ms", times, reference)


async def _timed_ms(action: Callable[[], Awaitable[object]]) -> float:
    since_s = time.perf_counter()
    await action()
    return 1000 * (time.perf_counter() - since_s)


async def _ask(port: int, path: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    content = await reader.read()
    writer.close()
    return content


def _busy_metrics() -> Metrics:
    metrics = Metrics()
    for stage in ("join", "intensity", "tracker", "store", "publish"):
        for duration_s in STAGE_BOUNDS_S:
            metrics.stage(stage, duration_s)
    for outcome in ("estimated", "failed"):
        metrics.task_finished(outcome, 1e-5, 0.01)
    return metrics


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
