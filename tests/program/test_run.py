"""The node as a program: it starts, answers, and stops as its launchers expect."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.program.processes import (
    COMMAND,
    PATIENCE_S,
    NodeProcess,
    run_arguments,
    run_command,
    running_node,
)


def submit(domain: int, *options: str) -> list[dict[str, object]]:
    """Submit tasks and return the printed results."""
    done = run_command(
        "submit", f"--domain={domain}", "--json", f"--timeout={PATIENCE_S}", *options
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def node_domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Domain of one running node that several tests submit to; it has to survive them all."""
    domain = fresh_domain()
    with running_node(domain, tmp_path_factory.mktemp("state")) as node:
        yield domain
        assert node.stop() == 0


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_node_stops_gracefully(by: signal.Signals, tmp_path: Path) -> None:
    """A signal ends the idle node with status 0, and no child survives."""
    with running_node(fresh_domain(), tmp_path) as node:
        children = node.children()

        status = node.stop(by)

        assert status == 0
        assert node.events()[-1]["event"] == "stopped"
        assert not any(child.is_running() for child in children)


def test_sigint_stops_a_node_whose_shell_ignores_it(tmp_path: Path) -> None:
    """SIGINT ends the node even if it was started in the background of a shell."""
    command = " ".join([*COMMAND, *run_arguments(fresh_domain(), tmp_path)])
    node = NodeProcess(["sh", "-c", f"trap '' INT; exec {command}"])
    try:
        node.wait_for_event("ready")

        assert node.stop(signal.SIGINT) == 0
    finally:
        node.close()


def test_a_submitted_task_is_answered_with_numbers_that_multiply(tmp_path: Path) -> None:
    """Carbon equals energy times intensity exactly, and the place's intensity is used."""
    domain = fresh_domain()
    with running_node(domain, tmp_path):
        (result,) = submit(domain, "--power=300", "--latency=2", "--region=France")

    assert result["carbon_footprint_g"] == result["energy_kwh"] * result["intensity_g_per_kwh"]  # type: ignore[operator]
    assert result["energy_kwh"] == pytest.approx(300 * 2 / 3.6e6 * 1.58, rel=1e-12)
    assert set(result) == {
        "task_id",
        "carbon_footprint_g",
        "energy_kwh",
        "intensity_g_per_kwh",
        "extra_data",
        "seconds",
    }


def test_the_node_runs_without_arguments_as_launchers_start_it(tmp_path: Path) -> None:
    """Without a command the node runs in the domain of the environment."""
    domain = fresh_domain()
    env = {
        "SUSTAINML_DOMAIN_ID": str(domain),
        "CARBON_NODE_STATE_DIR": str(tmp_path),
        "CARBON_NODE_HTTP_LISTEN": "off",
    }
    node = NodeProcess(list(COMMAND), env)
    try:
        assert node.wait_for_event("ready")["domain"] == domain
        assert node.stop() == 0
    finally:
        node.close()


@pytest.mark.parametrize(
    ("power", "latency", "reason"),
    [
        ("nan", "1", "not finite"),
        ("inf", "1", "not finite"),
        ("-5", "1", "out of range"),
        ("0", "1", "no power"),
        ("300", "nan", "not finite"),
        ("300", "-1", "out of range"),
        ("300", "0", "no latency"),
    ],
)
def test_unusable_hardware_numbers_give_a_failed_result(
    node_domain: int, power: str, latency: str, reason: str
) -> None:
    """Unusable numbers give zeros, a reason, and the fields that consumers need."""
    (result,) = submit(node_domain, f"--power={power}", f"--latency={latency}", "--model=m")

    extra = result["extra_data"]
    assert isinstance(extra, dict)
    assert (result["carbon_footprint_g"], result["energy_kwh"], result["intensity_g_per_kwh"]) == (
        0,
        0,
        0,
    )
    assert extra["error"].startswith(reason)
    assert (extra["num_outputs"], extra["model_restrains"]) == (1, ["m"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--domain=233"],
        ["run", "--domain=-1"],
        ["run", "--transport=pigeon"],
        ["submit", "--count=0"],
        ["submit", "--timeout=0"],
        ["estimate", "--power=-3", "--latency=1"],
        ["nonsense"],
        ["run", "--nonsense"],
    ],
    ids=" ".join,
)
def test_bad_arguments_end_with_status_2_and_one_line(arguments: list[str]) -> None:
    """A wrong option is answered at once, in one line on stderr."""
    done = run_command(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("carbon-node: ")
