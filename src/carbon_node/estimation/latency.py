"""In which unit a task's latency is read, and by what evidence.

The wire states no unit, and nodes of two generations send the same names: the earlier ones seconds
or microseconds, the later ones hours. The first of these that applies decides:

1. `latency_h` in the hardware's `extra_data`, whose name is its unit.
2. The operator's word for the hardware: an entry of the map, or a preset of one generation.
3. A memory footprint: the later nodes state one, the earlier ones never do.
4. Plausibility, where one of the two readings alone is a duration that an inference can have.
5. The earlier unit of the preset, with a warning where both readings are possible.

Hardware that neither map nor preset has is read in the unit of the settings. If its task states a
memory footprint, as later nodes do, and hours are possible too, that is said in a warning.
"""

from dataclasses import dataclass
from enum import StrEnum

from carbon_node.estimation.request import EstimationRequest
from carbon_node.estimation.units import SECONDS_PER_HOUR, LatencyUnit, hours_from_latency

PlausibleSeconds = tuple[float, float]
"""Shortest and longest inference that nobody has to doubt."""


class Evidence(StrEnum):
    """What decided in which unit a latency was read."""

    LATENCY_H = "latency_h"
    HARDWARE_MAP = "hardware map"
    MEMORY_FOOTPRINT = "memory footprint"
    PLAUSIBILITY = "plausibility"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class LatencyReading:
    """In which unit a latency is read.

    Args:
        unit: the unit.
        evidence: what decided.
        other: unit in which it could be meant as well; None where nothing speaks for another.
    """

    unit: LatencyUnit
    evidence: Evidence
    other: LatencyUnit | None = None


def latency_reading(request: EstimationRequest, plausible_s: PlausibleSeconds) -> LatencyReading:
    """Decide in which unit a task's latency is read, by the rule of this module.

    Args:
        request: the task.
        plausible_s: shortest and longest plausible inference in seconds.

    Returns:
        The reading. Where the hardware states `latency_h`, the plain number is not read at all.
    """
    if request.explicit.latency_h:
        return LatencyReading(LatencyUnit.H, Evidence.LATENCY_H)
    known = request.known
    if known.latency_unit is None:
        return _of_unknown_hardware(request, plausible_s)
    later = known.later_latency_unit
    if later is None:
        return LatencyReading(known.latency_unit, Evidence.HARDWARE_MAP)
    if request.states_memory:
        return LatencyReading(later, Evidence.MEMORY_FOOTPRINT)
    return _by_plausibility(request.latency, known.latency_unit, later, plausible_s)


def is_plausible(latency: float, unit: LatencyUnit, plausible_s: PlausibleSeconds) -> bool:
    """Whether an inference can take so long.

    Args:
        latency: as sent, in `unit`.
        unit: the unit.
        plausible_s: shortest and longest plausible inference in seconds.
    """
    shortest_s, longest_s = plausible_s
    return shortest_s <= seconds_from_latency(latency, unit) <= longest_s


def seconds_from_latency(latency: float, unit: LatencyUnit) -> float:
    """Convert a latency to seconds."""
    return hours_from_latency(latency, unit) * SECONDS_PER_HOUR


def _of_unknown_hardware(
    request: EstimationRequest, plausible_s: PlausibleSeconds
) -> LatencyReading:
    unit, later = request.latency_unit, request.known.later_latency_unit
    if not request.states_memory or later is None or later is unit:
        return LatencyReading(unit, Evidence.SETTING)
    are_possible = all(is_plausible(request.latency, each, plausible_s) for each in (unit, later))
    return LatencyReading(unit, Evidence.SETTING, other=later if are_possible else None)


def _by_plausibility(
    latency: float, earlier: LatencyUnit, later: LatencyUnit, plausible_s: PlausibleSeconds
) -> LatencyReading:
    match [unit for unit in (earlier, later) if is_plausible(latency, unit, plausible_s)]:
        case [only]:
            return LatencyReading(only, Evidence.PLAUSIBILITY)
        case [_, _]:
            return LatencyReading(earlier, Evidence.HARDWARE_MAP, other=later)
        case _:
            return LatencyReading(earlier, Evidence.HARDWARE_MAP)
