"""A result asks for another iteration only where the user asked for it, and never without end."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import (
    Assumptions,
    CarbonIntensity,
    Estimate,
    LatencyUnit,
    NotComputed,
    NotTracked,
    Plan,
    Reason,
    conclude,
    exact,
    plan,
)
from carbon_node.hardware import HardwareMap, shipped_catalogue
from carbon_node.pipeline.task import TaskInputs
from carbon_node.pipeline.translate import to_footprint, to_request
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.extra_data import with_single_output
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

KNOWLEDGE = HardwareMap(shipped_catalogue())
GRID = CarbonIntensity(exact(400), "Testland", "TL", 2025, "test")
GRAMS = 0.25 * 300 / 3.6e6 * 1.58 * 400
"""What 0.25 s of 300 W cost at 400 g/kWh and the default PUE."""

FAILED = NotComputed(Reason.NO_POWER, "no power")


def inputs_of(
    extra: dict[str, Any] | None = None,
    *,
    iteration: int = 1,
    memory_mb: float = 0.0,
    **user: Any,  # noqa: ANN401 - any field
) -> TaskInputs:
    """Return a task of a user who asks for automatic optimisation."""
    task_id = TaskId(7, iteration)
    octets = json.dumps(extra or {}).encode()
    asked = {"optimize_carbon_footprint_auto": True, "extra_data": octets, **user}
    return TaskInputs(
        TaskKey(task_id, "writer"),
        UserInput(**asked, task_id=task_id),
        MLModel(model="m"),
        HWResource("box", 300.0, 0.25, memory_mb),
    )


def published(inputs: TaskInputs, result: NotComputed | None = None) -> dict[str, Any]:
    """Return the extra_data of the task's output."""
    content: dict[str, Any] = json.loads(octets_of(inputs, result))
    return content


def octets_of(inputs: TaskInputs, result: NotComputed | None = None) -> bytes:
    """Return the same as it travels."""
    return to_footprint(inputs, result or estimate_of(inputs), "0.1.0", 0).extra_data


def estimate_of(inputs: TaskInputs) -> Estimate:
    """Return what the node computes for the task."""
    request = to_request(inputs, LatencyUnit.S, KNOWLEDGE)
    planned = plan(request, Assumptions())
    assert isinstance(planned, Plan)
    estimate = conclude(planned, GRID, NotTracked())
    assert isinstance(estimate, Estimate)
    return estimate


@pytest.mark.parametrize(
    ("user", "extra", "memory_mb", "why"),
    [
        ({"desired_carbon_footprint": GRAMS * 0.9}, {}, 0, "the carbon footprint exceeds"),
        ({}, {"max_memory_footprint": 500}, 501, "the memory footprint exceeds"),
        ({"desired_carbon_footprint": GRAMS * 1.1}, {}, 0, "nothing that was set"),
        ({}, {"max_memory_footprint": 500}, 500, "nothing that was set"),
        ({}, {"max_memory_footprint": 0}, 500, "nothing that was set"),
        ({}, {"max_memory_footprint": "10"}, 500, "nothing that was set"),
        ({}, {"max_memory_footprint": 10}, float("nan"), "nothing that was set"),
        ({"desired_carbon_footprint": 0.0}, {}, 0, "nothing that was set"),
        ({"desired_carbon_footprint": 1e-9}, {"num_outputs": 2}, 0, "more outputs follow"),
        ({"desired_carbon_footprint": 1e-9}, {"auto_attempt": 3}, 0, "all attempts"),
        ({"desired_carbon_footprint": 1e-9}, {"auto_attempt": 10**30}, 0, "all attempts"),
    ],
)
def test_an_automatic_optimisation_goes_on_while_something_is_exceeded(
    user: dict[str, Any], extra: dict[str, Any], memory_mb: float, why: str
) -> None:
    """The output says why, and asks for another iteration only then."""
    content = published(inputs_of(extra, memory_mb=memory_mb, **user))
    assert content["reiteration"]["why"].startswith(why)
    assert content["auto_reiterate"] is why.endswith("exceeds")


def test_who_did_not_ask_for_it_is_not_iterated() -> None:
    """Whatever is exceeded: the key is there, and false."""
    asked: dict[str, Any] = {
        "desired_carbon_footprint": 1e-9,
        "optimize_carbon_footprint_auto": False,
    }
    content = published(inputs_of({"max_memory_footprint": 1}, memory_mb=9, **asked))
    assert content["auto_reiterate"] is False
    assert "reiteration" not in content


@pytest.mark.parametrize(
    ("failure", "mode"),
    [(FAILED, "error"), (NotComputed(Reason.NO_MODEL, "none"), "no_model")],
)
def test_a_failed_result_asks_for_nothing(failure: NotComputed, mode: str) -> None:
    """There is nothing to compare with what the user set; the mode is that of the framework."""
    content = published(inputs_of(desired_carbon_footprint=1e-9), failure)
    assert content["auto_reiterate"] is False
    assert content["reiteration"]["why"] == "there is no result"
    assert content["mode"] == mode
    assert "grid_ci_source" not in content


@pytest.mark.parametrize("num_outputs", [1, 3])
def test_an_output_that_is_published_again_asks_for_nothing(num_outputs: int) -> None:
    """Whoever took it the first time has started the next iteration already."""
    inputs = inputs_of({"num_outputs": num_outputs}, desired_carbon_footprint=1e-9)
    once = octets_of(inputs)
    again = with_single_output(once)
    assert json.loads(again) == json.loads(once) | {"num_outputs": 1, "auto_reiterate": False}
    assert with_single_output(again) == again


@pytest.mark.parametrize("counts", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("first", [{}, {"auto_attempt": 0}, {"auto_attempt": None}])
def test_a_problem_ends_after_three_attempts(counts: bool, first: dict[str, Any]) -> None:  # noqa: FBT001
    """Whether or not whoever starts the iterations counts them."""
    extra, iteration, outputs = dict(first), 1, 1
    while published(inputs_of(extra, iteration=iteration, desired_carbon_footprint=1e-9))[
        "auto_reiterate"
    ]:
        iteration, outputs = iteration + 1, outputs + 1
        assert outputs < 10
        if counts:
            extra["auto_attempt"] = outputs - 1
    assert outputs == 4


@given(
    st.dictionaries(
        st.sampled_from(["auto_attempt", "max_memory_footprint", "num_outputs"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none()),
    ),
    st.floats(),
    st.floats(),
    st.integers(0, 2**32 - 1),
)
def test_any_input_has_an_output_that_consumers_can_read(
    extra: dict[str, Any], desired: float, memory_mb: float, iteration: int
) -> None:
    """JSON of finite numbers with the keys that they index."""
    inputs = inputs_of(
        extra, iteration=iteration, memory_mb=memory_mb, desired_carbon_footprint=desired
    )
    content = published(inputs)
    assert isinstance(content["auto_reiterate"], bool)
    assert content["num_outputs"] >= 1
    assert not (content["auto_reiterate"] and content["num_outputs"] > 1)
