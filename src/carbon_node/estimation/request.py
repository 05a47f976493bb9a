"""What a task asks, and what is assumed where the task does not say."""

from dataclasses import dataclass, field
from enum import StrEnum

from carbon_node.estimation.interval import Factor, Interval
from carbon_node.estimation.measurement import RawModel
from carbon_node.estimation.units import HOURS_PER_YEAR, LatencyUnit, OutputUnits

DEFAULT_PUE = Factor(
    Interval(1.09, 1.58, 1.98),
    "Uptime Institute 2023 mean 1.58; 1.09 Patterson 2021 best cloud site; 1.98 Uptime 2011 mean",
)
"""Facility energy over device energy where the operator sets none."""

MAX_POWER_W = 10e6
"""No machine that answers inferences draws 10 MW; the cause is a wrong unit, such as milliwatts."""

MAX_LATENCY_H = HOURS_PER_YEAR
"""No inference takes a year; the cause is a wrong latency unit."""

PLAUSIBLE_LATENCY_S = (1e-6, 300.0)
"""From a look-up table to a long generated text; what lies outside is published with a warning."""

MAX_JOB_HOURS = 1e8
"""Device-hours of a whole training: published ones reach 4e7 (GPU-hours times the power of one
GPU)."""

MAX_PUE = 5.0
"""Even a server room with the cooling of a house stays below; the cause is a wrong number."""

MAX_G_PER_KWH = 3000.0
"""The dirtiest grid has 1306 g/kWh; three times the worst coal plant is a wrong unit."""

POWER_TOLERANCE = 0.05
"""Declared power is read from instruments; NVML documents plus and minus 5 % for its own."""


class Mode(StrEnum):
    """How the device energy is to be found; `auto` chooses per task."""

    AUTO = "auto"
    DECLARED = "declared"
    MEASURED = "measured"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the task runs, in free text as sent; usually empty.

    Args:
        region: country, code, subdivision, city or cloud region.
        continent: narrows the region, or stands in for it.
    """

    region: str = ""
    continent: str = ""


@dataclass(frozen=True, slots=True)
class ExplicitHardware:
    """Numbers of the hardware's `extra_data` that name their unit; they win over the doubles.

    Args:
        power_w: device power in watts.
        latency_h: duration of one inference in hours.
        energy_wh: device energy of one inference in watt-hours.
    """

    power_w: float | None = None
    latency_h: float | None = None
    energy_wh: float | None = None


@dataclass(frozen=True, slots=True)
class NamedHardware:
    """What is known of the hardware that a task names, and whether this host has it.

    Args:
        known_as: full name in the catalogue; empty if nothing is known of its power.
        entry: which entry of the hardware map says so, and whose it is; empty if none does.
        count: how many devices the name stands for, > 0; `power` and `rated_w` are of them all.
        power: watts under load, None if nobody published any.
        rated_w: most that its makers rate it, in watts, None if they do not.
        latency_unit: unit in which its node sends latencies, None if unknown.
        later_latency_unit: unit in which later nodes send it; None if there are none, or if it is
            stated which nodes send it.
        pue: facility energy over device energy where it stands, None if unknown.
        is_here: whether it is this host, or a device of it.
        accelerators: how many of the devices are accelerators, 0 if none is known to be.
    """

    known_as: str = ""
    entry: str = ""
    count: int = 1
    power: Factor | None = None
    rated_w: float | None = None
    latency_unit: LatencyUnit | None = None
    later_latency_unit: LatencyUnit | None = None
    pue: Factor | None = None
    is_here: bool = False
    accelerators: int = 0


@dataclass(frozen=True, slots=True)
class EstimationRequest:
    """One task, as far as its footprint depends on it. Numbers are as sent, unchecked.

    Args:
        model: model id; blank means that there is none.
        model_error: why the model provider failed, None if it did not.
        hardware: name of the hardware, as sent.
        known: what is known of that hardware.
        hardware_error: why the hardware provider failed, None if it did not.
        power_w: device power in watts; 0 means not given.
        latency: duration of one inference; `latency_reading` says in which unit; 0 means not given.
        latency_unit: unit of `latency` where none is known for the hardware.
        states_memory: whether the hardware states a memory footprint, as later nodes do.
        explicit: numbers that win over `power_w` and `latency`.
        place: where the task runs.
        desired_carbon_g: the user's budget in gCO2e; 0 or less means none.
        inferences: how many inferences the result is for, > 0.
        refused: numbers that came in a form that cannot be read, one line each.
        doubts: what else a reader of the result should know of the inputs, one line each.
        model_path: path as sent.
        raw_model: serialized model, empty if none was sent.
    """

    model: str
    model_error: str | None = None
    hardware: str = ""
    known: NamedHardware = field(default_factory=NamedHardware)
    hardware_error: str | None = None
    power_w: float = 0.0
    latency: float = 0.0
    latency_unit: LatencyUnit = LatencyUnit.S
    states_memory: bool = False
    explicit: ExplicitHardware = field(default_factory=ExplicitHardware)
    place: Place = field(default_factory=Place)
    desired_carbon_g: float = 0.0
    inferences: float = 1.0
    refused: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    model_path: str = ""
    raw_model: RawModel = field(default=b"", repr=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the inputs make a reader of the result beware of, one line each."""
        return (*self.refused, *self.doubts)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What holds for every task until the settings change.

    Args:
        pue: facility energy over device energy, >= 1; exact where the operator set it.
        mode: how the device energy is found.
        model_is_runnable: whether this host could run the task's model under the tracker.
        plausible_latency_s: shortest and longest inference that nobody has to doubt, in seconds.
        power_tolerance: share by which declared power and energy may be wrong, from 0 to below 1.
        max_latency_h: longest believable duration in hours.
        output_units: units of the published doubles.
        revision: revision of the settings that these assumptions come from.
    """

    pue: Factor = DEFAULT_PUE
    mode: Mode = Mode.AUTO
    model_is_runnable: bool = False
    plausible_latency_s: tuple[float, float] = PLAUSIBLE_LATENCY_S
    power_tolerance: float = POWER_TOLERANCE
    max_latency_h: float = MAX_LATENCY_H
    output_units: OutputUnits = OutputUnits.G_KWH
    revision: int = 0
