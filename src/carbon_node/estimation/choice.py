"""Whose energy a result has: that of a run on this host, or what is declared or known."""

from dataclasses import dataclass

from carbon_node.estimation.declared import Declared, PowerAndLatency
from carbon_node.estimation.device_energy import (
    DeviceEnergy,
    metered_part_kwh,
    of_declared,
    of_measurement,
)
from carbon_node.estimation.measurement import (
    GuessedPower,
    Measurement,
    NotTracked,
    TrackerFailure,
    TrackerOutcome,
)
from carbon_node.estimation.planning import Plan
from carbon_node.estimation.plausibility import doubts
from carbon_node.estimation.request import EstimationRequest
from carbon_node.estimation.result import Basis, NotComputed
from carbon_node.estimation.text import one_line

MAX_NAME = 40
"""Characters of a name in a warning."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The device energy of one inference, what it rests on, and what a reader should know."""

    basis: Basis
    energy: DeviceEnergy
    warnings: tuple[str, ...]


def chosen_energy(plan: Plan, outcome: TrackerOutcome) -> Chosen | NotComputed:
    """Choose between what a run measured and the declared numbers.

    A measurement wins over declared numbers, unless more of it is guessed than metered.

    Args:
        plan: how the device energy is to be found.
        outcome: what the tracker gave.

    Returns:
        The choice, or why there is nothing to choose.
    """
    if plan.basis is not Basis.MEASURED:
        return _of_numbers(plan, plan.basis)
    run = _with_energy(outcome)
    if run is None:
        return _without_measurement(plan, _why_not_measured(outcome))
    if _is_mostly_guessed(run) and _is_declared(plan.declared):
        return _without_measurement(plan, _guess(run.guesses[0]))
    return _of_run(plan.request, run)


def _of_run(request: EstimationRequest, run: Measurement) -> Chosen:
    basis = Basis.ESTIMATED if run.power_is_guessed else Basis.MEASURED
    warnings = (
        *_elsewhere(request, run),
        *map(_guess, run.guesses),
        *run.others,
        *_excluded(run.excluded),
    )
    return Chosen(basis, of_measurement(run), warnings)


def _excluded(devices: tuple[str, ...]) -> tuple[str, ...]:
    # A host of eight GPUs would leave no room for other warnings; all are in `measured_on`.
    if len(devices) < 2:
        return tuple(f"not charged: {device}" for device in devices)
    return (f"not charged: {len(devices)} devices, the first {devices[0]}",)


def _elsewhere(request: EstimationRequest, run: Measurement) -> tuple[str, ...]:
    if request.known.is_here:
        return ()
    named = one_line(request.hardware.strip(), MAX_NAME) or "hardware without a name"
    return (f"measured on {run.host or 'this host'}, but the task names {named}",)


def _guess(guess: GuessedPower) -> str:
    watts = guess.power_w
    return (
        f"the power of {guess.processor} is a guess, {watts.value:g} W of {watts.low:g} to"
        f" {watts.high:g} W: no meter of it can be read"
    )


def _with_energy(outcome: TrackerOutcome) -> Measurement | None:
    if not isinstance(outcome, Measurement):
        return None
    return outcome if outcome.inferences >= 1 and outcome.device_energy_kwh > 0 else None


def _is_mostly_guessed(run: Measurement) -> bool:
    return run.power_is_guessed and 2 * metered_part_kwh(run) < run.device_energy_kwh


def _is_declared(numbers: Declared | NotComputed) -> bool:
    match numbers:
        case NotComputed() | PowerAndLatency(is_catalogued=True):
            return False
        case _:
            return True


def _without_measurement(plan: Plan, why: str) -> Chosen | NotComputed:
    numbers = plan.declared
    if isinstance(numbers, NotComputed):
        return NotComputed(numbers.reason, f"{why}; {numbers.detail}")
    if _is_declared(numbers):
        return _of_numbers(plan, Basis.FORMULA, f"{why}; declared numbers are used")
    return _of_numbers(plan, Basis.CATALOGUE, f"{why}; what is known of the hardware is used")


def _of_numbers(plan: Plan, basis: Basis, *reasons: str) -> Chosen | NotComputed:
    numbers = plan.declared
    if isinstance(numbers, NotComputed):
        return numbers
    doubtful = doubts(plan.request, numbers, plan.assumptions)
    warnings = (*reasons, *_catalogued(plan.request, numbers), *doubtful)
    return Chosen(basis, of_declared(numbers), warnings)


def _catalogued(request: EstimationRequest, numbers: Declared) -> tuple[str, ...]:
    match numbers:
        case PowerAndLatency(is_catalogued=True, power=power):
            named = one_line(request.hardware.strip(), MAX_NAME)
            low_w, high_w = power.interval.low, power.interval.high
            return (
                f"no power was sent for {named}: {low_w:g} to {high_w:g} W are taken from what is"
                " known of it",
            )
        case _:
            return ()


def _why_not_measured(outcome: TrackerOutcome) -> str:
    match outcome:
        case Measurement():
            return "the measurement on this host holds no inference or no energy"
        case TrackerFailure(failure=failure):
            return f"the measurement on this host failed ({failure})"
        case NotTracked():
            return "nothing was measured on this host"
