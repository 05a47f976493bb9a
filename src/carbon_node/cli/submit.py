"""`carbon-node submit`: play the other nodes of a pipeline for a few tasks."""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

import typer

from carbon_node.cli.options import DomainOption, JsonOption
from carbon_node.cli.peers import PEERS_ROLE, Answer, SimulatedPeers, SubmittedTask
from carbon_node.cli.progress import Explanation, display
from carbon_node.daemon.presence import claimed_domains
from carbon_node.errors import ConfigError, TransportError
from carbon_node.settings import Source, load
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire import bounded_json
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

PRIVATE_DOMAIN = 77
"""Domain of the simulated peers unless one is named: away from domain 0, where real pipelines live,
and low enough that its ports stay below the ephemeral ones."""

MAX_PENDING = 2_000
"""Tasks without an answer at once; the next ones are submitted when outputs come. A writer has room
for 5,000 instances."""

TICK_S = 0.2
"""Seconds between two looks at how far the tasks are."""


def submit(
    *,
    domain: DomainOption = None,
    model: Annotated[str, typer.Option(help="Model id.")] = "demo/model",
    power: Annotated[float, typer.Option(help="Power of the hardware in watts.")] = 300.0,
    latency: Annotated[
        float,
        typer.Option(
            help="Latency of one inference, in the hardware's unit, else the node's latency_unit."
        ),
    ] = 0.1,
    memory: Annotated[
        float,
        typer.Option(help="Memory footprint of the model in MB, as hardware nodes of 2026 send."),
    ] = 0.0,
    hardware: Annotated[str, typer.Option(help="Description of the hardware.")] = "demo hardware",
    region: Annotated[str, typer.Option(help="Place: country, code, city or cloud region.")] = "",
    continent: Annotated[str, typer.Option(help="Continent of the place.")] = "",
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Number of tasks.")] = 1,
    interval: Annotated[
        float, typer.Option(min=0.0, max=3600.0, help="Seconds between two tasks.")
    ] = 0.0,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            max=86_400.0,
            help="Seconds to wait for the node, and for any sign that it still works: a status or"
            " a result. One measurement may take its tracker.deadline_s without a sign.",
        ),
    ] = 30.0,
    as_json: JsonOption = False,
) -> int:
    """Submit tasks as the other nodes of a pipeline would; print one line per result."""
    chosen = chosen_domain(domain, claimed_domains())
    template = SubmittedTask(
        UserInput(geo_location_region=region, geo_location_continent=continent),
        MLModel(model=model),
        HWResource(
            hw_description=hardware,
            power_consumption=power,
            latency=latency,
            memory_footprint_of_ml_model=memory,
        ),
    )
    tasks = _numbered(template, count)
    return asyncio.run(_submit(chosen, tasks, interval, timeout, as_json=as_json))


def chosen_domain(option: int | None, domains_here: Sequence[int]) -> int:
    """Return the domain that an option, the environment or a file states, else the private one.

    Args:
        option: DDS domain id, None if none was named on the command line.
        domains_here: where the carbon nodes of this host are.

    Raises:
        ConfigError: none is stated and the nodes of this host are elsewhere. A pipeline may be
            there, which nobody joins without having said so.
    """
    configuration = load({"domain": option}).configuration
    if configuration.origins["domain"].source is not Source.DEFAULT:
        return configuration.settings.domain
    if not domains_here or PRIVATE_DOMAIN in domains_here:
        return PRIVATE_DOMAIN
    listed = ", ".join(map(str, domains_here))
    raise ConfigError(
        f"the carbon node of this host runs in domain {listed}, and without --domain tasks go to "
        f"domain {PRIVATE_DOMAIN}, away from real pipelines; to submit to it all the same, type: "
        f"carbon-node submit --domain {domains_here[0]}"
    )


def _numbered(template: SubmittedTask, count: int) -> list[SubmittedTask]:
    # The node retains outputs of earlier runs: a random start keeps their ids apart from these.
    first = 1 + secrets.randbelow(2**31)
    return [_with_id(template, TaskId(problem_id, 1)) for problem_id in range(first, first + count)]


def _with_id(template: SubmittedTask, task_id: TaskId) -> SubmittedTask:
    return SubmittedTask(
        replace(template.user_input, task_id=task_id),
        replace(template.ml_model, task_id=task_id),
        replace(template.hw_resource, task_id=task_id),
    )


async def _submit(
    domain: int,
    tasks: Sequence[SubmittedTask],
    interval_s: float,
    timeout_s: float,
    *,
    as_json: bool,
) -> int:
    transport = FastDdsTransport(FastDdsConfig(domain=domain, role=PEERS_ROLE))
    peers = SimulatedPeers(transport, domain, timeout_s)
    async with peers.joined(), _told(peers, domain, len(tasks)):
        await peers.wait_for_node()
        reports: list[asyncio.Task[bool]] = []
        room = asyncio.Semaphore(MAX_PENDING)
        for task in tasks:
            if reports:
                await asyncio.sleep(interval_s)
            await room.acquire()
            report = asyncio.create_task(_report(peers, task, as_json=as_json))
            report.add_done_callback(lambda _: room.release())
            reports.append(report)
        are_answered = await asyncio.gather(*reports)
        is_node_there = peers.situation().is_node_there
    if not all(are_answered):
        missing = f"{are_answered.count(False)} of {len(tasks)} tasks"
        raise _silence(missing, domain, timeout_s, is_node_there=is_node_there)
    return 0


def _silence(missing: str, domain: int, timeout_s: float, *, is_node_there: bool) -> TransportError:
    next_step = (
        "see its log"
        if is_node_there
        else f"it has left; start it with: carbon-node run --domain {domain}, and submit again"
    )
    return TransportError(
        f"{missing} got no output: no sign of the carbon node in domain {domain} for "
        f"{timeout_s:g} s; {next_step}"
    )


@asynccontextmanager
async def _told(peers: SimulatedPeers, domain: int, count: int) -> AsyncIterator[None]:
    """Show how far the tasks are, and say what they wait for, as long as this context lasts."""
    telling = asyncio.create_task(_tell(peers, domain, count))
    try:
        yield
    finally:
        telling.cancel()
        # The bar has to be gone before anything else is printed.
        await asyncio.wait([telling])


async def _tell(peers: SimulatedPeers, domain: int, count: int) -> None:
    explanation = Explanation(domain, count, claimed_domains)
    with display(count) as shown:
        while True:
            situation = peers.situation()
            shown.show(situation)
            line = explanation.line(situation)
            if line is not None:
                print(f"carbon-node: {line}", file=sys.stderr, flush=True)
            await asyncio.sleep(TICK_S)


async def _report(peers: SimulatedPeers, task: SubmittedTask, *, as_json: bool) -> bool:
    answer = await peers.submit(task)
    if answer is None:
        return False
    print(json.dumps(_as_json(answer)) if as_json else _as_line(task, answer), flush=True)
    return True


def _as_json(answer: Answer) -> dict[str, object]:
    footprint = answer.footprint
    return {
        "task_id": footprint.task_id._asdict(),
        "carbon_footprint_g": footprint.carbon_footprint,
        "energy_kwh": footprint.energy_consumption,
        "intensity_g_per_kwh": footprint.carbon_intensity,
        "extra_data": bounded_json.loads(footprint.extra_data),
        "seconds": round(answer.seconds, 4),
    }


def _as_line(task: SubmittedTask, answer: Answer) -> str:
    footprint = answer.footprint
    name = f"{footprint.task_id.problem_id}.{footprint.task_id.iteration_id}"
    subject = f"{task.ml_model.model} on {task.hw_resource.hw_description}"
    provenance = bounded_json.loads(footprint.extra_data)
    error = provenance.get("error")
    if error is not None:
        return f"{name}  no result: {error}  ({subject}, {answer.seconds:.2f} s)"
    return (
        f"{name}  {footprint.carbon_footprint:.6g} gCO2e = "
        f"{footprint.energy_consumption:.6g} kWh x {footprint.carbon_intensity:.6g} gCO2e/kWh"
        f" of {provenance['place']['name']}"
        f"  ({subject}, {answer.seconds:.2f} s)"
    )
