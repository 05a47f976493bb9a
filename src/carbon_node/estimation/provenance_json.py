"""The origin of a result as JSON: what is merged into the published `extra_data`.

docs/provenance.schema.json describes it. Keys that the pipeline's consumers own (`num_outputs`,
`model_restrains`, `error`) are never used here.
The same result gives the same dictionary, in the same order.
"""

from carbon_node.estimation.estimate import AGREEMENT_BOUND
from carbon_node.estimation.interval import Factor, Interval
from carbon_node.estimation.measurement import (
    Measurement,
    ModelRun,
    NotTracked,
    SimulatedRun,
    TrackerFailure,
)
from carbon_node.estimation.request import Place
from carbon_node.estimation.result import (
    Basis,
    Budget,
    CarbonIntensity,
    Estimate,
    NotComputed,
    Reason,
    Step,
    Tracking,
)
from carbon_node.estimation.text import one_line
from carbon_node.estimation.units import UNIT_NAMES
from carbon_node.json_value import Json

SCHEMA = 1
"""Version of the provenance's layout; raised when a key changes its meaning or goes."""

NO_MODEL = "no_model"
ERROR = "error"
"""What `mode` says where there is no result, as in the carbon node of 2026."""

MAX_TEXT = 160
"""Characters of one line of this node's that are published."""

MAX_ASKED = 64
"""Characters of a place that are repeated; a result stays small whatever peers send."""

MAX_PARTS = 6
"""Parts of a place's text, and grid zones, that are named."""

MAX_PART = 40
"""Characters of each."""

MAX_WARNINGS = 8
"""Warnings that are published."""

MAX_COMPONENTS = 8
"""Measured components that are named."""


def provenance(result: Estimate | NotComputed, node_version: str) -> dict[str, Json]:
    """Describe where a result comes from.

    Args:
        result: what was concluded.
        node_version: version of this package.

    Returns:
        A JSON object of finite numbers, below 4 kB when serialised compactly.
    """
    match result:
        case Estimate():
            return _of_estimate(result, node_version)
        case NotComputed():
            return {
                "schema": SCHEMA,
                "mode": NO_MODEL if result.reason is Reason.NO_MODEL else ERROR,
                "not_computed": {
                    "reason": result.reason.value,
                    "detail": _clipped(result.detail),
                },
                **({"warnings": _lines(result.warnings)} if result.warnings else {}),
                "node_version": node_version,
            }


def _of_estimate(estimate: Estimate, node_version: str) -> dict[str, Json]:
    carbon, energy, intensity = UNIT_NAMES[estimate.output_units]
    warnings = (*estimate.intensity.warnings, *estimate.warnings)
    return {
        "schema": SCHEMA,
        "mode": estimate.mode.value,
        "units": {
            "carbon_footprint": carbon,
            "energy_consumption": energy,
            "carbon_intensity": intensity,
        },
        "hardware": _hardware(estimate),
        **_measured_on(estimate),
        "latency_unit": estimate.latency_unit.value,
        "latency_evidence": estimate.latency_evidence.value,
        "inferences": estimate.inferences,
        "factors": {
            **{named.name: _factor(named.factor) for named in estimate.factors},
            "pue": _factor(estimate.pue),
            "intensity_g_per_kwh": _intensity(estimate.intensity),
        },
        "device_energy_kwh": _interval(estimate.device_energy_kwh),
        "energy_kwh": _interval(estimate.energy_kwh),
        "carbon_g": _interval(estimate.carbon_g),
        "grid_ci_source": estimate.intensity.origin.value,
        "place": _place(estimate.place, estimate.intensity),
        "tracker": _tracking(estimate.tracking),
        **({"budget": _budget(estimate.budget)} if estimate.budget is not None else {}),
        "warnings": _lines(warnings),
        "node_version": node_version,
        "settings_revision": estimate.revision,
    }


def _hardware(estimate: Estimate) -> Json:
    known = estimate.known
    facts: dict[str, Json] = {
        "named": one_line(estimate.hardware, MAX_ASKED),
        "energy_of": _owner(estimate),
    }
    if known.known_as:
        facts |= {"known_as": known.known_as, "count": known.count, "rated_w": known.rated_w}
    if known.entry:
        facts["entry"] = _clipped(known.entry)
    return facts


def _owner(estimate: Estimate) -> str:
    match estimate.mode:
        case Basis.DECLARED | Basis.FORMULA:
            return "the named hardware, as declared"
        case Basis.CATALOGUE:
            return "the named hardware, by what is known of it"
        case Basis.MEASURED | Basis.ESTIMATED if estimate.known.is_here:
            return "the named hardware, which is this host or a device of it"
        case Basis.MEASURED | Basis.ESTIMATED:
            return "the host that ran the model, not the named hardware"


def _measured_on(estimate: Estimate) -> dict[str, Json]:
    run = estimate.tracking.outcome
    if not estimate.mode.is_of_a_run or not isinstance(run, Measurement):
        return {}
    return {
        "measured_on": {
            "host": _clipped(run.host),
            "components": _components(run),
            "meters": [_clipped(meter) for meter in run.meters[:MAX_COMPONENTS]],
            "excluded": [_clipped(device) for device in run.excluded[:MAX_COMPONENTS]],
        }
    }


def _components(run: Measurement) -> Json:
    return [_clipped(component) for component in run.components[:MAX_COMPONENTS]]


def _interval(interval: Interval) -> Json:
    return [interval.low, interval.value, interval.high]


def _factor(factor: Factor) -> Json:
    return {"interval": _interval(factor.interval), "source": _clipped(factor.source)}


def _intensity(intensity: CarbonIntensity) -> Json:
    return {
        "interval": _interval(intensity.g_per_kwh),
        "source": _clipped(intensity.source),
        "year": intensity.year,
        **({"counted": intensity.counted} if intensity.counted else {}),
        **({"zones": list(intensity.zones[:MAX_PARTS])} if intensity.zones else {}),
    }


def _place(asked: Place, intensity: CarbonIntensity) -> Json:
    return {
        "region": one_line(asked.region, MAX_ASKED),
        "continent": one_line(asked.continent, MAX_ASKED),
        "name": _clipped(intensity.place),
        "code": intensity.code,
        "steps": [_step(step) for step in intensity.steps],
        **_account(intensity),
    }


def _account(intensity: CarbonIntensity) -> dict[str, Json]:
    """Say which parts of the text were accounted for, and which were not."""
    understood: list[Json] = [
        {"text": one_line(part.text, MAX_PART), "as": part.kind}
        for part in intensity.understood[:MAX_PARTS]
    ]
    left: list[Json] = [one_line(text, MAX_PART) for text in intensity.not_understood[:MAX_PARTS]]
    return {
        **({"understood": understood} if understood else {}),
        **({"not_understood": left} if left else {}),
    }


def _step(step: Step) -> Json:
    names = {"name": _clipped(step.name)} if step.name else {}
    codes = {"code": step.code} if step.code else {}
    return {"rung": step.rung, "outcome": _clipped(step.outcome), **names, **codes}


def _tracking(tracking: Tracking) -> Json:
    return {"run": _run_name(tracking), **_outcome(tracking)}


def _run_name(tracking: Tracking) -> str:
    match tracking.run:
        case SimulatedRun():
            return "simulated"
        case ModelRun():
            return "model"
        case None:
            return "none"


def _outcome(tracking: Tracking) -> dict[str, Json]:
    match tracking.outcome:
        case Measurement() as measurement:
            return _measurement(measurement, tracking)
        case TrackerFailure(failure=failure, detail=detail):
            return {"failure": failure, "detail": _clipped(detail)}
        case NotTracked():
            return {}


def _measurement(measurement: Measurement, tracking: Tracking) -> dict[str, Json]:
    facts: dict[str, Json] = {
        "device_energy_kwh": measurement.device_energy_kwh,
        "duration_s": measurement.duration_s,
        "inferences": measurement.inferences,
        "components": _components(measurement),
    }
    if tracking.agreement is None:
        return facts
    return facts | {
        "agreement": tracking.agreement,
        "agreement_bound": AGREEMENT_BOUND,
        "agrees": tracking.agrees,
    }


def _budget(budget: Budget) -> Json:
    return {"desired_g": budget.desired_g, "met": budget.met, "margin_g": budget.margin_g}


def _lines(warnings: tuple[str, ...]) -> Json:
    return [_clipped(warning) for warning in warnings[:MAX_WARNINGS]]


def _clipped(text: str) -> str:
    return one_line(text, MAX_TEXT)
