"""What does a user get who changes no setting? Mode `auto`, the default gap, a window of 0.5 s.

CarbonTracker runs for every task, in guarded children that come and go. What they use is sampled in
a burst of its own, so that the samples disturb no time: processor time misses what a child does
after its last sample. Memory is the proportional set size (PSS), in which pages that processes
share count once. The reference of a burst is the same burst at a process that answers at once
(`bench.echo`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.effort import Effort
from bench.exchanges import Burst, burst, one_at_a_time, sustained
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import Node, running
from bench.peers import Exchange, Peers, echoed, joined
from carbon_node.settings.model import TrackerSettings

RATE_HZ = 20.0

SAMPLE_S = 0.05
"""Seconds between two samples of the children, a tenth of what a child lives at least."""

WARM_UP = 3
"""Tasks after which the forkserver has loaded CarbonTracker."""

WITHIN_S = {200: 4.0, 2_000: 30.0}
"""Seconds within which all tasks of a burst are answered; the default gap alone takes 20 s for
2,000."""

BEYOND = Target(Statistic.MEDIAN, 60.0)
BEYOND_AT_RATE = Target(Statistic.P99, 150.0)
PROCESSOR = Target(Statistic.MEDIAN, 25.0)
CHILDREN = Target(Statistic.MEDIAN, 150.0)
NONE = Target(Statistic.MEDIAN, 0.0, is_promise=True)
RAW = "raw burst over the same binding"


def figures(effort: Effort) -> list[Figure]:
    """Send tasks alone, at once and at a rate to a node with default settings."""
    singles = range(1, WARM_UP + effort.installed_tasks + 1)
    with running() as node, joined(node.domain) as peers:
        alone = one_at_a_time(peers, singles)[WARM_UP:]
        first = singles.stop
        bursts = {}
        for size, count in effort.installed_bursts:
            bursts[size] = _bursts(peers, first, size, count)
            first += size * count
        at_rate = sustained(peers, range(first, first + round(RATE_HZ * effort.rate_s)), RATE_HZ)
        first += len(at_rate)
        with _watched(node) as watch:
            bursts_watched = _bursts(peers, first, effort.watched_tasks, 1)
    with echoed() as peers:
        raw = {size: _bursts(peers, 1, size, 1) for size in bursts}
    return [
        _beyond("one task alone", alone, BEYOND),
        *(_seconds(size, each, raw[size]) for size, each in bursts.items()),
        _beyond(f"{RATE_HZ:g} tasks a second", at_rate, BEYOND_AT_RATE),
        *watch.figures(effort.watched_tasks),
        *_losses([*bursts.values(), bursts_watched]),
    ]


def _bursts(peers: Peers, first: int, size: int, count: int) -> list[Burst]:
    firsts = range(first, first + size * count, size)
    return [burst(peers, range(each, each + size)) for each in firsts]


def _beyond(what: str, exchanges: list[Exchange], target: Target) -> Figure:
    window_ms = 1000 * TrackerSettings().window_s
    beyond_ms = [each.round_trip_ms - window_ms for each in exchanges]
    return figure(f"{what}, answer beyond the window", "ms", beyond_ms, None, target)


def _seconds(size: int, bursts: list[Burst], raw: list[Burst]) -> Figure:
    targets = [Target(Statistic.MEDIAN, WITHIN_S[size])] if size in WITHIN_S else []
    reference = (RAW, [each.seconds for each in raw])
    seconds = [each.seconds for each in bursts]
    return figure(f"{size:,} tasks at once", "s", seconds, reference, *targets)


def _losses(bursts: list[list[Burst]]) -> list[Figure]:
    every = [each for same_size in bursts for each in same_size]
    return [
        figure("tasks at once without output", "", [b.missing for b in every], None, NONE),
        figure("repeated outputs of tasks at once", "", [b.repeated for b in every], None, NONE),
    ]


class _Watch:
    """What a node's processes use, sampled in a thread.

    Args:
        node: who is watched.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._processor_s: dict[psutil.Process, float] = {}
        self._children_mb: list[float] = []
        self._children: list[int] = []
        self._sample()
        self._before_s = sum(self._processor_s.values())
        self._has_ended = threading.Event()

    def run(self) -> None:
        """Sample until `end` is called."""
        while not self._has_ended.wait(SAMPLE_S):
            self._sample()

    def end(self) -> None:
        """Take no more samples."""
        self._has_ended.set()

    def figures(self, count: int) -> list[Figure]:
        """Return processor time of a task, and the most that all children held together.

        Args:
            count: tasks of the burst.
        """
        processor_s = sum(self._processor_s.values()) - self._before_s
        of = f"of {count} tasks at once"
        task_ms = [1000 * processor_s / count]
        return [
            figure(f"processor time of a task, {of}", "ms", task_ms, None, PROCESSOR),
            figure("memory of all children at rest (PSS)", "MB", self._children_mb[:1]),
            figure(
                f"memory of all children, most {of} (PSS)",
                "MB",
                [max(self._children_mb)],
                None,
                CHILDREN,
            ),
            figure(f"children, most {of}", "", [max(self._children)]),
        ]

    def _sample(self) -> None:
        children = self._node.process.children(recursive=True)
        for process in (self._node.process, *children):
            self._look(process)
        self._children.append(len(children))
        self._children_mb.append(sum(map(_pss_mb, children)))

    def _look(self, process: psutil.Process) -> None:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            return
        # Of processes that have ended, the last sample counts.
        self._processor_s[process] = times.user + times.system


@contextmanager
def _watched(node: Node) -> Iterator[_Watch]:
    watch = _Watch(node)
    thread = threading.Thread(target=watch.run)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        thread.join()


def _pss_mb(process: psutil.Process) -> float:
    """Memory of a process in 1e6 bytes, shared pages by their share; 0 if it has just ended."""
    try:
        return float(process.memory_full_info().pss / 1e6)
    except psutil.NoSuchProcess:
        return 0.0
