"""The real program on the library of a workspace, and in the place of the workspace's own node."""

import asyncio
import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.domains import fresh_domain
from tests.library import IS_INSTALLED, STAND_IN, Peers, library_world, stand_in_world
from tests.program.processes import NodeProcess, environment, running_node
from tests.transports import PATIENCE_S, wait_for

from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    NodeStatus,
    Sample,
    TaskId,
    UserInput,
)

pytestmark = pytest.mark.anyio

DROP_IN = Path(__file__).parents[2] / "packaging" / "carbon_footprint_node.py"
TASK = TaskId(3, 1)
INPUTS: Mapping[Topic, Sample] = {
    Topic.USER_INPUT: UserInput(geo_location_region="France", task_id=TASK),
    Topic.ML_MODEL: MLModel(model="m", task_id=TASK),
    Topic.HW_RESOURCE: HWResource("cpu", 300.0, 2.0, task_id=TASK),
}


async def answer(peers: Peers) -> Arrival:
    """Take arrivals at the peers up to an answer of the node."""
    async with asyncio.timeout(PATIENCE_S):
        async for arrival in peers.arrivals():
            if not isinstance(arrival.sample, NodeStatus):
                return arrival
    raise AssertionError("the peers' arrivals ended")


def mapped(node: NodeProcess) -> str:
    """Files that are mapped into the node's process, one per line."""
    return "\n".join(part.path for part in psutil.Process(node.process.pid).memory_maps())


def is_measuring(node: NodeProcess) -> bool:
    """Whether a process runs that burns a window for a task."""
    parents: dict[int, int] = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        parents = {process.pid: process.ppid() for process in node.children()}
    # It is the third below the node: forkserver, keeper, measurement.
    return any(parents.get(parent) in parents for parent in parents.values())


@pytest.mark.parametrize("transport", ["auto", "sustainml"])
async def test_a_node_on_the_library_answers_tasks(transport: str, tmp_path: Path) -> None:
    """A task is answered with numbers, and the node stops with status 0 and without a child."""
    async with library_world(tmp_path) as world:
        with running_node(
            world.domain, tmp_path / "state", f"--transport={transport}", env=world.env
        ) as node:
            chosen = node.wait_for_event("transport chosen")
            assert chosen["transport"] == "sustainml"
            for topic, sample in INPUTS.items():
                world.peers.publish(topic, sample)
            arrival = await answer(world.peers)
            children = node.children()
            assert node.stop() == 0
            assert not [child for child in children if child.is_running()]

    footprint = arrival.sample
    assert isinstance(footprint, CO2Footprint)
    assert footprint.task_id == TASK
    assert footprint.energy_consumption == pytest.approx(300 * 2 / 3.6e6 * 1.58, rel=1e-12)
    assert footprint.carbon_footprint == (footprint.energy_consumption * footprint.carbon_intensity)
    assert json.loads(footprint.extra_data)["num_outputs"] == 1


async def test_a_restarted_node_on_the_library_answers_from_its_store(tmp_path: Path) -> None:
    """A task that comes again gets the answer of before, since its caller waits for one."""
    answers: list[CO2Footprint] = []
    outcomes: list[dict[str, Any]] = []
    for _ in range(2):
        async with library_world(tmp_path) as world:
            with running_node(
                world.domain,
                tmp_path / "state",
                "--transport=sustainml",
                env={**world.env, "CARBON_NODE_REPUBLISH": "none"},
            ) as node:
                for topic, sample in INPUTS.items():
                    world.peers.publish(topic, sample)
                footprint = (await answer(world.peers)).sample
                assert isinstance(footprint, CO2Footprint)
                answers.append(footprint)
                outcomes.append(node.wait_for_event("task answered"))
    assert answers[0] == answers[1]
    assert "tracker" not in outcomes[-1]["stage_s"]


async def test_a_node_on_the_library_answers_requests(tmp_path: Path) -> None:
    """A configuration request gets the node's answer, with its ids."""
    async with library_world(tmp_path) as world:
        with running_node(world.domain, tmp_path / "state", "--transport=sustainml", env=world.env):
            request = ConfigurationRequest(1, 77, '{"get": ["pue"]}')
            world.peers.publish(Topic.REQUEST, request)
            response = (await answer(world.peers)).sample

    assert isinstance(response, ConfigurationResponse)
    assert (response.node_id, response.transaction_id, response.success) == (1, 77, True)
    assert "1.58" in response.configuration


async def test_a_busy_node_on_the_library_stops_gracefully(tmp_path: Path) -> None:
    """SIGTERM ends it with status 0, and the task that waits is answered as failed before."""
    window = {"CARBON_NODE_TRACKER__WINDOW_S": "600", "CARBON_NODE_STOP_BUDGET_S": "0.1"}
    async with library_world(tmp_path) as world:
        with running_node(
            world.domain,
            tmp_path / "state",
            "--transport=sustainml",
            env={**world.env, **window},
        ) as node:
            for topic, sample in INPUTS.items():
                world.peers.publish(topic, sample)
            await asyncio.to_thread(wait_for, lambda: is_measuring(node))
            stopping = asyncio.create_task(asyncio.to_thread(node.stop))
            footprint = (await answer(world.peers)).sample
            assert await stopping == 0

    assert isinstance(footprint, CO2Footprint)
    extra = json.loads(footprint.extra_data)
    assert extra["error"].startswith("stopped: ")
    assert (extra["num_outputs"], extra["model_restrains"]) == (1, ["m"])


async def test_a_node_on_the_library_does_not_load_the_embedded_fast_dds(tmp_path: Path) -> None:
    """Only one of the two is in the process."""
    async with library_world(tmp_path) as world:
        with running_node(world.domain, tmp_path / "state", env=world.env) as node:
            assert "transport/_fastdds" not in mapped(node)


def test_a_node_on_the_embedded_fast_dds_does_not_load_the_library(tmp_path: Path) -> None:
    """What failed to load failed in another process, and left nothing in this one."""
    nodes = tmp_path / "sustainml_py" / "nodes"
    nodes.mkdir(parents=True)
    trace = tmp_path / "library-was-here"
    trace.write_text("mapped by whoever imports the library")
    (nodes / "CarbonFootprintNode.py").write_text(
        "import mmap, sys\n"
        f"file = open({str(trace)!r}, 'rb')\n"
        "sys.trace = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "raise ImportError('libsustainml_cpp.so: cannot open shared object file')\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    with running_node(fresh_domain(), tmp_path / "state", "--transport=auto", env=env) as node:
        chosen = node.wait_for_event("transport chosen")
        assert chosen["transport"] == "fastdds"
        assert "libsustainml_cpp.so: cannot open" in chosen["reason"]
        assert "transport/_fastdds" in mapped(node)
        assert trace.name not in mapped(node)


def test_the_embedded_fast_dds_is_its_own_in_the_shell_of_a_workspace(tmp_path: Path) -> None:
    """Libraries of the workspace, which LD_LIBRARY_PATH names there, are not taken for it."""
    for name in ("libfastdds.so.3.2", "libfastcdr.so.2"):
        (tmp_path / name).write_text("not a library")
    env = {"LD_LIBRARY_PATH": str(tmp_path)}
    with running_node(fresh_domain(), tmp_path / "state", "--transport=fastdds", env=env) as node:
        assert str(tmp_path / "lib") not in mapped(node)
        assert node.stop() == 0


@pytest.mark.skipif(IS_INSTALLED, reason="the library is installed here")
def test_a_library_that_is_asked_for_and_missing_is_one_line(tmp_path: Path) -> None:
    """The node does not start, and says what to do."""
    done = launched(tmp_path, {"CARBON_NODE_TRANSPORT": "sustainml"})
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("carbon-node: ")]
    assert "setup.bash" in line


def launched(directory: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the drop-in to its end, as the launchers of a workspace do."""
    return subprocess.run(
        [sys.executable, drop_in(directory).relative_to(directory)],
        cwd=directory,
        env=environment({**env, "CARBON_NODE_HTTP_LISTEN": "off"}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def drop_in(directory: Path) -> Path:
    """Put the drop-in where a workspace has its own node."""
    place = directory / "sustainml-wp3" / "carbon_footprint_node.py"
    place.parent.mkdir()
    shutil.copy(DROP_IN, place)
    return place


async def test_the_drop_in_becomes_the_node(tmp_path: Path) -> None:
    """It keeps its process and environment, answers a task, and stops on SIGTERM with status 0."""
    async with stand_in_world(tmp_path) as (world, peers):
        settings = {
            "SUSTAINML_DOMAIN_ID": str(world.domain),
            "CARBON_NODE_STATE_DIR": str(tmp_path / "state"),
            "CARBON_NODE_HTTP_LISTEN": "off",
        }
        node = NodeProcess([sys.executable, str(drop_in(tmp_path))], {**world.env, **settings})
        try:
            assert node.wait_for_event("ready")["domain"] == world.domain
            assert psutil.Process(node.process.pid).cmdline()[1:] == [
                "-m",
                "carbon_node",
                "run",
            ]
            for topic, sample in INPUTS.items():
                peers.publish(topic, sample)
            assert (await answer(peers)).key == TASK
            assert node.stop() == 0
        finally:
            node.close()


def test_the_drop_in_names_the_python_that_lacks_carbon_node(tmp_path: Path) -> None:
    """One line and status 1, where the launcher's python has no carbon_node."""
    done = subprocess.run(
        [sys.executable, "-S", str(drop_in(tmp_path))],
        env=environment({"PYTHONPATH": str(STAND_IN)}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"carbon_node is not installed for {sys.executable}" in done.stderr
