"""Hosts with meters that this one lacks, behind the interfaces that CarbonTracker reads."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
from carbontracker.components.cpu import generic, intel

from carbon_node.estimation.measurement import ModelRun
from carbon_node.tracking import workload
from carbon_node.tracking.messages import Job, send

PACKAGE_W = 100.0
MEMORY_W = 20.0
NAMES = {PACKAGE_W: "package-0", MEMORY_W: "dram", 0.0: "core"}


def run(job: Job, result: int, _raw_model: int | None) -> None:
    """Measure a short sleep on the host that the job's model id names."""
    assert isinstance(job.run, ModelRun)
    globals()[job.run.model]()
    send(result, {"observation": workload.observed_inferences(job, lambda: _inference)})


def _inference() -> None:
    time.sleep(0.005)


def one_rapl() -> None:
    """A package and its memory, with a core's zone inside the package's."""
    _rapl({"intel-rapl:0": PACKAGE_W, "intel-rapl:0:0": 0.0, "intel-rapl:0:1": MEMORY_W})
    _gpus([])


def two_sockets() -> None:
    """Two packages and their memory, and the zones that count the first one again."""
    zones = {f"intel-rapl:{each}": PACKAGE_W for each in range(2)}
    memory = {f"intel-rapl:{each}:0": MEMORY_W for each in range(2)}
    _rapl({**zones, **memory, "intel-rapl-mmio:0": PACKAGE_W})
    _gpus([])


def twelve_zones() -> None:
    """Twelve packages, two of them with numbers of two digits."""
    _rapl({f"intel-rapl:{each}": PACKAGE_W for each in range(12)})
    _gpus([])


def eight_gpus() -> None:
    """Eight GPUs of 100 to 170 W beside a package of 100 W."""
    _rapl({"intel-rapl:0": PACKAGE_W})
    _gpus([100.0 + 10 * each for each in range(8)])


def one_gpu_without_meter() -> None:
    """A GPU of 300 W beside one that tells no power."""
    _rapl({"intel-rapl:0": PACKAGE_W})
    _gpus([300.0, None])


def mig_slices() -> None:
    """A GPU of 300 W beside one that is cut into slices."""
    _rapl({"intel-rapl:0": PACKAGE_W})
    _gpus([300.0, 250.0], mig=1)


def busy_gpu() -> None:
    """A GPU that another process computes on."""
    _rapl({"intel-rapl:0": PACKAGE_W})
    _gpus([300.0], busy_percent=63)


def uneven() -> None:
    """A host on which the second half of the inferences takes three times as long."""
    one_rapl()
    started_s = time.monotonic()
    globals()["_inference"] = lambda: time.sleep(
        0.005 if time.monotonic() < started_s + 0.6 else 0.015
    )


def two_unmetered_sockets() -> None:
    """Two processors of one kind without any meter."""
    _rapl({})
    _gpus([])
    generic.GenericCPU.get_cpu_brand = lambda _: "AMD EPYC 9654 96-Core Processor"
    workload.sockets = lambda _: 2  # type: ignore[assignment]


def _rapl(watts: dict[str, float]) -> None:
    powercap = Path.cwd() / "powercap"
    for zone, power_w in watts.items():
        (powercap / zone).mkdir(parents=True)
        (powercap / zone / "name").write_text(f"{NAMES[power_w]}\n")
    intel.RAPL_DIR = str(powercap)
    intel.IntelCPU._read_energy = lambda _, path: int(
        time.monotonic() * watts[Path(path).name] * 1e6
    )


def _gpus(watts: list[float | None], mig: int | None = None, busy_percent: int = 0) -> None:
    def power_mw(index: int) -> float:
        power_w = watts[index]
        if power_w is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return power_w * 1000

    _replace(
        Init=lambda: None,
        Shutdown=lambda: None,
        DeviceGetCount=lambda: len(watts),
        DeviceGetHandleByIndex=lambda index: index,
        DeviceGetHandleByUUID=lambda uuid: int(uuid.removeprefix("GPU-")),
        DeviceGetName=lambda index: f"Model {index}",
        DeviceGetUUID=lambda index: f"GPU-{index:08}",
        DeviceGetPowerUsage=power_mw,
        DeviceGetMigMode=lambda index: (int(index == mig), 0),
        DeviceGetComputeRunningProcesses=lambda _: [],
        DeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=busy_percent),
    )


def _replace(**functions: Any) -> None:  # noqa: ANN401 - functions of an untyped module
    for name, function in functions.items():
        setattr(pynvml, f"nvml{name}", function)
