"""The estimate: the formula, what it keeps apart, and what becomes of tracker and budget."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    Basis,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    GuessedPower,
    Interval,
    LatencyUnit,
    Measurement,
    Mode,
    NotComputed,
    NotTracked,
    Reason,
    TrackerFailure,
    TrackerOutcome,
    conclude,
    exact,
    plan,
    within_factor,
)
from carbon_node.estimation.planning import Plan

TASK = EstimationRequest(model="a/model", power_w=300, latency=2)
EXACT = Assumptions(pue=Factor(exact(1.25), "test"), power_tolerance=0)
GRID = CarbonIntensity(exact(400), "Testland", "TL", 2025, "test")
CONFIRMED = Measurement(device_energy_kwh=300 * 0.5 / 3.6e6, duration_s=0.5)
NAMED_HERE = dataclasses.replace(EXACT, mode=Mode.MEASURED)


def concluded(
    request: EstimationRequest = TASK,
    assumptions: Assumptions = EXACT,
    intensity: CarbonIntensity = GRID,
    outcome: TrackerOutcome = CONFIRMED,
) -> Estimate | NotComputed:
    """Plan and conclude a task."""
    planned = plan(request, assumptions)
    return planned if isinstance(planned, NotComputed) else conclude(planned, intensity, outcome)


def estimated(
    request: EstimationRequest = TASK,
    assumptions: Assumptions = EXACT,
    intensity: CarbonIntensity = GRID,
    outcome: TrackerOutcome = CONFIRMED,
) -> Estimate:
    """Plan and conclude a task that has an estimate."""
    result = concluded(request, assumptions, intensity, outcome)
    assert isinstance(result, Estimate), result
    return result


POWERS_W = st.floats(min_value=1e-6, max_value=10e6)
LATENCIES_S = st.floats(min_value=1e-9, max_value=3e7)
PUES = st.floats(min_value=1, max_value=5)
INTENSITIES = st.floats(min_value=0.01, max_value=3000)


@given(POWERS_W, LATENCIES_S, PUES, INTENSITIES)
def test_the_closed_formula(power_w: float, latency_s: float, pue: float, grams: float) -> None:
    """Watts times seconds over 3.6e6 are the device's kWh; PUE and intensity follow; to 1e-12."""
    estimate = estimated(
        dataclasses.replace(TASK, power_w=power_w, latency=latency_s),
        dataclasses.replace(EXACT, pue=Factor(exact(pue), "test")),
        dataclasses.replace(GRID, g_per_kwh=exact(grams)),
        NotTracked(),
    )
    device_kwh = power_w * latency_s / 3.6e6
    assert estimate.device_energy_kwh.value == pytest.approx(device_kwh, rel=1e-12)
    assert estimate.energy_kwh.value == pytest.approx(device_kwh * pue, rel=1e-12)
    assert estimate.carbon_g.value == pytest.approx(device_kwh * pue * grams, rel=1e-12)


@given(POWERS_W, LATENCIES_S, PUES, INTENSITIES)
def test_exact_factors_give_a_zero_width_interval(
    power_w: float, latency_s: float, pue: float, grams: float
) -> None:
    """Where every factor is exact, so is the result."""
    estimate = estimated(
        dataclasses.replace(TASK, power_w=power_w, latency=latency_s),
        dataclasses.replace(EXACT, pue=Factor(exact(pue), "test")),
        dataclasses.replace(GRID, g_per_kwh=exact(grams)),
        NotTracked(),
    )
    assert estimate.carbon_g.is_exact
    assert estimate.energy_kwh.is_exact


@given(POWERS_W, LATENCIES_S, INTENSITIES, st.floats(min_value=0, max_value=0.5))
def test_the_published_carbon_is_exactly_energy_times_intensity(
    power_w: float, latency_s: float, grams: float, tolerance: float
) -> None:
    """The published product and the interval's value are the same double."""
    estimate = estimated(
        dataclasses.replace(TASK, power_w=power_w, latency=latency_s),
        Assumptions(power_tolerance=tolerance),
        dataclasses.replace(GRID, g_per_kwh=within_factor(grams, 1.2)),
        NotTracked(),
    )
    published = estimate.footprint
    assert published.carbon == published.energy * published.intensity
    assert published.carbon == estimate.carbon_g.value
    assert estimate.carbon_g.low <= estimate.carbon_g.value <= estimate.carbon_g.high


@given(POWERS_W, POWERS_W)
def test_more_power_never_costs_less(one_w: float, other_w: float) -> None:
    """Energy and carbon grow with the power, at both bounds."""
    less, more = (
        estimated(dataclasses.replace(TASK, power_w=power_w), Assumptions(), outcome=NotTracked())
        for power_w in sorted((one_w, other_w))
    )
    assert less.energy_kwh.low <= more.energy_kwh.low
    assert less.carbon_g.value <= more.carbon_g.value
    assert less.carbon_g.high <= more.carbon_g.high


@pytest.mark.parametrize(
    ("unit", "latency"), [(LatencyUnit.S, 7.2), (LatencyUnit.MS, 7200), (LatencyUnit.H, 0.002)]
)
def test_the_same_duration_in_any_unit(unit: LatencyUnit, latency: float) -> None:
    """7.2 s of 300 W are 0.0006 kWh, and the unit is named."""
    estimate = estimated(dataclasses.replace(TASK, latency=latency, latency_unit=unit))
    assert estimate.device_energy_kwh.value == pytest.approx(0.0006, rel=1e-12)
    assert estimate.latency_unit is unit


def test_device_energy_and_facility_energy_are_kept_apart() -> None:
    """The PUE raises the energy, never the device's energy."""
    estimate = estimated()
    assert estimate.device_energy_kwh.value == pytest.approx(600 / 3.6e6, rel=1e-15)
    assert estimate.energy_kwh.value == estimate.device_energy_kwh.value * 1.25


def test_an_explicit_energy_is_the_device_energy() -> None:
    """3 Wh are 0.003 kWh."""
    request = dataclasses.replace(TASK, explicit=ExplicitHardware(energy_wh=3))
    assert estimated(request).device_energy_kwh.value == 0.003


def test_inferences_multiply() -> None:
    """A thousand inferences cost a thousand times one."""
    many = estimated(dataclasses.replace(TASK, inferences=1000))
    assert many.carbon_g.value == pytest.approx(1000 * estimated().carbon_g.value, rel=1e-14)


@pytest.mark.parametrize(
    ("inferences", "reason"),
    [
        (0, Reason.OUT_OF_RANGE),
        (-1, Reason.OUT_OF_RANGE),
        (1e15 + 1, Reason.OUT_OF_RANGE),
        (math.nan, Reason.NOT_FINITE),
        (math.inf, Reason.NOT_FINITE),
    ],
)
def test_absurd_numbers_of_inferences_are_refused(inferences: float, reason: Reason) -> None:
    """There is no estimate for no, negative or endless inferences."""
    result = concluded(dataclasses.replace(TASK, inferences=inferences))
    assert isinstance(result, NotComputed)
    assert result.reason is reason


@pytest.mark.parametrize("inferences", [0.5, 1e15])
def test_few_and_many_inferences_are_believed(inferences: float) -> None:
    """A share of one, and more than any service answers."""
    estimate = estimated(dataclasses.replace(TASK, inferences=inferences))
    assert estimate.energy_kwh.value == pytest.approx(inferences * estimated().energy_kwh.value)


def test_a_product_that_vanishes_is_out_of_range() -> None:
    """Numbers that floating point cannot hold are refused, not published as zero."""
    result = concluded(dataclasses.replace(TASK, power_w=1e-300, latency=1e-300))
    assert isinstance(result, NotComputed)
    assert result.reason is Reason.OUT_OF_RANGE


def test_a_confirmed_estimate_names_the_agreement() -> None:
    """The tracker's energy over the formula's is published as a relative difference."""
    measured = dataclasses.replace(CONFIRMED, device_energy_kwh=1.02 * CONFIRMED.device_energy_kwh)
    estimate = estimated(outcome=measured)
    assert estimate.tracking.agreement == pytest.approx(0.02)
    assert estimate.tracking.agrees is True
    assert estimate.warnings == ()


@pytest.mark.parametrize("share", [0.951, 1.049])
def test_a_tracker_within_its_bound_agrees(share: float) -> None:
    """Up to 5 %, the tracker confirms the formula."""
    measured = dataclasses.replace(CONFIRMED, device_energy_kwh=share * CONFIRMED.device_energy_kwh)
    estimate = estimated(outcome=measured)
    assert estimate.tracking.agrees is True
    assert estimate.warnings == ()


@pytest.mark.parametrize("share", [0.949, 1.051])
def test_a_disagreeing_tracker_leaves_the_formula_and_a_warning(share: float) -> None:
    """Beyond 5 % the formula's number goes out, and the disagreement with it."""
    measured = dataclasses.replace(CONFIRMED, device_energy_kwh=share * CONFIRMED.device_energy_kwh)
    estimate = estimated(outcome=measured)
    assert estimate.carbon_g == estimated().carbon_g
    assert estimate.tracking.agrees is False
    assert estimate.warnings == (
        f"CarbonTracker differs from the formula by {share - 1:+.1%}; the formula is used",
    )


def test_a_failed_tracker_leaves_the_formula_and_its_failure() -> None:
    """The failure of the tracker never fails the task."""
    estimate = estimated(outcome=TrackerFailure("timeout", "after 5 s"))
    assert estimate.carbon_g == estimated().carbon_g
    assert estimate.mode is Basis.DECLARED
    assert "timeout" in estimate.warnings[0]


@pytest.mark.parametrize(
    "broken",
    [
        Measurement(math.nan, 0.5),
        Measurement(math.inf, 0.5),
        Measurement(1e300, 0.5),
        Measurement(-1e-5, 0.5),
        Measurement(1e-5, 0.0),
        Measurement(1e-12, 0.9e-6),
        Measurement(10.001e6 / 3.6e6, 1.0),
        Measurement(1e-5, math.nan),
    ],
)
def test_an_unusable_measurement_counts_as_a_failure(broken: Measurement) -> None:
    """Numbers that cannot be compared do not reach the provenance as such."""
    estimate = estimated(outcome=broken)
    assert isinstance(estimate.tracking.outcome, TrackerFailure)
    assert estimate.tracking.agreement is None


@pytest.mark.parametrize(
    "odd", [Measurement(10e6 / 3.6e6, 1.0), Measurement(1e-12, 1e-6), Measurement(0.0, 1.0)]
)
def test_an_odd_but_possible_measurement_is_compared(odd: Measurement) -> None:
    """10 MW, a microsecond and no energy at all are numbers to disagree with."""
    estimate = estimated(outcome=odd)
    assert estimate.tracking.outcome == odd
    assert estimate.tracking.agrees is False


MEASURED = Measurement(0.002, 1.0, inferences=40, components=("gpu:test",))


def test_a_measured_task_takes_the_energy_of_one_inference() -> None:
    """0.002 kWh for 40 inferences are 0.00005 kWh for one."""
    estimate = estimated(assumptions=NAMED_HERE, outcome=MEASURED)
    assert estimate.mode is Basis.MEASURED
    assert estimate.device_energy_kwh.value == pytest.approx(0.00005, rel=1e-15)


@pytest.mark.parametrize(
    "outcome",
    [
        TrackerFailure("died", "signal 9"),
        NotTracked(),
        dataclasses.replace(MEASURED, inferences=0),
        dataclasses.replace(MEASURED, device_energy_kwh=0.0),
        dataclasses.replace(MEASURED, device_energy_kwh=math.nan),
    ],
)
def test_without_a_measurement_the_declared_numbers_step_in(outcome: TrackerOutcome) -> None:
    """A measured task whose run failed still gets the formula's number, with a warning."""
    estimate = estimated(assumptions=NAMED_HERE, outcome=outcome)
    assert estimate.mode is Basis.FORMULA
    assert estimate.carbon_g == estimated().carbon_g
    assert estimate.warnings


def test_without_a_measurement_and_declared_numbers_there_is_a_reason() -> None:
    """The reason is what the hardware lacks; the detail names the measurement's failure too."""
    result = concluded(
        dataclasses.replace(TASK, power_w=0),
        NAMED_HERE,
        outcome=TrackerFailure("timeout", "after 5 s"),
    )
    assert isinstance(result, NotComputed)
    assert result.reason is Reason.NO_POWER
    assert "timeout" in result.detail


WIDE = dataclasses.replace(GRID, g_per_kwh=Interval(200, 400, 800))


@pytest.mark.parametrize(
    ("desired_g", "met"),
    [
        (0.2, True),
        (600 / 3.6e6 * 1.25 * 800, True),
        (0.1, "uncertain"),
        (0.05, "uncertain"),
        (600 / 3.6e6 * 1.25 * 200, "uncertain"),
        (0.03, False),
    ],
)
def test_a_budget_is_met_only_by_the_whole_interval(desired_g: float, met: object) -> None:
    """600 Ws at PUE 1.25 and 200 to 800 g/kWh cost 0.042 to 0.167 g, most likely 0.083."""
    estimate = estimated(dataclasses.replace(TASK, desired_carbon_g=desired_g), intensity=WIDE)
    assert estimate.budget is not None
    assert estimate.budget.met == met
    assert estimate.budget.margin_g == desired_g - estimate.carbon_g.value


@pytest.mark.parametrize("desired_g", [0, -1, math.nan, math.inf])
def test_no_budget_is_no_budget(desired_g: float) -> None:
    """Zero, negative and not finite budgets are none."""
    assert estimated(dataclasses.replace(TASK, desired_carbon_g=desired_g)).budget is None


OUTCOMES = (
    st.just(NotTracked())
    | st.builds(TrackerFailure, st.sampled_from(["timeout", "died"]), st.text(max_size=9))
    | st.builds(
        Measurement,
        st.floats(),
        st.floats(),
        inferences=st.integers(-1, 10),
        guesses=st.sampled_from([(), (GuessedPower("CPU", Interval(3.6, 36, 360)),)]),
    )
)


@given(st.floats(), st.floats(), st.floats(), st.floats(), OUTCOMES, st.sampled_from(Mode))
def test_every_task_ends_in_an_estimate_or_a_reason(
    power_w: float,
    latency: float,
    inferences: float,
    desired_g: float,
    outcome: TrackerOutcome,
    mode: Mode,
) -> None:
    """No input raises, and all three published doubles are finite and positive."""
    request = EstimationRequest(
        "m", power_w=power_w, latency=latency, inferences=inferences, desired_carbon_g=desired_g
    )
    result = concluded(request, Assumptions(mode=mode), GRID, outcome)
    if isinstance(result, Estimate):
        published = result.footprint
        for number in (published.carbon, published.energy, published.intensity):
            assert math.isfinite(number)
            assert number > 0


def test_a_plan_can_be_concluded_twice_with_the_same_result() -> None:
    """Concluding is a function of its arguments."""
    planned = plan(TASK, EXACT)
    assert isinstance(planned, Plan)
    assert conclude(planned, GRID, CONFIRMED) == conclude(planned, GRID, CONFIRMED)
