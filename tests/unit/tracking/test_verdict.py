"""From a guard's report to a measurement or a named failure, without any process."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.errors import TrackerDied, TrackerError, TrackerProtocolError, TrackerTimeout
from carbon_node.estimation import GuessedPower, Interval
from carbon_node.estimation.measurement import Measurement
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import Report, frame, only_message
from carbon_node.tracking.verdict import judge, judge_group

J_PER_KWH = 3.6e6
POWER_W = 300.0
DURATION_S = 0.5


def _component(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    return {
        "name": "gpu",
        "source": "simulated",
        "devices": ["simulated"],
        "readings": 5,
        "lowest_power_w": POWER_W,
        "energy_kwh_per_device": POWER_W * DURATION_S / J_PER_KWH,
        **changes,
    }


def _report(*components: dict[str, Any], **changes: Any) -> Report:  # noqa: ANN401 - any JSON value
    observation = {
        "components": list(components) or [_component()],
        "epoch_s": DURATION_S,
        "shortest_s": DURATION_S * 0.99,
        "longest_s": DURATION_S * 1.01,
        "inferences": 0,
        "critical": [],
        "too_short": False,
        **changes,
    }
    return Report(result=frame({"observation": observation}))


def _group_report(*changes: dict[str, object]) -> Report:
    """A report on one process that measured so many runs."""
    observations = [only_message(_report(**each).result)["observation"] for each in changes]
    return Report(result=frame({"observations": observations}))


def test_each_run_of_a_group_has_its_own_verdict() -> None:
    """What is wrong with one observation says nothing about the others."""
    good = judge(_report(), 1.0)
    first, second, third = judge_group(_group_report({}, {"too_short": True}, {}), 3, 1.0)
    assert (first, third) == (good, good)
    assert isinstance(second, TrackerError)
    assert second.failure == FailureName.TOO_SHORT


@pytest.mark.parametrize("report", [_group_report({}), _group_report({}, {}, {}), _report()])
def test_a_group_without_a_result_for_each_run_is_refused(report: Report) -> None:
    """Which result is whose would be a guess."""
    with pytest.raises(TrackerError, match="does not hold 2 measurements"):
        judge_group(report, 2, 1.0)


def _refusal(report: Report) -> TrackerError:
    with pytest.raises(TrackerError) as caught:
        judge(report, deadline_s=1.0)
    return caught.value


def test_good_report_is_a_measurement() -> None:
    """The device energy, the window and what was measured come out of a good report."""
    expected = Measurement(POWER_W * DURATION_S / J_PER_KWH, DURATION_S, components=("simulated",))
    assert judge(_report(), 1.0) == expected


@pytest.mark.parametrize(
    ("report", "kind", "failure"),
    [
        (Report(error="OSError: no"), TrackerDied, FailureName.GUARD_FAILED),
        (Report(ended_by="deadline", exit_status=-15), TrackerTimeout, FailureName.TIMEOUT),
        (Report(ended_by="deadline", killed=True), TrackerTimeout, FailureName.SIGTERM_IGNORED),
        (Report(ended_by="flood", exit_status=-15), TrackerDied, FailureName.OUTPUT_FLOOD),
        (Report(ended_by="oversized"), TrackerProtocolError, FailureName.OVERSIZED_RESULT),
        (Report(exit_status=-11), TrackerDied, FailureName.SIGNAL),
        (Report(exit_status=-40), TrackerDied, FailureName.SIGNAL),
        (Report(exit_status=70), TrackerDied, FailureName.EXIT_70),
        (Report(exit_status=1), TrackerDied, FailureName.EXIT_STATUS),
        (Report(), TrackerProtocolError, FailureName.NO_RESULT),
    ],
)
def test_bad_end_has_its_name_and_kind(
    report: Report, kind: type[TrackerError], failure: FailureName
) -> None:
    """How the process ended decides before anything that it sent."""
    with_result = replace(report, result=_report().result) if report != Report() else report
    refusal = _refusal(with_result)
    assert (type(refusal), refusal.failure) == (kind, failure)


@pytest.mark.parametrize(
    ("observation", "failure"),
    [
        ({"critical": ["RAPL\n unreadable"]}, FailureName.CRITICAL_LOG_LINE),
        ({"too_short": True}, FailureName.TOO_SHORT),
        ({"epoch_s": DURATION_S * 1.07}, FailureName.CLOCK_JUMPED),
        ({"epoch_s": DURATION_S * 0.93}, FailureName.CLOCK_JUMPED),
        ({"epoch_s": -DURATION_S}, FailureName.CLOCK_JUMPED),
        ({"epoch_s": 0.0, "shortest_s": 0.0, "longest_s": 0.0}, FailureName.CLOCK_JUMPED),
        ({"epoch_s": math.nan}, FailureName.NOT_FINITE),
        ({"longest_s": math.inf}, FailureName.NOT_FINITE),
        ({"inferences": "many"}, FailureName.GARBAGE_RESULT),
        ({"components": None}, FailureName.GARBAGE_RESULT),
        ({"windows": [[1]]}, FailureName.GARBAGE_RESULT),
        ({"windows": [[0.1, "many", None]]}, FailureName.GARBAGE_RESULT),
    ],
)
def test_window_that_cannot_be_believed_is_refused(
    observation: dict[str, Any], failure: FailureName
) -> None:
    """Log lines, clocks and shapes that make the number wrong each have a name."""
    assert _refusal(_report(**observation)).failure == failure


@pytest.mark.parametrize(
    ("component", "failure"),
    [
        ({"energy_kwh_per_device": 0.0}, FailureName.ZERO),
        ({"lowest_power_w": 0.0}, FailureName.ZERO),
        ({"lowest_power_w": -1.0}, FailureName.ZERO),
        ({"lowest_power_w": math.nan}, FailureName.NOT_FINITE),
        ({"energy_kwh_per_device": math.inf}, FailureName.NOT_FINITE),
        ({"devices": ["a", "b"]}, FailureName.SEVERAL_DEVICES),
        ({"devices": []}, FailureName.SEVERAL_DEVICES),
        ({"readings": "few"}, FailureName.GARBAGE_RESULT),
    ],
)
def test_component_that_cannot_be_believed_is_refused(
    component: dict[str, Any], failure: str
) -> None:
    """Numbers of a component that cannot be right each have a name."""
    assert _refusal(_report(_component(**component))).failure == failure


def test_observation_without_components_is_no_measurement() -> None:
    """A tracker that found nothing to measure has measured nothing."""
    report = _report(components=[])
    assert _refusal(report).failure == FailureName.NO_MEASUREMENT


def test_energy_is_taken_as_it_was_measured() -> None:
    """Whether it agrees with a formula is not decided here."""
    report = _report(_component(energy_kwh_per_device=1.0), inferences=3)
    measurement = judge(report, 1.0)
    assert (measurement.device_energy_kwh, measurement.inferences) == (1.0, 3)


@pytest.mark.parametrize(
    ("epoch_s", "expected_s"), [(0.5, 0.5), (0.9, 0.9), (0.48, 0.49), (0.95, 0.91)]
)
def test_length_of_the_window_is_what_both_clocks_allow(epoch_s: float, expected_s: float) -> None:
    """A process that had to wait at an edge of its window is no jump; the two clocks bound it."""
    report = _report(epoch_s=epoch_s, shortest_s=0.49, longest_s=0.91)
    assert judge(report, 1.0).duration_s == expected_s


def _guessed_report() -> Report:
    return _report(
        _component(source="nvml", devices=["H100"]),
        _component(name="cpu", source="guess", devices=["Processor"], lowest_power_w=35.6),
        circumstances={"host": "gpu-7", "sockets": 2, "excluded": ["AMD GPU"], "others": ["load"]},
    )


def test_guess_is_bounded_by_ratings_times_sockets() -> None:
    """A processor of known rating is guessed by it, for each socket, beside what is metered."""
    measurement = judge(_guessed_report(), 1.0, lambda: Interval(36, 180, 360))
    assert measurement.guesses == (GuessedPower("2 x Processor", Interval(72, 360, 720)),)
    assert measurement.device_energy_kwh == pytest.approx((300 + 360) * DURATION_S / J_PER_KWH)
    assert (measurement.components, measurement.meters) == (
        ("gpu:H100", "cpu:Processor"),
        ("nvml",),
    )


def test_guess_of_an_unknown_processor_reaches_as_far_as_any_is_rated() -> None:
    """Two sockets of 500 W are the most that there is, a tenth of the guess the least."""
    (guess,) = judge(_guessed_report(), 1.0).guesses
    assert guess.power_w == Interval(2 * 3.56, 71.2, 1000)


def test_circumstances_of_a_run_are_part_of_the_measurement() -> None:
    """Where it ran, what was not charged, and who else was there."""
    measurement = judge(_guessed_report(), 1.0)
    assert (measurement.host, measurement.excluded, measurement.others) == (
        "gpu-7",
        ("AMD GPU",),
        ("load",),
    )


@pytest.mark.parametrize(
    ("windows", "spread"),
    [
        ([], (1.0, 1.0)),
        ([[0.1, 7, 300.0]], (1.0, 1.0)),
        ([[0.1, 10, 300.0], [0.1, 10, 300.0]], (1.0, 1.0)),
        ([[0.1, 10, 100.0], [0.1, 10, 300.0]], (0.5, 1.5)),
        ([[0.1, 10, None], [0.3, 10, 300.0]], (0.5, 1.5)),
        ([[0.1, 0, 300.0], [0.1, 10, 300.0]], (1.0, 1.0)),
    ],
)
def test_spread_of_sub_windows_is_relative_to_the_whole(
    windows: list[list[float | None]], spread: tuple[float, float]
) -> None:
    """Energy of an inference in the least and the most expensive sub-window."""
    found = judge(_report(windows=windows), 1.0).spread
    assert (found.low, found.high) == pytest.approx(spread)


@given(
    count=st.integers(1, 16),
    rounds=st.integers(1, 5),
    energy_kwh=st.floats(1e-12, 1e3),
)
def test_energy_of_equal_devices_is_their_sum(count: int, rounds: int, energy_kwh: float) -> None:
    """N devices, of which CarbonTracker gives the mean, count N times."""
    devices = [f"GPU {number}" for number in range(count)]
    component = _component(
        source="nvml",
        devices=devices,
        readings=count * rounds,
        energy_kwh_per_device=energy_kwh,
    )
    measurement = judge(_report(component), 1.0)
    assert measurement.device_energy_kwh == pytest.approx(count * energy_kwh)


def test_failure_that_the_process_names_is_passed_on() -> None:
    """A process that knows why it cannot measure has the last word, cut to a line."""
    report = Report(result=frame({"failure": "no_model", "detail": "x" * 9999}))
    refusal = _refusal(report)
    assert (refusal.failure, len(refusal.detail)) == (FailureName.NO_MODEL, 500)


def test_last_line_of_stderr_is_in_the_message() -> None:
    """The message of a failure shows status and last words of the process."""
    report = Report(exit_status=3, stderr_tail="Traceback\nValueError: 7\n", stdout_tail="hello")
    expected = "exit_status: the process ended with status 3; its last line was: ValueError: 7"
    assert str(_refusal(report)) == expected


def test_every_failure_is_in_the_documentation() -> None:
    """The page on modes explains every name that a result can carry."""
    page = Path(__file__).parents[3] / "docs" / "modes.md"
    text = page.read_text()
    assert [name for name in FailureName if f"`{name}`" not in text] == []
