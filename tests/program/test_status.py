"""`carbon-node status` against a served interface."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.program.processes import COMMAND, PATIENCE_S, environment, run_command
from tests.unit.http.node_view import ANY_PORT, PlainView, serving

from carbon_node.http.address import Address, UnixAddress, parse_address
from carbon_node.observability.metrics import Metrics

pytestmark = pytest.mark.anyio

NOBODY = "127.0.0.1:1"


async def status(
    *arguments: str, view: PlainView | None = None, address: Address = ANY_PORT, columns: int = 150
) -> subprocess.CompletedProcess[str]:
    """Run the command against an interface that is served here."""
    metrics = Metrics()
    metrics.task_finished("estimated", energy_kwh=2.6e-5, carbon_g=0.0123)
    async with serving(view, metrics, address) as interface:
        options = ("--http-listen", str(interface.listens_at), *arguments)
        environ = {"COLUMNS": str(columns)}
        return await asyncio.to_thread(run_command, "status", *options, env=environ)


async def test_the_screen_shows_state_tasks_totals_and_results() -> None:
    """The screen shows state, running tasks, totals, results, and what is degraded."""
    done = await status()
    assert done.returncode == 0, done.stderr
    for part in (
        "carbon_node 1.2.3",
        "RUNNING",
        "domain 7",
        "up 1:02:05",
        "1 wait for inputs   2 wait for a worker   1 running   1 estimated",
        "26 mWh",
        "12.3 mg CO2e",
        "degraded: live intensity is off: no key",
        "warning: anyone may read this",
        "9.1   tracker  0.4 s",
        "resnet-50",
        "NVIDIA A100",
        "Spain",
        "473",
    ):
        assert part in done.stdout


@pytest.mark.parametrize("columns", [40, 80, 200])
async def test_the_screen_fits_the_terminal(columns: int) -> None:
    """No line is wider than the terminal, and the numbers of a result are never cut."""
    done = await status(columns=columns)
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert columns < 80 or "26 mWh  12.3 mg    473" in done.stdout


async def test_a_node_without_results_says_so() -> None:
    """A fresh node is shown without an empty table."""
    done = await status(view=PlainView(kept=[]))
    assert "No results yet." in done.stdout
    assert "Latest results" not in done.stdout


async def test_the_command_shows_the_nodes_token(tmp_path: Path) -> None:
    """With the file it is answered; without, or with another token, it says what is missing."""
    files = {}
    for name in ("right", "wrong"):
        files[name] = tmp_path / name
        files[name].touch(mode=0o600)
        files[name].write_text(f"{name}-token-of-the-interface\n")
    async with serving(token="right-token-of-the-interface") as interface:  # noqa: S106 - planted
        asking = ("status", "--json", "--http-listen", str(interface.listens_at))
        done = await asyncio.to_thread(
            run_command, *asking, "--http-token-file", str(files["right"])
        )
        assert (done.returncode, done.stderr) == (0, "")
        by_setting = {"CARBON_NODE_HTTP_TOKEN_FILE": str(files["right"])}
        done = await asyncio.to_thread(run_command, *asking, env=by_setting)
        assert (done.returncode, done.stderr) == (0, "")
        for options in ((), ("--http-token-file", str(files["wrong"]))):
            done = await asyncio.to_thread(run_command, *asking, *options)
            assert done.returncode == 1
            assert "wants a token: set http_token_file" in done.stderr
            assert "-token-of-the-interface" not in done.stderr + done.stdout


async def test_json_is_the_answer_of_the_interface() -> None:
    """`--json` prints one object for scripts."""
    content = json.loads((await status("--json")).stdout)
    assert content["node"]["state"] == "RUNNING"
    assert content["totals"]["tasks"] == {"estimated": 1}


async def test_a_unix_socket_can_be_asked(tmp_path: Path) -> None:
    """A node that listens at a socket file is asked there."""
    done = await status("--json", address=UnixAddress(tmp_path / "http.sock"))
    assert json.loads(done.stdout)["node"]["domain"] == 7


@pytest.mark.parametrize("options", [(), ("--json",), ("--watch",)])
def test_no_node_is_one_line_and_status_1(options: tuple[str, ...]) -> None:
    """If nobody answers, one line says where and what to do."""
    done = run_command("status", "--http-listen", NOBODY, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "no carbon node answers at 127.0.0.1:1 (Connection refused)" in done.stderr


async def test_something_else_than_a_node_is_one_line_and_status_1() -> None:
    """Another kind of server is not mistaken for a node."""

    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
        writer.close()

    async with await asyncio.start_server(other, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        done = await asyncio.to_thread(run_command, "status", "--http-listen", address)
    assert done.returncode == 1
    assert "is no carbon node" in done.stderr


@pytest.mark.parametrize("address", ["nowhere", "off", "127.0.0.1:99999"])
def test_an_unusable_address_is_refused(address: str) -> None:
    """A bad address, and one that is off, give status 2 and one line."""
    done = run_command("status", "--http-listen", address)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


class Watching:
    """`carbon-node status --watch` on a terminal of its own, and what that shows.

    Args:
        address: of the node.
    """

    def __init__(self, address: str) -> None:
        self.seen = bytearray()
        self._terminal, theirs = pty.openpty()
        os.set_blocking(self._terminal, False)
        watch = ["--http-listen", address, "--watch", "--interval", "0.1"]
        # As in the background of a shell, which ignores SIGINT.
        shell = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *COMMAND, "status", *watch]
        env = environment({"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"})
        self.process = subprocess.Popen(shell, stdin=theirs, stdout=theirs, stderr=theirs, env=env)
        os.close(theirs)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Read what is shown until a fact holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():
                with contextlib.suppress(OSError):
                    # Nothing new, or the command has ended.
                    self.seen.extend(os.read(self._terminal, 65536))
                await asyncio.sleep(0.01)

    async def shown(self, text: str) -> None:
        """Wait until a text has been shown."""
        await self.until(lambda: text.encode() in self.seen)

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        os.close(self._terminal)


async def test_watching_shows_changes_survives_a_restart_and_ends_quietly() -> None:
    """`--watch` redraws, says when the node is away, finds it again and ends with Ctrl-C."""
    with contextlib.ExitStack() as ended:
        view = PlainView()
        async with serving(view) as interface:
            where = str(interface.listens_at)
            watching = Watching(where)
            ended.callback(watching.close)
            await watching.shown("RUNNING")
            view.change(state="IDLE")
            await watching.shown("IDLE")
        await watching.shown("no carbon node answers")
        view.change(state="INITIALIZING")
        async with serving(view, address=parse_address(where) or ANY_PORT):
            await watching.shown("INITIALIZING")
        watching.process.send_signal(signal.SIGINT)
        await watching.until(lambda: watching.process.poll() is not None)
        assert watching.process.returncode == 0
    assert b"Traceback" not in watching.seen
