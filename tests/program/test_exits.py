"""Every way in which the program can start badly or end."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.domains import fresh_domain
from tests.program.notifications import notified
from tests.program.processes import (
    COMMAND,
    PATIENCE_S,
    NodeProcess,
    environment,
    run_arguments,
    run_command,
    running_node,
)

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}

DEFECT = """
import carbon_node.daemon.operation as operation

def broken():
    raise ZeroDivisionError("planted")

operation.settle = broken
"""
"""Breaks a part of the daemon that runs once it is ready."""


def node_command(state_dir: Path) -> list[str]:
    """Command line of a node that answers in a domain of its own."""
    return [*COMMAND, *run_arguments(fresh_domain(), state_dir)]


def wait_for_children(pid: int, count: int) -> list[psutil.Process]:
    """Wait until a process has at least that many living descendants."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline_s, found
        time.sleep(0.02)


def test_a_second_signal_ends_a_busy_node_at_once(tmp_path: Path) -> None:
    """While running tasks have their budget, a second signal gives status 1 and leaves nothing."""
    env = {"CARBON_NODE_TRACKER__WINDOW_S": "600", "CARBON_NODE_STOP_BUDGET_S": "600"}
    domain = fresh_domain()
    with running_node(domain, tmp_path, env=env) as node:
        submitting = subprocess.Popen(
            [*COMMAND, "submit", f"--domain={domain}"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            children = wait_for_children(node.process.pid, 3)
            node.process.send_signal(signal.SIGTERM)
            node.wait_for_event("stopping")
            assert node.stop(signal.SIGINT) == 1
        finally:
            submitting.kill()
            submitting.wait()
        assert "stopped at once by a second signal" in node.events()[-1]["event"]
        assert psutil.wait_procs(children, timeout=PATIENCE_S)[1] == []


def test_a_node_that_is_process_1_serves_its_container_and_ends_it(tmp_path: Path) -> None:
    """It starts, reaps orphans that are not its own, takes SIGTERM, and nothing is left."""
    orphan = f"({sys.executable} -c pass &) ; exec "
    script = orphan + " ".join([*node_command(tmp_path), "--log-level=info"])
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script]
    if subprocess.run([*command[:5], "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test make a PID namespace")
    node = NodeProcess(command)
    try:
        node.wait_for_event("ready")
        (first,) = psutil.Process(node.process.pid).children()
        inside = wait_for_children(first.pid, 2)
        assert all(each.status() != psutil.STATUS_ZOMBIE for each in inside)
        first.send_signal(signal.SIGTERM)
        assert node.wait() == 0
        assert node.events()[-1]["event"] == "stopped"
        assert psutil.wait_procs(inside, timeout=PATIENCE_S)[1] == []
    finally:
        node.close()


def test_process_1_passes_on_how_its_node_ended(tmp_path: Path) -> None:
    """A killed node gives 128 plus the signal, one that cannot start gives its own status."""
    unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test make a PID namespace")
    node = NodeProcess([*unshare, *node_command(tmp_path)])
    try:
        node.wait_for_event("ready")
        (first,) = psutil.Process(node.process.pid).children()
        first.children()[0].kill()
        assert node.wait() == 128 + signal.SIGKILL
    finally:
        node.close()
    refused = [*unshare, *COMMAND, "run", "--config=/"]
    done = subprocess.run(
        refused, env=environment(), capture_output=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 2


def answers_and_ends(command: list[str], log: int | None = None) -> None:
    """Start a node whose log cannot be read, let it answer a task, and end it gracefully."""
    domain = next(word for word in command if word.startswith("--domain"))
    with (
        notified() as heard,
        subprocess.Popen(
            command,
            env=environment(FORMULA | {"NOTIFY_SOCKET": heard.address}),
            stdout=log,
            stderr=log,
        ) as node,
    ):
        try:
            heard.wait_for("READY=1")
            done = run_command("submit", domain, f"--timeout={PATIENCE_S}")
            assert done.returncode == 0, (done.stderr, node.poll())
            node.send_signal(signal.SIGTERM)
            assert node.wait(PATIENCE_S) == 0
        finally:
            node.kill()


@pytest.mark.parametrize(
    "redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full 2>/dev/full"]
)
def test_standard_descriptors_may_be_closed_or_full(redirection: str, tmp_path: Path) -> None:
    """Whatever its standard descriptors are, the node answers a task and ends with status 0."""
    answers_and_ends(["sh", "-c", f'exec "$@" {redirection}', "sh", *node_command(tmp_path)])


def test_a_log_that_nobody_reads_stops_neither_tasks_nor_the_end(tmp_path: Path) -> None:
    """With a full pipe as its log, the node answers tasks and SIGTERM gives status 0."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writing, b"x" * 4096)
        os.set_blocking(writing, True)
        answers_and_ends(node_command(tmp_path), log=writing)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("options", "env", "said"),
    [
        (["--config=/"], {}, "cannot read configuration file /: Is a directory"),
        (["--config=/nonexistent"], {}, "cannot read configuration file /nonexistent"),
        ([], {"CARBON_NODE_PUE": "cheap"}, "environment CARBON_NODE_PUE"),
        ([], {"CARBON_NODE_PEU": "1.2"}, "did you mean pue?"),
        ([], {"CARBON_NODE_HTTP_LISTEN": "everywhere"}, "environment CARBON_NODE_HTTP_LISTEN"),
        ([], {"CARBON_NODE_TRACKER__WORKERS": "-1"}, "from 1 to 64"),
    ],
)
def test_settings_that_cannot_be_used_give_status_2_and_one_line(
    options: list[str], env: dict[str, str], said: str
) -> None:
    """The line says what is wrong, where it was set and what is allowed."""
    command = [*COMMAND, "run", *options]
    done = subprocess.run(
        command,
        env=environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert said in done.stderr


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-"])
def test_the_status_of_a_bad_start_does_not_depend_on_the_log(redirection: str) -> None:
    """Even if the line cannot be written, the status says what happened."""
    shell = ["sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, "run", "--config=/"]
    assert subprocess.run(shell, env=environment(), check=False, timeout=PATIENCE_S).returncode == 2


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("-n 20", "the limit on open files is 20, the node needs 64"),
        ("-v 300000", "the limit on address space is 300000 KiB, the node needs 1048576"),
    ],
)
def test_a_system_that_grants_too_little_is_named_before_anything_fails(
    limit: str, said: str, tmp_path: Path
) -> None:
    """One line with status 1 says which limit is too low, by how much, and how to raise it."""
    shell = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh", *node_command(tmp_path)]
    done = subprocess.run(
        shell, env=environment(), capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert "ulimit" in done.stderr


@pytest.mark.parametrize("fault", ["raise ImportError('gone')", "raise OSError('no disk')", "("])
def test_a_node_whose_interface_cannot_be_loaded_goes_on(fault: str, tmp_path: Path) -> None:
    """A library that is broken costs the local interface: one warning, tasks and stop go well."""
    (tmp_path / "uvicorn.py").write_text(fault)
    domain = fresh_domain()
    env = FORMULA | {"PYTHONPATH": str(tmp_path), "CARBON_NODE_LOG_LEVEL": "warning"}
    options = [f"--domain={domain}", f"--state-dir={tmp_path / 'state'}"]
    with notified() as heard:
        node = NodeProcess(
            [*COMMAND, "run", *options, "--http-listen=127.0.0.1:0"],
            env | {"NOTIFY_SOCKET": heard.address},
        )
        try:
            heard.wait_for("READY=1")
            warning = node.wait_for_event("no local interface")
            assert "install carbon-node again" in warning["problem"]
            assert run_command("submit", f"--domain={domain}").returncode == 0
            assert node.stop() == 0
        finally:
            node.close()
    # Fast DDS has a word of its own on a machine without a network card.
    assert [event["event"] for event in node.events() if event["logger"] != "fastdds"] == [
        "no local interface"
    ]
    assert len(node.lines) == len(node.events())


def test_a_defect_ends_the_node_with_one_line_and_its_traceback_in_the_log(tmp_path: Path) -> None:
    """Whatever breaks, the end is orderly: status 1, no abort, and the log says where it broke."""
    (tmp_path / "sitecustomize.py").write_text(DEFECT)
    node = NodeProcess(node_command(tmp_path / "state"), FORMULA | {"PYTHONPATH": str(tmp_path)})
    try:
        assert node.wait() == 1
    finally:
        node.close()
    *_, record = node.events()
    assert record["event"] == "the node ends by a defect"
    assert record["exception"].endswith("ZeroDivisionError: planted")
    assert node.lines[-1].startswith("carbon-node: the node ended by a defect: ZeroDivisionError")
    assert len(node.lines) == len(node.events()) + 1
