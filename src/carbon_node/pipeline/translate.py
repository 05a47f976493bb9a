"""Between the wire and the domain.

The only place that gives the wire's numbers their units, and where zeros mean failure.
"""

import math
from collections.abc import Mapping
from typing import Final

from carbon_node.estimation import (
    Estimate,
    EstimationRequest,
    ExplicitHardware,
    LatencyUnit,
    NotComputed,
    Place,
    provenance,
)
from carbon_node.estimation.measurement import TrackerFailure, TrackerOutcome
from carbon_node.estimation.text import one_line
from carbon_node.pipeline.ports import HardwareKnowledge
from carbon_node.pipeline.raw_models import raw_model_of
from carbon_node.pipeline.reiteration import keys_of, reiteration
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.tasks.key import Summary
from carbon_node.wire import extra_data
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, UserInput

_FAILED_MODELS = frozenset({"Error", "NO_MODEL"})
"""Model ids by which the ML model provider says that it has none: `Error` in release 0.2,
`NO_MODEL` on main."""

_EXPLICIT_NUMBERS: Final = ("power_w", "latency_h", "energy_Wh")
"""Keys of the hardware's extra_data whose numbers win over the plain ones."""

MAX_SHOWN: Final = 40
"""Characters of a refused text that a warning repeats."""

_FAILED_HARDWARE = "Error"
"""Hardware description by which the hardware provider says that it has none."""


def to_request(
    inputs: TaskInputs, latency_unit: LatencyUnit, knowledge: HardwareKnowledge
) -> EstimationRequest:
    """Give the numbers of a task their units.

    Args:
        inputs: the three samples.
        latency_unit: unit of `HWResource.latency` where none is known for the hardware.
        knowledge: what is known of hardware by its names.

    Returns:
        The question that the task asks. Nothing of it is checked yet: that is the estimation's.
    """
    model, hardware, user = inputs.ml_model, inputs.hw_resource, inputs.user_input
    extra = inputs.extra
    hardware_extra = extra.hw_resource.content
    return EstimationRequest(
        model=model.model,
        model_error=_model_error(model, extra.ml_model.content),
        hardware=hardware.hw_description,
        known=knowledge.known(hardware.hw_description),
        hardware_error=_hardware_error(hardware, hardware_extra),
        power_w=hardware.power_consumption,
        latency=hardware.latency,
        latency_unit=latency_unit,
        states_memory=_states_memory(hardware),
        explicit=_explicit_hardware(hardware_extra),
        refused=_refused_numbers(hardware_extra),
        doubts=tuple(f"the {name} seems to be older than the user input" for name in inputs.older),
        place=Place(region=user.geo_location_region, continent=user.geo_location_continent),
        desired_carbon_g=user.desired_carbon_footprint,
        model_path=model.model_path,
        raw_model=raw_model_of(model),
    )


def summary_of(inputs: TaskInputs) -> Summary:
    """Say what a task is about, in the words of the peers."""
    user = inputs.user_input
    place = ", ".join(filter(None, (user.geo_location_region, user.geo_location_continent)))
    return Summary(inputs.ml_model.model, inputs.hw_resource.hw_description, place)


def to_answer(
    inputs: TaskInputs,
    result: Estimate | NotComputed,
    node_version: str,
    revision: int | None,
    stage_s: Mapping[str, float],
) -> Answer:
    """Write a result down once, for everyone who reads it.

    Args:
        inputs: the three samples.
        result: what came out.
        node_version: version of this package.
        revision: revision of the settings that were used; None if none were.
        stage_s: seconds of each stage so far, by name.
    """
    footprint = to_footprint(inputs, result, node_version, revision)
    match result:
        case NotComputed(reason=reason, detail=detail):
            return Answer(
                footprint=footprint,
                outcome=Outcome.NOT_COMPUTED,
                reason=reason.value,
                detail=detail,
                revision=revision or 0,
                stage_seconds=dict(stage_s),
            )
        case Estimate(carbon_g=carbon_g, intensity=intensity, tracking=tracking) as estimate:
            return Answer(
                footprint=footprint,
                outcome=Outcome.COMPUTED,
                mode=estimate.mode.value,
                place_code=intensity.code,
                place_name=intensity.place,
                energy_kwh=estimate.energy_kwh.value,
                device_energy_kwh=estimate.device_energy_kwh.value,
                intensity_g_per_kwh=intensity.g_per_kwh.value,
                carbon_g=carbon_g.value,
                carbon_low_g=carbon_g.low,
                carbon_high_g=carbon_g.high,
                tracker_failure=_failure_of(tracking.outcome),
                agrees=tracking.agrees,
                revision=estimate.revision,
                stage_seconds=dict(stage_s),
            )


def _failure_of(outcome: TrackerOutcome) -> str:
    return outcome.failure if isinstance(outcome, TrackerFailure) else ""


def to_footprint(
    inputs: TaskInputs, result: Estimate | NotComputed, node_version: str, revision: int | None
) -> CO2Footprint:
    """Write the answer of a task as its consumers need it.

    Args:
        inputs: the three samples.
        result: what came out.
        node_version: version of this package.
        revision: revision of the settings that were used; None if none were.

    Returns:
        The output sample; all its doubles are finite, and zero where there is no result.
    """
    error = _error_of(result)
    user_extra = inputs.extra.user_input.content
    asked = keys_of(reiteration(inputs.user_input, user_extra, inputs.hw_resource, result))
    octets = extra_data.write(
        outputs=extra_data.number_of_outputs(user_extra),
        restrains=extra_data.model_restrains(user_extra, inputs.ml_model.model),
        rest={**asked, **provenance(result, node_version), **_revision(revision)},
        error=error,
    )
    match result:
        case Estimate(footprint=numbers):
            return CO2Footprint(
                numbers.carbon, numbers.energy, numbers.intensity, octets, inputs.task_id
            )
        case NotComputed():
            return CO2Footprint(0.0, 0.0, 0.0, octets, inputs.task_id)


def _revision(revision: int | None) -> dict[str, int]:
    return {} if revision is None else {"settings_revision": revision}


def _error_of(result: Estimate | NotComputed) -> str | None:
    """Put the reason of a failed result in words; None for an estimate."""
    match result:
        case Estimate():
            return None
        case NotComputed(reason=reason, detail=detail):
            return f"{reason.value}: {detail}"


def problems_of(inputs: TaskInputs) -> dict[str, str]:
    """Name the extra_data of a task that cannot be read.

    Args:
        inputs: the three samples.

    Returns:
        Problem by sample; empty if there is none.
    """
    extra = inputs.extra
    problems = {
        UserInput.__name__: extra.user_input.problem,
        MLModel.__name__: extra.ml_model.problem,
        HWResource.__name__: extra.hw_resource.problem,
    }
    return {sample: problem for sample, problem in problems.items() if problem}


def _model_error(model: MLModel, extra: Mapping[str, object]) -> str | None:
    reported = _reported_error(extra)
    if reported is None and model.model in _FAILED_MODELS:
        return f"the ML model provider sent the model {model.model!r}"
    return reported


def _hardware_error(hardware: HWResource, extra: Mapping[str, object]) -> str | None:
    reported = _reported_error(extra)
    if reported is None and hardware.hw_description == _FAILED_HARDWARE:
        return f"the hardware resource provider sent the hardware {_FAILED_HARDWARE!r}"
    return reported


def _reported_error(extra: Mapping[str, object]) -> str | None:
    error = extra.get("error")
    return str(error) if error else None


def _states_memory(hardware: HWResource) -> bool:
    # The hardware nodes of 2026 fill these, in MB; the earlier ones leave them at 0.
    footprints = (hardware.memory_footprint_of_ml_model, hardware.max_hw_memory_footprint)
    return any(math.isfinite(each) and each > 0 for each in footprints)


def _refused_numbers(extra: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(
        f"extra_data {name} is {_shown(value)}, not a number; it is not used"
        for name in _EXPLICIT_NUMBERS
        if (value := extra.get(name)) is not None and extra_data.number(value) is None
    )


def _shown(value: object) -> str:
    match value:
        case str():
            return f"the text {one_line(value, MAX_SHOWN)!r}"
        case bool():
            return str(value).lower()
        case _:
            return f"a {type(value).__name__}"


def _explicit_hardware(extra: Mapping[str, object]) -> ExplicitHardware:
    return ExplicitHardware(
        power_w=extra_data.number(extra.get("power_w")),
        latency_h=extra_data.number(extra.get("latency_h")),
        energy_wh=extra_data.number(extra.get("energy_Wh")),
    )
