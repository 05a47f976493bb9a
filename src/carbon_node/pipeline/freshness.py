"""Whether a model or hardware sample was written for the user input that it meets.

A restarted orchestrator numbers its tasks from (1, 1) again, while nodes that live on still offer
the samples of its former session. So when the three samples of a task are there, the model and the
hardware are judged, each by the first of these rules that tells:

1. *Identity.* A sample that was used for a task of another session, that is, with the user input
   of another writer, is used up: it never completes a task again, in this life of the node or a
   later one. One that was used for this task belongs to it. A sample is known by its writer's GUID
   and its sequence number; the ledger remembers those of every task that was accepted.
2. *Session.* Task ids do not repeat within a session. So a sample belongs to it if its writer wrote
   it after one that certainly did.
3. *Order of reception*, if one of the two was live, that is, received as it was written: its
   participant had been known for `DELIVERY_S`, or it followed another sample of its writer and
   instance. Then the clock of this host tells. A sample that came more than `DELIVERY_S` before the
   user input is older; any other one belongs, certainly if it was live and came after.
4. *Source timestamps*, if both may have been retained. A sample is older that was written more
   than `CLOCKS_S` before the user input by the clocks of their hosts. A timestamp of the future
   shows that a clock is wrong: then the sample counts as older, because nothing tells that it is
   not.

A task with a sample that is used up waits for another one, until it is given up as incomplete. A
task with one that is older waits for `newer_wait_s` after it was complete, since rules 3 and 4 may
be wrong where discovery is slow or clocks differ. Then nothing newer is expected: it is answered
with what is there, and the result has a warning. So no task is lost to rules 2 to 4.

What this cannot tell: a sample that this node never used and that was there before the node, if
the clocks of its host and the orchestrator's differ by more than its age; one that arrived less
than `DELIVERY_S` before the user input; one that was written for an earlier user input after this
one was. On `sustainml_py` nothing can be told: the library joins the samples by itself, and names
neither their writers nor their times.
"""

import math
from dataclasses import replace
from enum import Enum, auto

from carbon_node.tasks.lineage import SampleId, Streams, Use
from carbon_node.wire.contract import Arrival

DELIVERY_S = 10.0
"""Seconds after which a sample that was there has arrived: retained ones follow the discovery of
their participant within milliseconds, and one that was lost is sent again every 3 s by default."""

CLOCKS_S = 2.0
"""Seconds by which clocks of hosts that are kept right may differ; an orchestrator takes longer to
restart."""


class Verdict(Enum):
    """What a sample is to a user input."""

    CERTAIN = auto()
    """Certainly written for it."""

    LIKELY = auto()
    """Not known to be older."""

    OLDER = auto()
    """Seems to be from before it."""

    USED = auto()
    """Used for a task of another session."""

    @property
    def is_good(self) -> bool:
        """Whether the sample may complete the user input's task."""
        return self is Verdict.CERTAIN or self is Verdict.LIKELY


def judge(sample: Arrival, user_input: Arrival, uses: tuple[Use, ...], streams: Streams) -> Verdict:
    """Tell whether a sample was written for a user input.

    Args:
        sample: of the model or the hardware.
        user_input: of the same task id.
        uses: what is known of tasks of this id that were completed with samples of its writer.
        streams: what was used of each writer's samples.
    """
    identity = SampleId(sample.writer, sample.sequence_number)
    if users := {use.user_writer for use in uses if use.sample == identity}:
        return Verdict.CERTAIN if user_input.writer in users else Verdict.USED
    if streams.is_of_session(user_input.writer, identity):
        return Verdict.CERTAIN
    if _is_live(sample) or _is_live(user_input):
        return _by_reception(sample, user_input)
    return _by_clocks(sample, user_input)


def is_newer(sample: Arrival, than: Arrival) -> bool:
    """Whether a sample of a topic and instance replaces another one.

    Of one writer, the order of writing decides. Of two, the order of reception, unless both came
    together, perhaps because this node has just started: then their clocks.
    """
    if sample.writer == than.writer and sample.sequence_number > 0:
        # What comes again, because its participant was lost for a while, came first before.
        return sample.sequence_number > than.sequence_number
    if sample.writer != than.writer and _is_live(sample):
        return sample.received_s >= than.received_s
    return sample.source_timestamp_ns >= than.source_timestamp_ns


def following(sample: Arrival, replaced: Arrival) -> Arrival:
    """Return a sample that replaces another one, marked as live if that shows it.

    A writer retains only the newest sample of an instance. So the second one that it sends was
    written since the first.
    """
    is_second = sample.writer == replaced.writer and sample.sequence_number > 0
    return replace(sample, known_for_s=math.inf) if is_second else sample


def _is_live(arrival: Arrival) -> bool:
    """Whether a sample was received as it was written."""
    return arrival.known_for_s > DELIVERY_S


def _by_reception(sample: Arrival, user_input: Arrival) -> Verdict:
    if sample.received_s < user_input.received_s - DELIVERY_S:
        return Verdict.OLDER
    if _is_live(sample) and sample.received_s >= user_input.received_s:
        return Verdict.CERTAIN
    return Verdict.LIKELY


def _by_clocks(sample: Arrival, user_input: Arrival) -> Verdict:
    is_older = _written_s(sample) < _written_s(user_input) - CLOCKS_S
    return (
        Verdict.OLDER if is_older or _is_ahead(sample) or _is_ahead(user_input) else Verdict.LIKELY
    )


def _is_ahead(arrival: Arrival) -> bool:
    """Whether a sample was received before its writer says that it wrote it."""
    if arrival.received_ns == 0:
        return False
    return _written_s(arrival) > arrival.received_ns / 1e9 + CLOCKS_S


def _written_s(arrival: Arrival) -> float:
    return arrival.source_timestamp_ns / 1e9
