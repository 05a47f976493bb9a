"""What does a guarded measurement add to a task beyond its window?

In `declared` mode CarbonTracker observes the declared power for a window in a guarded child
process. References: the same task answered by the closed formula, and the start and end of a child
of a forkserver that does nothing.
"""

import multiprocessing
import time
from collections.abc import Mapping

from bench.effort import Effort
from bench.exchanges import one_at_a_time
from bench.figures import Figure, Statistic, Target, figure
from bench.nodes import FORMULA, running
from bench.peers import joined

WARM_UP = 3

BEYOND = Target(Statistic.MEDIAN, 60.0)


def figures(effort: Effort) -> list[Figure]:
    """Measure one task at a time in both modes, and bare children."""
    window_s = effort.measured_window_s
    declared = {
        "CARBON_NODE_TRACKER__MODE": "declared",
        "CARBON_NODE_TRACKER__WINDOW_S": str(window_s),
    }
    beyond_ms = [each_ms - 1000 * window_s for each_ms in _round_trips_ms(declared, effort)]
    formula_ms = _round_trips_ms(FORMULA, effort)
    question = f"answer beyond its window of {window_s:g} s"
    children = ("bare forkserver child", _children_ms(effort.measured_tasks))
    formula = ("answer by the closed formula", formula_ms)
    return [
        figure(question, "ms", beyond_ms, children, BEYOND),
        figure(f"{question}, formula", "ms", beyond_ms, formula),
    ]


def _round_trips_ms(mode: Mapping[str, str], effort: Effort) -> list[float]:
    with running(mode) as node, joined(node.domain) as peers:
        # The first measurement waits until the forkserver has loaded CarbonTracker.
        numbers = range(1, WARM_UP + effort.measured_tasks + 1)
        return [each.round_trip_ms for each in one_at_a_time(peers, numbers)][WARM_UP:]


def _children_ms(count: int) -> list[float]:
    context = multiprocessing.get_context("forkserver")
    # Starts the forkserver.
    _child_ms(context)
    return [_child_ms(context) for _ in range(count)]


def _child_ms(context: multiprocessing.context.ForkServerContext) -> float:
    since_s = time.perf_counter()
    child = context.Process(target=int)
    child.start()
    child.join()
    return 1000 * (time.perf_counter() - since_s)
