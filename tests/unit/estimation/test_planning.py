"""How a task's device energy is found: the declared numbers that count, and the mode."""

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    Basis,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    Interval,
    LatencyUnit,
    Mode,
    ModelRun,
    NamedHardware,
    NotComputed,
    Plan,
    Reason,
    SimulatedRun,
    plan,
)
from carbon_node.estimation.declared import ExplicitEnergy, PowerAndLatency

TASK = EstimationRequest(model="a/model", hardware="gpu-1", power_w=300, latency=2)
HERE = dataclasses.replace(TASK, known=NamedHardware(is_here=True))
RATED = NamedHardware("GPU 1", power=Factor(Interval(90, 228, 300), "GPU 1"), rated_w=300)
RUNNABLE = Assumptions(model_is_runnable=True)


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


def elsewhere(**changes: Any) -> EstimationRequest:  # noqa: ANN401 - any field
    """Return the task with other values."""
    return dataclasses.replace(TASK, **changes)


@pytest.mark.parametrize("error", ["no such model", "", "line\nline\r\n" * 1000])
def test_a_failed_model_provider_is_no_model(error: str) -> None:
    """Whatever the model provider says about its failure, there is nothing to estimate."""
    assert reason(dataclasses.replace(TASK, model_error=error)) is Reason.NO_MODEL


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("x" * 100, "x" * 100),
        ("x" * 101, "x" * 100),
        ("no\n such  model", "no such model"),
        (" ", "no reason given"),
    ],
)
def test_a_providers_error_is_repeated_on_one_line(error: str, said: str) -> None:
    """Its first 100 characters, or that it gave none."""
    result = plan(dataclasses.replace(TASK, model_error=error), Assumptions())
    assert isinstance(result, NotComputed)
    assert result.detail == f"the model provider failed: {said}; see its log"


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
    assert (found.basis, found.run) == (Basis.FORMULA, None)


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
        (Mode.FORMULA, RUNNABLE, HERE, Basis.FORMULA),
        (Mode.DECLARED, RUNNABLE, HERE, Basis.DECLARED),
        (Mode.MEASURED, Assumptions(), TASK, Basis.MEASURED),
        (Mode.AUTO, Assumptions(), TASK, Basis.DECLARED),
        (Mode.AUTO, RUNNABLE, HERE, Basis.MEASURED),
        (Mode.AUTO, Assumptions(), HERE, Basis.DECLARED),
        (Mode.AUTO, RUNNABLE, TASK, Basis.DECLARED),
        (Mode.AUTO, RUNNABLE, elsewhere(power_w=0, known=RATED), Basis.CATALOGUE),
        (Mode.DECLARED, RUNNABLE, elsewhere(power_w=0, known=RATED), Basis.CATALOGUE),
        (Mode.FORMULA, RUNNABLE, elsewhere(power_w=0, known=RATED), Basis.CATALOGUE),
    ],
)
def test_the_basis_follows_the_documented_rule(
    mode: Mode, assumptions: Assumptions, request_: EstimationRequest, expected: Basis
) -> None:
    """Measured where asked for, or where the named hardware is this host; else by its numbers."""
    assert planned(request_, dataclasses.replace(assumptions, mode=mode)).basis is expected


@pytest.mark.parametrize(
    ("missing", "expected"),
    [({"power_w": 0}, Reason.NO_POWER), ({"latency": 0}, Reason.NO_LATENCY)],
)
def test_other_hardware_is_not_measured_here_for_want_of_numbers(
    missing: dict[str, float], expected: Reason
) -> None:
    """What this host draws says nothing about the hardware that the task names."""
    assert reason(elsewhere(**missing), RUNNABLE) is expected


def test_a_catalogued_power_needs_a_latency() -> None:
    """What the hardware draws is known, how long it draws it is not."""
    assert reason(elsewhere(power_w=0, latency=0, known=RATED)) is Reason.NO_LATENCY


@pytest.mark.parametrize("name", ["", "Zynq\nUltra\x1b[31mScale", "x" * 1_000_000])
def test_a_missing_power_names_the_hardware_safely(name: str) -> None:
    """The reason is one line, whatever the hardware is called."""
    result = plan(elsewhere(power_w=0, hardware=name), Assumptions())
    assert isinstance(result, NotComputed)
    assert result.detail.isprintable()
    assert len(result.detail) < 160


def test_the_latency_unit_of_the_hardware_wins() -> None:
    """A unit that is known for the hardware is used instead of the general one, and said."""
    known = NamedHardware(latency_unit=LatencyUnit.US, entry='hardware."gpu-1" (settings)')
    numbers = planned(elsewhere(known=known, latency=812), Assumptions()).declared
    assert isinstance(numbers, PowerAndLatency)
    assert numbers.latency.interval.value == pytest.approx(812e-6 / 3600)
    assert numbers.latency.source.endswith('812, read as us, by hardware."gpu-1" (settings)')


def test_garbage_is_not_measured_away() -> None:
    """A wrong number is refused even where the host could measure: its cause has to be found."""
    assert reason(elsewhere(power_w=math.nan, known=RATED), RUNNABLE) is Reason.NOT_FINITE


def test_a_declared_plan_simulates_its_power() -> None:
    """The tracker confirms the power that was declared."""
    assert planned(TASK, Assumptions()).run == SimulatedRun(300)


def test_a_measured_plan_runs_the_model() -> None:
    """The tracker gets what identifies the model."""
    request = dataclasses.replace(HERE, model_path="/m.onnx", raw_model=b"x")
    assert planned(request, RUNNABLE).run == ModelRun("a/model", "/m.onnx", b"x")


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
        HERE if is_here else TASK,
        power_w=power_w,
        latency=latency,
        explicit=ExplicitHardware(explicit_w, explicit_h, explicit_wh),
    )
    found = plan(request, dataclasses.replace(RUNNABLE, mode=mode))
    if isinstance(found, Plan) and isinstance(found.run, SimulatedRun):
        assert 0 < found.run.power_w <= 10e6
