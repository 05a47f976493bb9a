"""Load on this host that is not the run's own. For measuring processes only.

A meter counts what its whole device draws. Where others work on it too, the number is still what
was metered, and whoever reads it has to know.
"""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pynvml

from carbon_node.tracking.devices import Gpu

STAT: Final = Path("/proc/stat")

BUSY_SHARE: Final = 0.05
"""Share of the host's cores that others may keep busy without a word: daemons and timers do."""

BUSY_CORES: Final = 0.2
"""The same for small hosts."""

BUSY_GPU_PERCENT: Final = 5
"""Utilisation of a GPU before the run beyond which somebody else computes on it."""


@dataclass(frozen=True, slots=True)
class CoreSeconds:
    """Processor time at one moment, in seconds, since some moment in the past.

    Args:
        busy_s: of the whole host.
        own_s: of this process and those that it has waited for.
        at_s: the moment, on the monotonic clock.
    """

    busy_s: float
    own_s: float
    at_s: float

    @classmethod
    def now(cls) -> Self:
        """Read the kernel's counters."""
        fields = [int(field) for field in STAT.read_text().partition("\n")[0].split()[1:9]]
        idle_ticks = fields[3] + fields[4]
        busy_s = (sum(fields) - idle_ticks) / os.sysconf("SC_CLK_TCK")
        return cls(busy_s, sum(os.times()[:4]), time.monotonic())


def on_cores(before: CoreSeconds, after: CoreSeconds, cores: int) -> list[str]:
    """Say how many cores others kept busy between two moments; nothing if hardly any.

    Args:
        before: the first moment.
        after: the second.
        cores: how many the host has.
    """
    elapsed_s = after.at_s - before.at_s
    if elapsed_s <= 0:
        return []
    others_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    busy = others_s / elapsed_s
    if busy <= max(BUSY_CORES, BUSY_SHARE * cores):
        return []
    return [f"other work kept {busy:.1f} of {cores} cores busy during the measurement"]


def on_gpus(gpus: Iterable[Gpu]) -> list[str]:
    """Say which GPUs others use, asked before the run has touched any.

    Args:
        gpus: those that the run is charged for.
    """
    charged = list(gpus)
    if not charged:
        return []
    pynvml.nvmlInit()
    try:
        return [line for gpu in charged for line in _on_gpu(gpu)]
    finally:
        pynvml.nvmlShutdown()


def _on_gpu(gpu: Gpu) -> list[str]:
    handle = pynvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
    processes = _asked(lambda: len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)))
    busy_percent = _asked(lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    if busy_percent > BUSY_GPU_PERCENT:
        return [f"other work kept {gpu.name} {busy_percent} % busy before the measurement"]
    if processes > 0:
        return [f"{processes} other processes hold {gpu.name}"]
    return []


def _asked(question: Callable[[], Any]) -> int:
    try:
        return int(question())
    except pynvml.NVMLError:
        return 0
