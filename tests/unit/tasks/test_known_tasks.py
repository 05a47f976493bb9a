"""Which tasks the database cannot hold anything of."""

from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.memory import BLOCK_PROBLEMS, MAX_BLOCKS, KnownTasks
from carbon_node.wire.samples import TaskId


def key(problem: int, writer: str = "new") -> TaskKey:
    """A task's key."""
    return TaskKey(TaskId(problem, 1), writer)


def test_only_tasks_of_new_writers_that_were_not_met_are_new() -> None:
    """Nobody is before the writers are known; then those that neither base nor node has seen."""
    known_tasks = KnownTasks()
    known_tasks.add(key(1))
    assert not known_tasks.is_new(key(2))

    known_tasks.load(frozenset({"old"}))

    assert known_tasks.is_new(key(2))
    assert not known_tasks.is_new(key(1))
    assert not known_tasks.is_new(key(2, "old"))


def test_once_a_task_was_forgotten_none_is_certainly_new() -> None:
    """However many tasks were met, none that the database holds is taken for new."""
    known_tasks = KnownTasks()
    known_tasks.load(frozenset())

    for number in range(MAX_BLOCKS + 1):
        known_tasks.add(key(number * BLOCK_PROBLEMS))

    assert not known_tasks.is_new(key(0))
    assert not known_tasks.is_new(key(1))
