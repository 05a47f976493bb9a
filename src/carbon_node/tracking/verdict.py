"""From a guard's report to a measurement, or to the one name of why there is none."""

import math
import signal
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from carbon_node.errors import TrackerDied, TrackerError, TrackerProtocolError, TrackerTimeout
from carbon_node.estimation.measurement import Measurement
from carbon_node.estimation.units import kwh_from_watt_seconds
from carbon_node.tracking.circumstances import (
    Circumstances,
    SubWindow,
    guessed_power,
    spread_of,
)
from carbon_node.tracking.config import ProcessorPower, unknown_power
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import Json, Report, only_message

AGREEMENT_BOUND: Final = 0.05
"""Largest relative difference between the two clocks."""

EXIT_OF_CARBONTRACKER: Final = 70
"""Status with which CarbonTracker ends the process on any error of its own."""


@dataclass(frozen=True, slots=True)
class _Component:
    name: str
    source: str
    devices: tuple[str, ...]
    readings: int
    lowest_power_w: float
    energy_kwh_per_device: float

    def energy_kwh(self) -> float:
        """Return the energy of all devices: CarbonTracker gives their mean."""
        return self.energy_kwh_per_device * len(self.devices)


@dataclass(frozen=True, slots=True)
class _Observation:
    components: tuple[_Component, ...]
    epoch_s: float
    shortest_s: float
    longest_s: float
    inferences: int
    critical: tuple[str, ...]
    too_short: bool
    windows: tuple[SubWindow, ...]
    circumstances: Circumstances


def judge(
    report: Report, deadline_s: float, processor_power_w: ProcessorPower = unknown_power
) -> Measurement:
    """Return the measurement that a report holds.

    Args:
        report: what the guard saw.
        deadline_s: what the measurement had, for the message.
        processor_power_w: returns the watts of one processor of the host, None if unknown; called
            for a guess alone.

    Raises:
        TrackerTimeout: the deadline had passed.
        TrackerDied: the guard or the process ended without a result.
        TrackerProtocolError: the result could not be read or believed.
        TrackerError: the process said why it could not measure.
    """
    message = _good_message(report, deadline_s)
    return _believed(message.get("observation"), processor_power_w)


def judge_group(
    report: Report, count: int, deadline_s: float
) -> tuple[Measurement | TrackerError, ...]:
    """Return the measurement of each run of a group, or why there is none.

    Args:
        report: what the guard saw.
        count: runs of the group.
        deadline_s: what the group had, for the message.

    Raises:
        TrackerError: what holds for all, as `judge` does; there are not as many results as runs.
    """
    found = _good_message(report, deadline_s).get("observations")
    if not isinstance(found, list) or len(found) != count:
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT, f"the result does not hold {count} measurements"
        )
    return tuple(map(_judged, found))


def _good_message(report: Report, deadline_s: float) -> Json:
    _require_good_end(report, deadline_s)
    message = only_message(report.result)
    _require_no_failure(message)
    return message


def _judged(found: Any) -> Measurement | TrackerError:  # noqa: ANN401 - any JSON
    try:
        return _believed(found, unknown_power)
    except TrackerError as error:
        return error


def _believed(found: Any, processor_power_w: ProcessorPower) -> Measurement:  # noqa: ANN401 - any JSON
    observation = _observation(found)
    _require_belief(observation)
    return _measurement(observation, processor_power_w)


def _require_good_end(report: Report, deadline_s: float) -> None:
    if report.error:
        raise TrackerDied(
            FailureName.GUARD_FAILED, f"the measurement could not be guarded: {report.error}"
        )
    match report.ended_by:
        case "deadline":
            _refuse_late(report, deadline_s)
        case "flood":
            raise TrackerDied(
                FailureName.OUTPUT_FLOOD,
                f"the process wrote without end and was stopped{_last_words(report)}",
            )
        case "oversized":
            raise TrackerProtocolError(
                FailureName.OVERSIZED_RESULT, "the process sent more than a result can be"
            )
        case _:
            _require_good_status(report)


def _refuse_late(report: Report, deadline_s: float) -> NoReturn:
    if report.killed:
        raise TrackerTimeout(
            FailureName.SIGTERM_IGNORED,
            f"no result within {deadline_s:g} s, and SIGTERM did not end it{_last_words(report)}",
        )
    raise TrackerTimeout(
        FailureName.TIMEOUT, f"no result within {deadline_s:g} s{_last_words(report)}"
    )


def _require_good_status(report: Report) -> None:
    status = report.exit_status
    if status < 0:
        raise TrackerDied(
            FailureName.SIGNAL,
            f"the process was ended by {_signal_name(-status)}{_last_words(report)}",
        )
    if status == EXIT_OF_CARBONTRACKER:
        raise TrackerDied(
            FailureName.EXIT_70,
            f"CarbonTracker gave up and ended the process with status 70{_last_words(report)}",
        )
    if status != 0:
        raise TrackerDied(
            FailureName.EXIT_STATUS, f"the process ended with status {status}{_last_words(report)}"
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals have no names
        return f"signal {number}"


def _last_words(report: Report) -> str:
    lines = (report.stderr_tail.strip() or report.stdout_tail.strip()).splitlines()
    return f"; its last line was: {lines[-1].strip()[:300]}" if lines else ""


def _require_no_failure(message: Json) -> None:
    if "failure" not in message:
        return
    detail = str(message.get("detail", ""))[:500]
    try:
        failure = FailureName(message["failure"])
    except ValueError as error:
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT,
            f"the process named a failure that does not exist: {message['failure']!r}",
        ) from error
    raise TrackerError(failure, detail)


def _observation(found: Any) -> _Observation:  # noqa: ANN401 - any JSON
    if not found:
        raise TrackerProtocolError(FailureName.NO_MEASUREMENT, "the result holds no measurement")
    try:
        return _typed(found)
    except (KeyError, TypeError, ValueError) as error:
        raise TrackerProtocolError(
            FailureName.GARBAGE_RESULT, f"the result's measurement cannot be read: {error!r}"
        ) from error


def _typed(found: Json) -> _Observation:
    return _Observation(
        components=tuple(map(_component, found["components"])),
        epoch_s=float(found["epoch_s"]),
        shortest_s=float(found["shortest_s"]),
        longest_s=float(found["longest_s"]),
        inferences=int(found["inferences"]),
        critical=tuple(map(str, found["critical"])),
        too_short=bool(found["too_short"]),
        windows=tuple(SubWindow.of(*window) for window in found.get("windows", ())),
        circumstances=Circumstances.of(found.get("circumstances", {})),
    )


def _component(found: Json) -> _Component:
    return _Component(
        name=str(found["name"]),
        source=str(found["source"]),
        devices=tuple(map(str, found["devices"])),
        readings=int(found["readings"]),
        lowest_power_w=float(found["lowest_power_w"]),
        energy_kwh_per_device=float(found["energy_kwh_per_device"]),
    )


def _require_belief(observation: _Observation) -> None:
    if observation.critical:
        raise TrackerProtocolError(
            FailureName.CRITICAL_LOG_LINE,
            f"CarbonTracker calls its number wrong: {' '.join(observation.critical[0].split())}",
        )
    if observation.too_short:
        raise TrackerProtocolError(
            FailureName.TOO_SHORT,
            f"CarbonTracker has no reading after {observation.longest_s:g} s;"
            " run carbon-node doctor to see why",
        )
    if not observation.components:
        raise TrackerProtocolError(
            FailureName.NO_MEASUREMENT, "CarbonTracker measured no component"
        )
    for component in observation.components:
        _require_readings(component)
    _require_one_clock(observation)


def _require_readings(component: _Component) -> None:
    numbers = (component.lowest_power_w, component.energy_kwh_per_device)
    if not all(map(math.isfinite, numbers)):
        raise TrackerProtocolError(
            FailureName.NOT_FINITE,
            f"{component.name} has a power or energy that is not finite: {numbers}",
        )
    if not component.devices or component.readings % len(component.devices) != 0:
        raise TrackerProtocolError(
            FailureName.SEVERAL_DEVICES,
            f"{component.name} has {component.readings} readings of {len(component.devices)}"
            " devices, which cannot be summed",
        )
    if min(numbers) <= 0:
        raise TrackerProtocolError(
            FailureName.ZERO,
            f"{component.name} reads {component.lowest_power_w:g} W and"
            f" {component.energy_kwh_per_device:g} kWh, but hardware that runs draws power",
        )


def _require_one_clock(observation: _Observation) -> None:
    shortest_s, epoch_s, longest_s = lengths_s = (
        observation.shortest_s,
        observation.epoch_s,
        observation.longest_s,
    )
    if not all(map(math.isfinite, lengths_s)):
        raise TrackerProtocolError(
            FailureName.NOT_FINITE, f"the window has a length that is not finite: {lengths_s} s"
        )
    low_s, high_s = shortest_s * (1 - AGREEMENT_BOUND), longest_s * (1 + AGREEMENT_BOUND)
    if not 0 < low_s <= epoch_s <= high_s:
        raise TrackerProtocolError(
            FailureName.CLOCK_JUMPED,
            f"CarbonTracker's wall clock saw {epoch_s:g} s, the monotonic clock {shortest_s:g} to"
            f" {longest_s:g} s; the host's time was set during the measurement",
        )


def _measurement(observation: _Observation, processor_power_w: ProcessorPower) -> Measurement:
    circumstances = observation.circumstances
    duration_s = min(max(observation.epoch_s, observation.shortest_s), observation.longest_s)
    metered = [each for each in observation.components if each.source != "guess"]
    guesses = tuple(
        guessed_power(device, component.lowest_power_w, circumstances.sockets, processor_power_w())
        for component in observation.components
        if component.source == "guess"
        for device in component.devices
    )
    guessed_kwh = sum(kwh_from_watt_seconds(guess.power_w.value, duration_s) for guess in guesses)
    return Measurement(
        device_energy_kwh=sum(component.energy_kwh() for component in metered) + guessed_kwh,
        duration_s=duration_s,
        inferences=observation.inferences,
        components=tuple(
            _label(component, device)
            for component in observation.components
            for device in component.devices
        ),
        guesses=guesses,
        spread=spread_of(observation.windows),
        host=circumstances.host,
        meters=tuple(dict.fromkeys(each.source for each in metered if each.source != "simulated")),
        excluded=circumstances.excluded,
        others=circumstances.others,
        used_gpu=circumstances.used_gpu,
    )


def _label(component: _Component, device: str) -> str:
    return "simulated" if component.source == "simulated" else f"{component.name}:{device}"
