"""How much a guarded measurement costs beyond its window, how exact it is, and whether it leaks.

In this process, without a node. The reference of what is held is the same before the measurements.
"""

import asyncio
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tests.process_memory import memory_bytes

from bench.effort import Effort
from bench.figures import Figure, Statistic, Target, figure
from carbon_node.daemon.parts import tracker_config
from carbon_node.estimation.measurement import SimulatedRun
from carbon_node.settings import Settings
from carbon_node.tracking import TrackerConfig
from carbon_node.tracking.pool import TrackerPool

RUN = SimulatedRun(power_w=300.0)
J_PER_KWH = 3.6e6
DEADLINE_S = 30.0
WINDOW_S = 0.1
LEAK_WINDOW_S = 0.01

SETTLING_S = 0.5
"""Seconds within which a guard ends after its report."""

BEYOND = (Target(Statistic.MEDIAN, 50.0), Target(Statistic.P99, 150.0))
UNCHANGED = Target(Statistic.EXCESS, 0.0)


@dataclass(frozen=True, slots=True)
class Held:
    """What the node's process and its forkserver hold."""

    descriptors: int
    processes: int
    node_mb: float
    forkserver_mb: float


def figures(effort: Effort) -> list[Figure]:
    """Measure back to back, the first with a cold forkserver; then look at what many runs leave."""
    return [
        *asyncio.run(_overhead(4 * effort.measured_tasks)),
        *asyncio.run(_held_before_and_after(effort.leak_runs)),
    ]


def _as_installed(window_s: float) -> TrackerConfig:
    return replace(tracker_config(Settings()), window_s=window_s)


async def _overhead(runs: int) -> list[Figure]:
    async with TrackerPool(_as_installed(window_s=WINDOW_S)) as pool:
        cold_ms, _ = await _overhead_ms_and_disagreement(pool)
        measured = [await _overhead_ms_and_disagreement(pool) for _ in range(runs)]
    beyond = f"measurement beyond its window of {WINDOW_S:g} s"
    return [
        figure(beyond, "ms", [time_ms for time_ms, _ in measured], None, *BEYOND),
        figure(f"{beyond}, the first after a start", "ms", [cold_ms]),
        figure(
            "energy beside the closed formula, relative difference",
            "",
            [disagreement for _, disagreement in measured],
        ),
    ]


async def _overhead_ms_and_disagreement(pool: TrackerPool) -> tuple[float, float]:
    started_s = time.monotonic()
    measurement = await pool.measure(RUN, DEADLINE_S)
    overhead_s = time.monotonic() - started_s - measurement.duration_s
    formula_kwh = RUN.power_w * measurement.duration_s / J_PER_KWH
    return overhead_s * 1000, abs(measurement.device_energy_kwh / formula_kwh - 1)


async def _held_before_and_after(runs: int) -> list[Figure]:
    async with TrackerPool(_as_installed(window_s=LEAK_WINDOW_S)) as pool:
        # Caches and pools of the allocator fill with the first runs.
        for _ in range(runs // 10):
            await pool.measure(RUN, DEADLINE_S)
        before = await _held()
        for _ in range(runs):
            await pool.measure(RUN, DEADLINE_S)
        after = await _held()
    rows = (
        ("descriptors", "", before.descriptors, after.descriptors, UNCHANGED),
        ("processes", "", before.processes, after.processes, UNCHANGED),
        ("memory of this process", "MB", before.node_mb, after.node_mb, None),
        ("memory of the forkserver", "MB", before.forkserver_mb, after.forkserver_mb, None),
    )
    return [
        figure(
            f"{what} after {runs:,} measurements",
            unit,
            [late],
            ("before them", [early]),
            *([] if target is None else [target]),
        )
        for what, unit, early, late, target in rows
    ]


async def _held() -> Held:
    """Count what this process and its children hold, once the last guard has gone."""
    await asyncio.sleep(SETTLING_S)
    return _held_now()


def _held_now() -> Held:
    children = _descendants(str(os.getpid()))
    return Held(
        descriptors=sum(
            len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in ("self", *children)
        ),
        processes=len(children),
        node_mb=_resident_mb("self"),
        forkserver_mb=sum(map(_resident_mb, children)),
    )


def _descendants(pid: str) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [*children, *(each for child in children for each in _descendants(child))]


def _resident_mb(pid: str) -> float:
    return memory_bytes(pid, "VmRSS") / 1e6
