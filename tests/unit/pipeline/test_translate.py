"""What a task's samples say of its hardware, as the domain is asked."""

import json
import math
from typing import Any

import pytest

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    EstimationRequest,
    ExplicitHardware,
    Factor,
    Interval,
    LatencyUnit,
    NotComputed,
    NotTracked,
    Plan,
    Reason,
    conclude,
    exact,
    plan,
)
from carbon_node.hardware import HardwareMap, Preset, preset, shipped_catalogue
from carbon_node.pipeline.task import TaskInputs
from carbon_node.pipeline.translate import problems_of, summary_of, to_answer, to_request
from carbon_node.tasks.answer import Outcome
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

KEY = TaskKey(TaskId(1, 1), "writer")
KNOWLEDGE = HardwareMap(shipped_catalogue(), presets=preset(Preset.SUSTAINML))


def asked(
    user: UserInput | None = None,
    model: MLModel | None = None,
    hardware: HWResource | None = None,
    unit: LatencyUnit = LatencyUnit.MS,
) -> EstimationRequest:
    """Return what a task of these samples asks."""
    hardware = hardware or HWResource("hw", 300.0, 1.0)
    inputs = TaskInputs(KEY, user or UserInput(), model or MLModel(model="m"), hardware)
    return to_request(inputs, unit, KNOWLEDGE)


def request(extra: dict[str, Any] | None = None, **hardware: Any) -> EstimationRequest:  # noqa: ANN401 - any field
    """Return what a task with this hardware asks."""
    octets = b"" if extra is None else json.dumps(extra).encode()
    sample = HWResource(**{"hw_description": "H100_x4", "extra_data": octets, **hardware})
    return to_request(
        TaskInputs(KEY, UserInput(), MLModel(model="m"), sample), LatencyUnit.MS, KNOWLEDGE
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("250,5", "the text '250,5'"),
        ("250.5 W", "the text '250.5 W'"),
        ("250", "the text '250'"),
        ("\x1b[31m", "the text '"),
        ("9" * 100_000, "the text '999"),
        (True, "true"),
        ([250], "a list"),
    ],
)
def test_numbers_that_come_as_something_else_are_refused(value: object, said: str) -> None:
    """They are not used, and the result will say so."""
    found = request({"power_w": value, "latency_h": 0.25})
    assert found.explicit == ExplicitHardware(latency_h=0.25)
    (refusal,) = found.refused
    assert refusal.startswith(f"extra_data power_w is {said}")
    assert refusal.isprintable()
    assert len(refusal) < 160


def test_numbers_are_not_refused() -> None:
    """Nor is what is absent or null."""
    assert request({"power_w": 250.5, "latency_h": None}).refused == ()
    assert request().refused == ()


@pytest.mark.parametrize(
    ("fields", "states_memory"),
    [
        ({}, False),
        ({"memory_footprint_of_ml_model": 512.0}, True),
        ({"max_hw_memory_footprint": 80_000.0}, True),
        ({"memory_footprint_of_ml_model": float("nan")}, False),
        ({"memory_footprint_of_ml_model": -1.0}, False),
    ],
)
def test_a_memory_footprint_is_stated_by_a_number_above_zero(
    fields: dict[str, Any],
    states_memory: bool,  # noqa: FBT001
) -> None:
    """The earlier hardware nodes leave both fields at 0."""
    assert request(**fields).states_memory is states_memory


@pytest.mark.parametrize(
    "model",
    [
        MLModel(model="Error"),
        MLModel(model="NO_MODEL", model_path="N/A"),
        MLModel(model="m", extra_data=b'{"error": "gone"}'),
        MLModel(model="Error", extra_data=b'{"error": "gone"}'),
    ],
)
def test_a_model_provider_that_failed_is_recognised(model: MLModel) -> None:
    """By the names of release 0.2 and of main, or by what it says itself, which is passed on."""
    said = "gone" if model.extra_data else f"the ML model provider sent the model {model.model!r}"
    assert asked(model=model).model_error == said


@pytest.mark.parametrize(
    "hardware", [HWResource("Error", 300.0, 1.0), HWResource("hw", extra_data=b'{"error": "gone"}')]
)
def test_a_hardware_provider_that_failed_is_recognised(hardware: HWResource) -> None:
    """By its description, or by what it says itself, which is passed on."""
    said = "the hardware resource provider sent the hardware 'Error'"
    assert asked(hardware=hardware).hardware_error == ("gone" if hardware.extra_data else said)


@pytest.mark.parametrize("nothing", [b"", b'{"error": ""}', b'{"error": null}', b'{"errors": 1}'])
def test_good_samples_report_no_failure(nothing: bytes) -> None:
    """Models and hardware of any other name are taken as they are."""
    found = asked(
        model=MLModel(model="error", extra_data=nothing),
        hardware=HWResource("NO_MODEL", 300.0, 1.0, extra_data=nothing),
    )
    assert (found.model_error, found.hardware_error) == (None, None)


def test_samples_become_a_question_with_units() -> None:
    """Power is in watts, latency in the unit of the settings, the budget in grams."""
    user = UserInput(
        geo_location_region="Bavaria", geo_location_continent="Europe", desired_carbon_footprint=2.5
    )
    model = MLModel(model="m", model_path="/m.onnx", raw_model=b"octets")
    found = asked(user, model, HWResource("hw", 300.0, 1.5), LatencyUnit.H)
    assert (found.power_w, found.latency, found.latency_unit) == (300.0, 1.5, LatencyUnit.H)
    assert (found.place.region, found.place.continent) == ("Bavaria", "Europe")
    assert found.desired_carbon_g == 2.5
    assert (found.model, found.model_path, found.raw_model) == ("m", "/m.onnx", b"octets")


def test_explicit_numbers_are_read_with_the_units_of_their_names() -> None:
    """Integers count too, and one beyond all doubles is refused later as infinite."""
    found = request({"power_w": 250, "latency_h": 0.25, "energy_Wh": 10**400}).explicit
    assert found == ExplicitHardware(power_w=250.0, latency_h=0.25, energy_wh=math.inf)


def test_an_answer_keeps_every_number_under_its_name() -> None:
    """With its bounds, its place and how long each stage took; the output has the same numbers."""
    inputs = TaskInputs(KEY, UserInput(), MLModel(model="m"), HWResource("hw", 300.0, 0.25))
    planned = plan(
        to_request(inputs, LatencyUnit.S, KNOWLEDGE),
        Assumptions(pue=Factor(exact(2.0), "test"), power_tolerance=0),
    )
    assert isinstance(planned, Plan)
    grid = CarbonIntensity(Interval(300.0, 400.0, 600.0), "Testland", "TL", 2025, "test")
    result = conclude(planned, grid, NotTracked())
    assert isinstance(result, Estimate)

    answer = to_answer(inputs, result, "1.0", 4, {"intensity": 0.5})

    energy_kwh = 0.25 * 300 / 3.6e6
    assert (answer.outcome, answer.mode, answer.reason) == (Outcome.COMPUTED, "declared", "")
    assert (answer.place_code, answer.place_name) == ("TL", "Testland")
    assert answer.device_energy_kwh == pytest.approx(energy_kwh)
    assert answer.energy_kwh == pytest.approx(2 * energy_kwh)
    assert answer.intensity_g_per_kwh == 400.0
    assert (answer.carbon_low_g, answer.carbon_g, answer.carbon_high_g) == pytest.approx(
        tuple(2 * energy_kwh * g_per_kwh for g_per_kwh in (300, 400, 600))
    )
    assert (answer.tracker_failure, answer.stage_seconds) == ("", {"intensity": 0.5})
    assert answer.footprint.carbon_intensity == 400.0
    assert answer.footprint.task_id == KEY.task_id
    assert json.loads(answer.footprint.extra_data)["settings_revision"] == 4


def test_an_answer_without_numbers_says_why() -> None:
    """All doubles are zero; without settings their revision is 0."""
    inputs = TaskInputs(KEY, UserInput(), MLModel(model="m"), HWResource("hw"))
    answer = to_answer(inputs, NotComputed(Reason.NO_POWER, "0 W"), "1.0", None, {})
    assert (answer.outcome, answer.reason, answer.detail) == (
        *(Outcome.NOT_COMPUTED, "no power"),
        "0 W",
    )
    assert (answer.revision, answer.carbon_g) == (0, None)
    footprint = answer.footprint
    assert (footprint.carbon_footprint, footprint.energy_consumption) == (0.0, 0.0)
    assert footprint.carbon_intensity == 0.0
    content = json.loads(footprint.extra_data)
    assert content["error"] == "no power: 0 W"
    assert "settings_revision" not in content


@pytest.mark.parametrize(
    ("region", "continent", "place"),
    [("Bavaria", "Europe", "Bavaria, Europe"), ("", "Europe", "Europe"), ("", "", "")],
)
def test_a_task_is_summed_up_in_the_words_of_the_peers(
    region: str, continent: str, place: str
) -> None:
    """What the history lists."""
    user = UserInput(geo_location_region=region, geo_location_continent=continent)
    inputs = TaskInputs(KEY, user, MLModel(model="m"), HWResource("hw"))
    assert summary_of(inputs) == Summary("m", "hw", place)


def test_only_extra_data_that_cannot_be_read_is_a_problem() -> None:
    """Each is named by its sample."""
    inputs = TaskInputs(
        KEY, UserInput(extra_data=b"{}"), MLModel(extra_data=b"{"), HWResource("hw")
    )
    assert list(problems_of(inputs)) == ["MLModel"]
