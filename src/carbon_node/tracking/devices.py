"""Which devices of this host a run may use, and is charged for.

CarbonTracker would charge all GPUs that it finds, and a MIG slice with its whole GPU. Here devices
are chosen first, what has no meter is named, and the model sees no other GPU than those that it is
charged for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pynvml

from carbon_node.errors import TrackerError
from carbon_node.tracking.config import Unmetered
from carbon_node.tracking.confinement import see_only_gpus
from carbon_node.tracking.failures import FailureName

GRAPHICS_CARDS: Final = Path("/sys/class/drm")
AMD_VENDOR: Final = "0x1002"
DISCRETE_MEMORY_BYTES: Final = 2**30
"""A card with less memory of its own shares the processor's package, and its meter."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU as its driver tells it.

    Args:
        index: its number in PCI order.
        uuid: its name for CUDA, "GPU-...".
        name: its product name.
        flaw: why its energy cannot be metered; empty if it can.
    """

    index: int
    uuid: str
    name: str
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run is charged for.

    Args:
        charged: GPUs whose meters count.
        excluded: devices that do not count, and why, one line each.
    """

    charged: tuple[Gpu, ...]
    excluded: tuple[str, ...]


def choose(devices: tuple[str, ...] | None, unmetered: Unmetered) -> Choice:
    """Choose the GPUs of a run, and hide all others from this process.

    Args:
        devices: numbers in PCI order, or beginnings of UUIDs; None chooses all.
        unmetered: what to do where a chosen device has no meter.

    Raises:
        TrackerError: a chosen device does not exist, or has no meter and must have one.
    """
    choice = chosen_devices(devices, unmetered)
    see_only_gpus([gpu.uuid for gpu in choice.charged])
    return choice


def cuda_is_loaded(maps: Path) -> bool:
    """Tell whether a process can have used an NVIDIA GPU.

    Whatever computes on one has the driver's libcuda in its memory; NVML alone does not load it.

    Args:
        maps: the kernel's list of what a process has mapped.
    """
    return "/libcuda.so" in maps.read_text(errors="replace")


def chosen_devices(devices: tuple[str, ...] | None, unmetered: Unmetered) -> Choice:
    """Tell which GPUs `choose` would choose; hides none."""
    gpus = nvidia_gpus()
    chosen, flawed = _selected(gpus, devices)
    if devices is None:
        flawed += amd_gpus(GRAPHICS_CARDS)
    if flawed and unmetered is Unmetered.REFUSE:
        raise TrackerError(
            FailureName.UNMETERED_DEVICE,
            f"{flawed[0]}; choose others with tracker.devices, or set tracker.unmetered to exclude",
        )
    return Choice(tuple(gpu for gpu in chosen if not gpu.flaw), tuple(flawed))


def nvidia_gpus() -> tuple[Gpu, ...]:
    """Return the NVIDIA GPUs of this host; none where no driver answers."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        return tuple(map(_gpu, range(pynvml.nvmlDeviceGetCount())))
    finally:
        pynvml.nvmlShutdown()


def amd_gpus(cards: Path) -> list[str]:
    """Return the AMD GPUs of this host, one line each: CarbonTracker has no meter for them.

    Args:
        cards: folder in which the kernel shows graphics cards.
    """
    devices = sorted(card / "device" for card in cards.glob("card[0-9]*") if "-" not in card.name)
    return [
        f"AMD GPU {device.resolve().name}: CarbonTracker has no meter for it"
        for device in devices
        if _content(device / "vendor") == AMD_VENDOR and _is_discrete(device)
    ]


def _selected(
    gpus: tuple[Gpu, ...], devices: tuple[str, ...] | None
) -> tuple[tuple[Gpu, ...], list[str]]:
    if devices is None:
        chosen = gpus
    elif not gpus:
        # A container may be told about GPUs that its host does not have.
        return (), [f"GPU {device}: no NVIDIA driver answers" for device in devices]
    else:
        chosen = tuple(_device(gpus, device) for device in devices)
    return chosen, [f"{gpu.name} ({gpu.uuid[:12]}): {gpu.flaw}" for gpu in chosen if gpu.flaw]


def _device(gpus: tuple[Gpu, ...], device: str) -> Gpu:
    if device.startswith("MIG-"):
        return Gpu(-1, device, "MIG slice", "the meter of its GPU counts the whole GPU")
    matching = [
        gpu
        for gpu in gpus
        if device == str(gpu.index) or gpu.uuid.lower().startswith(device.lower())
    ]
    if len(matching) != 1:
        raise TrackerError(
            FailureName.UNKNOWN_DEVICE,
            f"tracker.devices names GPU {device!r}, which this host does not have; it has"
            f" {', '.join(f'{gpu.index} ({gpu.uuid[:12]})' for gpu in gpus)}"[:300],
        )
    return matching[0]


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    name, uuid = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetUUID(handle)
    return Gpu(index, uuid, name, _flaw(handle))


def _flaw(handle: Any) -> str:  # noqa: ANN401 - pynvml is untyped
    if _asked(lambda: pynvml.nvmlDeviceGetMigMode(handle)[0]) == pynvml.NVML_DEVICE_MIG_ENABLE:
        return "it is cut into MIG slices, and its meter counts all of them"
    if _asked(lambda: pynvml.nvmlDeviceGetPowerUsage(handle)) is None:
        return "its driver tells no power"
    return ""


def _asked(question: Callable[[], Any]) -> Any:  # noqa: ANN401 - pynvml is untyped
    try:
        return question()
    except pynvml.NVMLError:
        return None


def _is_discrete(device: Path) -> bool:
    memory = _content(device / "mem_info_vram_total")
    return not memory.isdecimal() or int(memory) > DISCRETE_MEMORY_BYTES


def _content(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
