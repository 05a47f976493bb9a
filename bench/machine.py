"""Where and with what a run was measured."""

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from carbon_node import __version__
from carbon_node.transport.binding import native

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a result depends on, beside the code.

    Args:
        processor: model name.
        cores: that this process may use.
        memory_gb: of the machine, 1e9 bytes.
        system: kernel and its release.
        python: version.
        fast_dds: version.
        node: version of the package.
        revision: of the repository; ends in "+" if it was changed since, empty if it is unknown.
        measured_at: with its zone.
        load: mean number of processes that ran or waited in the minute before.
    """

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    fast_dds: str
    node: str
    revision: str
    measured_at: str
    load: float

    def text(self) -> str:
        """Describe the machine in one line."""
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gb:.0f} GB, {self.system}, "
            f"Python {self.python}, Fast DDS {self.fast_dds}; carbon_node {self.node} at revision "
            f"{self.revision or 'unknown'}, {self.measured_at}, load before {self.load:.1f}"
        )


def this_machine() -> Machine:
    """Describe this machine as it is now."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        fast_dds=native.VERSION,
        node=__version__,
        revision=_revision(),
        measured_at=datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        load=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _revision() -> str:
    command = ("git", "-C", str(ROOT))
    try:
        head = _output(*command, "rev-parse", "--short=12", "HEAD")
        is_changed = _output(*command, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        # A copy without its history.
        return ""
    return f"{head}{'+' if is_changed else ''}"


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
