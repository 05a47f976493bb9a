"""What the node remembers of its tasks, and what it says of them."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs
from tests.memory_transport import MemoryBus, MemoryTransport

from carbon_node.estimation import NotComputed, Reason
from carbon_node.observability.metrics import Metrics
from carbon_node.pipeline import translate
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts, Fate
from carbon_node.pipeline.facts import FactsSource, Identity
from carbon_node.pipeline.register import ANSWERED_KEPT, TaskRegister
from carbon_node.pipeline.task import Progress, TaskInputs
from carbon_node.tasks.answer import Answer, Outcome
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.contract import NODE_NAME, Role, Topic
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput


def progress_of(problem_id: int) -> Progress:
    """A task on its way."""
    task_id = TaskId(problem_id, 1)
    key = TaskKey(task_id, "writer")
    user = UserInput(task_id=task_id)
    inputs = TaskInputs(key, user, MLModel(model="m" * 1000), HWResource("hw"))
    return Progress(problem_id, inputs, stage_s={"accept": 0.1})


def failed(progress: Progress) -> Answer:
    """A failed answer to it."""
    result = NotComputed(Reason.NO_POWER, "none " * 100)
    return translate.to_answer(progress.inputs, result, "test", 3, progress.stage_s)


def estimated(progress: Progress) -> Answer:
    """An answer with numbers to it, whose measurement failed."""
    return replace(
        failed(progress),
        outcome=Outcome.COMPUTED,
        reason="",
        detail="",
        mode="declared",
        place_code="FR",
        place_name="France",
        energy_kwh=0.5,
        intensity_g_per_kwh=0.0,
        carbon_g=0.0,
        tracker_failure="timeout",
    )


def test_the_latest_task_of_an_id_is_found() -> None:
    """A restarted orchestrator uses ids again; commands mean its latest task."""
    register = TaskRegister(Metrics())
    first, second = progress_of(1), progress_of(1)
    register.enter(first)
    register.enter(second)
    assert register.find_open(TaskId(1, 1)) is second
    register.leave(second)
    assert register.find_open(TaskId(1, 1)) is first
    register.leave(first)
    assert (register.find_open(TaskId(1, 1)), register.open_count) == (None, 0)


def test_answered_tasks_are_kept_up_to_a_bound() -> None:
    """The inputs of the oldest are forgotten."""
    register = TaskRegister(Metrics())
    for problem_id in range(1, ANSWERED_KEPT + 3):
        progress = progress_of(problem_id)
        answer = failed(progress) if problem_id % 2 == 0 else estimated(progress)
        register.computed(progress, answer)

    assert register.find_answered(TaskId(2, 1)) is None
    assert register.find_answered(TaskId(3, 1)) is not None
    assert (register.answered_count, register.failed_count) == (402, 201)


def test_an_answered_task_that_comes_again_is_kept_longer() -> None:
    """The one whose answer is oldest goes first, and the latest inputs of an id are the ones."""
    register = TaskRegister(Metrics())
    for problem_id in (*range(1, ANSWERED_KEPT + 1), 1, ANSWERED_KEPT + 1):
        progress = progress_of(problem_id)
        register.computed(progress, estimated(progress))

    assert register.find_answered(TaskId(1, 1)) == progress_of(1).inputs
    assert register.find_answered(TaskId(2, 1)) is None
    assert register.find_answered(TaskId(3, 1)) is not None


@pytest.mark.parametrize(("size_bytes", "is_kept"), [(65_536, True), (65_537, False)])
def test_inputs_above_a_bound_are_not_kept(size_bytes: int, *, is_kept: bool) -> None:
    """A few hundred of them stay, and may not take hundreds of megabytes."""
    register, progress = TaskRegister(Metrics()), progress_of(1)
    inputs = progress.inputs
    octets = bytes(size_bytes - inputs.size_bytes)
    progress.inputs = replace(inputs, user_input=UserInput(extra_data=octets, task_id=TaskId(1, 1)))
    register.computed(progress, estimated(progress))

    assert (register.find_answered(TaskId(1, 1)) is not None) == is_kept
    assert register.answered_count == 1


def test_tasks_in_progress_are_listed_in_the_order_of_their_starts() -> None:
    """Those that wait are counted, and not listed; whoever shows the count hears of each change."""
    changes: list[int] = []
    register = TaskRegister(Metrics(), on_change=lambda: changes.append(register.open_count))
    tasks = [progress_of(problem_id) for problem_id in (3, 1, 2)]
    for task in tasks:
        register.enter(task)
    tasks[0].has_begun = tasks[1].has_begun = True

    assert [task.position for task in register.running()] == [1, 3]
    register.leave(tasks[1])
    assert changes == [1, 2, 3, 2]
    assert register.running() == [tasks[0]]


def test_one_line_and_the_metrics_say_all_of_a_computed_task() -> None:
    """Zeros are said, what does not exist is left out, and texts of peers are cut."""
    metrics, progress = Metrics(), progress_of(1)
    with capture_logs() as lines:
        TaskRegister(metrics).computed(progress, estimated(progress))

    assert lines == [
        {
            "event": "task answered",
            "log_level": "info",
            "task_id": "1.1",
            "model": "m" * 200,
            "hardware": "hw",
            "origin": "computed",
            "outcome": "estimated",
            "mode": "declared",
            "place": "France",
            "energy_kwh": 0.5,
            "intensity_g_per_kwh": 0.0,
            "carbon_g": 0.0,
            "stage_s": {"accept": 0.1},
        }
    ]
    assert metrics.tasks == {"estimated": 1}
    assert (metrics.energy_kwh, metrics.tracker_failures) == (0.5, {"timeout": 1})
    assert list(metrics.stages) == ["accept"]


def test_a_failed_task_is_said_with_its_reason() -> None:
    """The line names reason and detail, and has no numbers."""
    metrics, progress = Metrics(), progress_of(1)
    with capture_logs() as lines:
        TaskRegister(metrics).computed(progress, failed(progress))

    (line,) = lines
    assert (line["outcome"], line["reason"]) == ("failed", "no power")
    assert len(line["detail"]) == 200
    assert "carbon_g" not in line
    assert metrics.tasks == {"failed": 1}
    assert (metrics.energy_kwh, metrics.carbon_g) == (0.0, 0.0)


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_task_that_had_its_answer_already_is_counted_apart(*, is_sent: bool) -> None:
    """What was published for it counts once, and the line says where the answer came from."""
    metrics, progress = Metrics(), progress_of(1)
    register = TaskRegister(metrics)
    with capture_logs() as lines:
        register.repeated(progress, estimated(progress), is_sent=is_sent)

    (line,) = lines
    assert (line["origin"], line["is_published_again"]) == ("store", is_sent)
    assert (metrics.tasks, metrics.energy_kwh, metrics.stages) == ({"stored": 1}, 0.0, {})
    assert register.answered_count == 1


@pytest.mark.parametrize("count", [0, 5])
def test_the_facts_tell_how_the_node_is(count: int) -> None:
    """Status, tasks, commands and identity are in one answer."""
    register, commands = TaskRegister(Metrics()), CommandCounts()
    for problem_id in range(1, count + 1):
        register.enter(progress_of(problem_id))
    commands[Fate.FOREIGN] += 2
    announcer = StatusAnnouncer(MemoryTransport(MemoryBus(), Role(NODE_NAME, (), ())))
    identity = Identity("1.0", 7, "fastdds", "transport = auto (default)", started_s=0.0)
    source = FactsSource(
        identity, announcer, register, lambda: 3, commands, lambda: "full", lambda: ["slow"]
    )

    facts = source.facts()

    assert facts.uptime_s > 0
    assert (facts.status.name, facts.is_paused, facts.overload) == ("INACTIVE", False, "full")
    assert facts.degraded == ("slow", "full")
    assert (facts.incomplete_count, facts.waiting_count, facts.running) == (3, count, ())
    assert (facts.answered_count, facts.failed_count) == (0, 0)
    assert facts.commands == {"obeyed": 0, "foreign": 2, "unknown": 0, "refused": 0}
    assert facts.identity is identity


def test_the_facts_tell_running_from_waiting_tasks_and_a_pause() -> None:
    """A paused node is one that works less well, and whoever asks hears how to end that."""
    bus = MemoryBus()
    transport = MemoryTransport(bus, Role(NODE_NAME, (), (Topic.STATUS,)))
    bus.transports.append(transport)
    transport.connect()
    register, announcer = TaskRegister(Metrics()), StatusAnnouncer(transport)
    tasks = [progress_of(problem_id) for problem_id in (1, 2, 3)]
    for task in tasks:
        register.enter(task)
    tasks[0].has_begun = True
    for answered in (estimated(tasks[1]), failed(tasks[2])):
        register.computed(tasks[1], answered)
    announcer.open()
    announcer.ready()
    identity = Identity("1.0", 7, "fastdds", "transport = auto (default)", started_s=0.0)
    source = FactsSource(
        identity, announcer, register, lambda: 0, CommandCounts(), lambda: None, list
    )
    before = source.facts()
    announcer.pause()
    paused = source.facts()

    assert (before.running, before.waiting_count) == ((tasks[0],), 2)
    assert (before.answered_count, before.failed_count) == (2, 1)
    assert (before.status.name, before.degraded) == ("IDLE", ())
    assert (paused.is_paused, paused.status.name) == (True, "INACTIVE")
    assert paused.degraded == ("a peer's STOP_NODE lets no more tasks begin until its START_NODE",)
