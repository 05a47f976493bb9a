"""What many tasks cost the running node: `python -m bench.lossless [--json] [--tasks N]`.

The real daemon in `formula` mode on loopback, with peers that write the inputs of tasks and read
the outputs: rate of a burst without and with pacing, and resident memory after 1,000 and after all
tasks. Also counted: tasks without an output, and with more than one.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from tests.domains import fresh_domain
from tests.loads import Load, loading, task_inputs
from tests.program.processes import NodeProcess, running_node

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}
UNPACED = FORMULA | {"CARBON_NODE_OUTPUT_GAP_MS": "0"}
BURST = 2_000
WAVE = 500
LIVING = 2_000
"""Tasks whose inputs the peers keep; their writers hold 5,000."""

PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity.

    Args:
        question: what was measured.
        value: what came out.
        unit: of the value.
        target: what it has to be.
    """

    question: str
    value: float
    unit: str
    target: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tasks", type=int, default=20_000)
    options = parser.parse_args()
    figures = [*_burst(UNPACED, ">= 200", 0), *_burst(FORMULA, "<= 100", 10)]
    figures += _soak(options.tasks)
    if options.json:
        print(json.dumps([asdict(figure) for figure in figures], indent=1))
        return
    for figure in figures:
        print(f"{figure.question:58} {figure.value:10.1f} {figure.unit:10} {figure.target}")


def _burst(env: dict[str, str], target: str, gap_ms: int) -> list[Figure]:
    async def scenario(domain: int) -> float:
        async with loading(domain) as load:
            for number in range(1, BURST + 1):
                load.send(task_inputs(number))
            since_s = time.monotonic()
            await load.wait_for_answers(BURST, PATIENCE_S)
            return BURST / (time.monotonic() - since_s)

    with _node(env) as (_, domain):
        rate = asyncio.run(scenario(domain))
    question = f"burst of {BURST} tasks, {gap_ms} ms between outputs"
    return [Figure(question, rate, "tasks/s", target)]


def _soak(count: int) -> list[Figure]:
    async def scenario(node: NodeProcess, domain: int) -> tuple[Load, float, float, float]:
        async with loading(domain) as load:
            since_s, early_mb = time.monotonic(), 0.0
            for first in range(1, count + 1, WAVE):
                await _wave(load, first)
                if first + WAVE - 1 == 1000:
                    early_mb = _resident_mb(node)
            rate = count / (time.monotonic() - since_s)
            return load, rate, early_mb, _resident_mb(node)

    with _node(UNPACED) as (node, domain):
        load, rate, early_mb, late_mb = asyncio.run(scenario(node, domain))
    return [
        Figure(f"{count} tasks in waves of {WAVE}", rate, "tasks/s", ">= 200"),
        Figure("tasks without an output", count - len(load.outputs), "tasks", "0"),
        Figure("tasks with more than one output", len(load.repeated()), "tasks", "0"),
        Figure("resident memory after 1000 tasks", early_mb, "MB", ""),
        Figure(f"more resident memory after {count}", late_mb - early_mb, "MB", "<= 30"),
    ]


async def _wave(load: Load, first: int) -> None:
    for number in range(first, first + WAVE):
        load.send(task_inputs(number))
    await load.wait_for_answers(first + WAVE - 1, PATIENCE_S)
    for number in range(first - LIVING, first - LIVING + WAVE):
        if number > 0:
            for each in task_inputs(number):
                load.transport.retire(each.topic, each.sample)


def _resident_mb(node: NodeProcess) -> float:
    resident_bytes: int = psutil.Process(node.process.pid).memory_info().rss
    return resident_bytes / 1e6


@contextmanager
def _node(env: dict[str, str]) -> Iterator[tuple[NodeProcess, int]]:
    domain = fresh_domain()
    with tempfile.TemporaryDirectory() as place, running_node(domain, Path(place), env=env) as node:
        yield node, domain


if __name__ == "__main__":
    main()
