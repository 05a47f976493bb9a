"""Tasks and answers for the tests of the store."""

import json
from collections.abc import Callable
from typing import TypeAlias

from carbon_node.store.editions import Edition, State
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.wire import samples

WRITER = "01.0f.aa.bb.cc.dd.ee.ff.00.00.00.01|0.0.1.2"


def task(problem_id: int = 1, iteration_id: int = 1, writer: str = WRITER) -> TaskKey:
    """Return the key of a task."""
    return TaskKey(samples.TaskId(problem_id, iteration_id), writer)


def summary(
    model: str = "resnet50", hardware: str = "NVIDIA A100", place: str = "Spain"
) -> Summary:
    """Return what a task is about."""
    return Summary(model, hardware, place)


def answer(key: TaskKey, carbon_g: float = 2.0) -> Answer:
    """Return a computed answer of the given footprint."""
    extra_data = {"num_outputs": 1, "model_restrains": ["resnet50"], "schema": 1}
    return Answer(
        footprint=samples.CO2Footprint(
            carbon_g, carbon_g / 200, 200.0, json.dumps(extra_data).encode(), key.task_id
        ),
        outcome=Outcome.COMPUTED,
        mode="declared",
        place_code="ES",
        energy_kwh=carbon_g / 200,
        device_energy_kwh=carbon_g / 316,
        intensity_g_per_kwh=200.0,
        carbon_g=carbon_g,
        carbon_low_g=carbon_g * 0.5,
        carbon_high_g=carbon_g * 1.5,
        revision=3,
        stage_seconds={"measure": 0.5, "publish": 0.001},
    )


def failure(key: TaskKey, reason: str = "no power") -> Answer:
    """Return an answer without numbers."""
    extra_data = b'{"num_outputs": 1, "model_restrains": [], "error": "no power"}'
    return Answer(
        footprint=samples.CO2Footprint(extra_data=extra_data, task_id=key.task_id),
        outcome=Outcome.NOT_COMPUTED,
        reason=reason,
    )


NOON_MS = 1_777_636_800_000
"""Noon of 1 May 2026, UTC."""

MANY = 100_000
"""Results of a large history."""

Steps: TypeAlias = Callable[[Callable[[], object]], int]
"""Counts the instructions that SQLite executes for some work."""


def edition(number: int, minute: int = 0, **about: str) -> Edition:
    """A saved edition of a task, accepted so many minutes after noon."""
    key = task(number)
    at_ms = NOON_MS + minute * 60_000
    return Edition(
        key, 1, "d", summary(**about), at_ms, State.SAVED, answer(key, float(number)), at_ms
    )
