"""CarbonTracker on hardware that this host lacks, made to misreport as it does in the field."""

import time
from types import SimpleNamespace
from typing import Any

import carbontracker.tracker
from carbontracker import exceptions
from carbontracker.components import component
from carbontracker.components.cpu import generic, intel
from carbontracker.components.gpu import nvidia, sim_gpu

from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking import observation, workload
from carbon_node.tracking.messages import Job, send

WINDOW_S = 0.05
RAPL_W = (100.0, 20.0)
"""Power of a fake processor package and of its memory."""


def run(job: Job, result: int, raw_model: int | None) -> None:
    """Run the trap that the job's model id names, or a simulated run as the node would."""
    if isinstance(job.run, SimulatedRun):
        workload.run(job, result, raw_model)
        return
    assert isinstance(job.run, ModelRun)
    arguments = globals()[job.run.model]()
    send(result, {"observation": observation.observe(WINDOW_S, _busy, arguments)})


def _busy(seconds: float) -> int:
    time.sleep(seconds)
    return 1


def four_gpus() -> dict[str, Any]:
    """Four GPUs of 300 W each."""
    return _gpus(lambda: [300.0] * 4)


def gpu_without_power() -> dict[str, Any]:
    """A GPU whose driver does not tell its power."""

    def refuse() -> list[float]:
        raise exceptions.GPUPowerUsageRetrievalError

    return _gpus(refuse)


def gpu_of_nan_watts() -> dict[str, Any]:
    """A GPU that draws no number."""
    return _gpus(lambda: [float("nan")] * 4)


def gpu_of_zero_watts() -> dict[str, Any]:
    """A GPU of which one of four reads zero."""
    return _gpus(lambda: [300.0, 300.0, 300.0, 0.0])


def gpu_lost_from_the_bus() -> dict[str, Any]:
    """Four GPUs of which three answer."""
    return _gpus(lambda: [300.0] * 3)


def _gpus(read: Any) -> dict[str, Any]:  # noqa: ANN401 - patches an untyped class
    handler = nvidia.NvidiaGPU
    handler.available = lambda _: True
    handler.init = handler.shutdown = lambda _: None
    handler.devices = lambda _: [f"GPU {number}" for number in range(4)]
    handler.power_usage = lambda _: read()
    return {"components": "gpu"}


def rapl() -> dict[str, Any]:
    """A processor package of 100 W and its memory of 20 W, whose counters tell microjoules."""
    _rapl(lambda watts: int(time.monotonic() * watts * 1e6))
    return {"components": "cpu"}


def rapl_unreadable() -> dict[str, Any]:
    """Energy counters that only root may read, as distributions ship them."""

    def refuse(_: float) -> int:
        raise PermissionError

    _rapl(refuse)
    return {"components": "cpu"}


def rapl_wrapped() -> dict[str, Any]:
    """Energy counters that have run over."""
    _rapl(lambda watts: -int(time.monotonic() * watts * 1e6))
    return {"components": "cpu"}


def _rapl(read: Any) -> None:  # noqa: ANN401 - patches an untyped class
    handler = intel.IntelCPU
    handler.available = lambda _: True
    handler.init = _find_rapl
    handler._get_measurements = lambda self: _readings(self, read)


def _find_rapl(handler: Any) -> None:  # noqa: ANN401 - an untyped class
    handler._devices, handler._rapl_devices = ["cpu:0", "dram:0"], list(RAPL_W)


def _find_nothing(handler: Any) -> None:  # noqa: ANN401 - an untyped class
    handler._devices = handler._rapl_devices = []


def _readings(handler: Any, read: Any) -> list[int]:  # noqa: ANN401 - an untyped class
    try:
        return [read(watts) for watts in handler._rapl_devices]
    except PermissionError as error:
        raise exceptions.IntelRaplPermissionError(["/energy_uj"]) from error


def rapl_without_counters() -> dict[str, Any]:
    """A kernel that has the interface to energy counters, but no counter."""
    _rapl(lambda _: 0)
    intel.IntelCPU.init = _find_nothing
    return {"components": "cpu"}


def host_without_meters() -> dict[str, Any]:
    """A host of which only a processor without energy counters is known."""
    intel.IntelCPU.available = lambda _: False
    generic.GenericCPU.get_cpu_brand = lambda _: "Processor"
    return {"components": "cpu"}


def no_component() -> dict[str, Any]:
    """A host without the component that is asked for."""
    nvidia.NvidiaGPU.available = lambda _: False
    return {"components": "gpu"}


def unknown_component() -> dict[str, Any]:
    """Arguments that CarbonTracker's constructor refuses."""
    return {"components": "flux"}


def error_in_its_thread() -> dict[str, Any]:
    """A simulated GPU that fails while it is read."""

    def fail(_: object) -> list[float]:
        raise RuntimeError

    sim_gpu.SimulatedGPUHandler.power_usage = fail
    return observation.simulated_components(300.0)


def nothing_collected() -> dict[str, Any]:
    """A window that ends before CarbonTracker has read anything."""
    component.Component.collect_power_usage = lambda *_: None
    observation._all_were_read = lambda _: True  # type: ignore[assignment]
    return observation.simulated_components(300.0)


def wall_clock_jumps() -> dict[str, Any]:
    """A wall clock that is set forward while CarbonTracker measures."""
    carbontracker.tracker.time = SimpleNamespace(time=lambda: time.time() * 2)
    return observation.simulated_components(300.0)
