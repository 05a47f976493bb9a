"""The names of this host and its devices, from the kernel's files. Loads no driver."""

import socket
from pathlib import Path
from typing import Final

from carbon_node.hardware.names import processor_name

CPU_INFO: Final = Path("/proc/cpuinfo")
NVIDIA_GPUS: Final = Path("/proc/driver/nvidia/gpus")


def names_of_this_host() -> tuple[str, ...]:
    """Return by which names a task means this host: its own, and those of its devices."""
    model = processor_model(CPU_INFO)
    # "Intel Xeon" of a virtual machine is a family: what names it can be anybody's.
    is_model = any(character.isdecimal() for character in processor_name(model))
    processors = (model, processor_name(model)) if is_model else ()
    return (socket.gethostname(), *processors, *nvidia_models(NVIDIA_GPUS))


def processor_model(info: Path) -> str:
    """Return the processor's name as the kernel has it; empty if it has none.

    Args:
        info: the kernel's list of processors.
    """
    return _value(info, "model name")


def nvidia_models(gpus: Path) -> tuple[str, ...]:
    """Return the product names of the NVIDIA GPUs, each once.

    Args:
        gpus: folder in which the driver shows them.
    """
    models = (_value(file, "Model") for file in sorted(gpus.glob("*/information")))
    return tuple(dict.fromkeys(filter(None, models)))


def _value(file: Path, key: str) -> str:
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    values = (
        value.strip()
        for name, _, value in (line.partition(":") for line in lines)
        if name.strip() == key
    )
    return next(values, "")
