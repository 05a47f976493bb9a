"""Real measurements of one model on an NVIDIA GPU, beside what its driver counts by itself."""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pynvml
from tests.fault.guarded import Outcome, outcome_of
from tests.trackers import LIMITS, tracker_config

from carbon_node.estimation.device_energy import metered_part_kwh
from carbon_node.estimation.measurement import Measurement, ModelRun
from carbon_node.tracking import TrackerConfig, Unmetered
from carbon_node.tracking.pool import TrackerPool

J_PER_KWH = 3.6e6
WINDOW_S = 3.0
DEADLINE_S = 40.0
SAMPLING_S = 0.05


def library_path() -> tuple[tuple[str, str], ...]:
    """Return where this process finds the driver's libraries, for the measuring process."""
    pairs = Path("/proc/self/environ").read_bytes().split(b"\0")
    named = dict(pair.decode(errors="replace").partition("=")[::2] for pair in pairs if pair)
    path = named.get("LD_LIBRARY_PATH", "")
    return (("LD_LIBRARY_PATH", path),) if path else ()


def measure(
    work_dir: Path,
    devices: tuple[str, ...] | None = None,
    unmetered: Unmetered = Unmetered.EXCLUDE,
) -> Outcome:
    """Measure the model on the chosen GPUs, as the node would.

    Args:
        work_dir: an empty folder.
        devices: as in the setting `tracker.devices`; None for all.
        unmetered: as in the setting `tracker.unmetered`.
    """
    config = tracker_config(
        workload="tests.gpu.kernel:run",
        window_s=WINDOW_S,
        deadline_s=DEADLINE_S,
        limits=replace(LIMITS, address_space_bytes=None),
        devices=devices,
        unmetered=unmetered,
        work_dir=work_dir,
        environment=library_path(),
    )
    return asyncio.run(_measured(config))


async def _measured(config: TrackerConfig) -> Outcome:
    async with TrackerPool(config) as pool:
        return await outcome_of(pool, ModelRun("chain"))


def metered_w(measurement: Measurement) -> float:
    """Return the mean power that meters told, in watts; the guessed part is left out."""
    return metered_part_kwh(measurement) * J_PER_KWH / measurement.duration_s


@contextmanager
def load_by_others() -> Iterator[None]:
    """Keep the first GPU busy from another process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gpu.kernel"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if process.stdout.readline() != b"busy\n":
            raise RuntimeError("the other process could not use the GPU")
        time.sleep(1.0)  # utilisation is a mean over up to a second
        yield
    finally:
        process.stdin.close()
        process.stdout.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(slots=True)
class EnergyCounter:
    """What the driver itself counted, sampled while something else measures.

    Args:
        index: the GPU's number in PCI order.
    """

    index: int = 0
    samples: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Sample until the block is left."""
        stop = threading.Event()
        thread = threading.Thread(target=self._sample, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def highest_mean_w(self, window_s: float) -> float:
        """Return the highest mean power over any window of that length, in watts."""
        means = [0.0]
        for at_s, joules in self.samples:
            later = [each for each in self.samples if each[0] >= at_s + window_s]
            if later:
                means.append((later[0][1] - joules) / (later[0][0] - at_s))
        return max(means)

    def _sample(self, stop: threading.Event) -> None:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(self.index)
        while not stop.wait(SAMPLING_S):
            joules = pynvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
            self.samples.append((time.monotonic(), joules))
        pynvml.nvmlShutdown()
