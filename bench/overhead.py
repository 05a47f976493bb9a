"""What does the node add to a task that the closed formula answers?

Measured from outside: from the moment at which the peer hands over the last input to the moment at
which the node's writer says it wrote the output, and to the moment at which the peer has it. The
reference is the same exchange with a process that answers at once (`bench.echo`).
"""

from collections.abc import Sequence

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, UNPACED, running
from bench.peers import Exchange, Peers, echoed, joined, one_at_a_time, sustained

RATE_HZ = 100
PACED_HZ = 80
"""The default gap of 10 ms between outputs lets fewer than 100 leave a second."""

WARM_UP = 50
RAW = "raw exchange over the same binding"

OVERHEAD = (Target(Statistic.RATIO, 5.0), Target(Statistic.MEDIAN, 3.0))
SUSTAINED = (*OVERHEAD, Target(Statistic.P99, 15.0))


def figures(effort: Effort) -> list[Figure]:
    """Measure tasks alone and at a sustained rate, at the node and at its reference."""
    with running(FORMULA, UNPACED) as node, joined(node.domain) as peers:
        alone, loaded = _alone(peers, effort), _loaded(peers, effort, RATE_HZ)
    with running(FORMULA) as node, joined(node.domain) as peers:
        _warm(peers)
        paced = _loaded(peers, effort, PACED_HZ)
    with echoed(alone[-1].octets) as peers:
        raw_alone, raw_loaded = _alone(peers, effort), _loaded(peers, effort, RATE_HZ)
        raw_paced = _loaded(peers, effort, PACED_HZ)
    return [
        *_both("task alone", alone, raw_alone, OVERHEAD),
        *_both(f"{RATE_HZ} tasks a second", loaded, raw_loaded, SUSTAINED),
        _round_trip(f"{PACED_HZ} tasks a second, default output gap", paced, raw_paced),
    ]


def _both(
    what: str, node: Sequence[Exchange], raw: Sequence[Exchange], targets: Sequence[Target]
) -> list[Figure]:
    written_ms = [exchange.written_ms for exchange in node]
    raw_ms = [exchange.round_trip_ms for exchange in raw]
    return [
        figure(f"last input to output written, {what}", "ms", written_ms, (RAW, raw_ms), *targets),
        _round_trip(what, node, raw),
    ]


def _round_trip(what: str, node: Sequence[Exchange], raw: Sequence[Exchange]) -> Figure:
    node_ms = [exchange.round_trip_ms for exchange in node]
    raw_ms = [exchange.round_trip_ms for exchange in raw]
    return figure(f"last input to output received, {what}", "ms", node_ms, (RAW, raw_ms))


def _warm(peers: Peers) -> None:
    one_at_a_time(peers, range(1, WARM_UP + 1))


def _alone(peers: Peers, effort: Effort) -> list[Exchange]:
    _warm(peers)
    first = WARM_UP + 1
    return one_at_a_time(peers, range(first, first + effort.single_tasks))


def _loaded(peers: Peers, effort: Effort, rate_hz: int) -> list[Exchange]:
    count = round(effort.rate_s * rate_hz)
    return sustained(peers, range(rate_hz * 1_000, rate_hz * 1_000 + count), rate_hz)
