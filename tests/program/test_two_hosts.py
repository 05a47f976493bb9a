"""The node on one host, the rest of its pipeline on another."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from tests.domains import DOMAINS
from tests.hosts import Host, Network, network, obstacle
from tests.orchestrator_reader import LEASE_S, READERS
from tests.peer_on_host import RemotePeer, Report, remote_peer
from tests.program.processes import COMMAND, NodeProcess, run_arguments, running_node
from tests.transports import wait_for

DOMAIN = DOMAINS[0]
"""Hosts of a test are its own, so one domain does for all tests."""

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}
NOTHING: Mapping[str, str] = {}
NODE_LEASE_S = 2.0
SERVER_PORT = 11811
BURSTS = ((0.0, 60), (0.01, 60), (0.03, 200))
"""Share of packets that is lost, and tasks of a burst; fewer in all than outputs are retained."""


KILLED = """
import os, subprocess, sys, time
from tests.hosts import network

with network(1) as connected:
    inside = subprocess.Popen(connected.hosts[0].command(["sleep", "infinity"]))
    while os.readlink(f"/proc/{inside.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
        time.sleep(0.01)
    sys.stdout.write(f"{inside.pid}\\n")
    sys.stdout.flush()
    sys.stdin.read()
"""


@pytest.fixture
def two_hosts() -> Iterator[Network]:
    """Two hosts on one network; skips the test where the machine can have none."""
    if (reason := obstacle()) is not None:
        pytest.skip(reason)
    with network(2) as connected:
        yield connected


@contextmanager
def pipeline(
    connected: Network,
    state_dir: Path,
    vendor: str = "fastdds",
    env: Mapping[str, str] = NOTHING,
    peer_lease_s: float = LEASE_S,
) -> Iterator[tuple[NodeProcess, RemotePeer]]:
    """A node on one host that has met a peer on the other."""
    near, far = connected.hosts
    with (
        running_node(DOMAIN, state_dir, env={**FORMULA, **env}, host=far) as node,
        remote_peer(near, DOMAIN, vendor, env, peer_lease_s) as peer,
    ):
        peer.wait_for(lambda report: report.is_matched)
        yield node, peer


def complete(tasks: int) -> Callable[[Report], bool]:
    """Whether a peer has the outputs of so many tasks, and its orchestrator has seen them."""
    return lambda report: min(len(report.seen), len(report.outputs)) >= tasks


@contextmanager
def discovery_server(host: Host) -> Iterator[str]:
    """A discovery server of Fast DDS's wheel on a host; yields its address."""
    program = Path(sys.prefix, "bin", "fast-discovery-server")
    if not program.exists():
        pytest.skip("the Fast DDS in use comes without fast-discovery-server")
    packages = Path(sys.prefix, "lib", f"python3.{sys.version_info.minor}", "site-packages")
    libraries = os.pathsep.join(map(str, (Path(sys.prefix, "lib"), packages / "ros_fastdds.libs")))
    # 42 is the number of its command to be a server.
    serve = [str(program), "42", "-i", "0", "-l", host.address, "-p", str(SERVER_PORT)]
    command = host.command(serve, {"LD_LIBRARY_PATH": libraries})
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as server:
        try:
            yield f"{host.address}:{SERVER_PORT}"
        finally:
            server.kill()


@pytest.mark.parametrize("vendor", READERS)
def test_bursts_arrive_whole_on_a_lossy_network(
    two_hosts: Network, tmp_path: Path, vendor: str
) -> None:
    """An orchestrator sees each output of a burst once, though packets are lost both ways."""
    tasks = 0
    with pipeline(two_hosts, tmp_path, vendor) as (_, peer):
        for share, count in BURSTS:
            two_hosts.lose(share)
            peer.send(tasks + 1, count)
            tasks += count
            peer.wait_for(complete(tasks))
        report = peer.report()

    assert sorted(report.seen) == list(range(1, tasks + 1))
    assert report.outputs == dict.fromkeys(range(1, tasks + 1), 1)


def test_hosts_meet_through_a_discovery_server(two_hosts: Network, tmp_path: Path) -> None:
    """With ROS_DISCOVERY_SERVER, a task is answered without multicast between the hosts."""
    with discovery_server(two_hosts.hosts[0]) as address:
        env = {"ROS_DISCOVERY_SERVER": address}
        with pipeline(two_hosts, tmp_path, env=env) as (_, peer):
            peer.send(1, 1)
            report = peer.wait_for(lambda report: bool(report.seen))

    assert report.seen == [1]


def test_a_second_node_on_another_host_refuses_to_start(two_hosts: Network, tmp_path: Path) -> None:
    """It ends with status 1 and one line that names the first, which goes on."""
    near, _ = two_hosts.hosts
    with pipeline(two_hosts, tmp_path / "first") as (first, peer):
        second = NodeProcess(
            near.command([*COMMAND, *run_arguments(DOMAIN, tmp_path / "second")]), FORMULA
        )
        try:
            assert second.wait() == 1
        finally:
            second.close()
        peer.send(1, 1)
        peer.wait_for(lambda report: report.seen == [1])

    complaint = [line for line in second.lines if line.startswith("carbon-node:")]
    assert len(complaint) == 1
    assert f"/{first.process.pid} " in complaint[0]


@pytest.mark.parametrize("peer_lease_s", [NODE_LEASE_S, LEASE_S])
def test_a_host_that_vanishes_and_comes_back_gets_each_answer_once(
    two_hosts: Network, tmp_path: Path, peer_lease_s: float
) -> None:
    """Tasks sent while the network is cut for longer than the lease are answered after it, once.

    With equal leases each side has given up the other; with the real orchestrator's, only it has.
    """
    near, _ = two_hosts.hosts
    env = {"CARBON_NODE_LEASE_DURATION_S": str(NODE_LEASE_S)}
    with pipeline(two_hosts, tmp_path, env=env, peer_lease_s=peer_lease_s) as (_, peer):
        peer.send(1, 5)
        # An output that has not ended when a reader gives up the node costs it a notification.
        peer.wait_for(lambda report: (len(report.seen), report.ended) == (5, 5))
        two_hosts.cut(near)
        peer.send(6, 5)
        peer.wait_for(lambda report: not report.is_matched)
        # The other side's lease, where it is as long, ends within as much again as it is renewed.
        time.sleep(NODE_LEASE_S / 3)
        two_hosts.join(near)
        peer.wait_for(complete(10))
        peer.send(11, 1)
        report = peer.wait_for(complete(11))

    assert sorted(report.seen) == list(range(1, 12))
    assert report.outputs == dict.fromkeys(range(1, 12), 1)


def test_hosts_go_with_a_test_that_is_killed(two_hosts: Network) -> None:  # noqa: ARG001 - or skip
    """What runs on the hosts ends with the test, even if nothing of the test is left to end it."""
    command = [sys.executable, "-c", KILLED]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True) as test:
        assert test.stdout is not None
        inside = psutil.Process(int(test.stdout.readline()))
        test.kill()

    wait_for(lambda: not inside.is_running() or inside.status() == psutil.STATUS_ZOMBIE)
