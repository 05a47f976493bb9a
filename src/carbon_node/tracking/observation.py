"""One window under CarbonTracker, and what it says about it. For measuring processes only.

The traps of CarbonTracker 2.4.7 that this module steps around: it looks its place up in the network
on construction; simulated components run at half their power unless told otherwise; several devices
of a component are averaged; a prediction after the first epoch blocks; and its log is no interface.
So numbers are read from its components, not from its log, and the lines by which it calls its own
numbers wrong are collected.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from carbontracker.components.component import Component
from carbontracker.emissions.intensity.intensity import IntensityService
from carbontracker.loggerutil import Logger
from carbontracker.tracker import CarbonTracker

from carbon_node.tracking.messages import Json

UPDATE_INTERVAL_S: Final = 0.1
"""Between two readings of a component; NVML renews its own about as often."""

FIRST_READING_LIMIT_S: Final = 3.0
"""Beyond the window, for a component's first reading; RAPL, the slowest, takes one second."""

_SOURCES: Final = {
    "SimulatedGPUHandler": "simulated",
    "NvidiaGPU": "nvml",
    "IntelCPU": "rapl",
    "GenericCPU": "guess",
}


class _WrongNumberLines(logging.Handler):
    """Collects what CarbonTracker logs when its number is wrong."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.critical: list[str] = []
        self.too_short = False

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if record.levelno >= logging.CRITICAL:
            self.critical.append(message[:500])
        self.too_short = self.too_short or "too short" in message


def simulated_components(power_w: float) -> dict[str, Any]:
    """Return CarbonTracker's arguments for one simulated device that draws `power_w`."""
    return {
        "components": "gpu",
        "sim_gpu": "simulated",
        "sim_gpu_watts": power_w,
        "sim_gpu_util": 1.0,
    }


def host_components() -> dict[str, Any]:
    """Return CarbonTracker's arguments for every component of this host that it can find."""
    return {"components": "all"}


def observe(
    window_s: float,
    work: Callable[[float], int],
    components: dict[str, Any],
    sub_windows: int = 1,
    settling_s: float = 0.0,
) -> Json:
    """Observe work under CarbonTracker.

    Args:
        window_s: how long to observe at least, seconds; longer if a component needs that for its
            first reading.
        work: called with seconds, works that long at least and returns how many inferences it ran.
        components: arguments that say what is measured.
        sub_windows: parts of the window that are told apart.
        settling_s: seconds of work before the window, which are not observed.

    Returns:
        The observation for the node to judge: components with their energy, lengths of the window
        on both clocks, and of each sub-window its seconds, inferences and watts.
    """
    tracked = _Tracked(components)
    if settling_s > 0:
        # Right before the window: constructing CarbonTracker takes a second, in which devices idle.
        work(settling_s)
    tracked.begin()
    windows = _worked(work, window_s, window_s / sub_windows, tracked.components)
    tracked.end()
    return tracked.observation(windows)


def observe_simulated(window_s: float, powers_w: Sequence[float]) -> list[Json]:
    """Observe simulated devices, each under a CarbonTracker of its own, at the same time.

    Args:
        window_s: how long to observe each at least, seconds.
        powers_w: what each draws, watts.

    Returns:
        The observation of each, as `observe` returns one.
    """
    all_tracked = [_Tracked(simulated_components(power_w)) for power_w in powers_w]
    for tracked in all_tracked:
        tracked.begin()
    every_component = [each for tracked in all_tracked for each in tracked.components]
    _worked(_slept, window_s, window_s, every_component)
    for tracked in all_tracked:
        tracked.end()
    return [tracked.observation([]) for tracked in all_tracked]


def _slept(seconds: float) -> int:
    time.sleep(seconds)
    return 0


class _Tracked:
    """A CarbonTracker and one epoch of it.

    Args:
        components: arguments that say what is measured.
    """

    def __init__(self, components: dict[str, Any]) -> None:
        self._lines = _WrongNumberLines()
        self._tracker = _construct(components)
        self._tracker.logger.logger_err.addHandler(self._lines)
        self._before_start_s = self._after_start_s = 0.0
        self._shortest_s = self._longest_s = 0.0

    @property
    def components(self) -> list[Component]:
        """What is measured."""
        found: list[Component] = self._tracker.tracker.components
        return found

    def begin(self) -> None:
        """Begin the epoch."""
        self._before_start_s = time.monotonic()
        self._tracker.epoch_start()
        self._after_start_s = time.monotonic()

    def end(self) -> None:
        """End the epoch."""
        before_end_s = time.monotonic()
        self._tracker.epoch_end()
        # CarbonTracker reads the wall clock somewhere within its two calls, and this process may be
        # kept waiting there: what is certain is between which lengths its epoch was.
        self._shortest_s = before_end_s - self._after_start_s
        self._longest_s = time.monotonic() - self._before_start_s

    def observation(self, windows: Sequence["_SubWindow"]) -> Json:
        """Return what the epoch showed, in the words of the result's message."""
        epochs_s = self._tracker.tracker.epoch_times
        return {
            "components": [_facts(component, epochs_s) for component in self.components],
            "epoch_s": epochs_s[0],
            "shortest_s": self._shortest_s,
            "longest_s": self._longest_s,
            "inferences": sum(window.inferences for window in windows),
            "windows": [
                [window.seconds, window.inferences, window.power_w(self.components)]
                for window in windows
            ],
            "critical": self._lines.critical,
            "too_short": self._lines.too_short,
        }


@dataclass(frozen=True, slots=True)
class _SubWindow:
    """A part of the window; its readings are those between two counts, by component."""

    seconds: float
    inferences: int
    first_readings: tuple[int, ...]
    last_readings: tuple[int, ...]

    def power_w(self, components: list[Component]) -> float | None:
        """Mean power of all devices; None if a component was not read in this part."""
        spans = zip(components, self.first_readings, self.last_readings, strict=True)
        powers = [_mean_power_w(component, first, last) for component, first, last in spans]
        return None if None in powers else sum(filter(None, powers))


def _worked(
    work: Callable[[float], int], window_s: float, part_s: float, components: list[Component]
) -> list[_SubWindow]:
    windows: list[_SubWindow] = []
    started_s = time.monotonic()
    patience_ends_s = started_s + window_s + FIRST_READING_LIMIT_S
    while (now_s := time.monotonic()) < started_s + window_s or (
        not _all_were_read(components) and now_s < patience_ends_s
    ):
        first = _reading_counts(components)
        count = work(min(part_s, max(started_s + window_s - now_s, UPDATE_INTERVAL_S)))
        seconds = time.monotonic() - now_s
        windows.append(_SubWindow(seconds, count, first, _reading_counts(components)))
    return windows


def _reading_counts(components: list[Component]) -> tuple[int, ...]:
    return tuple(len(each.power_usages[-1]) if each.power_usages else 0 for each in components)


def _mean_power_w(component: Component, first: int, last: int) -> float | None:
    devices = len(component.devices())
    readings = component.power_usages[0][first:last] if component.power_usages else []
    return None if not readings else float(sum(readings) / len(readings) * devices)


def _construct(components: dict[str, Any]) -> Any:  # noqa: ANN401 - CarbonTracker is untyped
    # Its look-up of the place would wait for ever on a network that drips; the node applies its own
    # intensity, and there is no parameter for one.
    IntensityService._fetch_geo_location = lambda _: None
    # Two lines for a log that is not kept, and a walk through every process of the host to tell
    # devices by process, which is not asked for: together half of the time to construct it.
    Logger._log_initial_info = lambda _: None
    CarbonTracker._get_pids = lambda _: [os.getpid()]
    # One epoch more than is run: after the last one CarbonTracker stops itself and waits for a
    # reading in progress.
    return CarbonTracker(
        epochs=2,
        monitor_epochs=2,
        epochs_before_pred=0,
        update_interval=UPDATE_INTERVAL_S,
        interpretable=False,
        decimal_precision=18,
        **components,
    )


def _all_were_read(components: list[Component]) -> bool:
    return all(component.power_usages and component.power_usages[-1] for component in components)


def _facts(component: Component, epochs_s: list[float]) -> Json:
    powers_w = component.power_usages[0] if component.power_usages else []
    return {
        "name": component.name,
        "source": _SOURCES.get(type(component.handler).__name__, "unknown"),
        "devices": component.devices(),
        "readings": len(powers_w),
        "lowest_power_w": float(min(powers_w, default=0.0)),
        # CarbonTracker's own energy, before its PUE: over the window, for the mean of the
        # component's devices.
        "energy_kwh_per_device": float(component.energy_usage(epochs_s)[0]),
    }
