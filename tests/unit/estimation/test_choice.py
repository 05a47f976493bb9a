"""Whose energy a result has: the named hardware's, or that of a host which the result names."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    Basis,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    Factor,
    GuessedPower,
    Interval,
    Measurement,
    Mode,
    NamedHardware,
    NotComputed,
    NotTracked,
    Plan,
    TrackerFailure,
    TrackerOutcome,
    conclude,
    exact,
    plan,
    provenance,
)

GRID = CarbonIntensity(exact(400), "Testland", "TL", 2025, "test")
ASSUMED = Assumptions(pue=Factor(exact(1.25), "test"), model_is_runnable=True)
HERE = NamedHardware(is_here=True)
TASK = EstimationRequest("a/model", hardware="gpu-7", known=HERE, power_w=300, latency=2)
RATED = NamedHardware("GPU 9", power=Factor(Interval(90, 228, 300), "GPU 9"), rated_w=300)
METERED = Measurement(0.002, 1.0, 40, ("gpu:A",), host="gpu-7", meters=("nvml",), used_gpu=True)
GUESS = GuessedPower("2 x AMD EPYC 9654", Interval(72, 360, 720))
MIXED = dataclasses.replace(METERED, guesses=(GUESS,), device_energy_kwh=0.002 + 360 / 3.6e6)
GUESSED = Measurement(360 / 3.6e6, 1.0, 40, ("cpu:B",), guesses=(GUESS,), host="gpu-7")


def estimated(
    request: EstimationRequest, outcome: TrackerOutcome, mode: Mode = Mode.AUTO
) -> Estimate:
    """Plan and conclude a task that has an estimate."""
    planned = plan(request, dataclasses.replace(ASSUMED, mode=mode))
    assert isinstance(planned, Plan), planned
    result = conclude(planned, GRID, outcome)
    assert isinstance(result, Estimate), result
    return result


def test_a_metered_run_is_measured_within_the_meters_tolerance() -> None:
    """What meters say of all components is known to 5 %."""
    estimate = estimated(TASK, METERED)
    energy = estimate.device_energy_kwh
    assert estimate.mode is Basis.MEASURED
    assert estimate.warnings == ()
    assert energy.value == pytest.approx(0.00005)
    assert (energy.low, energy.high) == pytest.approx((0.95 * energy.value, 1.05 * energy.value))


def test_a_guess_beside_a_meter_adds_its_own_bounds() -> None:
    """A metered GPU keeps its 5 % beside a guessed processor, and the run is no measurement."""
    estimate = estimated(TASK, MIXED)
    assert estimate.mode is Basis.ESTIMATED
    per_inference = 1 / 40
    low_kwh, high_kwh = 0.0019 + 72 / 3.6e6, 0.0021 + 720 / 3.6e6
    energy = estimate.device_energy_kwh
    assert energy.low == pytest.approx(low_kwh * per_inference)
    assert energy.high == pytest.approx(high_kwh * per_inference)


def test_a_guess_is_named_with_its_watts_and_processor() -> None:
    """Nobody takes it for a reading."""
    (warning,) = estimated(TASK, MIXED).warnings
    assert warning == (
        "the power of 2 x AMD EPYC 9654 is a guess, 360 W of 72 to 720 W: no meter of it can be"
        " read"
    )


def test_declared_numbers_win_over_a_guess() -> None:
    """A run that is mostly guessed says less than what the hardware's node declares."""
    estimate = estimated(TASK, GUESSED)
    assert estimate.mode is Basis.FORMULA
    assert estimate.device_energy_kwh.value == pytest.approx(300 * 2 / 3.6e6)
    assert "guess" in estimate.warnings[0]


def test_a_guess_stands_where_nothing_is_declared() -> None:
    """Without declared numbers the run is published, as an estimate."""
    estimate = estimated(dataclasses.replace(TASK, power_w=0, latency=0), GUESSED)
    assert estimate.mode is Basis.ESTIMATED
    assert estimate.device_energy_kwh.high == pytest.approx(720 / 3.6e6 / 40)


def test_a_run_that_is_half_metered_wins_over_declared_numbers() -> None:
    """The named hardware's node knows more only if over half of the energy is a guess."""
    guessed_kwh = 360 / 3.6e6
    for metered_kwh, basis in (
        (1.01 * guessed_kwh, Basis.ESTIMATED),
        (0.99 * guessed_kwh, Basis.FORMULA),
    ):
        run = dataclasses.replace(MIXED, device_energy_kwh=guessed_kwh + metered_kwh)
        assert estimated(TASK, run).mode is basis


def test_every_guess_is_named_and_the_first_says_why_a_run_is_not_used() -> None:
    """Two processors without a meter are two warnings, or the reason with the declared numbers."""
    other = GuessedPower("1 x ARM", Interval(1, 2, 3))
    run = dataclasses.replace(GUESSED, guesses=(GUESS, other), device_energy_kwh=362 / 3.6e6)
    first, second = estimated(dataclasses.replace(TASK, power_w=0), run).warnings
    assert (first.split(" is a")[0], second.split(" is a")[0]) == (
        "the power of 2 x AMD EPYC 9654",
        "the power of 1 x ARM",
    )
    (used,) = estimated(TASK, run).warnings
    assert used == f"{first}; declared numbers are used"


def test_two_guesses_add_up() -> None:
    """The energy of a run is that of all its parts."""
    other = GuessedPower("1 x ARM", Interval(1, 2, 3))
    run = dataclasses.replace(MIXED, guesses=(GUESS, other), device_energy_kwh=0.002 + 362 / 3.6e6)
    energy = estimated(TASK, run).device_energy_kwh
    assert energy.low == pytest.approx((0.0019 + 73 / 3.6e6) / 40)
    assert energy.value == pytest.approx((0.002 + 362 / 3.6e6) / 40)
    assert energy.high == pytest.approx((0.0021 + 723 / 3.6e6) / 40)


def test_what_rounding_leaves_of_a_guessed_run_is_not_metered() -> None:
    """Only guesses make up a run whose energy is theirs but for the last digits."""
    run = dataclasses.replace(GUESSED, device_energy_kwh=GUESSED.device_energy_kwh * (1 + 1e-12))
    energy = estimated(dataclasses.replace(TASK, power_w=0), run).device_energy_kwh
    assert energy == estimated(dataclasses.replace(TASK, power_w=0), GUESSED).device_energy_kwh


def test_one_inference_is_enough() -> None:
    """A slow model answers once in the window."""
    assert estimated(TASK, dataclasses.replace(METERED, inferences=1)).mode is Basis.MEASURED


@pytest.mark.parametrize(
    ("run", "source"),
    [
        (METERED, "CarbonTracker on gpu-7, nvml"),
        (
            dataclasses.replace(METERED, host="", meters=("nvml", "rapl")),
            "CarbonTracker on this host, nvml+rapl",
        ),
        (dataclasses.replace(MIXED, meters=()), "CarbonTracker on gpu-7; a power is guessed"),
    ],
)
def test_a_measured_energy_names_host_meters_and_guesses(run: Measurement, source: str) -> None:
    """Its source says who read what, and where."""
    measured, counted = estimated(TASK, run).factors
    assert (measured.factor.source, counted.factor.source) == (source, "counted by the run")
    assert counted.factor.interval == exact(40)


def test_sub_windows_that_differ_widen_the_interval() -> None:
    """Bounds reach as far as the meter's tolerance and the sub-windows do."""
    uneven = dataclasses.replace(METERED, spread=Interval(0.6, 1.0, 2.0))
    energy = estimated(TASK, uneven).device_energy_kwh
    assert energy.low == pytest.approx(0.6 * 0.95 * energy.value)
    assert energy.high == pytest.approx(2.0 * 1.05 * energy.value)


def test_load_by_others_and_what_is_not_charged_are_said() -> None:
    """Both are warnings of the result."""
    crowded = dataclasses.replace(
        METERED, others=("3 of 8 cores were busy with other work",), excluded=("AMD GPU 0",)
    )
    assert estimated(TASK, crowded).warnings == (
        "3 of 8 cores were busy with other work",
        "not charged: AMD GPU 0",
    )


def test_a_forced_measurement_names_both_machines() -> None:
    """An operator who measures whatever is named gets a number that says whose it is."""
    elsewhere = dataclasses.replace(TASK, hardware="Zynq\x1b UltraScale+", known=NamedHardware())
    estimate = estimated(elsewhere, METERED, Mode.MEASURED)
    assert estimate.warnings == ("measured on gpu-7, but the task names Zynq� UltraScale+",)
    shown = provenance(estimate, "1")
    assert shown["measured_on"] == {
        "host": "gpu-7",
        "components": ["gpu:A"],
        "meters": ["nvml"],
        "excluded": [],
    }


def test_a_catalogued_power_warns_with_its_watts() -> None:
    """The reader learns that no power was sent, and how wide what is known of it is."""
    estimate = estimated(
        dataclasses.replace(TASK, hardware="GPU 9", known=RATED, power_w=0), NotTracked()
    )
    assert estimate.mode is Basis.CATALOGUE
    assert estimate.device_energy_kwh.value == pytest.approx(228 * 2 / 3.6e6)
    (warning,) = estimate.warnings
    assert warning.startswith("no power was sent for GPU 9: 90 to 300 W")
    known = dataclasses.replace(RATED, power=Factor(exact(228), "GPU 9"))
    nameless = dataclasses.replace(TASK, hardware=" ", known=known, power_w=0)
    assert estimated(nameless, NotTracked()).warnings == (
        "no power was sent for hardware without a name: 228 W, from what is known of it",
    )


def test_the_pue_of_the_hardware_wins() -> None:
    """A board that stands in no data centre has no data centre's PUE."""
    board = dataclasses.replace(TASK, known=NamedHardware(pue=Factor(exact(1.0), "board")))
    estimate = estimated(board, NotTracked())
    assert estimate.energy_kwh == estimate.device_energy_kwh


@pytest.mark.parametrize(
    "beside", [GUESSED, dataclasses.replace(METERED, used_gpu=False)], ids=["hidden", "idle"]
)
def test_a_gpu_that_did_not_run_the_model_has_no_energy_of_a_run(beside: Measurement) -> None:
    """The processor beside it ran the model: that is not what the task names."""
    gpu = dataclasses.replace(RATED, is_here=True, accelerators=1)
    task = EstimationRequest("a/model", hardware="GPU 9", known=gpu, latency=2)
    catalogued = estimated(task, beside)
    assert catalogued.mode is Basis.CATALOGUE
    assert "used no GPU, but the task names GPU 9" in catalogued.warnings[0]
    forced = estimated(task, beside, Mode.MEASURED)
    assert forced.warnings[0] == "measured on gpu-7, but the task names GPU 9"
    assert not forced.known.is_here
    assert estimated(task, METERED).mode is Basis.MEASURED


def test_fewer_gpus_than_the_task_names_are_said() -> None:
    """A name may stand for eight, and the settings may charge one; one of one is all."""
    rack = dataclasses.replace(RATED, is_here=True, accelerators=8)
    task = EstimationRequest("a/model", hardware="rack 7", known=rack)
    assert estimated(task, METERED).warnings == ("GPUs charged on gpu-7: 1, but the task names 8",)
    nameless = dataclasses.replace(METERED, host="")
    assert "GPUs charged on this host: 1," in estimated(task, nameless).warnings[0]
    single = dataclasses.replace(task, known=dataclasses.replace(rack, accelerators=1))
    assert estimated(single, METERED).warnings == ()


def test_a_host_that_ran_the_model_keeps_its_own_pue() -> None:
    """An FPGA board on a desk needs no cooling; the host that runs the model in its stead does."""
    board = NamedHardware(pue=Factor(exact(1.0), "board"))
    task = dataclasses.replace(TASK, hardware="board", known=board)
    assert estimated(task, METERED, Mode.MEASURED).pue.interval.value == 1.25
    assert estimated(task, NotTracked(), Mode.FORMULA).pue.interval.value == 1.0
    here = dataclasses.replace(task, known=dataclasses.replace(board, is_here=True))
    assert estimated(here, METERED, Mode.MEASURED).pue.interval.value == 1.0


def test_the_sites_pue_stands_where_nobody_set_one() -> None:
    """A provider's own is nearer than the mean of all sites; setting and hardware win over it."""
    site = dataclasses.replace(GRID, site_pue=Factor(exact(1.15), "provider"))
    board = dataclasses.replace(TASK, known=NamedHardware(pue=Factor(exact(1.0), "board")))
    assumed = Assumptions()
    for task, given_, expected in (
        (TASK, assumed, 1.15),
        (TASK, dataclasses.replace(assumed, pue=Factor(exact(1.25), "setting")), 1.25),
        (board, assumed, 1.0),
    ):
        planned = plan(task, given_)
        assert isinstance(planned, Plan)
        result = conclude(planned, site, NotTracked())
        assert isinstance(result, Estimate)
        assert result.pue.interval.value == expected


@pytest.mark.parametrize("mode", [Mode.FORMULA, Mode.MEASURED])
def test_a_failed_result_names_refused_numbers_too(mode: Mode) -> None:
    """Whoever sent a power as text is not told that none was sent."""
    said = "extra_data power_w is the text '250,5', not a number; it is not used"
    task = EstimationRequest("a/model", hardware="board", latency=1, refused=(said,))
    planned = plan(task, dataclasses.replace(ASSUMED, mode=mode))
    failure = TrackerFailure("no_model", "none")
    result = conclude(planned, GRID, failure) if isinstance(planned, Plan) else planned
    assert isinstance(result, NotComputed)
    assert provenance(result, "1")["warnings"] == [said]


def test_catalogued_numbers_are_not_called_declared() -> None:
    """Where a measurement fails, what steps in is named for what it is."""
    known = dataclasses.replace(RATED, is_here=True)
    task = EstimationRequest("a/model", hardware="GPU 9", known=known, latency=2)
    estimate = estimated(task, TrackerFailure("no_model", "none"), Mode.MEASURED)
    assert estimate.mode is Basis.CATALOGUE
    assert estimate.warnings[0].endswith("(no_model); what is known of the hardware is used")


def test_many_devices_that_are_not_charged_leave_room_for_other_warnings() -> None:
    """One line counts them; `measured_on` names each."""
    excluded = tuple(f"{each} GPU: no meter" for each in range(7))
    estimate = estimated(TASK, dataclasses.replace(METERED, excluded=excluded))
    assert estimate.warnings == ("not charged: 7 devices, the first 0 GPU: no meter",)
    two = estimated(TASK, dataclasses.replace(METERED, excluded=excluded[:2]))
    assert two.warnings == ("not charged: 2 devices, the first 0 GPU: no meter",)


def test_refused_numbers_are_warnings() -> None:
    """What could not be read is not ignored silently."""
    refused = dataclasses.replace(TASK, known=NamedHardware(), refused=("power_w is text",))
    assert estimated(refused, NotTracked()).warnings == ("power_w is text",)


NUMBERS = st.sampled_from([0.0, 300.0, 1e-3, 2.0])
GPU_HERE = dataclasses.replace(RATED, is_here=True, accelerators=1)
IDLE_GPU = dataclasses.replace(METERED, used_gpu=False)
KNOWN = st.sampled_from(
    [NamedHardware(), HERE, RATED, dataclasses.replace(RATED, is_here=True), GPU_HERE]
)
OUTCOMES = st.sampled_from(
    [METERED, IDLE_GPU, MIXED, GUESSED, NotTracked(), TrackerFailure("timeout", "late")]
)


def owner_of(result: Estimate) -> str:
    """Return what a result says of whose energy it has."""
    hardware = provenance(result, "1")["hardware"]
    assert isinstance(hardware, dict)
    return str(hardware["energy_of"])


@given(NUMBERS, NUMBERS, KNOWN, OUTCOMES, st.sampled_from(Mode), st.text(max_size=20))
def test_an_energy_is_the_named_hardwares_or_says_whose_it_is(
    power_w: float,
    latency: float,
    known: NamedHardware,
    outcome: TrackerOutcome,
    mode: Mode,
    name: str,
) -> None:
    """Over modes, names and missing numbers: never another machine's number in disguise."""
    request = dataclasses.replace(
        TASK, hardware=name, known=known, power_w=power_w, latency=latency
    )
    planned = plan(request, dataclasses.replace(ASSUMED, mode=mode))
    if isinstance(planned, NotComputed):
        return
    result = conclude(planned, GRID, outcome)
    if isinstance(result, NotComputed):
        return
    if result.mode.is_of_a_run:
        is_said = any(warning.startswith("measured on gpu-7, but") for warning in result.warnings)
        is_of_gpu = isinstance(outcome, Measurement) and outcome.accelerators > 0
        is_named = known.is_here and (is_of_gpu or known is not GPU_HERE)
        assert is_named or (mode is Mode.MEASURED and is_said)
        assert is_named == ("named hardware, which is" in owner_of(result))
        assert "measured_on" in provenance(result, "1")
    else:
        watts = power_w or (known.power.interval.value if known.power else 0.0)
        assert result.device_energy_kwh.value == pytest.approx(watts * latency / 3.6e6)
        assert "measured_on" not in provenance(result, "1")
    assert (result.mode is Basis.MEASURED) <= (outcome in (METERED, IDLE_GPU))
