"""Conversions from the units that peers send to the formula's: W, h, kWh, gCO2e/kWh."""

from dataclasses import dataclass
from enum import StrEnum

SECONDS_PER_HOUR = 3600.0
MILLISECONDS_PER_HOUR = 3.6e6
MICROSECONDS_PER_HOUR = 3.6e9
WATT_HOURS_PER_KILOWATT_HOUR = 1000.0
WATT_SECONDS_PER_KILOWATT_HOUR = 3.6e6
GRAMS_PER_KILOGRAM = 1000.0
HOURS_PER_YEAR = 8784.0
"""A leap year, so that no year is too long."""


class LatencyUnit(StrEnum):
    """Unit of the latency that hardware resources send; the wire contract states none."""

    S = "s"
    MS = "ms"
    US = "us"
    H = "h"


_LATENCY_PER_HOUR = {
    LatencyUnit.S: SECONDS_PER_HOUR,
    LatencyUnit.MS: MILLISECONDS_PER_HOUR,
    LatencyUnit.US: MICROSECONDS_PER_HOUR,
    LatencyUnit.H: 1.0,
}


def hours_from_latency(latency: float, unit: LatencyUnit) -> float:
    """Convert a latency to hours."""
    return latency / _LATENCY_PER_HOUR[unit]


def latency_from_hours(duration_h: float, unit: LatencyUnit) -> float:
    """Convert hours to a latency in `unit`."""
    return duration_h * _LATENCY_PER_HOUR[unit]


def kwh_from_wh(energy_wh: float) -> float:
    """Convert watt-hours to kilowatt-hours."""
    return energy_wh / WATT_HOURS_PER_KILOWATT_HOUR


def wh_from_kwh(energy_kwh: float) -> float:
    """Convert kilowatt-hours to watt-hours."""
    return energy_kwh * WATT_HOURS_PER_KILOWATT_HOUR


def kwh_from_watt_seconds(power_w: float, duration_s: float) -> float:
    """Return the energy in kilowatt-hours of a power in watts over seconds."""
    return power_w * duration_s / WATT_SECONDS_PER_KILOWATT_HOUR


def kg_per_wh_from_g_per_kwh(intensity_g_per_kwh: float) -> float:
    """Convert gCO2e/kWh to kgCO2e/Wh."""
    return intensity_g_per_kwh / (GRAMS_PER_KILOGRAM * WATT_HOURS_PER_KILOWATT_HOUR)


class OutputUnits(StrEnum):
    """Units of the published doubles: gCO2e, kWh, gCO2e/kWh, or kgCO2e, Wh, kgCO2e/Wh."""

    G_KWH = "g_kwh"
    KG_WH = "kg_wh"


UNIT_NAMES = {
    OutputUnits.G_KWH: ("gCO2e", "kWh", "gCO2e/kWh"),
    OutputUnits.KG_WH: ("kgCO2e", "Wh", "kgCO2e/Wh"),
}
"""Names of the units of carbon, energy and intensity, as the provenance states them."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """The three doubles as they are published.

    Args:
        carbon: energy times intensity, exactly as floating point multiplies these two.
        energy: facility energy.
        intensity: carbon intensity.
    """

    carbon: float
    energy: float
    intensity: float


def footprint(energy_kwh: float, intensity_g_per_kwh: float, units: OutputUnits) -> Footprint:
    """Express energy and intensity in the consumer's units and multiply what is published.

    Args:
        energy_kwh: facility energy in kilowatt-hours.
        intensity_g_per_kwh: carbon intensity in gCO2e/kWh.
        units: what the consumer expects.

    Returns:
        Numbers of which the first is the product of the other two, so that consumers can check it.
    """
    if units is OutputUnits.KG_WH:
        energy, intensity = wh_from_kwh(energy_kwh), kg_per_wh_from_g_per_kwh(intensity_g_per_kwh)
    else:
        energy, intensity = energy_kwh, intensity_g_per_kwh
    return Footprint(energy * intensity, energy, intensity)
