"""Three samples become one task."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.pipeline.join import (
    Evicted,
    Join,
    JoinBounds,
    JoinEvent,
    Ready,
    Rejected,
    Repeated,
    Waiting,
)
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput

BOUNDS = JoinBounds(incomplete_count=100, incomplete_age_s=100.0, remembered_blocks=100)

ID = TaskId(1, 1)
TOPICS = {UserInput: Topic.USER_INPUT, MLModel: Topic.ML_MODEL, HWResource: Topic.HW_RESOURCE}


def arrival(
    sample: UserInput | MLModel | HWResource, *, writer: str = "", timestamp_ns: int = 0
) -> Arrival:
    """An arrival of an input, from a writer named after its type unless told otherwise."""
    name = writer or type(sample).__name__
    return Arrival(TOPICS[type(sample)], sample, sample.task_id, name, timestamp_ns)


def inputs_of(task_id: TaskId) -> list[Arrival]:
    """The three arrivals of a task."""
    return [
        arrival(UserInput(task_id=task_id)),
        arrival(MLModel(model="m", task_id=task_id)),
        arrival(HWResource(power_consumption=1.0, task_id=task_id)),
    ]


def add_all(join: Join, arrivals: Iterable[Arrival]) -> list[JoinEvent]:
    """Feed arrivals in order; the events they led to."""
    return [join.add(each, 0.0) for each in arrivals]


@given(st.permutations(inputs_of(ID)))
def test_any_order_completes_the_task(arrivals: list[Arrival]) -> None:
    """The third of three samples makes the task ready, whatever the order."""
    first, second, third = add_all(Join(BOUNDS), arrivals)

    assert [first, second] == [Waiting(ID), Waiting(ID)]
    assert isinstance(third, Ready)
    assert third.inputs.task_id == ID
    assert third.inputs.key.writer == "UserInput"


@given(st.data())
def test_every_task_starts_exactly_once(data: st.DataObject) -> None:
    """Interleaved tasks with repeated user inputs start once each, with their own samples."""
    ids = [TaskId(problem, iteration) for problem in (1, 2) for iteration in (1, 2, 3)]
    originals = [each for task_id in ids for each in inputs_of(task_id)]
    repeats = data.draw(
        st.lists(
            st.sampled_from([each for each in originals if isinstance(each.sample, UserInput)])
        )
    )
    events = add_all(Join(BOUNDS), data.draw(st.permutations(originals + repeats)))

    started = [event.inputs for event in events if isinstance(event, Ready)]
    assert sorted(inputs.task_id for inputs in started) == ids
    assert all(
        inputs.user_input.task_id == inputs.ml_model.task_id == inputs.hw_resource.task_id
        for inputs in started
    )


@given(st.permutations([1, 2, 3]))
def test_newest_sample_wins_until_the_task_starts(timestamps: list[int]) -> None:
    """Of several models, the last written is used, whatever order they arrive in."""
    join = Join(BOUNDS)
    for timestamp in timestamps:
        join.add(
            arrival(MLModel(model=f"model {timestamp}", task_id=ID), timestamp_ns=timestamp), 0.0
        )
    join.add(arrival(UserInput(task_id=ID)), 0.0)

    event = join.add(arrival(HWResource(task_id=ID)), 0.0)

    assert isinstance(event, Ready)
    assert event.inputs.ml_model.model == "model 3"


def test_a_repeated_user_input_changes_nothing() -> None:
    """A started task is not started again by its own user input."""
    join = Join(BOUNDS)
    add_all(join, inputs_of(ID))

    events = add_all(join, inputs_of(ID))

    assert isinstance(events[0], Repeated)
    assert not any(isinstance(event, Ready) for event in events)


def test_a_restarted_orchestrator_starts_a_new_task() -> None:
    """The same id from another user input writer is another task."""
    join = Join(BOUNDS)
    add_all(join, inputs_of(ID))
    _, ml_model, hw_resource = inputs_of(ID)

    events = add_all(
        join, [ml_model, hw_resource, arrival(UserInput(task_id=ID), writer="restarted")]
    )

    assert isinstance(events[-1], Ready)
    assert events[-1].inputs.key.writer == "restarted"


@pytest.mark.parametrize(
    "sample", [UserInput(), MLModel(), HWResource()], ids=lambda sample: type(sample).__name__
)
def test_the_invalid_task_id_is_rejected(sample: UserInput | MLModel | HWResource) -> None:
    """Samples of task (0, 0) never start a task, and the reason says so."""
    join = Join(BOUNDS)

    event = join.add(arrival(sample), 0.0)

    assert isinstance(event, Rejected)
    assert "(0, 0)" in event.reason
    assert join.incomplete_count == 0


def test_a_foreign_sample_is_rejected() -> None:
    """A sample that is no input starts nothing."""
    event = Join(BOUNDS).add(Arrival(Topic.FOOTPRINT, CO2Footprint(task_id=ID), ID, "w", 0), 0.0)

    assert isinstance(event, Rejected)


def test_too_old_incomplete_tasks_are_given_up() -> None:
    """A task whose samples never all come is reported with what is missing, and forgotten."""
    join = Join(replace(BOUNDS, incomplete_age_s=10.0))
    join.add(arrival(UserInput(task_id=ID)), 0.0)

    assert list(join.evict(10.0)) == []
    assert list(join.evict(10.1)) == [
        Evicted(ID, ("ML model", "hardware resource"), "incomplete for more than 10 s")
    ]
    assert join.incomplete_count == 0


def test_too_many_incomplete_tasks_lose_the_oldest() -> None:
    """Beyond the bound the oldest incomplete task is given up, the others stay."""
    join = Join(replace(BOUNDS, incomplete_count=2))
    for problem in (1, 2, 3):
        join.add(arrival(UserInput(task_id=TaskId(problem, 1))), 0.0)

    assert [evicted.task_id for evicted in join.evict(0.0)] == [TaskId(1, 1)]
    assert join.incomplete_count == 2


def test_a_flood_of_odd_numbers_is_forgotten_again() -> None:
    """Started tasks are remembered as long as the bound allows; then a repetition counts as new."""
    join = Join(replace(BOUNDS, remembered_blocks=1))
    add_all(join, [*inputs_of(ID), *inputs_of(TaskId(2**32 - 1, 1))])

    assert isinstance(join.add(arrival(UserInput(task_id=TaskId(2**32 - 1, 1))), 0.0), Repeated)
    assert isinstance(join.add(arrival(UserInput(task_id=ID)), 0.0), Waiting)
