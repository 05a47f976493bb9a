"""By which meters a run is charged. For measuring processes only.

CarbonTracker reads the first ten zones of RAPL alone, and takes a folder without zones for a meter.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pynvml
from carbontracker.components.cpu import intel
from carbontracker.components.gpu.nvidia import NvidiaGPU

from carbon_node.tracking.devices import Choice

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
