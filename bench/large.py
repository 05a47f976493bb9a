"""What does a task cost whose model travels in its sample?

References: the raw transfer of the same samples (`bench.echo`), and the size of the model.
"""

from collections.abc import Iterator, Mapping

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, running
from bench.peers import Peers, echoed, joined, one_at_a_time, task

SIZES_MB = (1, 16, 64)
OCTETS = 1400
WARM_UP = 20

MEASURED: Mapping[str, str] = {
    "CARBON_NODE_TRACKER__MODE": "measured",
    "CARBON_NODE_TRACKER__MODEL_MAX_MIB": "128",
}
"""The models wait in files for their measurement, which fails: these bytes are no model."""

TIME = Target(Statistic.RATIO, 2.0)
MEMORY = Target(Statistic.RATIO, 1.5)


def figures(effort: Effort) -> list[Figure]:
    """Measure each size at the node, in both ways in which models wait, and at the reference."""
    return [each for size_mb in SIZES_MB for each in _of_size(size_mb, effort.large_runs)]


def _of_size(size_mb: int, runs: int) -> list[Figure]:
    took_ms, added_mb = _at_node(FORMULA, size_mb, runs)
    _, spooled_mb = _at_node(MEASURED, size_mb, runs)
    with echoed(OCTETS) as peers:
        raw_ms = list(_transfers_ms(peers, size_mb, runs))
    size = ("size of the model", [float(size_mb)])
    what = f"model of {size_mb} MB"
    return [
        figure(f"{what}: sent to answered", "ms", took_ms, ("raw transfer", raw_ms), TIME),
        figure(f"{what}: peak of added memory", "MB", added_mb, size, MEMORY),
        figure(f"{what} to be measured: peak of added memory", "MB", spooled_mb, size, MEMORY),
    ]


def _at_node(mode: Mapping[str, str], size_mb: int, runs: int) -> tuple[list[float], list[float]]:
    added_mb = []
    with running(mode) as node, joined(node.domain) as peers:
        one_at_a_time(peers, range(1, WARM_UP + 1))
        transfers = _transfers_ms(peers, size_mb, runs)
        took_ms = []
        for _ in range(runs):
            node.forget_peak()
            before_mb = node.held().resident_mb
            took_ms.append(next(transfers))
            added_mb.append(node.peak_mb() - before_mb)
    return took_ms, added_mb


def _transfers_ms(peers: Peers, size_mb: int, runs: int) -> Iterator[float]:
    for number in range(1_000, 1_000 + runs):
        large = task(number, bytes(size_mb * 1_000_000))
        took_ms = peers.answer(large).whole_ms
        peers.retire_older_than(number + 1)
        yield took_ms
