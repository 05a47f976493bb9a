"""What does the node add to a task that the closed formula answers?

Measured from outside: from the moment at which the peer hands over the last input to the moment at
which the node's writer says it wrote the output, and to the moment at which the peer has it. The
reference is the same exchange with a process that answers at once (`bench.echo`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.effort import Effort
from bench.exchanges import one_at_a_time, sustained
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, UNPACED, running
from bench.peers import Exchange, Peers, echoed, joined

RATE_HZ = 100
PACED_HZ = 80
"""The default gap of 10 ms between outputs lets fewer than 100 leave a second."""

WARM_UP = 50
ALONE = 1_000
LOADED = 100_000
UNSYNCED = 1_000_000
"""First task numbers; those of one writer only grow."""

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's file system in memory, where a sync costs nothing

BLOCKS = 10
RAW = "raw exchange over the same binding"

OVERHEAD = (Target(Statistic.RATIO, 5.0), Target(Statistic.MEDIAN, 3.0))
SUSTAINED = (*OVERHEAD, Target(Statistic.P99, 15.0))


Send = Callable[[Peers, range], list[Exchange]]


@dataclass(frozen=True, slots=True)
class Pair:
    """The same tasks at the node and at its reference."""

    node: list[Exchange]
    raw: list[Exchange]


def figures(effort: Effort) -> list[Figure]:
    """Measure tasks alone and at a sustained rate, at the node and at its reference in turn."""
    count = round(effort.rate_s * RATE_HZ)
    with running(FORMULA, UNPACED) as node, joined(node.domain) as peers:
        octets = _warm(peers)
        with echoed(octets) as echo:
            _warm(echo)
            alone = _in_turn(peers, echo, one_at_a_time, ALONE, effort.single_tasks)
            loaded = _in_turn(peers, echo, _at_rate(RATE_HZ), LOADED, count)
            unsynced = _unsynced(echo, effort.single_tasks)
    with running(FORMULA) as node, joined(node.domain) as peers, echoed(octets) as echo:
        _warm(peers)
        _warm(echo)
        paced = _in_turn(peers, echo, _at_rate(PACED_HZ), LOADED, count)
    return [
        *_both("task alone", alone, OVERHEAD),
        *_both(f"{RATE_HZ} tasks a second", loaded, SUSTAINED),
        *_both("task alone, state directory in memory", unsynced, ()),
        _round_trip(f"{PACED_HZ} tasks a second, default output gap", paced),
    ]


def _unsynced(echo: Peers, count: int) -> Pair:
    """Send tasks alone to a node whose results need no disk: the rest is what durability costs."""
    with running(FORMULA, UNPACED, below=MEMORY) as node, joined(node.domain) as peers:
        _warm(peers)
        return _in_turn(peers, echo, one_at_a_time, UNSYNCED, count)


def _both(what: str, pair: Pair, targets: Sequence[Target]) -> list[Figure]:
    written_ms = [exchange.written_ms for exchange in pair.node]
    raw_ms = [exchange.round_trip_ms for exchange in pair.raw]
    return [
        figure(f"last input to output written, {what}", "ms", written_ms, (RAW, raw_ms), *targets),
        _round_trip(what, pair),
    ]


def _round_trip(what: str, pair: Pair) -> Figure:
    node_ms, raw_ms = (
        [exchange.round_trip_ms for exchange in side] for side in (pair.node, pair.raw)
    )
    return figure(f"last input to output received, {what}", "ms", node_ms, (RAW, raw_ms))


def _warm(peers: Peers) -> int:
    """Pay for what happens once, such as imports; return the size of an output's extra_data."""
    return one_at_a_time(peers, range(1, WARM_UP + 1))[-1].octets


def _at_rate(rate_hz: int) -> Send:
    return lambda peers, numbers: sustained(peers, numbers, rate_hz)


def _in_turn(node: Peers, raw: Peers, send: Send, first: int, count: int) -> Pair:
    """Send tasks to both in blocks, so that a machine that slows down slows both."""
    pair = Pair([], [])
    size = max(1, count // BLOCKS)
    for start in range(first, first + size * BLOCKS, size):
        pair.node.extend(send(node, range(start, start + size)))
        pair.raw.extend(send(raw, range(start, start + size)))
    return pair
