"""What a real supervisor hears from the real program."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tests.domains import fresh_domain
from tests.program.notifications import Notifications, notified
from tests.program.processes import NodeProcess, run_command, running_node
from tests.transports import wait_for

WATCHDOG_USEC = 600_000
FROZEN_S = 1.5
"""Longer than two deadlines of the watchdog."""


def environment(notifications: Notifications) -> dict[str, str]:
    """What systemd sets for a service with a watchdog."""
    return {
        "NOTIFY_SOCKET": notifications.address,
        "WATCHDOG_USEC": str(WATCHDOG_USEC),
        "CARBON_NODE_TRACKER__MODE": "formula",
    }


def test_the_supervisor_hears_of_the_whole_life(tmp_path: Path) -> None:
    """Ready comes after IDLE; tasks, a reload and the stop are reported in systemd's words."""
    domain = fresh_domain()
    with notified() as heard, running_node(domain, tmp_path, env=environment(heard)) as node:
        assert heard.wait_for("READY=1") == "READY=1\nSTATUS=idle: 0 waiting, 0 running, 0 done"
        assert heard.messages[0].startswith("READY=1")
        assert run_command("submit", f"--domain={domain}", "--count=2").returncode == 0
        assert heard.wait_for("STATUS=idle: 0 waiting, 0 running, 2 done")

        node.process.send_signal(signal.SIGHUP)
        assert "\nMONOTONIC_USEC=" in heard.wait_for("RELOADING=1")
        assert heard.wait_for("READY=1")

        assert node.stop() == 0
        assert heard.wait_for("STOPPING=1")


def _frozen_by_its_configuration(node: NodeProcess, config: Path, heard: Notifications) -> None:
    """Let the loop wait for a configuration file that never comes, as on a dead network mount."""
    config.unlink()
    os.mkfifo(config)
    node.process.send_signal(signal.SIGHUP)
    # The last that the loop says.
    heard.wait_for("RELOADING=1")


def _thawed_configuration(_node: NodeProcess, config: Path) -> None:
    config.write_text("pue = 1.2")


def _stopped(node: NodeProcess, _config: Path, _heard: Notifications) -> None:
    node.process.send_signal(signal.SIGSTOP)
    process = psutil.Process(node.process.pid)
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED)


def _continued(node: NodeProcess, _config: Path) -> None:
    node.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("freeze", "thaw"),
    [(_frozen_by_its_configuration, _thawed_configuration), (_stopped, _continued)],
    ids=["frozen-loop", "stopped-process"],
)
def test_a_node_that_stands_still_feeds_no_watchdog(
    tmp_path: Path,
    freeze: Callable[[NodeProcess, Path, Notifications], None],
    thaw: Callable[[NodeProcess, Path], None],
) -> None:
    """Pings come, stop while the loop is frozen, and come again after that."""
    config = tmp_path / "node.toml"
    config.write_text("pue = 1.1")
    with (
        notified() as heard,
        running_node(
            fresh_domain(), tmp_path, f"--config={config}", env=environment(heard)
        ) as node,
    ):
        heard.wait_for("READY=1")
        for _ in range(3):
            heard.wait_for("WATCHDOG=1")
        freeze(node, config, heard)
        # What was said before.
        heard.during(0.0)
        assert "WATCHDOG=1" not in heard.during(FROZEN_S)
        thaw(node, config)
        heard.wait_for("WATCHDOG=1")
        assert node.stop() == 0


def test_a_watchdog_that_is_meant_for_another_process_is_not_fed(tmp_path: Path) -> None:
    """A node below a supervised parent leaves the parent's watchdog alone."""
    with notified() as heard:
        env = environment(heard) | {"WATCHDOG_PID": str(os.getpid())}
        with running_node(fresh_domain(), tmp_path, env=env) as node:
            heard.wait_for("READY=1")
            assert heard.during(0.5) == []
            assert node.stop() == 0
