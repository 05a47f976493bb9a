"""What a measuring process runs: its job under CarbonTracker, then one message about it."""

import os
import time

from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking import observation
from carbon_node.tracking.messages import Job, Json, frame


def run(job: Job, result: int, model: int | None) -> None:
    """Measure and send the result.

    Args:
        job: what to measure and within which bounds.
        result: file descriptor that takes the one message.
        model: file descriptor that holds a model's bytes.
    """
    data = frame(_measure(job, model))
    while data:
        data = data[os.write(result, data) :]


def _measure(job: Job, model: int | None) -> Json:
    match job.run:
        case SimulatedRun(power_w):
            components = observation.simulated_components(power_w)
            return {"observation": observation.observe(job.window_s, _wait, components)}
        case ModelRun():
            raise NotImplementedError(model)


def _wait(seconds: float) -> int:
    time.sleep(seconds)
    return 0
