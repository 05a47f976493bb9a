"""Three samples become one task."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.pipeline.join import (
    Doubtful,
    Evicted,
    Held,
    Join,
    JoinBounds,
    JoinEvent,
    Ready,
    Rejected,
    Repeated,
    Waiting,
)
from carbon_node.tasks.lineage import SampleId, Span, Use
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import CO2Footprint, HWResource, MLModel, TaskId, UserInput

BOUNDS = JoinBounds(
    incomplete_count=100, incomplete_age_s=100.0, remembered_blocks=100, newer_wait_s=50.0
)

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


OLD_NS, NEW_NS = 1_000_000_000, 1_000_000_000_000


def old_and_new() -> tuple[list[Arrival], list[Arrival]]:
    """Model and hardware of an earlier session, and the user input and model of a new one."""
    user_input, model, hardware = (
        replace(each, source_timestamp_ns=NEW_NS, sequence_number=2) for each in inputs_of(ID)
    )
    old = [
        replace(each, source_timestamp_ns=OLD_NS, sequence_number=1) for each in (model, hardware)
    ]
    return old, [replace(user_input, writer="new session"), model, hardware]


def test_older_samples_wait_for_newer_ones() -> None:
    """A task whose model and hardware are older than its user input starts with the newer ones."""
    join = Join(BOUNDS)
    old, new = old_and_new()

    events = add_all(join, [*old, *new])

    both = ("ML model", "hardware resource")
    assert events[2:4] == [Held(ID, (), both), Held(ID, (), both[1:])]
    assert isinstance(events[-1], Ready)
    assert events[-1].inputs.sources.ml_model == SampleId("MLModel", 2)
    assert events[-1].inputs.older == ()


def test_older_samples_are_used_when_nothing_newer_comes() -> None:
    """After the wait the task starts with what is there, and knows which samples are in doubt."""
    join = Join(BOUNDS)
    old, (user_input, model, _) = old_and_new()
    for each in (*old, user_input, model):
        join.add(each, 10.0)

    assert list(join.overdue(59.9)) == []
    (ready,) = join.overdue(60.0)

    assert ready.inputs.older == ("hardware resource",)
    assert join.incomplete_count == 0
    assert list(join.overdue(1000.0)) == []


def test_a_used_sample_is_used_up() -> None:
    """What completed a task and comes again completes no task of another session."""
    join = Join(BOUNDS)
    session = [replace(each, sequence_number=1) for each in inputs_of(ID)]
    add_all(join, session)
    _, model, hardware = session

    events = add_all(join, [model, hardware, arrival(UserInput(task_id=ID), writer="new session")])

    assert [type(event) for event in events] == [Repeated, Repeated, Waiting]


def test_the_ledger_tells_which_samples_an_earlier_life_used() -> None:
    """A sample that it knows from another session never completes a task, however long it waits."""
    join = Join(BOUNDS)
    join.learn([Span("old session", "MLModel", 1, 1)])
    user_input, model, hardware = (replace(each, sequence_number=1) for each in inputs_of(ID))

    *_, doubtful = add_all(join, [user_input, model, hardware])
    assert doubtful == Doubtful(ID, SampleId("MLModel", 1), SampleId("HWResource", 1))
    held = join.settle(ID, [Use("old session", SampleId("MLModel", 1))], 0.0)

    assert held == Held(ID, ("ML model",), ())
    assert list(join.overdue(1e6)) == []
    assert [evicted.missing for evicted in join.evict(1e6)] == [("ML model",)]


def test_a_task_that_the_ledger_knows_to_have_used_its_samples_goes_on() -> None:
    """A node that restarts alone finds its task again, whatever the clocks say."""
    join = Join(BOUNDS)
    join.learn([Span("UserInput", "MLModel", None, 1), Span("UserInput", "HWResource", None, 1)])
    user_input, model, hardware = (replace(each, sequence_number=1) for each in inputs_of(ID))
    add_all(join, [replace(user_input, source_timestamp_ns=NEW_NS), model, hardware])

    ids = (SampleId("MLModel", 1), SampleId("HWResource", 1))
    event = join.settle(ID, [Use("UserInput", each) for each in ids], 0.0)

    assert isinstance(event, Ready)
    assert event.inputs.sources.is_certain


def test_a_doubtful_task_that_was_given_up_meanwhile_only_waits() -> None:
    """The ledger's word on it comes too late."""
    assert Join(BOUNDS).settle(ID, [], 0.0) == Waiting(ID)


def test_a_new_user_input_begins_the_wait_again() -> None:
    """Samples that have waited for a day do not take the new task with them when they age out."""
    join = Join(BOUNDS)
    _, model, _ = inputs_of(ID)
    join.add(model, 0.0)
    join.add(arrival(UserInput(task_id=ID)), 99.0)

    assert list(join.evict(150.0)) == []
    assert [evicted.task_id for evicted in join.evict(200.0)] == [ID]
