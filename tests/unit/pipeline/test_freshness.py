"""Whether a sample was written for a user input, by each rule in turn."""

import math
from dataclasses import replace

import pytest

from carbon_node.pipeline.freshness import (
    CLOCKS_S,
    DELIVERY_S,
    Verdict,
    following,
    is_newer,
    judge,
)
from carbon_node.tasks.lineage import SampleId, Sources, Streams, Use
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import MLModel, TaskId, UserInput

ID = TaskId(1, 1)
NOW_S = 1_000_000.0
LIVE_S = DELIVERY_S + 1
HOUR_S = 3600.0


def received(
    at_s: float = 0.0,
    *,
    written_s: float = 0.0,
    known_for_s: float = 0.0,
    number: int = 1,
    writer: str = "models",
) -> Arrival:
    """A model that was received and written at times relative to now."""
    sample = MLModel(task_id=ID) if writer != "session" else UserInput(task_id=ID)
    topic = Topic.ML_MODEL if writer != "session" else Topic.USER_INPUT
    return Arrival(
        topic,
        sample,
        ID,
        writer,
        round((NOW_S + written_s) * 1e9),
        number,
        round((NOW_S + at_s) * 1e9),
        at_s,
        known_for_s,
    )


def asked(at_s: float = 0.0, *, written_s: float = 0.0, known_for_s: float = 0.0) -> Arrival:
    """A user input."""
    return received(at_s, written_s=written_s, known_for_s=known_for_s, writer="session")


@pytest.mark.parametrize(
    ("model", "user_input", "verdict"),
    [
        pytest.param(received(known_for_s=LIVE_S), asked(), Verdict.CERTAIN, id="live, after"),
        pytest.param(
            received(written_s=-HOUR_S, known_for_s=LIVE_S), asked(), Verdict.CERTAIN, id="behind"
        ),
        pytest.param(
            received(), asked(known_for_s=LIVE_S), Verdict.LIKELY, id="after a live user input"
        ),
        pytest.param(
            received(-1.0, known_for_s=LIVE_S), asked(), Verdict.LIKELY, id="live, just before"
        ),
        pytest.param(
            received(-DELIVERY_S - 0.1, written_s=HOUR_S, known_for_s=LIVE_S),
            asked(),
            Verdict.OLDER,
            id="live, long before",
        ),
        pytest.param(
            received(-DELIVERY_S - 0.1),
            asked(known_for_s=LIVE_S),
            Verdict.OLDER,
            id="long before a live user input",
        ),
        pytest.param(received(), asked(), Verdict.LIKELY, id="retained"),
        pytest.param(
            received(written_s=-CLOCKS_S - 0.1), asked(), Verdict.OLDER, id="retained, older"
        ),
        pytest.param(
            received(written_s=-CLOCKS_S + 0.1), asked(), Verdict.LIKELY, id="about as old"
        ),
        pytest.param(received(written_s=HOUR_S), asked(), Verdict.OLDER, id="of the future"),
        pytest.param(
            received(written_s=CLOCKS_S - 0.1), asked(), Verdict.LIKELY, id="a clock slightly ahead"
        ),
        pytest.param(
            replace(received(written_s=HOUR_S), received_ns=0),
            asked(),
            Verdict.LIKELY,
            id="of the future, perhaps",
        ),
        pytest.param(
            received(known_for_s=DELIVERY_S - 0.1, written_s=-HOUR_S),
            asked(),
            Verdict.OLDER,
            id="perhaps retained, older",
        ),
        pytest.param(
            received(written_s=HOUR_S), asked(written_s=HOUR_S), Verdict.OLDER, id="both are"
        ),
    ],
)
def test_live_samples_go_by_reception_and_others_by_their_clocks(
    model: Arrival, user_input: Arrival, verdict: Verdict
) -> None:
    """Without anything that is known of either."""
    assert judge(model, user_input, (), Streams(10)) is verdict


@pytest.mark.parametrize(
    ("user", "verdict"), [("session", Verdict.CERTAIN), ("other", Verdict.USED)]
)
def test_a_sample_that_was_used_is_of_the_session_that_used_it(user: str, verdict: Verdict) -> None:
    """Its identity tells, whatever time and clocks say."""
    uses = (Use(user, SampleId("models", 1)),)

    assert judge(received(written_s=-HOUR_S), asked(), uses, Streams(10)) is verdict
    again = received(written_s=-HOUR_S, number=2)
    assert judge(again, asked(), uses, Streams(10)) is Verdict.OLDER


@pytest.mark.parametrize("is_certain", [True, False])
def test_what_follows_a_sample_of_the_session_is_of_the_session(*, is_certain: bool) -> None:
    """If that one was certainly of it."""
    streams = Streams(10)
    sources = Sources(SampleId("models", 5), SampleId("hardware", 1), is_certain)
    streams.use("session", sources)

    def verdict(number: int) -> Verdict:
        return judge(received(written_s=-HOUR_S, number=number), asked(), (), streams)

    assert verdict(6) is (Verdict.CERTAIN if is_certain else Verdict.OLDER)
    assert verdict(4) is Verdict.OLDER


def test_of_one_writer_the_later_sample_is_newer_whatever_its_clock_says() -> None:
    """Also if its clock was set back; the same sample that comes again is not newer."""
    first, second = received(written_s=HOUR_S), received(number=2)

    assert is_newer(second, first)
    assert not is_newer(first, second)
    assert not is_newer(first, first)


def test_of_two_writers_a_live_sample_goes_by_its_reception() -> None:
    """A restarted node on a host whose clock is behind replaces what its predecessor wrote."""
    before = received(-60.0, written_s=HOUR_S)

    for writer in ("restarted", "again"):
        assert is_newer(received(known_for_s=LIVE_S, writer=writer), before)
    assert not is_newer(received(writer="retained too"), before)
    late = received(-61.0, written_s=2 * HOUR_S, known_for_s=LIVE_S, writer="stopped")
    assert not is_newer(late, before)


def test_samples_without_a_number_go_by_their_clock() -> None:
    """Some transports have none: then nothing tells that the second was not retained."""
    first, second = received(number=0), received(written_s=1.0, number=0)

    assert is_newer(second, first)
    assert not is_newer(first, second)
    assert following(second, first).known_for_s == 0.0


def test_the_second_sample_of_a_writer_was_not_retained() -> None:
    """A writer retains one sample of a task: the second came as it was written."""
    assert following(received(number=2), received()).known_for_s == math.inf
    assert following(received(number=2), received(writer="other")).known_for_s == 0.0


def test_only_what_is_not_known_to_be_older_or_used_completes_a_task() -> None:
    """Certainty is not asked for: a task would never start where nothing tells."""
    good = {verdict for verdict in Verdict if verdict.is_good}
    assert good == {Verdict.CERTAIN, Verdict.LIKELY}
