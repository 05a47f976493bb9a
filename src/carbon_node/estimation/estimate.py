"""Conclude a task: from the plan, the intensity and the tracker's outcome to the estimate.

    device_energy_kwh = power_w * latency_h / 1000 * inferences            declared power, latency
    device_energy_kwh = energy_wh / 1000 * inferences                      declared energy
    device_energy_kwh = measured_kwh / measured_inferences * inferences    measured, estimated
    energy_kwh        = device_energy_kwh * pue
    carbon_g          = energy_kwh * intensity_g_per_kwh

All factors are positive and nothing is known about how their errors are distributed or depend on
each other, so bounds are multiplied with bounds:
the interval holds the truth whenever every factor's interval does.
"""

import math
import sys
from dataclasses import replace

from carbon_node.estimation.choice import chosen_energy, is_of_named
from carbon_node.estimation.interval import Factor, Interval
from carbon_node.estimation.latency import latency_reading
from carbon_node.estimation.measurement import (
    Measurement,
    SimulatedRun,
    TrackerFailure,
    TrackerOutcome,
)
from carbon_node.estimation.planning import Plan
from carbon_node.estimation.request import DEFAULT_PUE, MAX_POWER_W, NamedHardware
from carbon_node.estimation.result import (
    Basis,
    Budget,
    CarbonIntensity,
    Estimate,
    NotComputed,
    Reason,
    Tracking,
)
from carbon_node.estimation.units import kwh_from_watt_seconds

AGREEMENT_BOUND = 0.05
"""Share by which a simulated run may miss the formula: ten times what windows of 0.5 s were seen to
miss."""

MIN_WINDOW_S = 1e-6
"""No run is shorter; the cause is a broken clock."""

MAX_INFERENCES = 1e15
"""More than any service answers in a century; the cause is a wrong number."""


def conclude(
    plan: Plan, intensity: CarbonIntensity, outcome: TrackerOutcome
) -> Estimate | NotComputed:
    """Compute the estimate of a task.

    A tracker that failed or disagrees never fails a task whose declared numbers are usable: the
    formula's number goes out, and
    the estimate says what happened.

    Args:
        plan: how the device energy is found.
        intensity: carbon intensity of the place.
        outcome: what the tracker gave for `plan.run`.

    Returns:
        The estimate, or why there is none.
    """
    inferences = plan.request.inferences
    if not math.isfinite(inferences):
        return NotComputed(Reason.NOT_FINITE, f"inferences is {inferences}; send a finite number")
    if not 0 < inferences <= MAX_INFERENCES:
        return NotComputed(
            Reason.OUT_OF_RANGE, f"inferences is {inferences:g}, outside 0 to {MAX_INFERENCES:g}"
        )
    try:
        return _concluded(plan, intensity, _believable(outcome))
    except ValueError as error:
        return NotComputed(
            Reason.OUT_OF_RANGE,
            f"the product of the factors leaves the range of numbers ({error}); check their units",
        )


def _believable(outcome: TrackerOutcome) -> TrackerOutcome:
    """Turn a measurement that cannot be compared with anything into a failure."""
    if not isinstance(outcome, Measurement):
        return outcome
    energy_kwh, duration_s = outcome.device_energy_kwh, outcome.duration_s
    is_window = MIN_WINDOW_S <= duration_s < math.inf
    if is_window and 0 <= energy_kwh <= kwh_from_watt_seconds(MAX_POWER_W, duration_s):
        return outcome
    return TrackerFailure("not_finite", f"{energy_kwh:g} kWh in {duration_s:g} s")


def _concluded(
    plan: Plan, intensity: CarbonIntensity, outcome: TrackerOutcome
) -> Estimate | NotComputed:
    chosen = chosen_energy(plan, outcome)
    if isinstance(chosen, NotComputed):
        return replace(chosen, warnings=plan.request.warnings)
    request, assumptions = plan.request, plan.assumptions
    known = request.known
    if chosen.basis.is_of_a_run:
        known = replace(known, is_here=is_of_named(known, outcome))
    pue = _pue(known, chosen.basis, assumptions.pue, intensity.site_pue)
    device_energy_kwh = chosen.energy.per_inference_kwh.scaled(request.inferences)
    energy_kwh = device_energy_kwh * pue.interval
    carbon_g = _normal(energy_kwh * intensity.g_per_kwh)
    tracking = _tracking(plan, outcome)
    reading = latency_reading(request, assumptions.plausible_latency_s)
    return Estimate(
        carbon_g=carbon_g,
        energy_kwh=energy_kwh,
        device_energy_kwh=device_energy_kwh,
        factors=chosen.energy.factors,
        pue=pue,
        intensity=intensity,
        inferences=request.inferences,
        mode=chosen.basis,
        hardware=request.hardware,
        known=known,
        latency_unit=reading.unit,
        latency_evidence=reading.evidence,
        tracking=tracking,
        place=request.place,
        budget=_budget(request.desired_carbon_g, carbon_g),
        warnings=(*chosen.warnings, *request.warnings, *_tracking_warnings(tracking)),
        revision=assumptions.revision,
        output_units=assumptions.output_units,
    )


def _pue(known: NamedHardware, basis: Basis, assumed: Factor, of_site: Factor | None) -> Factor:
    """Take the PUE of where the energy was drawn.

    That of the named hardware is not that of a host which ran the model in its stead. A provider's
    own, where nobody set one, is nearer than the mean of all sites.
    """
    is_of_named = known.is_here or not basis.is_of_a_run
    if is_of_named and known.pue is not None:
        return known.pue
    return of_site if of_site is not None and assumed == DEFAULT_PUE else assumed


def _tracking(plan: Plan, outcome: TrackerOutcome) -> Tracking:
    if not isinstance(plan.run, SimulatedRun) or not isinstance(outcome, Measurement):
        return Tracking(plan.run, outcome)
    expected_kwh = kwh_from_watt_seconds(plan.run.power_w, outcome.duration_s)
    agreement = outcome.device_energy_kwh / expected_kwh - 1
    return Tracking(plan.run, outcome, agreement, abs(agreement) <= AGREEMENT_BOUND)


def _tracking_warnings(tracking: Tracking) -> tuple[str, ...]:
    match tracking:
        case Tracking(run=SimulatedRun(), outcome=TrackerFailure(failure=failure)):
            return (f"CarbonTracker could not confirm the formula ({failure})",)
        case Tracking(agrees=False, agreement=float() as agreement):
            return (
                f"CarbonTracker differs from the formula by {agreement:+.1%}; the formula is used",
            )
        case _:
            return ()


def _budget(desired_g: float, carbon_g: Interval) -> Budget | None:
    if not math.isfinite(desired_g) or desired_g <= 0:
        return None
    margin_g = desired_g - carbon_g.value
    if carbon_g.high <= desired_g:
        return Budget(desired_g, met=True, margin_g=margin_g)
    if carbon_g.low > desired_g:
        return Budget(desired_g, met=False, margin_g=margin_g)
    return Budget(desired_g, met="uncertain", margin_g=margin_g)


def _normal(interval: Interval) -> Interval:
    """Refuse numbers so small that they have lost digits."""
    if interval.low < sys.float_info.min:
        raise ValueError(f"{interval.low} is below the smallest number with full precision")
    return interval
