"""What a large model costs the node in memory."""

import asyncio
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.process_memory import forget_peak, memory_bytes
from tests.program.peers import footprint_of, peers_of
from tests.program.processes import running_node
from tests.transports import wait_for

from carbon_node.cli.peers import SubmittedTask
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

pytestmark = pytest.mark.anyio

SIZE_BYTES = 64_000_000


def task(number: int, raw_model: bytes) -> SubmittedTask:
    """A task whose model comes with it."""
    task_id = TaskId(number, 1)
    return SubmittedTask(
        UserInput(geo_location_region="France", task_id=task_id),
        MLModel(model="large", raw_model=raw_model, task_id=task_id),
        HWResource("some board", 300.0, 0.1, task_id=task_id),
    )


@pytest.mark.parametrize("mode", ["formula", "measured"])
async def test_a_large_model_is_in_the_daemon_once(tmp_path: Path, mode: str) -> None:
    """A model takes less than one and a half times its size while it passes, then nothing."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env={"CARBON_NODE_TRACKER__MODE": mode}) as node:
        pid = node.process.pid
        async with peers_of(domain) as (peers, _):
            await footprint_of(peers, task(1, bytes(100_000)))
            before = memory_bytes(pid, "VmRSS")
            forget_peak(pid)
            await footprint_of(peers, task(2, bytes(SIZE_BYTES)))
            least = before + 0.25 * SIZE_BYTES
            await asyncio.to_thread(wait_for, lambda: memory_bytes(pid, "VmRSS") < least)
            peak = memory_bytes(pid, "VmHWM") - before

    assert 0.5 * SIZE_BYTES < peak < 1.5 * SIZE_BYTES
