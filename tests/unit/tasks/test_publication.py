"""Which answers leave, and how many outputs they ask for."""

import json

import pytest
from tests.unit.store.samples import answer, task

from carbon_node.tasks import publication
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Answered, Republish
from carbon_node.tasks.publication import Situation
from carbon_node.wire.samples import CO2Footprint

ASKED = b'{"num_outputs": 3, "model_restrains": ["m"], "mode": "declared"}'
FOOTPRINT = CO2Footprint(1.0, 0.01, 100.0, ASKED, task().task_id)


def kept() -> Kept:
    """An answer that asks for three outputs."""
    found = answer(task())
    return Kept(task(), 1, Answer(footprint=FOOTPRINT, outcome=found.outcome))


def outputs_asked(leaving: Kept | None) -> int | None:
    """`num_outputs` of what leaves; None if nothing does."""
    if leaving is None:
        return None
    content = json.loads(leaving.answer.footprint.extra_data)
    assert content | {"num_outputs": 3} == json.loads(ASKED)
    assert leaving.answer.footprint.carbon_footprint == FOOTPRINT.carbon_footprint
    asked: int = content["num_outputs"]
    return asked


@pytest.mark.parametrize(
    ("situation", "asked"),
    [
        (Situation.READ, 3),
        (Situation.UNREAD, 1),
        (Situation.DESERTED, 1),
        (Situation.DESERTED_BY_SILENT, None),
        (Situation.UNACKNOWLEDGED, 1),
        (Situation.ACKNOWLEDGED, None),
    ],
)
def test_an_answer_orders_iterations_only_of_readers_that_it_is_for(
    situation: Situation, asked: int | None
) -> None:
    """Whatever leaves has the values and all other keys of the answer."""
    assert outputs_asked(publication.leaving(kept(), situation)) == asked


@pytest.mark.parametrize(
    ("policy", "is_acknowledged", "asked"),
    [
        (Republish.UNACKNOWLEDGED, True, None),
        (Republish.UNACKNOWLEDGED, False, 1),
        (Republish.ALL, True, 1),
        (Republish.ALL, False, 1),
        (Republish.NONE, True, None),
        (Republish.NONE, False, None),
    ],
)
def test_a_known_answer_leaves_again_as_the_operator_wants(
    policy: Republish, *, is_acknowledged: bool, asked: int | None
) -> None:
    """If at all, then for one output."""
    leaving = publication.leaving_again(Answered(kept(), is_acknowledged), policy)
    assert outputs_asked(leaving) == asked
