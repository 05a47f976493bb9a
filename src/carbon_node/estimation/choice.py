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
from carbon_node.estimation.request import EstimationRequest, Mode, NamedHardware
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
    if plan.assumptions.mode is Mode.AUTO and not is_of_named(plan.request.known, run):
        return _without_measurement(plan, _unused(plan.request))
    if _is_mostly_guessed(run) and _is_declared(plan.declared):
        return _without_measurement(plan, _guess(run.guesses[0]))
    return _of_run(plan.request, run)


def is_of_named(known: NamedHardware, outcome: TrackerOutcome) -> bool:
    """Whether a run's energy is that of the named hardware.

    A task can name a GPU of this host that did not run the model, since the library computes on the
    processor or the settings leave the GPU out: then the energy is the processor's.

    Args:
        known: what is known of the named hardware.
        outcome: what the run gave.
    """
    ran_on_gpu = isinstance(outcome, Measurement) and outcome.accelerators > 0
    return known.is_here and (ran_on_gpu or known.accelerators == 0)


def _unused(request: EstimationRequest) -> str:
    return f"the run on this host used no GPU, but the task names {_name_of(request)}"


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
    known, host = request.known, run.host or "this host"
    if not is_of_named(known, run):
        return (f"measured on {host}, but the task names {_name_of(request)}",)
    if known.accelerators in (0, run.accelerators):
        return ()
    return (f"GPUs charged on {host}: {run.accelerators}, but the task names {known.accelerators}",)


def _name_of(request: EstimationRequest) -> str:
    return one_line(request.hardware.strip(), MAX_NAME) or "hardware without a name"


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
            watts = power.interval
            said = f"{watts.low:g} W" if watts.is_exact else f"{watts.low:g} to {watts.high:g} W"
            return (f"no power was sent for {_name_of(request)}: {said}, from what is known of it",)
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
