"""What a measuring process may take, see and reach."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fault.guarded import config_of, failure_at_deadline, failure_of, outcome
from tests.patience import PATIENCE_S
from tests.trackers import LIMITS, tracker_config

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement, SimulatedRun
from carbon_node.tracking import FailureName, TrackerConfig
from carbon_node.tracking.pool import TrackerPool

pytestmark = pytest.mark.anyio


async def test_memory_beyond_the_limit_is_a_named_failure(tmp_path: Path) -> None:
    """A process that takes memory without end meets its limit, not the host's."""
    config = config_of(tmp_path, limits=replace(LIMITS, address_space_bytes=1 << 30))
    assert await failure_of(config, "exhaust_memory") == FailureName.OUT_OF_MEMORY


async def test_file_beyond_the_limit_is_a_named_failure(tmp_path: Path) -> None:
    """A process that writes without end meets its limit on one file."""
    result = await outcome(
        config_of(tmp_path, limits=replace(LIMITS, file_size_bytes=1 << 20)), "fill_disk"
    )
    assert isinstance(result, TrackerError)
    assert (result.failure, "File too large" in result.detail) == ("exit_status", True)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 256 kB."""
    arguments = ["-t", "tmpfs", "-o", "size=256k,nr_inodes=3", "tmpfs", str(tmp_path)]
    if not Path("/usr/bin/mount").exists():
        pytest.skip("there is no mount command")
    mounted = subprocess.run(["/usr/bin/mount", *arguments], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk takes root")
    yield tmp_path
    subprocess.run(["/usr/bin/umount", str(tmp_path)], check=True)


async def test_full_disk_under_a_measurement_is_a_named_failure(tiny_disk: Path) -> None:
    """A process whose disk is full fails by name, and its folder is removed all the same."""
    result = await outcome(config_of(tiny_disk), "fill_disk")
    assert isinstance(result, TrackerError)
    assert (result.failure, "No space left" in result.detail) == ("exit_status", True)


async def test_disk_too_full_for_a_folder_is_a_named_failure(tiny_disk: Path) -> None:
    """Where not even the private folder can be made, the guard says so."""
    config = config_of(tiny_disk)
    for number in range(2):
        (tiny_disk / str(number)).touch()
    with pytest.raises(TrackerError, match=r"guard_failed: .*No space left"):
        await _measure_simulated(config)


async def _measure_simulated(config: TrackerConfig) -> Measurement:
    async with TrackerPool(config) as pool:
        return await pool.measure(SimulatedRun(300.0), PATIENCE_S)


async def test_fork_bomb_meets_its_limit_and_is_killed_whole(tmp_path: Path) -> None:
    """A fork bomb of an ordinary user cannot grow beyond its limit, and none of it stays."""
    failure = await failure_at_deadline(tmp_path, "fork_bomb", limits=replace(LIMITS, processes=20))
    # On a busy machine so much takes longer to end than the guard, or the node, waits.
    assert failure in {
        FailureName.TIMEOUT,
        FailureName.SIGTERM_IGNORED,
        FailureName.GUARD_FAILED,
    }
    before, forked = map(int, (tmp_path / "begun").read_text().split())
    assert 0 < forked <= before + 20


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what a measuring process sees of itself."""
    folder = tmp_path_factory.mktemp("surroundings")
    work, facts = folder / "work", folder / "facts"
    work.mkdir()
    os.environ["VARIABLE_OF_THE_NODE"] = "hidden"
    try:
        config = config_of(work, environment=(("FACTS", str(facts)),))
        # Once for all tests of the module, each of which has a loop of its own.
        assert isinstance(asyncio.run(outcome(config, "tell_surroundings")), Measurement)
    finally:
        del os.environ["VARIABLE_OF_THE_NODE"]
    found: dict[str, Any] = json.loads(facts.read_text())
    return {"work": str(work), **found}


def test_process_lives_in_a_private_folder(surroundings: dict[str, Any]) -> None:
    """Working, home and temporary folder are one, below the configured one, for its user only."""
    directory = surroundings["directory"]
    assert (str(Path(directory).parent), surroundings["mode"]) == (surroundings["work"], "0o700")
    environment = surroundings["environment"]
    assert {environment["HOME"], environment["TMPDIR"]} == {directory}


def test_process_sees_nothing_of_the_nodes_environment(surroundings: dict[str, Any]) -> None:
    """Only the fixed few variables and those of the configuration are there."""
    assert sorted(surroundings["environment"]) == [
        "CARBON_NODE_TEST",
        "FACTS",
        "HOME",
        "LANG",
        "OPENBLAS_NUM_THREADS",
        "PATH",
        "PYTHONPATH",
        "TMPDIR",
        "XDG_CACHE_HOME",
    ]


def test_process_holds_only_its_own_descriptors(surroundings: dict[str, Any]) -> None:
    """Standard streams and the result channel are open, nothing of the node or of another task."""
    assert len(surroundings["descriptors"]) == 4
    assert surroundings["descriptors"][:3] == [0, 1, 2]


def test_process_leads_its_own_group_and_dumps_no_core(surroundings: dict[str, Any]) -> None:
    """It can be ended with all of its group, and leaves no core file."""
    assert surroundings["group_is_own"]
    core = next(line for line in surroundings["limits"].splitlines() if "core file" in line)
    assert core.split()[4:6] == ["0", "0"]


def test_forkserver_has_one_thread(surroundings: dict[str, Any]) -> None:
    """What forks has no second thread whose locks a fork could inherit."""
    assert surroundings["forkserver_threads"] == 1


@pytest.fixture
def dripping_server() -> Iterator[tuple[str, list[str]]]:
    """Accept connections, answer one byte at a time for ever, and remember who came."""
    visitors: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))
    enough = threading.Event()

    def drip() -> None:
        while True:
            try:
                visitor, _ = listener.accept()
            except OSError:
                return
            with visitor:
                visitors.append(visitor.recv(200).decode(errors="replace"))
                while not enough.wait(0.05):
                    visitor.send(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", visitors
    enough.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def test_carbontracker_does_not_look_its_place_up(
    dripping_server: tuple[str, list[str]], tmp_path: Path
) -> None:
    """With every request sent to a server that drips, a measurement is in time and nobody came."""
    address, visitors = dripping_server
    proxies = tuple((name, address) for name in ("http_proxy", "https_proxy", "all_proxy"))
    config = tracker_config(window_s=0.05, work_dir=tmp_path, environment=proxies)
    measurement = await _measure_simulated(config)
    assert (measurement.components, visitors) == (("simulated",), [])


async def test_last_words_are_kept_for_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The ends of stdout and stderr travel with the log record of a failed measurement."""
    caplog.set_level(logging.INFO, "carbon_node.tracking.pool")
    await failure_of(config_of(tmp_path), "print_and_fail")
    tails = [
        (vars(record)["stdout_tail"], vars(record)["stderr_tail"]) for record in caplog.records
    ]
    assert tails == [("to stdout\n", "to stderr\n")]
