"""What is left after a freeze: `python -m bench.freezes [SECONDS ...]` prints a table.

A node stands still (SIGSTOP) between peers of both vendors, and then a peer does. Of 200 tasks, 50
are sent before, 50 meanwhile and 100 afterwards; all have to be answered.
"""

import argparse
import os
import signal
import sys
import time
from dataclasses import dataclass

from tests.answered_peer import Received, Vendor, answered_peer

from bench.nodes import FORMULA, running

SECONDS = (3.0, 8.0, 30.0)
"""Shorter than the node's lease of 5 s, between it and those of peers, longer than all."""

TASKS = 200
SETTLING_S = 1.0
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Case:
    """One freeze.

    Args:
        vendor: of the peer.
        seconds: how long it lasts.
        is_node: whether the node stands still, else the peer.
    """

    vendor: Vendor
    seconds: float
    is_node: bool


def main() -> int:
    """Print the table; 1 if an output is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.freezes", description=__doc__)
    parser.add_argument("seconds", nargs="*", type=float, default=SECONDS)
    seconds = parser.parse_args().seconds
    cases = [
        Case(vendor, each, is_node)
        for is_node in (True, False)
        for vendor in Vendor
        for each in seconds
    ]
    print("| stands still | peer | seconds | answered | outputs | whole after |")
    print("|---|---|---:|---:|---:|---:|")
    return max(_run(case) for case in cases)


def _run(case: Case) -> int:
    received, whole_s = _received(case)
    who = "node" if case.is_node else "peer"
    print(
        f"| {who} | {case.vendor} | {case.seconds:g} | {received.tasks} of {TASKS} "
        f"| {received.outputs} | {whole_s:.1f} s |",
        flush=True,
    )
    return int(received.tasks < TASKS)


def _received(case: Case) -> tuple[Received, float]:
    with running(FORMULA) as node, answered_peer(case.vendor, node.domain) as peer:
        peer.wait_until_met()
        peer.send(range(1, 51))
        peer.wait_for(50, PATIENCE_S)
        # The last acknowledgments arrive, too.
        time.sleep(SETTLING_S)
        pid = node.process.pid if case.is_node else peer.process.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(case.seconds / 2)
        peer.send(range(51, 101))
        time.sleep(case.seconds / 2)
        os.kill(pid, signal.SIGCONT)
        since_s = time.monotonic()
        peer.send(range(101, TASKS + 1))
        peer.wait_for(TASKS, PATIENCE_S)
        whole_s = time.monotonic() - since_s
        time.sleep(SETTLING_S)
        return peer.received(), whole_s


if __name__ == "__main__":
    sys.exit(main())
