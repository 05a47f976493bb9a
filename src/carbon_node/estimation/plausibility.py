"""Declared numbers that can be meant, but hardly in the unit in which they were read.

Nothing is corrected: a number is published as it was declared, with a warning that says what it
would be in another unit.
"""

from typing import Final

from carbon_node.estimation.declared import Declared, ExplicitEnergy, PowerAndLatency
from carbon_node.estimation.latency import (
    Evidence,
    is_plausible,
    latency_reading,
    seconds_from_latency,
)
from carbon_node.estimation.request import Assumptions, EstimationRequest, NamedHardware
from carbon_node.estimation.units import LatencyUnit

RATING_EXCESS: Final = 1.2
"""Times its rating that hardware may be declared to draw without a warning: measured means stay
below the rating; peaks, and a host around the device, reach above it."""


def doubts(
    request: EstimationRequest, numbers: Declared, assumptions: Assumptions
) -> tuple[str, ...]:
    """Say which declared numbers make no sense for the hardware, one line each.

    Args:
        request: the task.
        numbers: the declared numbers that count.
        assumptions: which durations are plausible.
    """
    match numbers:
        case PowerAndLatency(is_catalogued=True):
            return _of_latency(request, assumptions)
        case PowerAndLatency(power_w=power_w):
            return (*_of_power(power_w, request.known), *_of_latency(request, assumptions))
        case ExplicitEnergy(power_w=float() as power_w):
            return _of_power(power_w, request.known)
        case _:
            return ()


def _of_power(power_w: float, known: NamedHardware) -> tuple[str, ...]:
    rated_w = known.rated_w
    if rated_w is None or power_w <= rated_w * RATING_EXCESS:
        return ()
    times = "" if known.count == 1 else f"{known.count} x "
    return (
        f"declared power {power_w:g} W is {power_w / rated_w:.3g} times the {rated_w:g} W that"
        f" {times}{known.known_as} is rated; read as mW it would be {power_w / 1000:g} W",
    )


def _of_latency(request: EstimationRequest, assumptions: Assumptions) -> tuple[str, ...]:
    bounds_s = assumptions.plausible_latency_s
    reading = latency_reading(request, bounds_s)
    if reading.other is not None:
        return (_two_readings(request.latency, reading.unit, reading.other),)
    is_read = reading.evidence is not Evidence.LATENCY_H
    if not is_read or is_plausible(request.latency, reading.unit, bounds_s):
        return ()
    others = [
        _as(request.latency, unit)
        for unit in LatencyUnit
        if unit is not reading.unit and is_plausible(request.latency, unit, bounds_s)
    ]
    hint = f"; it would be {', '.join(others)}" if others else ""
    read_s = seconds_from_latency(request.latency, reading.unit)
    shortest_s, longest_s = bounds_s
    return (
        f"latency {request.latency:g} read as {reading.unit.value} is {read_s:g} s an inference,"
        f" outside {shortest_s:g} to {longest_s:g} s{hint}",
    )


def _two_readings(latency: float, read: LatencyUnit, other: LatencyUnit) -> str:
    return (
        f"latency {latency:g} is read {_as(latency, read)}, but {_as(latency, other)} is possible"
        " too; state its latency_unit in the hardware map"
    )


def _as(latency: float, unit: LatencyUnit) -> str:
    return f"as {unit.value} {seconds_from_latency(latency, unit):g} s"
