"""Does anything grow with the number of tasks? The same figures at 1, 10 and 100 times the tasks.

One node lives through three stages, each with ten times the tasks of the one before. Its peers
never end their inputs, as those of a real pipeline. The reference of the later stages is the first,
so that the ratio is the slope.
"""

import time
from dataclasses import dataclass

from bench.effort import Effort
from bench.exchanges import in_waves, one_at_a_time
from bench.figures import Figure, figure
from bench.nodes import FORMULA, UNPACED, Held, Node, running
from bench.peers import joined
from bench.resources import SETTLING_S, answer
from bench.scraping import scrape_ms

STAGES = 3
FACTOR = 10
PROBES = 50
"""Tasks alone, and scrapes, at the end of each stage."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What was measured at the end of a stage.

    Args:
        tasks: answered so far.
        wave_ms: time of a task in each wave, averaged over the wave.
        alone_ms: last input to output received, of tasks alone.
        scrapes_ms: of `/metrics`.
        processor_ms: processor time of each task, averaged over the stage.
        held: what the daemon holds.
    """

    tasks: int
    wave_ms: list[float]
    alone_ms: list[float]
    scrapes_ms: list[float]
    processor_ms: float
    held: Held


def figures(effort: Effort) -> list[Figure]:
    """Take a node through the stages."""
    stages: list[Stage] = []
    with running(FORMULA, UNPACED, has_interface=True) as node:
        answer(node, 1, 1)
        # The forkserver has loaded CarbonTracker.
        time.sleep(SETTLING_S)
        done = 1
        for exponent in range(STAGES):
            upto = effort.growth_tasks * FACTOR**exponent
            stages.append(_stage(node, done + 1, upto))
            done = upto
    return [each for stage in stages for each in _figures_of(stage, stages[0])]


def _stage(node: Node, first: int, last: int) -> Stage:
    with joined(node.domain, ends_tasks=False) as peers:
        # Ids beyond those of any stage, other ones in each.
        probes = range(last * 1_000, last * 1_000 + PROBES)
        used_s = node.processor_s()
        waves = in_waves(peers, first, last)
        processor_ms = 1000 * (node.processor_s() - used_s) / (last + 1 - first)
        time.sleep(SETTLING_S)
        alone_ms = [each.round_trip_ms for each in one_at_a_time(peers, probes)]
    wave_ms = [1000 * wave.seconds / len(wave.received) for wave in waves]
    scrapes_ms = [scrape_ms(node.interface) for _ in range(PROBES)]
    return Stage(last, wave_ms, alone_ms, scrapes_ms, processor_ms, node.held())


def _figures_of(stage: Stage, first: Stage) -> list[Figure]:
    when = f"after {stage.tasks:,} tasks"
    rows = (
        ("time of a task in waves", "ms", stage.wave_ms, first.wave_ms),
        ("last input to output received", "ms", stage.alone_ms, first.alone_ms),
        ("scrape of /metrics", "ms", stage.scrapes_ms, first.scrapes_ms),
        ("processor time of a task", "ms", [stage.processor_ms], [first.processor_ms]),
        ("memory", "MB", [stage.held.resident_mb], [first.held.resident_mb]),
        ("descriptors", "", [stage.held.descriptors], [first.held.descriptors]),
    )
    against = f"after {first.tasks:,} tasks"
    return [
        figure(f"{what}, {when}", unit, values, None if stage is first else (against, reference))
        for what, unit, values, reference in rows
    ]
