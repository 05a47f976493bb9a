"""How much a guarded measurement costs beyond its window, how exact it is, and whether it leaks.

    python -m bench.guard [--runs 200] [--window-s 0.1] [--leak-runs 1000]

Prints a readable line for each part and one JSON object at the end. References: the overhead's
median is to stay under 50 ms and its 99th percentile under 150 ms; 1,000 measurements are to leave
descriptors, processes and memory as they were.
"""

import argparse
import asyncio
import json
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from carbon_node.estimation.measurement import SimulatedRun
from carbon_node.tracking import TrackerConfig, TrackerPool

RUN = SimulatedRun(power_w=300.0)
J_PER_KWH = 3.6e6
DEADLINE_S = 30.0
LEAK_WINDOW_S = 0.01
LEAK_WARM_UP_RUNS = 100
"""Before the first count: caches and pools of the allocator fill with the first runs."""


SETTLING_S = 0.5
"""A guard ends after its report."""


@dataclass(frozen=True, slots=True)
class Overhead:
    """Time from the call to the measurement, less the window, and distance from the formula."""

    runs: int
    window_s: float
    median_ms: float
    p95_ms: float
    p99_ms: float
    worst_ms: float
    cold_ms: float
    worst_disagreement: float


@dataclass(frozen=True, slots=True)
class Held:
    """What the node's process and its forkserver hold."""

    descriptors: int
    processes: int
    node_kb: int
    forkserver_kb: int


async def overhead(runs: int, window_s: float) -> Overhead:
    """Measure back to back, first once with a cold forkserver."""
    async with TrackerPool(TrackerConfig(window_s=window_s)) as pool:
        cold_ms, _ = await _overhead_ms_and_disagreement(pool)
        measured = [await _overhead_ms_and_disagreement(pool) for _ in range(runs)]
    times_ms = [time_ms for time_ms, _ in measured]
    percentiles = statistics.quantiles(times_ms, n=100, method="inclusive")
    return Overhead(
        runs=runs,
        window_s=window_s,
        median_ms=round(statistics.median(times_ms), 1),
        p95_ms=round(percentiles[94], 1),
        p99_ms=round(percentiles[98], 1),
        worst_ms=round(max(times_ms), 1),
        cold_ms=round(cold_ms, 1),
        worst_disagreement=max(disagreement for _, disagreement in measured),
    )


async def _overhead_ms_and_disagreement(pool: TrackerPool) -> tuple[float, float]:
    started_s = time.monotonic()
    measurement = await pool.measure(RUN, DEADLINE_S)
    overhead_s = time.monotonic() - started_s - measurement.duration_s
    formula_kwh = RUN.power_w * measurement.duration_s / J_PER_KWH
    return overhead_s * 1000, abs(measurement.device_energy_kwh / formula_kwh - 1)


async def held_before_and_after(runs: int) -> tuple[Held, Held]:
    """Count what is held before and after many short measurements."""
    async with TrackerPool(TrackerConfig(window_s=LEAK_WINDOW_S)) as pool:
        for _ in range(LEAK_WARM_UP_RUNS):
            await pool.measure(RUN, DEADLINE_S)
        before = await held()
        for _ in range(runs):
            await pool.measure(RUN, DEADLINE_S)
        return before, await held()


async def held() -> Held:
    """Count what this process and its children hold, once the last guard has gone."""
    await asyncio.sleep(SETTLING_S)
    return _held_now()


def _held_now() -> Held:
    own = Path("/proc/self")
    children = _descendants(own.resolve().name)
    return Held(
        descriptors=sum(
            len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in ("self", *children)
        ),
        processes=len(children),
        node_kb=_resident_kb(own),
        forkserver_kb=sum(_resident_kb(Path("/proc", child)) for child in children),
    )


def _descendants(pid: str) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*children, *(each for child in children for each in _descendants(child))]


def _resident_kb(process: Path) -> int:
    fields = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in fields if line.startswith("VmRSS"))


def main() -> None:
    """Run both parts and print them."""
    parser = argparse.ArgumentParser(description="Benchmark the guard of measurements.")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--window-s", type=float, default=0.1)
    parser.add_argument("--leak-runs", type=int, default=1000)
    options = parser.parse_args()

    spent = asyncio.run(overhead(options.runs, options.window_s))
    print(
        f"overhead beyond the window over {spent.runs} runs: median {spent.median_ms} ms,"
        f" p95 {spent.p95_ms} ms, p99 {spent.p99_ms} ms (cold start {spent.cold_ms} ms);"
        f" at most {spent.worst_disagreement:.1e} relative difference from the closed formula"
    )
    before, after = asyncio.run(held_before_and_after(options.leak_runs))
    print(f"held before {options.leak_runs} measurements: {before}")
    print(f"held after  {options.leak_runs} measurements: {after}")
    print(json.dumps({"overhead": asdict(spent), "before": asdict(before), "after": asdict(after)}))


if __name__ == "__main__":
    main()
