"""What a computation would cost on some machines in some places."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from carbon_node.errors import ConfigError
from carbon_node.estimation import (
    DEFAULT_PUE,
    MAX_JOB_HOURS,
    MAX_PUE,
    Assumptions,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    Factor,
    LatencyUnit,
    Mode,
    NamedHardware,
    NotComputed,
    NotTracked,
    Place,
    conclude,
    exact,
    plan,
)
from carbon_node.hardware import Catalogue, HardwareMap, preset, shipped_catalogue
from carbon_node.hardware.names import shown
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.settings import load
from carbon_node.settings.hardware import entries_of

MAX_LABEL = 40
"""Characters of a place in a label."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Machine:
    """Something that computes.

    Args:
        label: what it is called in the answer.
        power_w: its power in watts; unchecked, 0 where `known` has it.
        known: what the hardware map and the catalogue know of it.
    """

    label: str
    power_w: float = 0.0
    known: NamedHardware = field(default_factory=NamedHardware)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked; every machine is combined with every place.

    Args:
        powers_w: power of machines in watts.
        hardware: names that the map or the catalogue has; these machines come after those of
            `powers_w`.
        latencies: duration of one inference: one for all machines, or one per machine.
        latency_unit: unit of the latencies.
        regions: places as text.
        continents: one for all regions, or one per region.
        pue: facility energy over device energy, None for the default and its range.
        intensity_g_per_kwh: one intensity for all places, None for that of each place.
        inferences: number of inferences.
    """

    powers_w: Sequence[float]
    hardware: Sequence[str]
    latencies: Sequence[float]
    latency_unit: LatencyUnit
    regions: Sequence[str] = ()
    continents: Sequence[str] = ()
    pue: float | None = None
    intensity_g_per_kwh: float | None = None
    inferences: float = 1.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One answer.

    Args:
        label: what distinguishes it from the others.
        estimate: what it would cost.
    """

    label: str
    estimate: Estimate


def scenarios(question: Question) -> list[Scenario]:
    """Answer a question.

    Stated numbers are exact; catalogued hardware, the default PUE and places have ranges.

    Raises:
        ConfigError: if something is missing or out of range.
    """
    machines = [Machine(f"{power_w:g} W", power_w) for power_w in question.powers_w]
    machines += _catalogued(question.hardware)
    if not machines:
        raise ConfigError("no machine to estimate: give --power in watts, or --hardware")
    latencies = _one_each("--latency", question.latencies, len(machines), "--power and --hardware")
    places = _places(question)
    lookup = IntensityLookup(IntensityConfig(g_per_kwh=question.intensity_g_per_kwh))
    intensities = [(place, lookup.lookup(place)) for place in places]
    return [
        _scenario(question, machine, latency, place, intensity)
        for machine, latency in zip(machines, latencies, strict=True)
        for place, intensity in intensities
    ]


def _catalogued(names: Sequence[str]) -> list[Machine]:
    if not names:
        return []
    catalogue, settings = shipped_catalogue(), load({}).settings
    own, shipped = entries_of(settings.hardware), preset(settings.hardware_preset)
    hardware_map = HardwareMap(catalogue, own, shipped)
    return [_named(name, hardware_map, catalogue) for name in names]


def _named(name: str, hardware_map: HardwareMap, catalogue: Catalogue) -> Machine:
    known = hardware_map.known(name)
    if known.power is None and known.entry:
        raise ConfigError(
            f"no power is known of {shown(name)!r} by {known.entry}; give it power_w in the"
            " settings, or its watts with --power"
        )
    if known.power is None:
        try:
            catalogue.find(name)
        except ConfigError as error:
            raise ConfigError(f"{error}; or give its watts with --power") from error
    times = "" if known.count == 1 else f"{known.count} x "
    label = f"{times}{known.known_as}" if known.known_as else shown(name)
    # The latency's unit is stated beside it.
    return Machine(
        label, known=replace(known, latency_unit=None, later_latency_unit=None, pue=None)
    )


def _places(question: Question) -> list[Place]:
    regions = question.regions or [""]
    continents = question.continents or [""]
    if len(regions) == 1 and len(continents) > 1:
        regions = [*regions] * len(continents)
    paired = zip(
        regions, _one_each("--continent", continents, len(regions), "--region"), strict=True
    )
    return [Place(region, continent) for region, continent in paired]


def _one_each(option: str, given: Sequence[T], count: int, owner: str) -> list[T]:
    """Spread one value over all, or take one for each."""
    if len(given) == 1:
        return [*given] * count
    if len(given) != count:
        raise ConfigError(
            f"{option} is given {len(given)} times for {count} of {owner};"
            " give it once for all, or once for each"
        )
    return [*given]


def _scenario(
    question: Question,
    machine: Machine,
    latency: float,
    place: Place,
    intensity: CarbonIntensity,
) -> Scenario:
    request = EstimationRequest(
        model="what if",
        power_w=machine.power_w,
        hardware=machine.label,
        known=machine.known,
        latency=latency,
        latency_unit=question.latency_unit,
        place=place,
        inferences=question.inferences,
    )
    planned = plan(request, _assumptions(question))
    result = (
        planned if isinstance(planned, NotComputed) else conclude(planned, intensity, NotTracked())
    )
    if isinstance(result, NotComputed):
        raise ConfigError(result.detail)
    # Whoever asks for hardware of the catalogue knows that its power is the catalogue's.
    result = replace(result, warnings=())
    where = ", ".join(filter(None, (place.region, place.continent))) or intensity.place
    where = where if len(where) <= MAX_LABEL else f"{where[:MAX_LABEL]}…"
    return Scenario(f"{machine.label}, {latency:g} {question.latency_unit.value}, {where}", result)


def _assumptions(question: Question) -> Assumptions:
    return Assumptions(
        pue=DEFAULT_PUE if question.pue is None else _stated_pue(question.pue),
        mode=Mode.FORMULA,
        power_tolerance=0.0,
        max_latency_h=MAX_JOB_HOURS,
        plausible_latency_s=(0.0, math.inf),
    )


def _stated_pue(pue: float) -> Factor:
    if not math.isfinite(pue) or not 1 <= pue <= MAX_PUE:
        raise ConfigError(f"PUE {pue:g} is outside 1 to {MAX_PUE:g}; it is facility over device")
    return Factor(exact(pue), "stated")
