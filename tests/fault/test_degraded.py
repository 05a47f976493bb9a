"""The real daemon when its results cannot be kept: it answers, says so, and recovers."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.callers import Caller, calling
from tests.disks import fill
from tests.domains import fresh_domain
from tests.program.processes import PATIENCE_S, run_arguments, run_command, running_node

from carbon_node.store.database import DATABASE_NAME

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula", "CARBON_NODE_OUTPUT_GAP_MS": "0"}

pytestmark = pytest.mark.anyio


async def answered(caller: Caller, count: int) -> None:
    """Submit tasks and wait for their outputs."""
    for task_id in [caller.submit() for _ in range(count)]:
        assert (await caller.output(task_id)).carbon_footprint > 0


async def degraded_when(caller: Caller, fact: Callable[[list[str]], bool]) -> list[str]:
    """Ask how the node is until a fact holds of what is degraded."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            degraded: list[str] = (await caller.status())["degraded"]
            if fact(degraded):
                return degraded
            await asyncio.sleep(0.1)


async def test_a_full_disk_costs_no_answer_and_is_said(small_disk: Path) -> None:
    """Tasks are answered from memory; status and log say why, and all is on disk in the end."""
    domain = fresh_domain()
    state_dir = small_disk / "state"
    with running_node(domain, state_dir, env=FORMULA) as node:
        async with calling(domain) as caller:
            await answered(caller, 2)
            assert (await caller.status())["degraded"] == []
            filler = fill(small_disk)
            await answered(caller, 20)
            (line,) = await degraded_when(caller, bool)
            assert "disk is full; free some space" in line
            filler.unlink()
            assert await degraded_when(caller, lambda found: not found) == []
            await answered(caller, 1)
        node.wait_for_event("degraded: results are kept in memory only")
        node.wait_for_event("results are kept on disk")
        assert node.stop() == 0

    done = run_command("history", "--json", f"--state-dir={state_dir}")
    assert done.stdout.count('"carbon_g"') >= 23


async def degraded_after_tasks(domain: int) -> list[str]:
    """Submit tasks; what is degraded once they are answered."""
    async with calling(domain) as caller:
        await answered(caller, 3)
        degraded: list[str] = (await caller.status())["degraded"]
        return degraded


async def test_a_damaged_database_is_moved_aside_and_said(tmp_path: Path) -> None:
    """The node starts with a new database, answers, and names the file that it moved."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=FORMULA) as node:
        assert await degraded_after_tasks(domain) == []
        assert node.stop() == 0
    (tmp_path / DATABASE_NAME).write_bytes(b"no database" * 1000)
    with running_node(domain, tmp_path, env=FORMULA) as node:
        (line,) = await degraded_after_tasks(domain)
        assert node.stop() == 0

    (aside,) = tmp_path.glob("results.sqlite3.damaged-*")
    assert str(aside) in line


def test_a_second_node_on_a_state_directory_is_refused(tmp_path: Path) -> None:
    """It ends with status 1 and one line that names the first, which goes on."""
    first_domain, second_domain = fresh_domain(), fresh_domain()
    with running_node(first_domain, tmp_path, env=FORMULA) as first:
        second = run_command(*run_arguments(second_domain, tmp_path))

        assert second.returncode == 1
        (complaint,) = [
            line for line in second.stderr.splitlines() if line.startswith("carbon-node:")
        ]
        assert f"belongs to carbon node pid {first.process.pid} on " in complaint
        assert first.stop() == 0
