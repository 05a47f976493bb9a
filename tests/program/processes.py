"""The real program as a process: started, watched by its log, signalled, waited for."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
from tests.hosts import LOCALHOST, Host
from tests.patience import PATIENCE_S as PATIENCE_S

LOOPBACK = Path(__file__).parents[1] / "loopback.xml"
"""Fast DDS profile that keeps participants on the loopback interface."""

COMMAND = (sys.executable, "-m", "carbon_node")


def environment(overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's environment without settings that the developer's shell may carry."""
    # Every process of a test stays on the loopback interface.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CARBON_NODE_", "SUSTAINML_"))
    }
    return inherited | {"FASTDDS_DEFAULT_PROFILES_FILE": str(LOOPBACK)} | dict(overrides or {})


def run_arguments(domain: int, state_dir: Path, *options: str) -> list[str]:
    """Arguments of a node without local interface, unless an option says otherwise."""
    return [
        "run",
        f"--domain={domain}",
        f"--state-dir={state_dir}",
        "--http-listen=off",
        *options,
    ]


def run_command(
    *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    """Run `carbon-node` with arguments to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


class NodeProcess:
    """A running `carbon-node run`.

    Args:
        command: what to execute.
        env: environment variables beside the inherited ones.
    """

    def __init__(self, command: list[str], env: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            command,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._changed.notify_all()

    def events(self) -> list[dict[str, Any]]:
        """The log so far as JSON objects; other lines are left out."""
        found: list[dict[str, Any]] = []
        for line in list(self.lines):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                found += [event] if isinstance(event, dict) else []
        return found

    def wait_for_event(
        self,
        name: str,
        matches: Callable[[dict[str, Any]], bool] = lambda _: True,
        timeout_s: float = PATIENCE_S,
    ) -> dict[str, Any]:
        """Wait for a log line with this event.

        Returns:
            The line.

        Raises:
            AssertionError: it did not come in time, or the process ended without it.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._changed:
                for event in self.events():
                    if event.get("event") == name and matches(event):
                        return event
                remaining_s = deadline_s - time.monotonic()
                if remaining_s <= 0 or (
                    self.process.poll() is not None and not self._reader.is_alive()
                ):
                    raise AssertionError(f"no event {name!r} in the log:\n" + "\n".join(self.lines))
                self._changed.wait(min(remaining_s, 0.2))

    def children(self) -> list[psutil.Process]:
        """All processes that the node has started and that live."""
        if self.process.poll() is not None:
            return []
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found

    def stop(self, by: signal.Signals = signal.SIGTERM, timeout_s: float = PATIENCE_S) -> int:
        """Signal the node and wait for its end.

        Returns:
            Its exit status.
        """
        self.process.send_signal(by)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait for the node's end; its whole log has been read then.

        Returns:
            Its exit status.
        """
        status = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def running_node(
    domain: int,
    state_dir: Path,
    *options: str,
    env: Mapping[str, str] | None = None,
    host: Host = LOCALHOST,
) -> Iterator[NodeProcess]:
    """A node that is ready, ended afterwards in any case."""
    command = [*COMMAND, *run_arguments(domain, state_dir, *options)]
    node = NodeProcess(host.command(command), env)
    try:
        node.wait_for_event("ready")
        yield node
    finally:
        node.close()
