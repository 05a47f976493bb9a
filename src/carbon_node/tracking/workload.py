"""What a measuring process runs: its job under CarbonTracker, then one message about it."""

import time
from collections.abc import Callable

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking import observation
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import Job, Json, send
from carbon_node.tracking.models import HuggingFaceModel, Model, OnnxModel, open_model


def run(job: Job, result: int, raw_model: int | None) -> None:
    """Measure and send the result.

    Args:
        job: what to measure and within which bounds.
        result: file descriptor that takes the one message.
        raw_model: file descriptor that holds a model's bytes.

    Raises:
        TrackerError: the model cannot be measured; the guard passes the reason on.
    """
    send(result, {"observation": _observed(job, raw_model)})


def _observed(job: Job, raw_model: int | None) -> Json:
    match job.run:
        case SimulatedRun(power_w):
            components = observation.simulated_components(power_w)
            return observation.observe(job.window_s, _wait, components)
        case ModelRun():
            model = open_model(job.run, raw_model, job.model_roots, job.model_limit_bytes)
            work = _repeated(_inference_of(model))
            return observation.observe(job.window_s, work, observation.host_components())


def _wait(seconds: float) -> int:
    time.sleep(seconds)
    return 0


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
