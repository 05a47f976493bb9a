"""`carbon-node demo`: a node and simulated peers as separate processes."""

import asyncio
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from carbon_node.errors import CarbonNodeError
from carbon_node.wire import bounded_json
from carbon_node.wire.contract import DOMAIN_RANGE

DEMO_DOMAINS = range(215, DOMAIN_RANGE.stop)
"""Domains far from those in common use, with ports above Linux's ephemeral ones, which any program
may hold."""

PATIENCE_S = 30.0
"""Seconds that the demo waits for any step; on two loaded cores a task takes a few."""


@dataclass(frozen=True, slots=True)
class DemoTask:
    """An invented model in some place, on hardware with about the power that its vendor states."""

    model: str
    hardware: str
    power_w: float
    latency_s: float
    region: str
    continent: str

    def arguments(self) -> list[str]:
        """Options of `carbon-node submit` for this task."""
        return [
            f"--model={self.model}",
            f"--hardware={self.hardware}",
            f"--power={self.power_w}",
            f"--latency={self.latency_s}",
            f"--region={self.region}",
            f"--continent={self.continent}",
        ]


TASKS = (
    DemoTask("demo/vision-transformer", "data-centre GPU 700 W", 700.0, 0.020, "Sweden", "Europe"),
    DemoTask("demo/language-model", "server CPU 270 W", 270.0, 0.350, "PL", "Europe"),
    DemoTask("demo/keyword-spotter", "embedded module 15 W", 15.0, 0.800, "India", "Asia"),
)


def demo(
    *,
    domain: Annotated[
        int | None,
        typer.Option(
            min=DOMAIN_RANGE[0],
            max=DOMAIN_RANGE[-1],
            show_default=False,
            help="DDS domain id (default: one derived from the process id).",
        ),
    ] = None,
) -> int:
    """Start a node and let simulated peers submit three tasks to it; print what it publishes."""
    return asyncio.run(_demo(_free_domain() if domain is None else domain))


def _free_domain() -> int:
    return DEMO_DOMAINS[os.getpid() % len(DEMO_DOMAINS)]


async def _demo(domain: int) -> int:
    print(
        f"Starting a carbon node in DDS domain {domain}, and three sets of simulated peers.",
        flush=True,
    )
    with tempfile.TemporaryDirectory(prefix="carbon-node-demo-") as folder:
        async with _node(domain, Path(folder)):
            results = await asyncio.gather(*(_submit(domain, task) for task in TASKS))
    _print_table(results)
    return 0


@asynccontextmanager
async def _node(domain: int, folder: Path) -> AsyncIterator[None]:
    log = folder / "node.log"
    with log.open("wb") as stream:
        options = [f"--domain={domain}", f"--state-dir={folder}", "--http-listen=off"]
        node = await asyncio.create_subprocess_exec(
            *_command("run", *options), stdout=stream, stderr=stream
        )
    try:
        yield
    except CarbonNodeError:
        print(log.read_text(), file=sys.stderr)
        raise
    finally:
        if node.returncode is None:
            node.terminate()
        await node.wait()


async def _submit(domain: int, task: DemoTask) -> dict[str, Any]:
    options = [f"--domain={domain}", f"--timeout={PATIENCE_S}", "--json", *task.arguments()]
    peers = await asyncio.create_subprocess_exec(
        *_command("submit", *options), stdout=PIPE, stderr=PIPE
    )
    output, complaint = await peers.communicate()
    if peers.returncode != 0:
        raise CarbonNodeError(
            f"the task of {task.model} was not answered: {complaint.decode().strip()}"
        )
    answer: dict[str, Any] = bounded_json.loads(output)
    return answer


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "carbon_node", *arguments]


def _print_table(answers: Sequence[Mapping[str, Any]]) -> None:
    table = Table(
        title="Carbon footprint of one inference",
        caption="gCO2e = kWh x gCO2e/kWh; kWh includes the PUE; s from last input to output",
    )
    for heading in ("Hardware", "Place"):
        table.add_column(heading)
    for heading in ("kWh", "gCO2e/kWh", "gCO2e", "s"):
        table.add_column(heading, justify="right")
    for task, answer in zip(TASKS, answers, strict=True):
        table.add_row(
            task.hardware,
            task.region,
            f"{answer['energy_kwh']:.4g}",
            f"{answer['intensity_g_per_kwh']:.4g}",
            f"{answer['carbon_footprint_g']:.4g}",
            f"{answer['seconds']:.2f}",
        )
    Console().print(table)
