"""The real node under the restrictions of its unit."""

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.patience import PATIENCE_S
from tests.program.notifications import notified
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
        options = (
            "--power=300",
            "--latency=0.1",
            "--region=France",
            "--json",
            f"--timeout={PATIENCE_S}",
        )
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


def test_measurement_supervisor_and_interface_work_under_the_restrictions(state: Path) -> None:
    """The tracker agrees, the watchdog is fed, the interface is served, all without a warning."""
    domain = fresh_domain()
    with notified() as heard:
        supervised = {"NOTIFY_SOCKET": heard.address, "WATCHDOG_USEC": "3000000"}
        options = ["run", f"--domain={domain}", "--http-listen=127.0.0.1:0"]
        node = NodeProcess(sandboxed([*COMMAND, *options], state), supervised)
        try:
            heard.wait_for("READY=1")
            done = run_command("submit", f"--domain={domain}", "--json", f"--timeout={PATIENCE_S}")
            assert done.returncode == 0, done.stderr
            tracker = json.loads(done.stdout)["extra_data"]["tracker"]
            assert tracker["agrees"] is True, tracker
            node.wait_for_event("local interface")
            heard.wait_for("WATCHDOG=1")
            process_inside(node.process.pid).send_signal(signal.SIGTERM)
            assert node.wait() == 0
        finally:
            node.close()
    # Fast DDS has a word of its own on a machine without a network card.
    ours = [event for event in node.events() if event["logger"] != "fastdds"]
    assert [event for event in ours if event["level"] != "info"] == []
