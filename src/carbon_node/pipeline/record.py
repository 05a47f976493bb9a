"""A task and its answer as the history keeps them."""

from collections.abc import Mapping

from carbon_node.estimation import Estimate, NotComputed
from carbon_node.pipeline.progress import Answer
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks import answer as kept
from carbon_node.tasks.answer import Outcome
from carbon_node.tasks.key import Summary


def summary_of(inputs: TaskInputs) -> Summary:
    """Say what a task is about, in the words of the peers."""
    user = inputs.user_input
    place = ", ".join(filter(None, (user.geo_location_region, user.geo_location_continent)))
    return Summary(inputs.ml_model.model, inputs.hw_resource.hw_description, place)


def answer_of(answer: Answer, stage_s: Mapping[str, float]) -> kept.Answer:
    """Write an answer for the history.

    Args:
        answer: what the task is answered with.
        stage_s: seconds of each stage so far, by name.
    """
    match answer.result:
        case NotComputed(reason=reason):
            return kept.Answer(
                answer.footprint,
                Outcome.NOT_COMPUTED,
                reason=reason.value,
                stage_seconds=dict(stage_s),
            )
        case Estimate() as estimate:
            return kept.Answer(
                answer.footprint,
                Outcome.COMPUTED,
                mode=estimate.mode.value,
                place_code=estimate.intensity.code,
                energy_kwh=estimate.energy_kwh.value,
                device_energy_kwh=estimate.device_energy_kwh.value,
                intensity_g_per_kwh=estimate.intensity.g_per_kwh.value,
                carbon_g=estimate.carbon_g.value,
                carbon_low_g=estimate.carbon_g.low,
                carbon_high_g=estimate.carbon_g.high,
                revision=estimate.revision,
                stage_seconds=dict(stage_s),
            )
