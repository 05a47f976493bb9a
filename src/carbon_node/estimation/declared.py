"""The hardware's declared numbers: which of them count, and whether they can be believed."""

import math
from dataclasses import dataclass

from carbon_node.estimation.request import MAX_POWER_W, EstimationRequest, ExplicitHardware
from carbon_node.estimation.result import NotComputed, Reason
from carbon_node.estimation.units import hours_from_latency

CONTRADICTION_TOLERANCE = 0.01
"""Share by which an explicit energy may miss explicit power times latency: all three are printed
with few digits."""


@dataclass(frozen=True, slots=True)
class PowerAndLatency:
    """Device power over the duration of one inference.

    Args:
        power_w: device power in watts.
        latency_h: duration of one inference in hours.
        power_origin: where the power was stated.
        latency_origin: where the latency was stated.
    """

    power_w: float
    latency_h: float
    power_origin: str
    latency_origin: str


@dataclass(frozen=True, slots=True)
class ExplicitEnergy:
    """Device energy of one inference, stated as such.

    Args:
        energy_wh: device energy in watt-hours.
        power_w: device power that goes with it, None if none was stated.
    """

    energy_wh: float
    power_w: float | None


Declared = PowerAndLatency | ExplicitEnergy


def declared(request: EstimationRequest, max_latency_h: float) -> Declared | NotComputed:
    """Choose the declared numbers that count.

    Explicit numbers win over the plain doubles, and an explicit energy over power times latency.
    Zero means not given.

    Args:
        request: the task.
        max_latency_h: longest believable duration in hours.

    Returns:
        The numbers, finite, positive and within their bounds, or why there are none.
    """
    if _is_given(request.explicit.energy_wh):
        return _explicit_energy(request.explicit, max_latency_h)
    power_w, power_origin = _first_given(
        (request.explicit.power_w, "extra_data power_w"), (request.power_w, "declared power")
    )
    latency_h, latency_origin = _first_given(
        (request.explicit.latency_h, "extra_data latency_h"),
        (
            hours_from_latency(request.latency, request.latency_unit),
            f"declared latency, read as {request.latency_unit.value}",
        ),
    )
    return (
        _refusal(power_w, MAX_POWER_W, Reason.NO_POWER, "power in W")
        or _refusal(latency_h, max_latency_h, Reason.NO_LATENCY, "latency in h")
        or PowerAndLatency(power_w, latency_h, power_origin, latency_origin)
    )


def _explicit_energy(
    explicit: ExplicitHardware, max_latency_h: float
) -> ExplicitEnergy | NotComputed:
    energy_wh = explicit.energy_wh or 0.0
    power_w, latency_h = explicit.power_w or 0.0, explicit.latency_h or 0.0
    refusal = _refusal(
        energy_wh, MAX_POWER_W * max_latency_h, Reason.OUT_OF_RANGE, "extra_data energy_Wh"
    )
    if power_w != 0:
        refusal = refusal or _refusal(power_w, MAX_POWER_W, Reason.NO_POWER, "extra_data power_w")
    if latency_h != 0:
        refusal = refusal or _refusal(
            latency_h, max_latency_h, Reason.NO_LATENCY, "extra_data latency_h"
        )
    return (
        refusal
        or _contradiction(energy_wh, power_w, latency_h)
        or ExplicitEnergy(energy_wh, power_w or (energy_wh / latency_h if latency_h else None))
    )


def _contradiction(energy_wh: float, power_w: float, latency_h: float) -> NotComputed | None:
    product_wh = power_w * latency_h
    if product_wh == 0 or math.isclose(energy_wh, product_wh, rel_tol=CONTRADICTION_TOLERANCE):
        return None
    return NotComputed(
        Reason.CONTRADICTION,
        f"extra_data states energy_Wh {energy_wh:g}, but power_w {power_w:g} times latency_h"
        f" {latency_h:g} is {product_wh:g}; send numbers that agree, or leave one out",
    )


def _first_given(*candidates: tuple[float | None, str]) -> tuple[float, str]:
    for number, origin in candidates:
        if number is not None and number != 0:
            return number, origin
    return 0.0, ""


def _is_given(number: float | None) -> bool:
    return number is not None and number != 0


def _refusal(number: float, maximum: float, missing: Reason, what: str) -> NotComputed | None:
    if not math.isfinite(number):
        return NotComputed(Reason.NOT_FINITE, f"{what} is {number}; send a finite number")
    if number == 0:
        return NotComputed(missing, f"{what} is missing or 0; send a number > 0")
    if not 0 < number <= maximum:
        return NotComputed(
            Reason.OUT_OF_RANGE,
            f"{what} is {number:g}, outside 0 to {maximum:g}; check its sign and unit",
        )
    return None
