"""By which meters a run is charged. For measuring processes only.

CarbonTracker reads the first ten zones of RAPL alone, takes a folder without zones for a meter, and
divides a difference of energies by the second that it meant to sleep, however long that took.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pynvml
from carbontracker.components.cpu import intel
from carbontracker.components.gpu.nvidia import NvidiaGPU

from carbon_node.tracking.devices import Choice

READINGS: Final = 2
"""Of all counters, at most, for one power."""

_ZONE: Final = re.compile(r"intel-rapl:(\d+)(?::(\d+))?")
"""Zones under any number; those of intel-rapl-mmio count the same energy again."""


def correct_carbontracker(choice: Choice) -> None:
    """Have CarbonTracker read the chosen GPUs, and every RAPL zone that counts.

    A folder without such zones, as containers have it, is no meter; CarbonTracker takes it for one.

    Args:
        choice: what `choose` returned.
    """
    uuids = [gpu.uuid for gpu in choice.charged]
    NvidiaGPU._get_handles = lambda _: [pynvml.nvmlDeviceGetHandleByUUID(each) for each in uuids]
    intel.IntelCPU.available = lambda _: any(_counted_zones(Path(intel.RAPL_DIR)))
    intel.IntelCPU.init = _find_zones
    intel.IntelCPU.power_usage = mean_powers_w


def mean_powers_w(handler: Any) -> list[float]:  # noqa: ANN401 - CarbonTracker is untyped
    """Return the mean power of each RAPL zone over the next second or a little more, in watts.

    Energies are divided by the time that lies between their readings, which is longer than the
    second on a busy host. A counter that starts again from 0 meanwhile, which each does within some
    minutes, is read once more; if one does that twice, all are 0, which no hardware draws.

    Args:
        handler: CarbonTracker's, whose `_get_measurements` returns microjoules.
    """
    for _ in range(READINGS):
        before_s, before_uj = time.monotonic(), handler._get_measurements()
        time.sleep(intel.MEASURE_DELAY)
        after_s, after_uj = time.monotonic(), handler._get_measurements()
        spent_uj = [after - before for before, after in zip(before_uj, after_uj, strict=True)]
        if min(spent_uj, default=0) >= 0:
            return [each / 1e6 / (after_s - before_s) for each in spent_uj]
    return [0.0] * len(handler.devices())


def _find_zones(handler: Any) -> None:  # noqa: ANN401 - CarbonTracker is untyped
    zones = list(_counted_zones(Path(intel.RAPL_DIR)))
    handler.device_count = len(zones)
    handler._rapl_devices = [zone for zone, _ in zones]
    handler._devices = [name for _, name in zones]
    handler.parts_pattern = _ZONE


def _counted_zones(powercap: Path) -> Iterator[tuple[str, str]]:
    """Packages and their memory: a core's zone is part of its package's."""
    folders = powercap.iterdir() if powercap.is_dir() else iter(())
    zones = (match for folder in folders if (match := _ZONE.fullmatch(folder.name)))
    for match in sorted(zones, key=lambda zone: tuple(int(part or -1) for part in zone.groups())):
        name = _name(powercap / match[0])
        if "package" in name or "dram" in name:
            yield match[0], f"{'cpu' if 'package' in name else name}:{match[1]}"


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:  # containers mask the folder's content
        return ""
