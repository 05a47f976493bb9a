"""Every tunable of the guarded measurements, with its unit and reason."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from carbon_node.errors import ConfigError
from carbon_node.estimation import Interval

WINDOW_RANGE_S = (0.01, 3600.0)
"""Below 10 ms CarbonTracker's own calls weigh in; above an hour no task is still waiting."""

DEADLINE_RANGE_S = (0.01, 86_400.0)
"""From a deadline that nothing can meet, which is answered all the same, to one day."""

GRACE_RANGE_S = (0.0, 10.0)
"""A container gives its daemon 10 s between SIGTERM and SIGKILL."""

QUEUE_WAIT_RANGE_S = (0.0, 86_400.0)
"""From not waiting at all to one day."""

WORKERS_RANGE = (1, 64)
"""Each measurement disturbs the others; beyond this many it only queues elsewhere."""


class Unmetered(StrEnum):
    """What becomes of a chosen device that has no meter."""

    EXCLUDE = "exclude"
    """It is hidden from the model, not charged, and named in the result."""
    REFUSE = "refuse"
    """Nothing is measured."""


def devices_of(names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Read the setting `tracker.devices`: None for all GPUs, an empty tuple for none."""
    return None if "all" in names else tuple(name for name in names if name != "none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resource limits of a measuring process; None leaves one as the node has it.

    Args:
        address_space_bytes: RLIMIT_AS. CUDA reserves far more than it uses: set None where models
            run on a GPU.
        processes: RLIMIT_NPROC, counted beyond the tasks that the host runs when the measurement
            starts. Binds no process of root.
        file_size_bytes: RLIMIT_FSIZE, of each file.
    """

    address_space_bytes: int | None
    processes: int | None
    file_size_bytes: int | None


ProcessorPower: TypeAlias = Callable[[], Interval | None]
"""Returns the watts of one processor of this host, None if they are unknown."""


def unknown_power() -> Interval | None:
    """Know nothing of the processor's power."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerConfig:
    """How measurements run. What an operator can set has its default in the settings alone.

    Args:
        window_s: how long CarbonTracker observes at least, seconds. Longer is steadier for models.
        deadline_s: from the moment a worker is free until the result must be there, seconds.
            Loading a model counts.
        grace_s: between SIGTERM and SIGKILL, seconds.
        workers: processes that measure at once; simulated runs share them.
        queue_wait_s: how long a measurement may wait for a worker, seconds; beyond, the task is
            answered without it.
        output_limit_bytes: stdout and stderr together; a process that writes more is ended.
        tail_bytes: how much of the end of each of stdout and stderr is kept for the log.
        limits: resource limits of the measuring process.
        model_roots: folders below which a model may be opened; paths come over the network.
        model_limit_bytes: largest model that is opened or accepted as bytes.
        devices: GPUs that a run may use and is charged for, as numbers in PCI order or beginnings
            of UUIDs; None takes all.
        unmetered: what becomes of a device that has no meter.
        processor_power_w: returns the watts of one processor of this host under load, None if they
            are unknown; bounds the guess where nothing meters it, and is not called elsewhere.
        work_dir: where each measurement's private folder is made and removed.
        environment: variables of the measuring process beside the fixed few.
        workload: `module:function` that the measuring process runs; tests measure the guard with
            their own.

    Raises:
        ConfigError: a number is out of its range.
    """

    window_s: float
    deadline_s: float
    grace_s: float
    workers: int
    queue_wait_s: float
    output_limit_bytes: int = 1 << 20
    tail_bytes: int = 4096
    limits: Limits
    model_roots: tuple[Path, ...]
    model_limit_bytes: int
    devices: tuple[str, ...] | None
    unmetered: Unmetered
    processor_power_w: ProcessorPower = unknown_power
    work_dir: Path = field(default_factory=lambda: Path(tempfile.gettempdir()))
    environment: tuple[tuple[str, str], ...] = ()
    workload: str = "carbon_node.tracking.workload:run"

    def __post_init__(self) -> None:
        """Refuse numbers that no measurement could work with."""
        _require("window_s", self.window_s, WINDOW_RANGE_S)
        _require("deadline_s", self.deadline_s, DEADLINE_RANGE_S)
        _require("grace_s", self.grace_s, GRACE_RANGE_S)
        _require("workers", self.workers, WORKERS_RANGE)
        _require("queue_wait_s", self.queue_wait_s, QUEUE_WAIT_RANGE_S)


def _require(name: str, value: float, bounds: tuple[float, float]) -> None:
    low, high = bounds
    if not low <= value <= high:
        raise ConfigError(f"tracker.{name} is {value}; it must lie between {low} and {high}")
