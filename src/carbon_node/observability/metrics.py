"""What the node has done since its start, as plain numbers.

Counting costs a few dictionary entries and no import; `metrics_page` turns the numbers into
Prometheus text when somebody asks.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

STAGE_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bucket bounds of the stage histogram: from a quick look-up to a slow measurement."""


@dataclass(slots=True)
class Durations:
    """A histogram of durations.

    Args:
        counts: observations per bucket of `STAGE_BOUNDS_S`, and of everything above.
        sum_s: all observed seconds.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(STAGE_BOUNDS_S) + 1))
    sum_s: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration in seconds, >= 0."""
        self.counts[bisect_left(STAGE_BOUNDS_S, seconds)] += 1
        self.sum_s += seconds


class Metrics:
    """Counters of one node; all calls come from the loop's thread.

    Names given as arguments come from closed lists: each new one is a new time series for ever.
    """

    def __init__(self) -> None:
        self.tasks: Counter[str] = Counter()
        self.stages: dict[str, Durations] = {}
        self.tracker_failures: Counter[str] = Counter()
        self.requests: Counter[tuple[str, str]] = Counter()
        self.losses: Counter[str] = Counter()
        self.energy_kwh = 0.0
        self.carbon_g = 0.0

    def task_finished(self, outcome: str, energy_kwh: float = 0.0, carbon_g: float = 0.0) -> None:
        """Count a task.

        Args:
            outcome: how it ended.
            energy_kwh: facility energy that was published for it, kWh, >= 0.
            carbon_g: carbon that was published for it, gCO2e, >= 0.
        """
        self.tasks[outcome] += 1
        self.energy_kwh += energy_kwh
        self.carbon_g += carbon_g

    def stage(self, name: str, seconds: float) -> None:
        """Count one passage of a task through a stage that took so many seconds."""
        self.stages.setdefault(name, Durations()).observe(seconds)

    def tracker_failed(self, failure: str) -> None:
        """Count a measurement that failed, by the failure's name."""
        self.tracker_failures[failure] += 1

    def peers_lost(self, *, has_rejoined: bool) -> None:
        """Count a time when peers may have lost the node."""
        self.losses["rejoined" if has_rejoined else "stayed"] += 1

    def request(self, interface: str, outcome: str) -> None:
        """Count a request to one of the node's interfaces, e.g. ("http", "200")."""
        self.requests[interface, outcome] += 1
