"""What do the daemon and its children hold and use: idle, after many tasks, after many more?

The local interface is on, and was asked once. The reference is a Python process with one
participant.
"""

import time

import psutil

from bench.effort import Effort
from bench.exchanges import in_waves
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, UNPACED, Held, Node, running
from bench.peers import joined
from bench.scraping import scrape_ms
from bench.start import bare_participant

SETTLING_S = 2.0
"""Seconds after which nothing more follows a task, such as the retirement of its status."""

BELOW = Target(Statistic.MEDIAN, 85.0)
FLAT = Target(Statistic.MEDIAN, 3.0)
IDLE = Target(Statistic.MEDIAN, 0.3)
BARE = "bare Python process with one participant"


def figures(effort: Effort) -> list[Figure]:
    """Watch one node from its start to its last task, and idle at the end."""
    early, late = effort.early_tasks, effort.late_tasks
    with running(FORMULA, UNPACED, has_interface=True) as node:
        scrape_ms(node.interface)
        # The forkserver has loaded CarbonTracker.
        time.sleep(SETTLING_S)
        held, children = {0: node.held()}, {0: node.held_by_children()}
        for first, last in ((1, 1), (2, early), (early + 1, late)):
            answer(node, first, last)
            time.sleep(SETTLING_S)
            held[last], children[last] = node.held(), node.held_by_children()
        with bare_participant() as started:
            bare = psutil.Process(started.pid)
            time.sleep(SETTLING_S)
            idle = _idle(node, bare, effort.idle_s)
            reference = (BARE, [bare.memory_info().rss / 1e6])
    return [
        *(_memory(count, each, reference) for count, each in held.items()),
        figure(
            f"memory that tasks {early:,} to {late:,} add",
            "MB",
            [held[late].resident_mb - held[early].resident_mb],
            None,
            FLAT,
        ),
        *(
            figure(f"memory of the children after {count:,} tasks", "MB", [each.resident_mb])
            for count, each in children.items()
        ),
        *(
            figure(f"descriptors after {count:,} tasks", "", [each.descriptors])
            for count, each in held.items()
        ),
        *(
            figure(f"descriptors of the children after {count:,} tasks", "", [each.descriptors])
            for count, each in children.items()
        ),
        idle,
    ]


def answer(node: Node, first: int, last: int) -> None:
    """Let a range of tasks be answered, a wave at a time.

    Raises:
        RuntimeError: one has no output.
    """
    with joined(node.domain) as peers:
        in_waves(peers, first, last)


def _memory(count: int, held: Held, reference: tuple[str, list[float]]) -> Figure:
    return figure(f"memory after {count:,} tasks", "MB", [held.resident_mb], reference, BELOW)


def _idle(node: Node, bare: psutil.Process, idle_s: float) -> Figure:
    before_s, bare_before_s = node.processor_s(), _used_s(bare)
    time.sleep(idle_s)
    share = 100 * (node.processor_s() - before_s) / idle_s
    bare_share = 100 * (_used_s(bare) - bare_before_s) / idle_s
    question = f"processor time when idle for {idle_s:g} s"
    return figure(question, "% of a core", [share], (BARE, [bare_share]), IDLE)


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    used_s: float = times.user + times.system
    return used_s
