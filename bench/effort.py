"""How much each benchmark does: enough to trust percentiles, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Counts and durations; the tunables of all benchmarks.

    Args:
        name: "full" or "quick".
        installed_tasks: tasks that a node with default settings gets one at a time.
        installed_bursts: sizes of its bursts, and how many of each.
        watched_tasks: tasks of the burst in which processor time and memory are sampled.
        starts: starts of the node.
        single_tasks: tasks that are sent one at a time.
        rate_s: seconds of a sustained load.
        measured_tasks: tasks with a guarded measurement.
        measured_window_s: seconds that each of them is observed.
        burst_tasks: tasks of a burst.
        bursts: how many bursts.
        lossy_bursts: how many bursts on a network that loses packets, of each size.
        early_tasks: tasks after which resources are looked at first.
        late_tasks: tasks after which they are looked at last.
        idle_s: seconds without tasks.
        large_runs: tasks of each size with a large model.
        requests: requests to each endpoint.
        growth_tasks: tasks of the first of three stages, each ten times the one before.
        store_results: results in a large store.
        leak_runs: measurements between two looks at what the guard holds.
    """

    name: str
    installed_tasks: int
    installed_bursts: tuple[tuple[int, int], ...]
    watched_tasks: int
    starts: int
    single_tasks: int
    rate_s: float
    measured_tasks: int
    measured_window_s: float
    burst_tasks: int
    bursts: int
    lossy_bursts: int
    early_tasks: int
    late_tasks: int
    idle_s: float
    large_runs: int
    requests: int
    growth_tasks: int
    store_results: int
    leak_runs: int


FULL = Effort(
    name="full",
    installed_tasks=20,
    installed_bursts=((60, 3), (200, 3), (2_000, 1)),
    watched_tasks=200,
    starts=20,
    single_tasks=2_000,
    rate_s=30.0,
    measured_tasks=60,
    measured_window_s=0.5,
    burst_tasks=2_000,
    bursts=5,
    lossy_bursts=20,
    early_tasks=1_000,
    late_tasks=20_000,
    idle_s=60.0,
    large_runs=10,
    requests=1_000,
    growth_tasks=200,
    store_results=100_000,
    leak_runs=1_000,
)

QUICK = Effort(
    name="quick",
    installed_tasks=3,
    installed_bursts=((60, 1),),
    watched_tasks=60,
    starts=3,
    single_tasks=100,
    rate_s=2.0,
    measured_tasks=5,
    measured_window_s=0.1,
    burst_tasks=200,
    bursts=1,
    lossy_bursts=1,
    early_tasks=100,
    late_tasks=500,
    idle_s=3.0,
    large_runs=1,
    requests=50,
    growth_tasks=20,
    store_results=2_000,
    leak_runs=20,
)
