"""`carbon-node submit`: play the other nodes of a pipeline for a few tasks."""

import asyncio
import json
import secrets
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import typer

from carbon_node.cli.options import DomainOption, JsonOption
from carbon_node.cli.peers import PEERS_ROLE, Answer, SimulatedPeers, SubmittedTask
from carbon_node.errors import TransportError
from carbon_node.settings import Source, load
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire import bounded_json
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

PRIVATE_DOMAIN = 77
"""Domain of the simulated peers unless one is named: away from domain 0, where real pipelines live,
and low enough that its ports stay below the ephemeral ones."""


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
            min=0.1, max=86_400.0, help="Seconds to wait for the node and for each result."
        ),
    ] = 30.0,
    as_json: JsonOption = False,
) -> int:
    """Submit tasks as the other nodes of a pipeline would; print one line per result."""
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
    return asyncio.run(
        _submit(
            chosen_domain(domain), _numbered(template, count), interval, timeout, as_json=as_json
        )
    )


def chosen_domain(option: int | None) -> int:
    """Return the domain that an option, the environment or a file states, else the private one."""
    configuration = load({"domain": option}).configuration
    is_named = configuration.origins["domain"].source is not Source.DEFAULT
    return configuration.settings.domain if is_named else PRIVATE_DOMAIN


def _numbered(template: SubmittedTask, count: int) -> Iterator[SubmittedTask]:
    # The node retains outputs of earlier runs: a random start keeps their ids apart from these.
    first = 1 + secrets.randbelow(2**31)
    for problem_id in range(first, first + count):
        task_id = TaskId(problem_id, 1)
        yield SubmittedTask(
            replace(template.user_input, task_id=task_id),
            replace(template.ml_model, task_id=task_id),
            replace(template.hw_resource, task_id=task_id),
        )


async def _submit(
    domain: int,
    tasks: Iterator[SubmittedTask],
    interval_s: float,
    timeout_s: float,
    *,
    as_json: bool,
) -> int:
    peers = SimulatedPeers(FastDdsTransport(FastDdsConfig(domain=domain, role=PEERS_ROLE)), domain)
    async with peers.joined():
        await peers.wait_for_node(timeout_s)
        reports: list[asyncio.Task[bool]] = []
        for task in tasks:
            if reports:
                await asyncio.sleep(interval_s)
            report = _report(peers, task, timeout_s, as_json=as_json)
            reports.append(asyncio.create_task(report))
        are_answered = await asyncio.gather(*reports)
    return 0 if all(are_answered) else 1


async def _report(
    peers: SimulatedPeers, task: SubmittedTask, timeout_s: float, *, as_json: bool
) -> bool:
    try:
        answer = await peers.submit(task, timeout_s)
    except TransportError as error:
        print(f"carbon-node: {error}", file=sys.stderr)
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
