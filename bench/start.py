"""How long does the node take from its start to ready, beside a bare participant?"""

import subprocess
import sys
import time

from tests.domains import fresh_domain
from tests.program.processes import environment

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import running

BARE = """
import sys
from carbon_node.transport import _fastdds
participant = _fastdds.Participant(
    domain=int(sys.argv[1]), name="bare", propagated_properties=[], local_properties=[],
    lease_duration_s=20.0, announcement_period_s=5.0, interfaces=["127.0.0.1"],
)
print("ready", flush=True)
sys.stdin.read()
"""
"""A Python process that creates one participant, says so, and ends with its standard input."""


def figures(effort: Effort) -> list[Figure]:
    """Measure starts of both in turn."""
    node_s, bare_s = [], []
    for _ in range(effort.starts):
        with running(has_interface=True) as node:
            node_s.append(node.ready_s)
        bare_s.append(_bare_start_s())
    reference = "bare Python process with one participant"
    target = Target(Statistic.EXCESS, 0.5)
    return [figure("start to ready", "s", node_s, (reference, bare_s), target)]


def _bare_start_s() -> float:
    since_s = time.monotonic()
    with bare_participant() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return time.monotonic() - since_s


def bare_participant() -> "subprocess.Popen[bytes]":
    """Start the reference; as a context it ends with its standard input."""
    return subprocess.Popen(
        [sys.executable, "-c", BARE, str(fresh_domain())],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
