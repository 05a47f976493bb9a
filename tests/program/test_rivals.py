"""One carbon node per domain."""

import asyncio
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.program.processes import (
    COMMAND,
    NodeProcess,
    run_arguments,
    run_command,
    running_node,
)

from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.wire.contract import NODE_NAME, Role

pytestmark = pytest.mark.anyio

STARTS = 10
"""A node that starts looks for others for a tenth of a second, which a machine that has much other
work to do may not give to those."""


def test_a_second_node_in_the_domain_refuses_to_start(tmp_path: Path) -> None:
    """The second node ends with status 1 and one line that names the first; the first goes on."""
    domain = fresh_domain()
    with running_node(domain, tmp_path / "first") as first:
        second = run_command(*run_arguments(domain, tmp_path / "second"))

        assert second.returncode == 1
        complaint = [line for line in second.stderr.splitlines() if line.startswith("carbon-node:")]
        assert len(complaint) == 1
        assert f"process {first.process.pid} " in complaint[0]
        assert run_command("submit", f"--domain={domain}").returncode == 0


async def test_another_implementation_is_found_by_discovery(tmp_path: Path) -> None:
    """A participant of the node's name that was there before makes the node end with status 1."""
    domain = fresh_domain()
    role = Role(NODE_NAME, reads=(), writes=())
    other = FastDdsTransport(FastDdsConfig(domain=domain, role=role, loopback_only=True))
    await other.open()
    try:
        node = await asyncio.to_thread(_refused, domain, tmp_path)
    finally:
        await other.close()

    assert node.process.returncode == 1
    assert "another implementation" in node.lines[-1]


def _refused(domain: int, tmp_path: Path) -> NodeProcess:
    """A node that did not start."""
    for _ in range(STARTS):
        node = NodeProcess([*COMMAND, *run_arguments(domain, tmp_path)])
        try:
            node.wait_for_event("ready")
        except AssertionError:
            return node
        finally:
            node.close()
    raise AssertionError(f"the node started {STARTS} times")


def test_a_node_starts_at_once_after_its_predecessor_was_killed(tmp_path: Path) -> None:
    """A dead node is not taken for a living one, although its lease has not ended."""
    domain = fresh_domain()
    with running_node(domain, tmp_path) as first:
        first.process.kill()
        first.wait()
        with running_node(domain, tmp_path) as second:
            assert run_command("submit", f"--domain={domain}").returncode == 0
            assert second.stop() == 0
