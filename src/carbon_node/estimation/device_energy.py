"""The energy of the computing hardware alone, for one inference, and what it was computed from."""

from dataclasses import dataclass
from typing import Final

from carbon_node.estimation.declared import Declared, ExplicitEnergy, PowerAndLatency
from carbon_node.estimation.interval import Factor, Interval, exact, within_share
from carbon_node.estimation.measurement import GuessedPower, Measurement
from carbon_node.estimation.request import POWER_TOLERANCE
from carbon_node.estimation.result import NamedFactor
from carbon_node.estimation.units import kwh_from_watt_seconds, kwh_from_wh

ROUNDING: Final = 1e-9
"""Share of an energy below which a difference of two is rounding, not energy."""


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """Device energy of one inference in kilowatt-hours, and the numbers it was computed from."""

    per_inference_kwh: Interval
    factors: tuple[NamedFactor, ...]


def of_declared(numbers: Declared) -> DeviceEnergy:
    """Compute device energy from declared or catalogued numbers."""
    match numbers:
        case PowerAndLatency(power=power, latency=latency):
            return DeviceEnergy(
                (power.interval * latency.interval).map(kwh_from_wh),
                (NamedFactor("power_w", power), NamedFactor("latency_h", latency)),
            )
        case ExplicitEnergy(energy=energy):
            return DeviceEnergy(
                energy.interval.map(kwh_from_wh), (NamedFactor("energy_wh", energy),)
            )


def of_measurement(measurement: Measurement) -> DeviceEnergy:
    """Compute device energy from a measurement with inferences and energy.

    Metered and guessed parts add, each with bounds of its own, and what the sub-windows differ by
    widens the sum.
    """
    parts = [_guessed_kwh(guess, measurement.duration_s) for guess in measurement.guesses]
    metered_kwh = metered_part_kwh(measurement)
    if metered_kwh > 0:
        parts.append(within_share(metered_kwh, POWER_TOLERANCE))
    total_kwh = parts[0]
    for part in parts[1:]:
        total_kwh = total_kwh + part
    measured_kwh = total_kwh * measurement.spread
    inferences = float(measurement.inferences)
    return DeviceEnergy(
        measured_kwh.map(lambda energy_kwh: energy_kwh / inferences),
        (
            NamedFactor("measured_kwh", Factor(measured_kwh, _source(measurement))),
            NamedFactor("measured_inferences", Factor(exact(inferences), "counted by the run")),
        ),
    )


def metered_part_kwh(measurement: Measurement) -> float:
    """Return what meters said of a measurement's energy, in kilowatt-hours."""
    guessed_kwh = sum(
        _guessed_kwh(guess, measurement.duration_s).value for guess in measurement.guesses
    )
    metered_kwh = measurement.device_energy_kwh - guessed_kwh
    return metered_kwh if metered_kwh > ROUNDING * measurement.device_energy_kwh else 0.0


def _guessed_kwh(guess: GuessedPower, duration_s: float) -> Interval:
    return guess.power_w.map(lambda watts: kwh_from_watt_seconds(watts, duration_s))


def _source(measurement: Measurement) -> str:
    where = measurement.host or "this host"
    meters = "+".join(measurement.meters)
    read = f", {meters}" if meters else ""
    guess = "; a power is guessed" if measurement.power_is_guessed else ""
    return f"CarbonTracker on {where}{read}{guess}"
