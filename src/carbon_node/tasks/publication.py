"""Which answers leave, and how many outputs they ask for: the rule, once.

An orchestrator takes every output for a new result, and one whose `num_outputs` is above 1 for the
order to iterate. It has to get each result once, and the order only if it asked for it. So:

| situation | leaves |
|---|---|
| a task is answered, and a reader is there | as asked |
| a task is answered, and no reader is there | for one output; it waits for a late reader |
| the readers leave before they have acknowledged it | for one output, in its place |
| the readers that answered have acknowledged it and leave, and a silent one is given up | nothing |
| its only reader has not acknowledged it, and the node has to join again | as asked |
| one of several readers has not, and the node has to join again | for one output |
| its inputs come again after a restart, and readers may not have it | for one output |
| its inputs come again after a restart, and readers have it | nothing |

"Readers have it" once all that answer have acknowledged it: a reader that neither leaves nor
answers, dead or standing still, does not count. What has left stays until all readers have taken
it, such a one too, or are given up (`pipeline.outputs`), and what a former life of the node left
with readers ends before anything leaves (`pipeline.former_outputs`). A task that was accepted and
not answered is computed after a restart, and so is one whose orchestrator restarted, since its
tasks are new ones: both are answered for the first time.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum, auto
from types import MappingProxyType

from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered, Republish
from carbon_node.wire import extra_data


class Situation(Enum):
    """What an answer meets when it could leave."""

    READ = auto()
    """For the first time, and a reader is there, or the transport cannot tell."""
    UNREAD = auto()
    """For the first time, and no reader is there."""
    DESERTED = auto()
    """It has left, and the readers that were there are gone without having acknowledged it."""
    DESERTED_BY_SILENT = auto()
    """It has left, all readers are gone, and those that still answered had acknowledged it."""
    REJOINED = auto()
    """It has left, its only reader has lost this node, and the node has joined again."""
    REJOINED_FOR_SEVERAL = auto()
    """The same with several readers: some may have it."""
    UNACKNOWLEDGED = auto()
    """Its inputs came again, and it is not known that readers have it."""
    ACKNOWLEDGED = auto()
    """Its inputs came again, and all readers have it that were there and answered."""


class Form(Enum):
    """How an answer leaves."""

    AS_ASKED = auto()
    FOR_ONE_OUTPUT = auto()
    NOT_AT_ALL = auto()


RULE: Mapping[Situation, Form] = MappingProxyType(
    {
        Situation.READ: Form.AS_ASKED,
        Situation.UNREAD: Form.FOR_ONE_OUTPUT,
        Situation.DESERTED: Form.FOR_ONE_OUTPUT,
        Situation.DESERTED_BY_SILENT: Form.NOT_AT_ALL,
        Situation.REJOINED: Form.AS_ASKED,
        Situation.REJOINED_FOR_SEVERAL: Form.FOR_ONE_OUTPUT,
        Situation.UNACKNOWLEDGED: Form.FOR_ONE_OUTPUT,
        Situation.ACKNOWLEDGED: Form.NOT_AT_ALL,
    }
)
"""The table above."""


def leaving(kept: Kept, situation: Situation) -> Kept | None:
    """Return an answer as it leaves in a situation, with the values that it has; None if not."""
    match RULE[situation]:
        case Form.AS_ASKED:
            return kept
        case Form.FOR_ONE_OUTPUT:
            return _for_one_output(kept)
        case Form.NOT_AT_ALL:
            return None


def leaving_again(answered: Answered, policy: Republish) -> Kept | None:
    """Return a known answer as it leaves again, if the operator's policy lets it; None if not."""
    is_taken_care_of = {
        Republish.UNACKNOWLEDGED: answered.is_acknowledged,
        Republish.ALL: False,
        Republish.NONE: True,
    }[policy]
    situation = Situation.ACKNOWLEDGED if is_taken_care_of else Situation.UNACKNOWLEDGED
    return leaving(answered.kept, situation)


def _for_one_output(kept: Kept) -> Kept:
    footprint = kept.answer.footprint
    single = replace(footprint, extra_data=extra_data.with_single_output(footprint.extra_data))
    return replace(kept, answer=replace(kept.answer, footprint=single))
