"""What a task's samples say of its hardware, as the domain is asked."""

import json
import math
from typing import Any

import pytest

from carbon_node.estimation import EstimationRequest, ExplicitHardware, LatencyUnit
from carbon_node.hardware import HardwareMap, Preset, preset, shipped_catalogue
from carbon_node.pipeline.task import TaskInputs
from carbon_node.pipeline.translate import to_request
from carbon_node.tasks.key import TaskKey
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
