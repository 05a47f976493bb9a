"""What an estimation gives: an estimate, or the reason why there is none."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from carbon_node.estimation.interval import Factor, Interval
from carbon_node.estimation.latency import Evidence
from carbon_node.estimation.measurement import NotTracked, Run, TrackerOutcome
from carbon_node.estimation.request import NamedHardware, Place
from carbon_node.estimation.units import Footprint, LatencyUnit, OutputUnits, footprint


class Basis(StrEnum):
    """What a result's device energy rests on."""

    DECLARED = "declared"
    """Declared numbers that the tracker was asked to confirm."""
    FORMULA = "formula"
    """Declared numbers alone."""
    CATALOGUE = "catalogue"
    """Declared latency, and the power that the catalogue or the hardware map has."""
    MEASURED = "measured"
    """A run of the model whose power was metered, all of it."""
    ESTIMATED = "estimated"
    """A run of the model of which some power is a guess."""

    @property
    def is_of_a_run(self) -> bool:
        """Whether the energy is that of the host that ran the model."""
        return self in (Basis.MEASURED, Basis.ESTIMATED)


class Reason(StrEnum):
    """Why a footprint was not computed: a closed list."""

    NO_MODEL = "no model"
    HARDWARE_ERROR = "hardware error"
    NO_POWER = "no power"
    NO_LATENCY = "no latency"
    NOT_FINITE = "not finite"
    OUT_OF_RANGE = "out of range"
    CONTRADICTION = "contradiction"
    STOPPED = "stopped"
    INTERNAL_ERROR = "internal error"


@dataclass(frozen=True, slots=True)
class NotComputed:
    """No footprint, and why: the task's data did not allow one.

    Args:
        reason: one of the closed list.
        detail: one line with the values and what to do about them.
        warnings: what a reader should know beside that, one line each.
    """

    reason: Reason
    detail: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder from a place to its intensity.

    Args:
        rung: name of the step, e.g. "country".
        outcome: what it gave, e.g. "taken", "no match", "contradicted".
        name: what was recognised, empty if nothing was.
        code: its ISO 3166 code, empty if it has none.
    """

    rung: str
    outcome: str
    name: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A part of a place's text that was accounted for.

    Args:
        text: as written.
        kind: what it is, e.g. "city", "postal code", "cloud provider".
    """

    text: str
    kind: str


class IntensityOrigin(StrEnum):
    """Where an intensity was had, in the words of the framework where it has one for it."""

    ENV = "env"
    """The framework's own variable, SUSTAINML_GRID_CI."""
    SETTING = "setting"
    LIVE = "live"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class CarbonIntensity:
    """Carbon intensity of a place's electricity and how it was found.

    Args:
        g_per_kwh: gCO2e per kilowatt-hour.
        place: name of what the value belongs to, e.g. "France", "Europe", "World".
        code: its ISO 3166 code, empty where there is none.
        year: year of the value, None if the source states none.
        source: who published the value.
        steps: the ladder's steps in their order; the last one was taken.
        warnings: what a reader should know, one line each.
        counted: what the value counts, e.g. "consumption, life cycle"; empty where the source does
            not say.
        zones: grid zones that the value is of, empty where it is of a country or wider.
        understood: the parts of the place's text that were accounted for.
        not_understood: the parts that were not.
        site_pue: published PUE of the site, None where the place is no known provider's.
        origin: where the value was had.
    """

    g_per_kwh: Interval
    place: str
    code: str
    year: int | None
    source: str
    steps: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    counted: str = ""
    zones: tuple[str, ...] = ()
    understood: tuple[Understood, ...] = ()
    not_understood: tuple[str, ...] = ()
    site_pue: Factor | None = None
    origin: IntensityOrigin = IntensityOrigin.YEARLY


@dataclass(frozen=True, slots=True)
class NamedFactor:
    """A factor of the device energy under the name that states its unit, e.g. "power_w"."""

    name: str
    factor: Factor


@dataclass(frozen=True, slots=True)
class Budget:
    """Whether the estimate keeps the user's budget.

    Args:
        desired_g: the budget in gCO2e.
        met: True if the whole interval is within it, False if none of it is, else "uncertain".
        margin_g: budget minus the estimate's value; negative if exceeded.
    """

    desired_g: float
    met: bool | Literal["uncertain"]
    margin_g: float


@dataclass(frozen=True, slots=True)
class Tracking:
    """What the tracker was asked, what it answered, and how far that agrees with the formula.

    Args:
        run: what was asked, None if nothing was.
        outcome: what came back.
        agreement: tracker's energy over the formula's energy, minus 1; None where there is nothing
            to compare.
        agrees: whether `agreement` lies within the bound; None where there is nothing to compare.
    """

    run: Run | None = None
    outcome: TrackerOutcome = field(default_factory=NotTracked)
    agreement: float | None = None
    agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Energy and carbon of a task, with bounds and the origin of every factor.

    Args:
        carbon_g: gCO2e; its value is exactly `energy_kwh.value * intensity.g_per_kwh.value`.
        energy_kwh: facility energy in kilowatt-hours: device energy times PUE.
        device_energy_kwh: energy of the computing hardware alone.
        factors: what the device energy was computed from.
        pue: facility energy over device energy.
        intensity: carbon intensity of the place.
        inferences: how many inferences the numbers are for.
        mode: what the device energy rests on.
        hardware: name of the hardware, as sent.
        known: what is known of that hardware.
        latency_unit: unit in which the declared latency was read.
        latency_evidence: what decided that.
        tracking: the tracker's part.
        place: the text that was asked for.
        budget: None if the user set none.
        warnings: what a reader should know, one line each.
        revision: revision of the settings in force.
        output_units: units of the published doubles.
    """

    carbon_g: Interval
    energy_kwh: Interval
    device_energy_kwh: Interval
    factors: tuple[NamedFactor, ...]
    pue: Factor
    intensity: CarbonIntensity
    inferences: float
    mode: Basis
    latency_unit: LatencyUnit
    latency_evidence: Evidence
    hardware: str
    known: NamedHardware
    tracking: Tracking
    place: Place
    budget: Budget | None
    warnings: tuple[str, ...]
    revision: int
    output_units: OutputUnits

    @property
    def footprint(self) -> Footprint:
        """The three doubles to publish, in `output_units`."""
        return footprint(self.energy_kwh.value, self.intensity.g_per_kwh.value, self.output_units)
