"""How many tasks a second does the node answer when they come all at once, and is each answered?

The reference is the same burst at a process that answers at once (`bench.echo`).
"""

from bench.effort import Effort
from bench.exchanges import Burst, burst
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, UNPACED, running
from bench.peers import Peers, echoed, joined

NONE = Target(Statistic.MEDIAN, 0.0, is_promise=True)
RAW = "raw burst over the same binding"


def figures(effort: Effort) -> list[Figure]:
    """Send bursts to the node with and without a gap between outputs, and to its reference."""
    with running(FORMULA, UNPACED) as node, joined(node.domain) as peers:
        unpaced = _bursts(peers, effort, effort.bursts)
    with running(FORMULA) as node, joined(node.domain) as peers:
        paced = _bursts(peers, effort, 1)
    with echoed() as peers:
        raw = _bursts(peers, effort, effort.bursts)
    what = f"burst of {effort.burst_tasks} tasks"
    raw_rates = _rates(raw, effort)
    return [
        figure(f"{what}, no output gap", "1/s", _rates(unpaced, effort), (RAW, raw_rates)),
        figure(f"{what}, default output gap", "1/s", _rates(paced, effort), (RAW, raw_rates)),
        *_order_and_losses([*unpaced, *paced], what),
    ]


def _bursts(peers: Peers, effort: Effort, count: int) -> list[Burst]:
    size = effort.burst_tasks
    firsts = range(1, count * size + 1, size)
    return [burst(peers, range(first, first + size)) for first in firsts]


def _rates(bursts: list[Burst], effort: Effort) -> list[float]:
    return [effort.burst_tasks / each.seconds for each in bursts]


def _order_and_losses(bursts: list[Burst], what: str) -> list[Figure]:
    return [
        figure(f"{what}: tasks without output", "", [b.missing for b in bursts], None, NONE),
        figure(f"{what}: repeated outputs", "", [b.repeated for b in bursts], None, NONE),
        figure(f"{what}: outputs behind a later task's", "", [b.overtaken for b in bursts]),
    ]
