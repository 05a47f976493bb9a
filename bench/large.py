"""What does a task cost if its model travels in its sample?

References: the raw transfer of the same samples (`bench.echo`), and the size of the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.effort import Effort
from bench.exchanges import one_at_a_time
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, Node, running
from bench.peers import Peers, echoed, joined, task

SIZES_MB = (1, 16, 64)
WARM_UP = 20

MEASURED: Mapping[str, str] = {
    "CARBON_NODE_TRACKER__MODE": "measured",
    "CARBON_NODE_TRACKER__MODEL_MAX_MIB": "128",
}
"""The models wait in files for their measurement, which fails: these bytes are no model."""

TIME = Target(Statistic.RATIO, 2.0)
MEMORY = Target(Statistic.RATIO, 1.5)


@dataclass(frozen=True, slots=True)
class Run:
    """The cost of a task with a large model.

    Args:
        took_ms: from the first input handed over to the output received.
        added_mb: highest resident memory meanwhile, less that before; 1e6 bytes.
    """

    took_ms: float
    added_mb: float


def figures(effort: Effort) -> list[Figure]:
    """Measure each size at the node, in both ways in which models wait, and at the reference."""
    dropped, spooled = _at_node(FORMULA, effort), _at_node(MEASURED, effort)
    with echoed() as peers:
        one_at_a_time(peers, range(1, WARM_UP + 1))
        raw_ms = {size_mb: _transfers_ms(peers, size_mb, effort) for size_mb in SIZES_MB}
    return [
        each
        for size_mb in SIZES_MB
        for each in _of_size(size_mb, dropped[size_mb], spooled[size_mb], raw_ms[size_mb])
    ]


def _of_size(
    size_mb: int, dropped: Sequence[Run], spooled: Sequence[Run], raw_ms: Sequence[float]
) -> list[Figure]:
    what, size = f"model of {size_mb} MB", ("size of the model", [float(size_mb)])
    took_ms = [run.took_ms for run in dropped]
    dropped_mb, spooled_mb = ([run.added_mb for run in runs] for runs in (dropped, spooled))
    # Promised for large samples only: what a small one adds is lost in the noise.
    is_large = size_mb == max(SIZES_MB)
    in_time, in_memory = ([TIME], [MEMORY]) if is_large else ([], [])
    return [
        figure(f"{what}: sent to answered", "ms", took_ms, ("raw transfer", raw_ms), *in_time),
        figure(f"{what}: peak of added memory", "MB", dropped_mb, size, *in_memory),
        figure(f"{what} to be measured: peak of added memory", "MB", spooled_mb, size, *in_memory),
    ]


def _at_node(mode: Mapping[str, str], effort: Effort) -> dict[int, list[Run]]:
    with running(mode) as node, joined(node.domain) as peers:
        one_at_a_time(peers, range(1, WARM_UP + 1))
        return {
            size_mb: [
                _run(node, peers, number, size_mb)
                for number in _numbers(size_mb)[: effort.large_runs]
            ]
            for size_mb in SIZES_MB
        }


def _numbers(size_mb: int) -> range:
    """Task numbers of a size's runs."""
    return range(1_000 * size_mb, 1_000 * (size_mb + 1))


def _run(node: Node, peers: Peers, number: int, size_mb: int) -> Run:
    node.forget_peak()
    before_mb = node.held().resident_mb
    took_ms = _transfer_ms(peers, number, size_mb)
    return Run(took_ms, node.peak_mb() - before_mb)


def _transfers_ms(peers: Peers, size_mb: int, effort: Effort) -> list[float]:
    numbers = _numbers(size_mb)[: effort.large_runs]
    return [_transfer_ms(peers, number, size_mb) for number in numbers]


def _transfer_ms(peers: Peers, number: int, size_mb: int) -> float:
    took_ms = peers.answer(task(number, bytes(1_000_000 * size_mb))).whole_ms
    peers.retire_older_than(number + 1)
    return took_ms
