"""The node's status follows its table and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.errors import StatusTransitionError
from carbon_node.pipeline.status import NodeStatusMachine
from carbon_node.wire.samples import Status

STEPS: list[Callable[[NodeStatusMachine], Status]] = [
    NodeStatusMachine.open,
    NodeStatusMachine.ready,
    NodeStatusMachine.task_started,
    NodeStatusMachine.task_ended,
    NodeStatusMachine.pause,
    NodeStatusMachine.resume,
    NodeStatusMachine.stop,
]


def test_a_task_makes_the_node_run_and_its_end_makes_it_idle() -> None:
    """The life of a node with two overlapping tasks."""
    machine = NodeStatusMachine()

    seen = [
        machine.open(),
        machine.ready(),
        machine.task_started(),
        machine.task_started(),
        machine.task_ended(),
        machine.task_ended(),
        machine.stop(),
    ]

    assert seen == [
        Status.INITIALIZING,
        Status.IDLE,
        Status.RUNNING,
        Status.RUNNING,
        Status.RUNNING,
        Status.IDLE,
        Status.TERMINATING,
    ]


def test_a_paused_node_is_inactive_once_nothing_runs() -> None:
    """A pause lets tasks end, keeps the node from saying IDLE, and ends as it began."""
    machine = NodeStatusMachine()
    machine.open()
    machine.ready()
    machine.task_started()

    seen = [machine.pause(), machine.task_ended(), machine.task_started(), machine.task_ended()]

    assert seen == [Status.RUNNING, Status.INACTIVE, Status.RUNNING, Status.INACTIVE]
    assert machine.resume() is Status.IDLE


@given(st.lists(st.sampled_from(STEPS), max_size=30))
def test_any_sequence_of_events_keeps_status_and_count_consistent(
    steps: list[Callable[[NodeStatusMachine], Status]],
) -> None:
    """An event either follows the table or raises and changes nothing."""
    machine = NodeStatusMachine()
    for step in steps:
        before = (machine.status, machine.running_count)
        try:
            step(machine)
        except StatusTransitionError:
            assert (machine.status, machine.running_count) == before
        assert machine.status is not Status.ERROR
        assert (machine.running_count > 0) or machine.status is not Status.RUNNING
        assert not machine.is_paused or machine.status in {Status.RUNNING, Status.INACTIVE}
        assert machine.running_count == 0 or machine.status in {Status.RUNNING, Status.TERMINATING}


def test_an_illegal_event_names_itself_and_the_status() -> None:
    """The message of a forbidden transition says what was tried and when."""
    with pytest.raises(
        StatusTransitionError, match="TASK_STARTED cannot happen to a node that is CLOSED"
    ):
        NodeStatusMachine().task_started()
