"""A report of what was measured on a GPU, to be kept: `python -m tests.gpu.report FILE`."""

import ctypes
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pynvml
from tests.fault.guarded import Outcome
from tests.gpu.measuring import (
    WINDOW_S,
    EnergyCounter,
    library_path,
    load_by_others,
    measure,
    metered_w,
)

from carbon_node.estimation.measurement import GuessedPower, Measurement
from carbon_node.hardware import names_of_this_host, shipped_catalogue
from carbon_node.tracking.devices import nvidia_gpus

COLUMNS = (
    *("what", "devices", "inferences", "W metered", "W counted", "J an inference"),
    *("spread of sub-windows", "said"),
)


def main(report: Path) -> int:
    """Measure, print each line as it comes, and write them to the report."""
    with report.open("w", encoding="utf-8") as file:
        for line in _lines():
            print(line, flush=True)  # noqa: T201 - this is a command
            file.write(f"{line}\n")
            file.flush()
    return 0


def _lines() -> Iterator[str]:
    yield "# Measurements on a GPU"
    yield ""
    yield from _machine()
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    yield _row("GPU otherwise idle", ("0",))
    yield _row("the same again", ("0",))
    with load_by_others():
        yield _row("loaded by another process", ("0",))
    yield _row("chosen by UUID", (nvidia_gpus()[0].uuid,))
    yield _row("all visible", None)
    yield _row("none visible", ())
    yield _row("one that is not there", ("99",))


def _machine() -> Iterator[str]:
    pynvml.nvmlInit()
    try:
        yield f"- driver {pynvml.nvmlSystemGetDriverVersion()}, Python {platform.python_version()}"
        for gpu in nvidia_gpus():
            yield from _gpu(gpu.index, gpu.name, gpu.flaw)
    finally:
        pynvml.nvmlShutdown()
    powercap = Path("/sys/class/powercap")
    zones = [each.name for each in powercap.glob("intel-rapl:*")] if powercap.is_dir() else []
    yield f"- RAPL zones: {len(zones)}; names of this host: {', '.join(names_of_this_host())}"
    yield f"- libcuda needs LD_LIBRARY_PATH: {'yes' if library_path() else 'no'}; {_loads()}"


def _gpu(index: int, name: str, flaw: str) -> Iterator[str]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    hardware = shipped_catalogue().get(name)
    rated = "unknown to the catalogue" if hardware is None else f"rated {hardware.rated_w:g} W"
    facts = {
        "W limit": lambda: pynvml.nvmlDeviceGetPowerManagementLimit(handle) / 1000,
        "W now": lambda: pynvml.nvmlDeviceGetPowerUsage(handle) / 1000,
        "% busy": lambda: pynvml.nvmlDeviceGetUtilizationRates(handle).gpu,
        "processes": lambda: len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)),
        "MIG mode": lambda: pynvml.nvmlDeviceGetMigMode(handle)[0],
    }
    told = ", ".join(f"{_asked(question)} {what}" for what, question in facts.items())
    yield f"- GPU {index}: {name}, {rated}; {told}{f'; {flaw}' if flaw else ''}"


def _asked(question: Callable[[], Any]) -> str:
    try:
        return f"{question():g}"
    except pynvml.NVMLError as error:
        return f"({error})"


def _loads() -> str:
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return f"it cannot be loaded: {error}"
    return "it can be loaded"


def _row(what: str, devices: tuple[str, ...] | None) -> str:
    counter = EnergyCounter()
    with tempfile.TemporaryDirectory() as folder, counter.counting():
        outcome = measure(Path(folder), devices)
    chosen = "all" if devices is None else " ".join(each[:12] for each in devices) or "none"
    return f"| {what} | {chosen} | {' | '.join(_cells(outcome, counter))} |"


def _guess(guess: GuessedPower) -> str:
    watts = guess.power_w
    return f"not metered: {guess.processor}, {watts.low:.1f} to {watts.high:.1f} W"


def _cells(outcome: Outcome, counter: EnergyCounter) -> tuple[str, ...]:
    if not isinstance(outcome, Measurement):
        return ("-", "-", "-", "-", "-", f"refused: {outcome}")
    watts = metered_w(outcome)
    joules = watts * outcome.duration_s / max(1, outcome.inferences)
    return (
        str(outcome.inferences),
        f"{watts:.1f} ({'+'.join(outcome.meters) or 'none'})",
        f"{counter.highest_mean_w(WINDOW_S):.1f}",
        f"{joules:.4g}",
        f"{outcome.spread.low:.3f} to {outcome.spread.high:.3f}",
        "; ".join((*outcome.others, *outcome.excluded, *map(_guess, outcome.guesses))) or "-",
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
