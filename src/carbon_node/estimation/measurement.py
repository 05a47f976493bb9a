"""What to measure and what a measurement gave: the vocabulary between estimation and tracking."""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from carbon_node.estimation.interval import Interval, exact


class SpooledBytes(Protocol):
    """Bytes that wait outside of memory for as long as this object lives."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        ...

    def claim(self) -> None:
        """Keep them, whatever else comes: their task is complete."""
        ...

    def open(self) -> int:
        """Return a new file descriptor that reads them from their start; blocks.

        Raises:
            OSError: they cannot be read.
        """
        ...


RawModel: TypeAlias = bytes | memoryview | SpooledBytes
"""A serialized model that came with a task. Large ones are never brought back into memory."""


@dataclass(frozen=True, slots=True)
class SimulatedRun:
    """Run CarbonTracker on simulated hardware, to confirm the closed formula.

    Args:
        power_w: power of the simulated hardware in watts, finite and > 0.
    """

    power_w: float


@dataclass(frozen=True, slots=True)
class ModelRun:
    """Run a model on this host under CarbonTracker.

    Args:
        model: model id as the ML model provider sent it.
        model_path: path as sent; opened only below the configured model roots.
        raw_model: serialized model, empty if none was sent.
    """

    model: str
    model_path: str = ""
    raw_model: RawModel = field(default=b"", repr=False)


Run: TypeAlias = SimulatedRun | ModelRun


@dataclass(frozen=True, slots=True)
class GuessedPower:
    """Power of a processor that no meter tells.

    Args:
        processor: how many of which, e.g. "2 x AMD EPYC 9654".
        power_w: watts of all of them.
    """

    processor: str
    power_w: Interval


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured of one run, over its window.

    Args:
        device_energy_kwh: energy of the measured components in kilowatt-hours, PUE taken
            out, finite and >= 0; the guesses' values are part of it.
        duration_s: length of the measured window in seconds, > 0.
        inferences: how many inferences ran within the window; 0 for simulated hardware.
        components: names of what was measured, e.g. ("simulated",), ("gpu:NVIDIA H200",).
        guesses: components whose power is a guess instead of a reading.
        spread: energy of an inference in each sub-window, over that in the whole window: the
            least, 1, the greatest.
        host: name of the host that ran it; empty for this one.
        meters: what told power, e.g. ("nvml", "rapl").
        excluded: devices of the host that were not charged, and why, one line each.
        others: load on the host that was not the run's, one line each.
        used_gpu: whether the model can have run on a GPU.
    """

    device_energy_kwh: float
    duration_s: float
    inferences: int = 0
    components: tuple[str, ...] = ()
    guesses: tuple[GuessedPower, ...] = ()
    spread: Interval = field(default_factory=lambda: exact(1.0))
    host: str = ""
    meters: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    used_gpu: bool = False

    @property
    def accelerators(self) -> int:
        """How many GPUs the energy is of: those that were charged, if the model ran on them."""
        if not self.used_gpu:
            return 0
        return sum(component.startswith("gpu:") for component in self.components)

    @property
    def power_is_guessed(self) -> bool:
        """Whether some of the energy rests on a guess."""
        return bool(self.guesses)


@dataclass(frozen=True, slots=True)
class TrackerFailure:
    """A measurement that gave no trustworthy number.

    Args:
        failure: name from the closed list of tracker failures, e.g. "timeout".
        detail: one line for people; carries no secret of the task.
    """

    failure: str
    detail: str


@dataclass(frozen=True, slots=True)
class NotTracked:
    """No measurement was asked for."""


TrackerOutcome: TypeAlias = Measurement | TrackerFailure | NotTracked
