"""Measuring processes that misbehave: each ends in a named failure and leaves nothing."""

from pathlib import Path

import pytest
from tests.fault.guarded import config_of, failure_at_deadline, failure_of, outcome

from carbon_node.estimation.measurement import Measurement
from carbon_node.tracking import FailureName

pytestmark = pytest.mark.anyio

ENDLESS = {
    "hang": FailureName.TIMEOUT,
    "stop_itself": FailureName.TIMEOUT,
    "late": FailureName.TIMEOUT,
    "ignore_sigterm": FailureName.SIGTERM_IGNORED,
    "stop_keeper": FailureName.GUARD_FAILED,
}
ENDING = {
    "kill_itself": FailureName.SIGNAL,
    "segfault": FailureName.SIGNAL,
    "good_result_bad_end": FailureName.SIGNAL,
    "exit_from_thread": FailureName.EXIT_70,
    "system_exit_70": FailureName.EXIT_70,
    "system_exit_3": FailureName.EXIT_STATUS,
    "raise_unpicklable": FailureName.EXIT_STATUS,
    "flood_stdout": FailureName.OUTPUT_FLOOD,
    "flood_stderr": FailureName.OUTPUT_FLOOD,
    "garbage": FailureName.GARBAGE_RESULT,
    "not_json": FailureName.GARBAGE_RESULT,
    "not_an_object": FailureName.GARBAGE_RESULT,
    "wrong_shape": FailureName.GARBAGE_RESULT,
    "unknown_failure": FailureName.GARBAGE_RESULT,
    "truncated": FailureName.TRUNCATED_RESULT,
    "truncated_header": FailureName.TRUNCATED_RESULT,
    "announce_too_much": FailureName.OVERSIZED_RESULT,
    "send_too_much": FailureName.OVERSIZED_RESULT,
    "double": FailureName.DOUBLE_RESULT,
    "no_result": FailureName.NO_RESULT,
    "no_measurement": FailureName.NO_MEASUREMENT,
    "kill_keeper": FailureName.GUARD_FAILED,
    "kill_both_guards": FailureName.GUARD_FAILED,
}


@pytest.mark.parametrize(("behaviour", "failure"), ENDLESS.items())
async def test_endless_measurement_is_ended_at_its_deadline(
    behaviour: str, failure: FailureName, tmp_path: Path
) -> None:
    """What does not end is ended and named; nothing is left, and the next measures well."""
    assert await failure_at_deadline(tmp_path, behaviour) == failure


@pytest.mark.parametrize(("behaviour", "failure"), ENDING.items())
async def test_misbehaviour_ends_in_its_named_failure(
    behaviour: str, failure: FailureName, tmp_path: Path
) -> None:
    """Each way to end badly has its name; nothing is left, and the next measures well."""
    assert await failure_of(config_of(tmp_path), behaviour) == failure


@pytest.mark.parametrize(
    "behaviour",
    [
        "leave_grandchild",
        "leave_escaped_grandchildren",
        "make_unremovable",
        "kill_forkserver",
        "stop_group",
    ],
)
async def test_good_result_survives_what_the_process_leaves_behind(
    behaviour: str, tmp_path: Path
) -> None:
    """A good result counts, whatever the process left: that is killed, removed or replaced."""
    assert isinstance(await outcome(config_of(tmp_path), behaviour), Measurement)
