"""Messages between the node, its guards and the measuring processes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.trackers import LIMITS

from carbon_node.errors import TrackerProtocolError
from carbon_node.estimation.measurement import ModelRun, SimulatedRun
from carbon_node.tracking.config import Limits, Unmetered
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.messages import (
    HEADER,
    MAGIC,
    RESULT_LIMIT_BYTES,
    Job,
    Report,
    SimulatedGroup,
    frame,
    job_from_json,
    job_to_json,
    only_message,
    parse,
    report_from_json,
    report_to_json,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MESSAGES = st.dictionaries(st.text(), JSON, max_size=5)
BOUNDS = st.none() | st.integers(0, 2**40)
JOBS = st.builds(
    Job,
    run=st.builds(SimulatedRun, st.floats(1e-9, 1e9))
    | st.builds(SimulatedGroup, st.lists(st.floats(1e-9, 1e9), min_size=2).map(tuple))
    | st.builds(ModelRun, st.text(), st.text(), st.just(b"")),
    workload=st.text(),
    directory=st.just(Path("/tmp/a")),  # noqa: S108 - a name, not a file
    window_s=st.floats(0.01, 10),
    deadline_monotonic_s=st.floats(0, 1e9),
    grace_s=st.floats(0, 10),
    output_limit_bytes=st.integers(0, 2**40),
    tail_bytes=st.integers(0, 2**20),
    limits=st.builds(Limits, address_space_bytes=BOUNDS, processes=BOUNDS, file_size_bytes=BOUNDS),
    model_roots=st.just(()) | st.just((Path("/models"), Path("/more"))),
    model_limit_bytes=st.integers(0, 2**40),
    devices=st.none() | st.lists(st.text(), max_size=2).map(tuple),
    unmetered=st.sampled_from(Unmetered),
)
REPORTS = st.builds(
    Report,
    error=st.text(),
    ended_by=st.text(),
    killed=st.booleans(),
    exit_status=st.integers(-64, 255),
    result=st.binary(),
    stdout_tail=st.text(),
    stderr_tail=st.text(),
)


@given(MESSAGES)
def test_message_comes_out_as_it_went_in(message: dict[str, object]) -> None:
    """What is framed is what is read."""
    assert only_message(frame(message)) == message


@given(JOBS)
def test_job_survives_the_wire(job: Job) -> None:
    """A job reaches its guard unchanged."""
    assert job_from_json(parse(frame(job_to_json(job))[HEADER.size :])) == job


def test_bytes_of_a_model_stay_off_the_wire() -> None:
    """A model's bytes travel in a file descriptor, not in the job."""
    run = ModelRun("m", raw_model=memoryview(b"secret weights"))
    job = job_to_json(Job(run, "", Path(), 1, 1, 1, 1, 1, LIMITS, (), 1))
    assert "raw_model" not in job["run"]


@given(REPORTS)
def test_report_survives_the_wire(report: Report) -> None:
    """A report reaches the node unchanged."""
    assert report_from_json(parse(frame(report_to_json(report))[HEADER.size :])) == report


@given(MESSAGES, st.data())
def test_every_cut_of_a_message_is_noticed(message: dict[str, object], data: st.DataObject) -> None:
    """However much of its end is missing, a message is refused as truncated or as absent."""
    framed = frame(message)
    kept = data.draw(st.integers(0, len(framed) - 1))
    with pytest.raises(TrackerProtocolError) as caught:
        only_message(framed[:kept])
    expected = FailureName.TRUNCATED_RESULT if kept else FailureName.NO_RESULT
    assert caught.value.failure == expected


@given(MESSAGES, st.binary(min_size=1))
def test_anything_after_a_message_is_noticed(message: dict[str, object], more: bytes) -> None:
    """Two results, or a result and anything else, are refused."""
    with pytest.raises(TrackerProtocolError) as caught:
        only_message(frame(message) + more)
    assert caught.value.failure == FailureName.DOUBLE_RESULT


@given(st.binary())
def test_any_bytes_give_a_message_or_a_named_failure(data: bytes) -> None:
    """Whatever a process sends, reading it ends in an object or in a named failure."""
    try:
        assert isinstance(only_message(data), dict)
    except TrackerProtocolError as error:
        FailureName(error.failure)


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"garbage, and more of it", FailureName.GARBAGE_RESULT),
        (HEADER.pack(MAGIC, RESULT_LIMIT_BYTES + 1), FailureName.OVERSIZED_RESULT),
        (HEADER.pack(MAGIC, 2) + b"[]", FailureName.GARBAGE_RESULT),
        (HEADER.pack(MAGIC, 40_000) + b"[" * 40_000, FailureName.GARBAGE_RESULT),
        (HEADER.pack(MAGIC, 396) + b'{"a":' * 66 + b"1" + b"}" * 65, FailureName.GARBAGE_RESULT),
        (HEADER.pack(MAGIC, 1) + b"\xff", FailureName.GARBAGE_RESULT),
    ],
)
def test_unreadable_message_has_a_name(data: bytes, failure: FailureName) -> None:
    """Garbage, excess, nesting and bad text each end in a named failure."""
    with pytest.raises(TrackerProtocolError) as caught:
        only_message(data)
    assert caught.value.failure == failure
