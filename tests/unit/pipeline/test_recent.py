"""What the node remembers of its results and tasks, and what it tells of them."""

from datetime import UTC, datetime

import pytest

from carbon_node.estimation import NotComputed, Reason
from carbon_node.pipeline import translate
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.control import CommandCounts, Fate
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.pipeline.recent import RESULTS_KEPT, RecentResults
from carbon_node.pipeline.register import ANSWERED_KEPT, TaskRegister
from carbon_node.pipeline.task import TaskInputs
from carbon_node.pipeline.view import Identity, NodeView
from carbon_node.tasks.key import TaskKey
from carbon_node.transport.memory import MemoryBus, MemoryTransport
from carbon_node.wire.contract import NODE_NAME, Role
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def progress_of(problem_id: int) -> Progress:
    """A task on its way."""
    task_id = TaskId(problem_id, 1)
    key = TaskKey(task_id, "writer")
    user = UserInput(task_id=task_id, extra_data=b'{"hf_token": "hf_secret"}')
    return Progress(problem_id, TaskInputs(key, user, MLModel(model="m"), HWResource("hw")))


def failed(progress: Progress) -> Answer:
    """A failed answer to it."""
    result = NotComputed(Reason.NO_POWER, "none")
    return Answer(result, translate.to_footprint(progress.inputs, result, "test", 3))


def test_results_come_newest_first_and_are_bounded() -> None:
    """The latest are there, the oldest go, and a task's own can be found."""
    results = RecentResults()
    for problem_id in range(1, RESULTS_KEPT + 11):
        results.add(progress_of(problem_id), failed(progress_of(problem_id)), NOON)

    assert [one.task_id.problem_id for one in results.last(3)] == [510, 509, 508]
    assert len(results.last(10**6)) == RESULTS_KEPT
    assert results.of(TaskId(10, 1)) == []
    (result,) = (one.as_json() for one in results.of(TaskId(11, 1)))
    assert result["published_at"] == "2026-01-01T12:00:00.000+00:00"
    assert (result["outcome"], result["reason"]) == ("failed", "no power")
    assert "hf_secret" not in str(results.last(RESULTS_KEPT))


def test_a_task_that_was_answered_twice_has_two_results() -> None:
    """Both are there, newest first."""
    results = RecentResults()
    for _ in range(2):
        results.add(progress_of(1), failed(progress_of(1)), NOON)

    assert len(results.of(TaskId(1, 1))) == 2


def test_the_latest_task_of_an_id_is_found() -> None:
    """A restarted orchestrator uses ids again; commands mean its latest task."""
    register = TaskRegister()
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
    register = TaskRegister()
    for problem_id in range(1, ANSWERED_KEPT + 3):
        register.answered(progress_of(problem_id), is_failed=problem_id % 2 == 0)

    assert register.find_answered(TaskId(2, 1)) is None
    assert register.find_answered(TaskId(3, 1)) is not None
    assert (register.answered_count, register.failed_count) == (402, 201)


@pytest.mark.parametrize("count", [0, 5])
def test_the_view_tells_how_the_node_is(count: int) -> None:
    """Status, tasks, commands and identity are in one answer."""
    register, results, commands = TaskRegister(), RecentResults(), CommandCounts()
    for problem_id in range(1, count + 1):
        register.enter(progress_of(problem_id))
        results.add(progress_of(problem_id), failed(progress_of(problem_id)), NOON)
    commands[Fate.FOREIGN] += 2
    announcer = StatusAnnouncer(MemoryTransport(MemoryBus(), Role(NODE_NAME, (), ())))
    identity = Identity("1.0", 7, "fastdds", "transport = auto (default)", started_s=0.0)
    view = NodeView(identity, announcer, register, results, commands, lambda: ["slow"])

    status = dict(view.status())

    uptime_s = status.pop("uptime_s")
    assert isinstance(uptime_s, float)
    assert uptime_s > 0
    assert status == {
        "node": "INACTIVE",
        "is_paused": False,
        "degraded": ["slow"],
        "tasks": {"incomplete": 0, "waiting": count, "running": 0, "answered": 0, "failed": 0},
        "commands": {"obeyed": 0, "foreign": 2, "unknown": 0, "refused": 0},
        "domain": 7,
        "transport": {"name": "fastdds", "reason": "transport = auto (default)"},
        "version": "1.0",
    }
    assert len(view.last_results(3)) == min(count, 3)
    assert len(view.results_of(5, 1)) == count // 5
