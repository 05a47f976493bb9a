"""What can be measured on this host, what is missing, and what fixes it. Measures nothing."""

import importlib.metadata
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pynvml

from carbon_node.tracking.devices import Gpu, nvidia_gpus

RAPL: Final = Path("/sys/class/powercap")
CPU_INFO: Final = Path("/proc/cpuinfo")

RAPL_RULE: Final = "z /sys/class/powercap/intel-rapl:*/energy_uj 0444"
"""Line for systemd-tmpfiles that keeps the counters readable after a reboot."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a measurement can use.

    Args:
        name: what it is, e.g. "rapl".
        is_usable: whether it can be used here and now.
        detail: what was found, one line.
        fix: exact command or setting that makes it usable; empty if nothing has to or can be done.
        breaks: modes that give no measurement until it is fixed.
    """

    name: str
    is_usable: bool
    detail: str
    fix: str = ""
    breaks: tuple[str, ...] = ()


def findings(model_roots: tuple[Path, ...]) -> tuple[Finding, ...]:
    """Return what measurements can use on this host. Reads files and asks the NVIDIA driver.

    Args:
        model_roots: folders below which models may be opened.
    """
    extras = (
        package("onnx", ("onnxruntime",), "pip install 'carbon-node[onnx]'"),
        package("hf", ("torch", "transformers"), "pip install 'carbon-node[hf]'"),
    )
    return (
        processor(CPU_INFO),
        rapl(RAPL),
        nvml(),
        carbontracker(),
        *extras,
        *_no_extra(extras),
        roots(model_roots),
        process_limit(os.geteuid()),
    )


def modes(found: Iterable[Finding]) -> tuple[str, ...]:
    """Return the modes that work on this host.

    Args:
        found: what `findings` returned.
    """
    broken = {mode for finding in found for mode in finding.breaks}
    return tuple(mode for mode in ("formula", "declared", "measured") if mode not in broken)


def power_source(found: Iterable[Finding]) -> str:
    """Return where the power of a model run on this host comes from: meters, or a guess."""
    meters = [each.name for each in found if each.is_usable and each.name in ("nvml", "rapl")]
    return "+".join(meters) or "guess"


def processor(info: Path) -> Finding:
    """Return the processor's name, from which CarbonTracker guesses power where nothing is metered.

    Args:
        info: the kernel's list of processors.
    """
    names = [
        line.partition(":")[2].strip()
        for line in info.read_text().splitlines()
        if line.startswith("model name")
    ]
    detail = f"{len(names)} x {names[0]}" if names else "of unknown name"
    return Finding("cpu", is_usable=True, detail=detail)


def rapl(powercap: Path) -> Finding:
    """Return whether the processor's energy counters can be read.

    Args:
        powercap: folder in which the kernel shows them.
    """
    counters = sorted(_counters(powercap))
    unreadable = [str(path) for path in counters if not os.access(path, os.R_OK)]
    if not counters:
        return Finding(
            "rapl",
            is_usable=False,
            detail="no energy counters, as usual on a virtual machine",
            fix="on bare metal: modprobe intel_rapl_msr; in a virtual machine: none",
        )
    if unreadable:
        return Finding(
            "rapl",
            is_usable=False,
            detail=f"{len(unreadable)} of {len(counters)} energy counters are for root only",
            fix=f"chmod a+r {' '.join(unreadable)}; to stay, in /etc/tmpfiles.d: {RAPL_RULE}",
            breaks=("measured",),
        )
    return Finding("rapl", is_usable=True, detail=f"{len(counters)} energy counters are readable")


def _counters(powercap: Path) -> Iterator[Path]:
    for zone in powercap.glob("intel-rapl:*"):
        name = zone / "name"
        # The zones that CarbonTracker reads: packages and their memory.
        if name.is_file() and any(kind in name.read_text() for kind in ("package", "dram")):
            yield zone / "energy_uj"


def nvml() -> Finding:
    """Return whether the NVIDIA driver reports the power of its GPUs."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Finding(
            "nvml",
            is_usable=False,
            detail=f"no NVIDIA GPU can be asked: {error}",
            fix="where there is one: install its driver, or start the container with --gpus all",
        )
    try:
        return _gpus()
    finally:
        pynvml.nvmlShutdown()


def _gpus() -> Finding:
    gpus = nvidia_gpus()
    metered = any(not gpu.flaw for gpu in gpus)
    return Finding(
        "nvml",
        is_usable=metered,
        detail=", ".join(map(_told, gpus)) or "no GPU",
        fix=""
        if metered
        else "update the driver; where that does not help, declare the GPU's power",
    )


def _told(gpu: Gpu) -> str:
    if gpu.flaw:
        return f"{gpu.index} {gpu.name}: {gpu.flaw}"
    handle = pynvml.nvmlDeviceGetHandleByIndex(gpu.index)
    return f"{gpu.index} {gpu.name} at {pynvml.nvmlDeviceGetPowerUsage(handle) / 1000:g} W"


def carbontracker() -> Finding:
    """Return whether CarbonTracker is installed; only `formula` works without it."""
    found = package("carbontracker", ("carbontracker",), "pip install carbontracker")
    return found if found.is_usable else replace(found, breaks=("declared", "measured"))


def _no_extra(extras: Iterable[Finding]) -> Iterator[Finding]:
    if not any(extra.is_usable for extra in extras):
        detail = "nothing that runs models is installed"
        yield Finding(
            "models",
            is_usable=False,
            detail=detail,
            fix="install one of the extras onnx and hf",
            breaks=("measured",),
        )


def package(name: str, distributions: tuple[str, ...], fix: str) -> Finding:
    """Return whether Python packages are installed, without importing them.

    Args:
        name: of the finding.
        distributions: packages that are needed together.
        fix: command that installs them.
    """
    versions = {each: _version(each) for each in distributions}
    missing = [each for each, version in versions.items() if not version]
    if missing:
        return Finding(name, is_usable=False, detail=f"not installed: {' '.join(missing)}", fix=fix)
    return Finding(
        name,
        is_usable=True,
        detail=", ".join(f"{each} {version}" for each, version in versions.items()),
    )


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def roots(model_roots: tuple[Path, ...]) -> Finding:
    """Return whether models can be opened by path.

    Args:
        model_roots: folders below which they may be.
    """
    missing = [str(root) for root in model_roots if not os.access(root, os.R_OK | os.X_OK)]
    if not model_roots:
        return Finding(
            "model_roots",
            is_usable=False,
            detail="no model is opened by path or id; bytes sent with a task are run",
            fix="set tracker.model_roots to the folders that hold models",
        )
    if missing:
        return Finding(
            "model_roots",
            is_usable=False,
            detail=f"cannot be read: {' '.join(missing)}",
            fix="make them readable for the node's user, or change tracker.model_roots",
        )
    return Finding("model_roots", is_usable=True, detail=" ".join(map(str, model_roots)))


def process_limit(user_id: int) -> Finding:
    """Return whether the limit on processes applies to measurements.

    Args:
        user_id: effective id of the user that runs the node.
    """
    if user_id == 0:
        return Finding(
            "process_limit",
            is_usable=False,
            detail="runs as root, which the kernel exempts from the limit on processes",
            fix="run the node as another user, or set TasksMax= in its systemd unit",
        )
    return Finding("process_limit", is_usable=True, detail=f"applies to user {user_id}")
