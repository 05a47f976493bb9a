"""What a task's samples say of its hardware, as the domain is asked."""

import json
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
