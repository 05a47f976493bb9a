"""The real node under the restrictions of its unit."""

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.program.processes import COMMAND, NodeProcess, run_command
from tests.program.sandbox import SERVICE_ID, process_inside, sandboxed


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory where the sandbox can reach it."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def test_a_task_is_answered_under_the_units_restrictions(state: Path) -> None:
    """A peer of another user gets its result, and the stop is graceful."""
    domain = fresh_domain()
    node = NodeProcess(sandboxed([*COMMAND, "run", f"--domain={domain}"], state))
    try:
        node.wait_for_event("ready")
        options = ("--power=300", "--latency=0.1", "--region=France", "--json", "--timeout=20")
        done = run_command("submit", f"--domain={domain}", *options)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["carbon_footprint_g"] > 0
        answered = node.wait_for_event("task answered")
        assert (answered["outcome"], answered["mode"]) == ("estimated", "declared")
        inside = process_inside(node.process.pid)
        assert inside.uids().real == SERVICE_ID
        inside.send_signal(signal.SIGTERM)
        assert node.wait() == 0
    finally:
        node.close()
    assert not any('"level": "error"' in line for line in node.lines)
