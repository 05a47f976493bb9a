"""The hardware's declared numbers: which of them count, and whether they can be believed."""

import math
import sys
from dataclasses import dataclass
from typing import TypeGuard

from carbon_node.estimation.interval import Factor, exact, within_share
from carbon_node.estimation.latency import Evidence, LatencyReading, latency_reading
from carbon_node.estimation.request import (
    MAX_POWER_W,
    Assumptions,
    EstimationRequest,
    ExplicitHardware,
)
from carbon_node.estimation.result import NotComputed, Reason
from carbon_node.estimation.text import one_line
from carbon_node.estimation.units import hours_from_latency

CONTRADICTION_TOLERANCE = 0.01
"""Share by which an explicit energy may miss explicit power times latency: all three are printed
with few digits."""

MAX_NAME = 40
"""Characters of a hardware's name in a reason."""


@dataclass(frozen=True, slots=True)
class PowerAndLatency:
    """Device power over the duration of one inference.

    Args:
        power: device power in watts.
        latency: duration of one inference in hours.
        is_catalogued: whether the power is not the task's own, but what is known of its hardware.
    """

    power: Factor
    latency: Factor
    is_catalogued: bool

    @property
    def power_w(self) -> float:
        """Device power that a simulated run can confirm, in watts."""
        return self.power.interval.value


@dataclass(frozen=True, slots=True)
class ExplicitEnergy:
    """Device energy of one inference, stated as such.

    Args:
        energy: device energy in watt-hours.
        power_w: device power that goes with it, None if none was stated.
    """

    energy: Factor
    power_w: float | None


Declared = PowerAndLatency | ExplicitEnergy


def declared(request: EstimationRequest, assumptions: Assumptions) -> Declared | NotComputed:
    """Choose the declared numbers that count.

    Explicit numbers win over the plain doubles, and an explicit energy over power times latency.
    Zero means not given.

    Args:
        request: the task.
        assumptions: bounds and tolerance of the numbers.

    Returns:
        The numbers, finite, positive and within their bounds, or why there are none.
    """
    if _is_given(request.explicit.energy_wh):
        return _explicit_energy(request.explicit, assumptions)
    power = _power(request, assumptions.power_tolerance)
    is_catalogued = False
    if _lacks_power(power) and request.known.power is not None:
        power, is_catalogued = request.known.power, True
    if isinstance(power, NotComputed):
        return power
    latency = _latency(request, assumptions)
    if isinstance(latency, NotComputed):
        return latency
    return PowerAndLatency(power, latency, is_catalogued)


def _lacks_power(power: Factor | NotComputed) -> bool:
    return isinstance(power, NotComputed) and power.reason is Reason.NO_POWER


def _power(request: EstimationRequest, tolerance: float) -> Factor | NotComputed:
    power_w, origin = request.power_w, "declared power"
    if _is_given(request.explicit.power_w):
        power_w, origin = request.explicit.power_w, "extra_data power_w"
    refusal = _refusal(power_w, MAX_POWER_W, Reason.NO_POWER, "power in W")
    if refusal is not None and refusal.reason is Reason.NO_POWER:
        return NotComputed(Reason.NO_POWER, _no_power(request.hardware))
    return refusal or Factor(within_share(power_w, tolerance), origin)


def _no_power(hardware: str) -> str:
    name = one_line(hardware.strip(), MAX_NAME) or "no name"
    return (
        f"power in W is missing or 0, and none is known of the hardware ({name});"
        " send a number above 0, or set its power_w"
    )


def _latency(request: EstimationRequest, assumptions: Assumptions) -> Factor | NotComputed:
    reading = latency_reading(request, assumptions.plausible_latency_s)
    latency_h = hours_from_latency(request.latency, reading.unit)
    if _is_given(request.explicit.latency_h):
        latency_h = request.explicit.latency_h
    refusal = _refusal(latency_h, assumptions.max_latency_h, Reason.NO_LATENCY, "latency in h")
    return refusal or Factor(exact(latency_h), _origin(request, reading))


def _origin(request: EstimationRequest, reading: LatencyReading) -> str:
    read = f"declared latency {request.latency:g}, read as {reading.unit.value}"
    match reading.evidence:
        case Evidence.LATENCY_H:
            return "extra_data latency_h"
        case Evidence.HARDWARE_MAP:
            return f"{read}, by {request.known.entry}"
        case Evidence.MEMORY_FOOTPRINT:
            return f"{read}, by its memory footprint and {request.known.entry}"
        case Evidence.PLAUSIBILITY:
            return f"{read}, which alone is plausible of {request.known.entry}"
        case Evidence.SETTING:
            return read


def _explicit_energy(
    explicit: ExplicitHardware, assumptions: Assumptions
) -> ExplicitEnergy | NotComputed:
    energy_wh, power_w, latency_h = _stated(explicit)
    max_latency_h = assumptions.max_latency_h
    checks = (
        (energy_wh, MAX_POWER_W * max_latency_h, "extra_data energy_Wh"),
        (power_w, MAX_POWER_W, "extra_data power_w"),
        (latency_h, max_latency_h, "extra_data latency_h"),
    )
    for number, maximum, what in checks:
        refusal = None if number == 0 else _refusal(number, maximum, Reason.OUT_OF_RANGE, what)
        if refusal is not None:
            return refusal
    if (contradiction := _contradiction(energy_wh, power_w, latency_h)) is not None:
        return contradiction
    energy = Factor(within_share(energy_wh, assumptions.power_tolerance), "extra_data energy_Wh")
    if power_w == 0 and latency_h > 0:
        power_w = energy_wh / latency_h
    return ExplicitEnergy(energy, power_w if 0 < power_w <= MAX_POWER_W else None)


def _stated(explicit: ExplicitHardware) -> tuple[float, float, float]:
    """Return energy in Wh, power in W and latency in h, 0 where they are not given."""
    return explicit.energy_wh or 0.0, explicit.power_w or 0.0, explicit.latency_h or 0.0


def _contradiction(energy_wh: float, power_w: float, latency_h: float) -> NotComputed | None:
    product_wh = power_w * latency_h
    if product_wh == 0 or math.isclose(energy_wh, product_wh, rel_tol=CONTRADICTION_TOLERANCE):
        return None
    return NotComputed(
        Reason.CONTRADICTION,
        f"extra_data states energy_Wh {energy_wh:g}, but power_w {power_w:g} times latency_h"
        f" {latency_h:g} is {product_wh:g}; send numbers that agree, or leave one out",
    )


def _is_given(number: float | None) -> TypeGuard[float]:
    """Whether a peer stated a number; they send 0 for none."""
    return number is not None and number != 0


def _refusal(number: float, maximum: float, missing: Reason, what: str) -> NotComputed | None:
    """Say why a number cannot be used; None if it can."""
    if not math.isfinite(number):
        return NotComputed(Reason.NOT_FINITE, f"{what} is {number}; send a finite number")
    if number == 0:
        return NotComputed(missing, f"{what} is missing or 0; send a number above 0")
    if not sys.float_info.min <= number <= maximum:
        return NotComputed(
            Reason.OUT_OF_RANGE,
            f"{what} is {number:g}, outside 0 to {maximum:g}; check its sign and unit",
        )
    return None
