"""A result as JSON: complete, and nothing in it that JSON does not know."""

import json
import math
from dataclasses import replace

import pytest
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.store.editions import Edition, State
from carbon_node.store.result import COLUMNS, as_json

NOON_MS = 1_777_636_800_000
ANSWERED = Edition(
    task(3, 2, "w"),
    4,
    "d",
    summary(),
    NOON_MS,
    State.PUBLISHED,
    replace(answer(task(3, 2)), agrees=True, place_name="Spain", detail="x"),
    NOON_MS + 1_500,
    is_superseded=True,
)


def test_a_result_says_all_there_is() -> None:
    """In the order of the columns, with times in UTC."""
    found = as_json(ANSWERED)
    assert list(found) == list(COLUMNS)
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        **{"problem_id": 3, "iteration_id": 2, "writer": "w", "edition": 4},
        **{"accepted_at": "2026-05-01T12:00:00.000+00:00"},
        **{"finished_at": "2026-05-01T12:00:01.500+00:00"},
        **{"state": "published", "is_superseded": True},
        **{"model": "resnet50", "hardware": "NVIDIA A100", "place": "Spain"},
        **{"place_code": "ES", "outcome": "computed", "reason": "", "mode": "declared"},
        **{"energy_kwh": 0.01, "device_energy_kwh": 2.0 / 316, "intensity_g_per_kwh": 200.0},
        **{"carbon_g": 2.0, "carbon_low_g": 1.0, "carbon_high_g": 3.0, "revision": 3},
        **{"stage_seconds": {"measure": 0.5, "publish": 0.001}, "detail": "x"},
        **{"place_name": "Spain", "tracker_failure": "", "agrees": True},
        "published": {
            "carbon_footprint": 2.0,
            "energy_consumption": 0.01,
            "carbon_intensity": 200.0,
        },
        "extra_data": {"num_outputs": 1, "model_restrains": ["resnet50"], "schema": 1},
    }


def test_what_does_not_exist_is_null() -> None:
    """A task without answer has none of its columns, and a failed one no numbers."""
    waiting = as_json(replace(ANSWERED, answer=None, finished_at_ms=None, state=State.ACCEPTED))
    assert (waiting["state"], waiting["finished_at"], waiting["outcome"]) == (
        "accepted",
        None,
        None,
    )
    assert (waiting["published"], waiting["extra_data"]) == (None, None)
    failed = as_json(replace(ANSWERED, answer=failure(task(3, 2))))
    assert (failed["outcome"], failed["reason"]) == ("not_computed", "no power")
    assert (failed["carbon_g"], failed["agrees"]) == (None, None)


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b'{"a": NaN, "b": 1}', {"a": None, "b": 1}),
        (b"{broken", "{broken"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"[" * 100, "[" * 100),
    ],
)
def test_numbers_and_octets_that_json_cannot_hold_are_none_of_it(
    octets: bytes, shown: object
) -> None:
    """A reader in any language can read it."""
    footprint = replace(answer(task()).footprint, carbon_footprint=math.nan, extra_data=octets)
    odd = replace(answer(task()), footprint=footprint, carbon_g=math.inf, energy_kwh=0.0)
    found = as_json(replace(ANSWERED, answer=odd))
    assert found["published"] == {
        "carbon_footprint": None,
        "energy_consumption": 0.01,
        "carbon_intensity": 200.0,
    }
    assert (found["carbon_g"], found["energy_kwh"]) == (None, 0.0)
    assert found["extra_data"] == shown
