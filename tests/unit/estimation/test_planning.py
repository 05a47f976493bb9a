"""How a task's device energy is found: the declared numbers that count, and the mode."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    EstimationRequest,
    ExplicitHardware,
    LatencyUnit,
    Mode,
    ModelRun,
    NotComputed,
    Plan,
    Reason,
    SimulatedRun,
    plan,
)
from carbon_node.estimation.declared import ExplicitEnergy, PowerAndLatency

TASK = EstimationRequest(model="a/model", hardware="gpu-1", power_w=300, latency=2)
HERE = Assumptions(host_names=frozenset({"GPU-1"}), model_is_runnable=True)


def planned(request: EstimationRequest, assumptions: Assumptions) -> Plan:
    """Return the plan of a task that has one."""
    result = plan(request, assumptions)
    assert isinstance(result, Plan)
    return result


def reason(request: EstimationRequest, assumptions: Assumptions | None = None) -> Reason:
    """Return why a task has no plan."""
    result = plan(request, assumptions or Assumptions())
    assert isinstance(result, NotComputed)
    assert result.detail
    assert "\n" not in result.detail
    return result.reason


def explicit(**numbers: float) -> EstimationRequest:
    """Return the task with explicit numbers."""
    return dataclasses.replace(TASK, explicit=ExplicitHardware(**numbers))


@pytest.mark.parametrize("error", ["no such model", "", "line\nline\r\n" * 1000])
def test_a_failed_model_provider_is_no_model(error: str) -> None:
    """Whatever the model provider says about its failure, there is nothing to estimate."""
    assert reason(dataclasses.replace(TASK, model_error=error)) is Reason.NO_MODEL


@pytest.mark.parametrize("model", ["", "  "])
def test_a_blank_model_is_no_model(model: str) -> None:
    """A task without a model id is not computed."""
    assert reason(dataclasses.replace(TASK, model=model)) is Reason.NO_MODEL


def test_failed_hardware_is_a_hardware_error() -> None:
    """The hardware provider's failure is named."""
    assert reason(dataclasses.replace(TASK, hardware_error="boom")) is Reason.HARDWARE_ERROR


@pytest.mark.parametrize(
    ("power_w", "latency", "expected"),
    [
        (0, 2, Reason.NO_POWER),
        (300, 0, Reason.NO_LATENCY),
        (0, 0, Reason.NO_POWER),
        (math.nan, 2, Reason.NOT_FINITE),
        (300, math.nan, Reason.NOT_FINITE),
        (math.inf, 2, Reason.NOT_FINITE),
        (300, -math.inf, Reason.NOT_FINITE),
        (-300, 2, Reason.OUT_OF_RANGE),
        (300, -2, Reason.OUT_OF_RANGE),
        (10.1e6, 2, Reason.OUT_OF_RANGE),
        (300, 8785 * 3600, Reason.OUT_OF_RANGE),
        (5e-324, 2, Reason.OUT_OF_RANGE),
    ],
)
def test_unusable_numbers_are_refused_with_their_reason(
    power_w: float, latency: float, expected: Reason
) -> None:
    """Missing, not finite, negative and absurd numbers each have their reason."""
    assert reason(dataclasses.replace(TASK, power_w=power_w, latency=latency)) is expected


def test_the_sanity_bounds_themselves_are_allowed() -> None:
    """10 MW for a leap year is the most that is believed."""
    most = dataclasses.replace(TASK, power_w=10e6, latency=8784, latency_unit=LatencyUnit.H)
    assert isinstance(plan(most, Assumptions()), Plan)


def test_explicit_numbers_win_over_the_doubles() -> None:
    """Power and latency of extra_data replace the plain ones, and no latency unit applies."""
    numbers = planned(explicit(power_w=75, latency_h=0.5), Assumptions()).declared
    assert isinstance(numbers, PowerAndLatency)
    assert (numbers.power_w, numbers.latency.interval.value) == (75, 0.5)
    assert numbers.power.source == "extra_data power_w"


def test_an_explicit_zero_is_not_given() -> None:
    """Peers send 0 for none: the plain double counts then."""
    numbers = planned(explicit(power_w=0, latency_h=0, energy_wh=0), Assumptions()).declared
    assert isinstance(numbers, PowerAndLatency)
    assert numbers.power_w == 300


def test_an_explicit_energy_wins_over_everything() -> None:
    """A stated energy is the energy, whatever the doubles say."""
    numbers = planned(explicit(energy_wh=3), Assumptions()).declared
    assert isinstance(numbers, ExplicitEnergy)
    assert numbers.energy.interval.value == 3


def test_an_energy_alone_has_no_power_to_confirm() -> None:
    """Without a power there is nothing to simulate: the formula stands alone."""
    found = planned(explicit(energy_wh=3), Assumptions())
    assert (found.mode, found.run) == (Mode.FORMULA, None)


def test_an_energy_with_a_latency_has_a_power_to_confirm() -> None:
    """3 Wh in 0.01 h are 300 W."""
    assert planned(explicit(energy_wh=3, latency_h=0.01), Assumptions()).run == SimulatedRun(300)


@pytest.mark.parametrize("energy_wh", [2.9, 3.1, 3000])
def test_contradicting_explicit_numbers_are_refused(energy_wh: float) -> None:
    """300 W for 0.01 h are 3 Wh and nothing else."""
    request = explicit(power_w=300, latency_h=0.01, energy_wh=energy_wh)
    assert reason(request) is Reason.CONTRADICTION


@pytest.mark.parametrize("energy_wh", [2.98, 3.02])
def test_rounded_explicit_numbers_do_not_contradict(energy_wh: float) -> None:
    """What rounding explains is no contradiction."""
    found = plan(explicit(power_w=300, latency_h=0.01, energy_wh=energy_wh), Assumptions())
    assert isinstance(found, Plan)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"energy_wh": math.nan}, Reason.NOT_FINITE),
        ({"energy_wh": -1}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 1e12}, Reason.OUT_OF_RANGE),
        ({"energy_wh": 1, "power_w": math.inf}, Reason.NOT_FINITE),
        ({"energy_wh": 1, "latency_h": -1}, Reason.OUT_OF_RANGE),
        ({"power_w": math.nan}, Reason.NOT_FINITE),
        ({"latency_h": 9000}, Reason.OUT_OF_RANGE),
    ],
)
def test_unusable_explicit_numbers_are_refused(numbers: dict[str, float], expected: Reason) -> None:
    """An explicit number that is wrong never falls back to a double silently."""
    assert reason(explicit(**numbers)) is expected


@pytest.mark.parametrize(
    ("mode", "assumptions", "request_", "expected"),
    [
        (Mode.FORMULA, HERE, TASK, Mode.FORMULA),
        (Mode.DECLARED, HERE, TASK, Mode.DECLARED),
        (Mode.MEASURED, Assumptions(), TASK, Mode.MEASURED),
        (Mode.AUTO, Assumptions(), TASK, Mode.DECLARED),
        (Mode.AUTO, HERE, TASK, Mode.MEASURED),
        (Mode.AUTO, HERE, dataclasses.replace(TASK, hardware="elsewhere"), Mode.DECLARED),
        (Mode.AUTO, HERE, dataclasses.replace(TASK, hardware="x", power_w=0), Mode.MEASURED),
        (Mode.AUTO, HERE, dataclasses.replace(TASK, hardware="x", latency=0), Mode.MEASURED),
        (
            Mode.AUTO,
            dataclasses.replace(HERE, model_is_runnable=False),
            TASK,
            Mode.DECLARED,
        ),
    ],
)
def test_the_mode_follows_the_documented_rule(
    mode: Mode, assumptions: Assumptions, request_: EstimationRequest, expected: Mode
) -> None:
    """Measured where asked for, or where this host can answer what it is asked; else declared."""
    assert planned(request_, dataclasses.replace(assumptions, mode=mode)).mode is expected


def test_a_blank_host_name_matches_no_hardware() -> None:
    """Hardware without a description does not mean this host."""
    assumptions = dataclasses.replace(HERE, host_names=frozenset({""}))
    found = planned(dataclasses.replace(TASK, hardware=""), assumptions)
    assert found.mode is Mode.DECLARED


def test_garbage_is_not_measured_away() -> None:
    """A wrong number is refused even where the host could measure: its cause has to be found."""
    garbage = dataclasses.replace(TASK, hardware="x", power_w=math.nan)
    assert reason(garbage, HERE) is Reason.NOT_FINITE


def test_a_declared_plan_simulates_its_power() -> None:
    """The tracker confirms the power that was declared."""
    assert planned(TASK, Assumptions()).run == SimulatedRun(300)


def test_a_measured_plan_runs_the_model() -> None:
    """The tracker gets what identifies the model."""
    request = dataclasses.replace(TASK, model_path="/m.onnx", raw_model=b"x")
    assert planned(request, HERE).run == ModelRun("a/model", "/m.onnx", b"x")


NUMBERS = st.none() | st.floats() | st.just(0.0)


@given(st.floats(), st.floats(), NUMBERS, NUMBERS, NUMBERS, st.sampled_from(Mode), st.booleans())
def test_no_number_raises(
    power_w: float,
    latency: float,
    explicit_w: float | None,
    explicit_h: float | None,
    explicit_wh: float | None,
    mode: Mode,
    is_here: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    """Whatever the wire brings, there is a plan with sound numbers or a reason."""
    request = dataclasses.replace(
        TASK,
        power_w=power_w,
        latency=latency,
        explicit=ExplicitHardware(explicit_w, explicit_h, explicit_wh),
    )
    found = plan(request, dataclasses.replace(HERE if is_here else Assumptions(), mode=mode))
    if isinstance(found, Plan) and isinstance(found.run, SimulatedRun):
        assert 0 < found.run.power_w <= 10e6
