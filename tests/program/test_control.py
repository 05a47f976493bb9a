"""Commands of the control topic to the real program."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.callers import Caller, calling
from tests.domains import fresh_domain
from tests.program.processes import NodeProcess, running_node

from carbon_node.wire.samples import CO2Footprint, NodeCommand, Status, TaskCommand

SLOW = {"CARBON_NODE_TRACKER__MODE": "declared", "CARBON_NODE_TRACKER__WINDOW_S": "600"}
FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def node_with(
    state_dir: Path, env: dict[str, str]
) -> AsyncIterator[tuple[Caller, NodeProcess]]:
    """A caller that has met a node of its own, which stops gracefully afterwards."""
    domain = fresh_domain()
    with running_node(domain, state_dir, env={**env, "CARBON_NODE_LOG_LEVEL": "debug"}) as node:
        async with calling(domain) as caller:
            await heard(caller)
            yield caller, node
        if node.process.poll() is None:
            assert node.stop() == 0


async def heard(caller: Caller) -> None:
    """Send commands to someone else until the node receives them.

    Commands are sent without guarantee: what leaves before the node knows their writer is lost.
    """
    while (await caller.status())["commands"]["foreign"] == 0:
        caller.command(target="SOMEONE_ELSE")
        await asyncio.sleep(0.02)


def error_of(output: CO2Footprint) -> str | None:
    """Why a task failed; None if it did not."""
    error: str | None = json.loads(output.extra_data).get("error")
    return error


@pytest.mark.parametrize("command", [TaskCommand.STOP, TaskCommand.TERMINATE])
async def test_a_running_task_is_stopped(command: TaskCommand, tmp_path: Path) -> None:
    """It is answered at once, once, as failed, and the node is IDLE."""
    async with node_with(tmp_path, SLOW) as (caller, _):
        task_id = caller.submit()
        await caller.wait_for_status(lambda status: status["tasks"]["running"] == 1)

        caller.command(task=command, task_id=task_id)
        output = await caller.output(task_id)

        assert output.carbon_intensity == 0
        assert (error_of(output) or "").startswith(f"stopped: {command.name}_TASK by TESTER")
        await caller.node_status(Status.IDLE)
        status = await caller.status()
        assert status["tasks"] == {
            "incomplete": 0,
            "waiting": 0,
            "running": 0,
            "answered": 1,
            "failed": 1,
        }
        assert status["commands"]["obeyed"] == 1
        assert len(caller.outputs(task_id)) == 1


async def test_a_stopped_task_is_repeated_on_request(tmp_path: Path) -> None:
    """RESET_TASK computes an answered task again and publishes it again."""
    async with node_with(tmp_path, FORMULA) as (caller, _):
        task_id = caller.submit()
        first = await caller.output(task_id)
        await caller.call('{"set": {"pue": 1.0}}')
        caller.command(task=TaskCommand.RESET, task_id=task_id)
        second = await caller.output(task_id, 2)
        assert second.energy_consumption == pytest.approx(first.energy_consumption / 1.58)


async def test_a_running_task_that_is_reset_is_answered_once(tmp_path: Path) -> None:
    """The computation begins again under the settings in force by then, with one output."""
    async with node_with(tmp_path, SLOW) as (caller, _):
        task_id = caller.submit()
        await caller.wait_for_status(lambda status: status["tasks"]["running"] == 1)
        await caller.call('{"set": {"tracker.mode": "formula"}}')

        caller.command(task=TaskCommand.RESET, task_id=task_id)
        output = await caller.output(task_id)

        assert error_of(output) is None
        assert json.loads(output.extra_data)["settings_revision"] == 1
        await caller.wait_for_status(lambda status: status["tasks"]["answered"] == 1)
        assert len(caller.outputs(task_id)) == 1


async def test_a_stopped_node_keeps_tasks_until_it_is_started(tmp_path: Path) -> None:
    """It says INACTIVE, answers requests, and later does the work that came in the meantime."""
    async with node_with(tmp_path, FORMULA) as (caller, _):
        caller.command(NodeCommand.STOP)
        await caller.node_status(Status.INACTIVE)
        task_ids = [caller.submit() for _ in range(3)]
        status = await caller.wait_for_status(lambda status: status["tasks"]["waiting"] == 3)
        assert (status["node"], status["is_paused"]) == ("INACTIVE", True)

        caller.command(NodeCommand.START)
        for task_id in task_ids:
            assert error_of(await caller.output(task_id)) is None
        await caller.node_status(Status.IDLE)


async def test_a_node_that_was_stopped_by_command_stops_by_signal(tmp_path: Path) -> None:
    """Tasks that wait do not delay it; they come again at the next start."""
    async with node_with(tmp_path, FORMULA) as (caller, node):
        caller.command(NodeCommand.STOP)
        await caller.node_status(Status.INACTIVE)
        caller.submit()
        await caller.wait_for_status(lambda status: status["tasks"]["waiting"] == 1)
        assert await asyncio.to_thread(node.stop) == 0


async def test_reset_node_returns_to_the_configuration_at_start(tmp_path: Path) -> None:
    """Changes by request are undone, and the log says so."""
    async with node_with(tmp_path, FORMULA) as (caller, node):
        await caller.call('{"set": {"pue": 1.1, "place": "France"}}')
        caller.command(NodeCommand.RESET)
        await asyncio.to_thread(node.wait_for_event, "setting changed", _is("revision", 2))
        values = (await caller.call('{"get": ["pue", "place"]}'))["configuration"]
        assert values == {"pue": 1.58, "place": ""}


async def test_terminate_node_stops_the_node_if_the_operator_allows(tmp_path: Path) -> None:
    """The end is as graceful as by signal."""
    env = {**FORMULA, "CARBON_NODE_ALLOW_REMOTE_TERMINATE": "true"}
    async with node_with(tmp_path, env) as (caller, node):
        caller.command(NodeCommand.TERMINATE)
        assert await asyncio.to_thread(node.wait) == 0
        assert node.events()[-1]["event"] == "stopped"


async def test_other_commands_are_ignored_and_counted(tmp_path: Path) -> None:
    """Foreign, unknown and forbidden commands change nothing but the counts."""
    async with node_with(tmp_path, FORMULA) as (caller, node):
        task_id = caller.submit()
        await caller.output(task_id)
        foreign_count = (await caller.status())["commands"]["foreign"]
        caller.command(NodeCommand.STOP, target="ML_MODEL_NODE")
        caller.command(NodeCommand.TERMINATE)
        caller.command(NodeCommand.UNKNOWN)
        caller.command(task=TaskCommand.PREEMPT, task_id=task_id)
        caller.command(task=TaskCommand.STOP, task_id=task_id)
        await asyncio.to_thread(node.wait_for_event, "control command", _is("command", "STOP_TASK"))

        status = await caller.status()
        assert status["node"] == "IDLE"
        assert status["commands"].pop("foreign") > foreign_count
        assert status["commands"] == {"obeyed": 0, "unknown": 2, "refused": 2}
        assert len(caller.outputs(task_id)) == 1


def _is(key: str, value: object) -> Callable[[dict[str, Any]], bool]:
    return lambda event: event.get(key) == value
