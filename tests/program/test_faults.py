"""What must lose no task: bad samples, and measurements that die or hang."""

import asyncio
import itertools
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.calling_transport import participant
from tests.domains import fresh_domain
from tests.program.peers import footprint_of, peers_of
from tests.program.processes import PATIENCE_S, NodeProcess, running_node

from carbon_node.cli.peers import PEERS_ROLE, SubmittedTask
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

PLANTED = "hf_planted_secret"


_problems = itertools.count(1)


def task(*, user: bytes = b"", model: bytes = b"", hardware: bytes = b"") -> SubmittedTask:
    """A new good task but for the extra_data of its samples."""
    task_id = TaskId(next(_problems), 1)
    return SubmittedTask(
        UserInput(geo_location_region="France", extra_data=user, task_id=task_id),
        MLModel(model="m", extra_data=model, task_id=task_id),
        HWResource("hw", 300.0, 1.0, extra_data=hardware, task_id=task_id),
    )


async def answers(domain: int, *tasks: SubmittedTask) -> list[CO2Footprint]:
    """Submit tasks one after the other; their outputs."""
    async with peers_of(domain) as (peers, _):
        return [await footprint_of(peers, each) for each in tasks]


def content(footprint: CO2Footprint) -> dict[str, Any]:
    """The parsed extra_data of an output."""
    parsed: dict[str, Any] = json.loads(footprint.extra_data)
    return parsed


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[NodeProcess, int]]:
    """A node without tracker that several tests mistreat; it has to survive them all."""
    domain = fresh_domain()
    state_dir = tmp_path_factory.mktemp("state")
    env = {"CARBON_NODE_TRACKER__MODE": "formula"}
    with running_node(domain, state_dir, env=env) as running:
        yield running, domain
        assert running.stop() == 0
        assert not any(PLANTED in line for line in running.lines)


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        (b'{"hf_token": "hf_planted_secret", ', "not JSON"),
        (b'["hf_planted_secret"]', "a JSON list instead of an object"),
        (b'{"hf_token": "hf_planted_secret\xff"}', "not UTF-8"),
        (
            b'{"hf_token": "hf_planted_secret", "x": "' + b"a" * (9 << 20) + b'"}',
            "bytes are more than",
        ),
        (
            b'{"hf_token": "hf_planted_secret", "x": ' + b"[" * 100_000,
            "nested deeper than 64 levels",
        ),
    ],
    ids=["not-json", "list", "not-utf8", "9-MB", "deep"],
)
async def test_unreadable_extra_data_is_named_and_the_task_answered(
    node: tuple[NodeProcess, int], octets: bytes, problem: str
) -> None:
    """The number comes as if the extra_data were empty, and the log says what was wrong with it."""
    running, domain = node
    (footprint,) = await answers(domain, task(user=octets))

    assert footprint.carbon_footprint > 0
    assert content(footprint)["num_outputs"] == 1
    assert content(footprint)["model_restrains"] == ["m"]
    running.wait_for_event("extra_data ignored", lambda event: problem in event["problem"])


async def test_the_consumers_keys_survive_whatever_a_client_sends(
    node: tuple[NodeProcess, int],
) -> None:
    """num_outputs and model_restrains follow the contract; the secret and other keys stay here."""
    sent = {
        "num_outputs": 3,
        "model_restrains": ["older", "m", 7],
        "hf_token": PLANTED,
        "anything": {"nested": [1, None]},
    }
    (footprint,) = await answers(node[1], task(user=json.dumps(sent).encode()))

    assert content(footprint)["num_outputs"] == 3
    assert content(footprint)["model_restrains"] == ["m", "older"]
    assert PLANTED.encode() not in footprint.extra_data
    assert b"anything" not in footprint.extra_data


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lambda good: replace(good, ml_model=replace(good.ml_model, model="NO_MODEL")), "no model"),
        (lambda good: replace(good, ml_model=replace(good.ml_model, model="Error")), "no model"),
        (lambda good: replace(good, ml_model=replace(good.ml_model, model="")), "no model"),
        (
            lambda good: replace(
                good, ml_model=replace(good.ml_model, extra_data=b'{"error": "x"}')
            ),
            "no model",
        ),
        (
            lambda good: replace(
                good, hw_resource=replace(good.hw_resource, hw_description="Error")
            ),
            "hardware error",
        ),
        (
            lambda good: replace(
                good, hw_resource=replace(good.hw_resource, extra_data=b'{"error": "x"}')
            ),
            "hardware error",
        ),
    ],
)
async def test_a_failure_upstream_is_answered_with_its_reason(
    node: tuple[NodeProcess, int], bad: Callable[[SubmittedTask], SubmittedTask], reason: str
) -> None:
    """Zeros, a named error, and what keeps the consumers alive; the node goes back to idle."""
    (footprint,) = await answers(node[1], bad(task()))

    assert (
        footprint.carbon_footprint,
        footprint.energy_consumption,
        footprint.carbon_intensity,
    ) == (0, 0, 0)
    assert content(footprint)["error"].startswith(reason)
    assert content(footprint)["num_outputs"] == 1


async def test_strings_of_a_megabyte_are_answered(node: tuple[NodeProcess, int]) -> None:
    """Huge texts cost time, not the task."""
    good = task()
    huge = "é" * 500_000
    (footprint,) = await answers(
        node[1],
        SubmittedTask(
            replace(good.user_input, geo_location_region=huge, problem_definition=huge),
            replace(good.ml_model, model=huge, model_path=huge),
            replace(good.hw_resource, hw_description=huge),
        ),
    )

    assert footprint.carbon_footprint > 0


async def test_the_invalid_task_id_is_reported_and_skipped(node: tuple[NodeProcess, int]) -> None:
    """Samples of task (0, 0) get no output and one log line each; the next task is answered."""
    running, domain = node
    async with peers_of(domain) as (peers, transport):
        transport.publish(Topic.USER_INPUT, UserInput())
        transport.publish(Topic.ML_MODEL, MLModel(model="m"))
        transport.publish(Topic.HW_RESOURCE, HWResource("hw", 1.0, 1.0))
        assert (await footprint_of(peers, task())).carbon_footprint > 0
    rejected = {event["topic"] for event in running.events() if event["event"] == "sample rejected"}
    assert rejected == {
        "/sustainml/user_input",
        "/sustainml/ml_model_provider/output",
        "/sustainml/hw_resources/output",
    }


async def test_inputs_in_any_order_and_repeated_give_one_output(
    node: tuple[NodeProcess, int],
) -> None:
    """Hardware first, topics repeated before and after: exactly one output for the task."""
    good = task()
    marker = task()
    # The outputs of earlier tests are retained and may come again, so only these two ids count.
    seen: list[TaskId] = []
    async with participant(node[1], PEERS_ROLE, is_matched=False) as transport:
        arrivals = transport.arrivals()
        for _ in range(2):
            transport.publish(Topic.HW_RESOURCE, good.hw_resource)
            transport.publish(Topic.ML_MODEL, good.ml_model)
            transport.publish(Topic.USER_INPUT, good.user_input)
        transport.publish(Topic.USER_INPUT, marker.user_input)
        transport.publish(Topic.HW_RESOURCE, marker.hw_resource)
        transport.publish(Topic.ML_MODEL, marker.ml_model)
        async with asyncio.timeout(PATIENCE_S):
            async for arrival in arrivals:
                if isinstance(arrival.sample, CO2Footprint) and arrival.key in (
                    good.task_id,
                    marker.task_id,
                ):
                    seen.append(arrival.key)
                    if arrival.key == marker.task_id:
                        break
    assert seen == [good.task_id, marker.task_id]


async def test_an_incomplete_task_blocks_no_other(node: tuple[NodeProcess, int]) -> None:
    """A task whose hardware never comes waits alone."""
    async with peers_of(node[1]) as (peers, transport):
        incomplete = task()
        transport.publish(Topic.USER_INPUT, incomplete.user_input)
        transport.publish(Topic.ML_MODEL, incomplete.ml_model)
        assert (await footprint_of(peers, task())).carbon_footprint > 0


async def _measuring(node: NodeProcess) -> psutil.Process:
    """The deepest descendant of the node once a measurement runs."""
    while True:
        processes = node.children()
        for process in processes:
            with_parents = [each.pid for each in processes]
            try:
                parents = [parent.pid for parent in process.parents() if parent.pid in with_parents]
            except psutil.NoSuchProcess:
                continue
            if len(parents) == 2:
                return process
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    ("by", "deadline_s", "failure"),
    [(signal.SIGKILL, 600, "signal"), (signal.SIGSTOP, 10, "timeout")],
    ids=["killed", "hanging"],
)
async def test_a_measurement_that_dies_or_hangs_still_yields_the_result(
    by: signal.Signals, deadline_s: int, failure: str, tmp_path: Path
) -> None:
    """The formula's number goes out, with the failure of the tracker named in it."""
    domain = fresh_domain()
    env = {
        "CARBON_NODE_TRACKER__WINDOW_S": "20",
        "CARBON_NODE_TRACKER__DEADLINE_S": str(deadline_s),
    }
    with running_node(domain, tmp_path, env=env) as running:
        async with peers_of(domain) as (peers, _):
            submitted = asyncio.create_task(footprint_of(peers, task()))
            async with asyncio.timeout(PATIENCE_S):
                os.kill((await _measuring(running)).pid, by)
            footprint = await submitted
        children = running.children()
        assert running.stop() == 0

    assert footprint.energy_consumption == pytest.approx(300 * 1 / 3.6e6 * 1.58, rel=1e-12)
    assert content(footprint)["tracker"]["failure"] == failure
    assert not any(child.is_running() for child in children)


async def test_a_busy_node_stops_within_the_trackers_grace(tmp_path: Path) -> None:
    """SIGTERM ends node and measurement gracefully, without waiting for the window."""
    domain = fresh_domain()
    env = {"CARBON_NODE_TRACKER__WINDOW_S": "600", "CARBON_NODE_STOP_BUDGET_S": "0.2"}
    with running_node(domain, tmp_path, env=env) as running:
        async with peers_of(domain) as (_, transport):
            submitted = task()
            transport.publish(Topic.USER_INPUT, submitted.user_input)
            transport.publish(Topic.ML_MODEL, submitted.ml_model)
            transport.publish(Topic.HW_RESOURCE, submitted.hw_resource)
            async with asyncio.timeout(PATIENCE_S):
                await _measuring(running)
            children = running.children()
            status = await asyncio.to_thread(running.stop)
            assert status == 0

    assert not any(child.is_running() for child in children)
