"""What a measuring process runs: its job under CarbonTracker, then one message about it."""

import os
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking import devices, meters, observation, other_load
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import Job, Json, SimulatedGroup, send
from carbon_node.tracking.models import HuggingFaceModel, Model, OnnxModel, open_model

SUB_WINDOWS: Final = 5
"""Parts of a window whose energies of an inference are compared."""

SETTLING_S: Final = 1.5
"""Of inferences before a GPU's window: since Ampere, NVML tells the mean of the second before, and
a window that began with the work would hold idle power."""

CPU_INFO: Final = Path("/proc/cpuinfo")
OWN_MAPS: Final = Path("/proc/self/maps")


def run(job: Job, result: int, raw_model: int | None) -> None:
    """Measure and send the result.

    Args:
        job: what to measure and within which bounds.
        result: file descriptor that takes the one message.
        raw_model: file descriptor that holds a model's bytes.

    Raises:
        TrackerError: the model cannot be measured; the guard passes the reason on.
    """
    match job.run:
        case SimulatedRun(power_w):
            (observed,) = observation.observe_simulated(job.window_s, (power_w,))
            send(result, {"observation": observed})
        case SimulatedGroup(powers_w):
            send(result, {"observations": observation.observe_simulated(job.window_s, powers_w)})
        case ModelRun() as model:
            inference = partial(_opened_inference, model, job, raw_model)
            send(result, {"observation": observed_inferences(job, inference)})


def observed_inferences(job: Job, load: Callable[[], Callable[[], object]]) -> Json:
    """Observe inferences on this host, and under which circumstances they ran.

    Args:
        job: on which devices, and how long.
        load: loads the model once it can see only the devices that it is charged for, and returns
            what runs one inference.

    Raises:
        TrackerError: a device cannot be charged, or the model cannot be loaded.
    """
    choice = devices.choose(job.devices, job.unmetered)
    meters.correct_carbontracker(choice)
    on_gpus = other_load.on_gpus(choice.charged)
    work = _repeated(load())
    before = other_load.CoreSeconds.now()
    observed = observation.observe(
        job.window_s,
        work,
        observation.host_components(),
        SUB_WINDOWS,
        settling_s=SETTLING_S if choice.charged else 0.0,
    )
    on_cores = other_load.on_cores(before, other_load.CoreSeconds.now(), os.cpu_count() or 1)
    observed["circumstances"] = {
        "host": socket.gethostname(),
        "sockets": sockets(CPU_INFO),
        "excluded": list(choice.excluded),
        "others": [*on_gpus, *on_cores],
        "used_gpu": devices.cuda_is_loaded(OWN_MAPS),
    }
    return observed


def sockets(info: Path) -> int:
    """Return how many processors the host has, at least 1.

    Args:
        info: the kernel's list of processors.
    """
    lines = info.read_text().splitlines()
    return len({line for line in lines if line.startswith("physical id")}) or 1


def _opened_inference(run: ModelRun, job: Job, raw_model: int | None) -> Callable[[], object]:
    return _inference_of(open_model(run, raw_model, job.model_roots, job.model_limit_bytes))


def _inference_of(model: Model) -> Callable[[], object]:
    # What runs a model is imported by the process that runs one, and is an extra.
    try:
        match model:
            case OnnxModel():
                from carbon_node.tracking import onnx_inference

                return onnx_inference.inference_of(model)
            case HuggingFaceModel():
                from carbon_node.tracking import hugging_face_inference

                return hugging_face_inference.inference_of(model)
    except ModuleNotFoundError as error:
        extra = "onnx" if isinstance(model, OnnxModel) else "hf"
        raise TrackerError(
            FailureName.EXTRA_MISSING,
            f"{error.name} is not installed; install it with: pip install 'carbon-node[{extra}]'",
        ) from error


def _repeated(inference: Callable[[], object]) -> Callable[[float], int]:
    def work(seconds: float) -> int:
        end_s = time.monotonic() + seconds
        count = 0
        while count == 0 or time.monotonic() < end_s:
            inference()
            count += 1
        return count

    return work
