"""The real node under the restrictions of its systemd unit."""

import json
import tempfile
from pathlib import Path

import psutil
from tests.domains import fresh_domain
from tests.program.notifications import notified
from tests.program.processes import COMMAND, NodeProcess, run_command
from tests.program.sandbox import sandboxed


def test_a_measured_task_is_answered_within_the_sandbox() -> None:
    """DDS, the tracker's processes, the interface and the supervisor work under the unit's limits."""
    domain = fresh_domain()
    with tempfile.TemporaryDirectory() as directory, notified() as heard:
        options = [
            "run",
            f"--domain={domain}",
            f"--state-dir={directory}",
            "--http-listen=127.0.0.1:0",
        ]
        command = sandboxed([*COMMAND, *options], Path(directory))
        env = {"NOTIFY_SOCKET": heard.address, "WATCHDOG_USEC": "3000000"}
        node = NodeProcess(command, env)
        try:
            heard.wait_for("READY=1")
            done = run_command("submit", f"--domain={domain}", "--json", "--region=France")
            assert done.returncode == 0, done.stderr
            result = json.loads(done.stdout)
            assert result["carbon_footprint_g"] > 0
            assert result["extra_data"]["tracker"]["agrees"] is True, result["extra_data"]
            assert node.wait_for_event("local interface")
            heard.wait_for("WATCHDOG=1")
            # Bubblewrap waits for the node and passes on its status, but no signal.
            (inside,) = psutil.Process(node.process.pid).children()
            inside.terminate()
            assert node.wait() == 0
            warnings = [event for event in node.events() if event["level"] != "info"]
            assert warnings == []
        finally:
            for left in node.children():
                left.kill()
            node.close()
