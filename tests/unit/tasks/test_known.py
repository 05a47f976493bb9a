"""Who can be a stranger to the database."""

from carbon_node.tasks.answers import TaskKey
from carbon_node.tasks.known import Acquaintances
from carbon_node.tasks.memory import BLOCK_PROBLEMS, MAX_BLOCKS
from carbon_node.wire.samples import TaskId


def key(problem: int, writer: str = "new") -> TaskKey:
    """A task's key."""
    return TaskKey(TaskId(problem, 1), writer)


def test_only_tasks_of_new_writers_that_were_not_met_are_strangers() -> None:
    """Nobody is before the writers are known; then those that neither base nor node has seen."""
    acquaintances = Acquaintances()
    acquaintances.meet(key(1))
    assert not acquaintances.is_stranger(key(2))

    acquaintances.learn(frozenset({"old"}))

    assert acquaintances.is_stranger(key(2))
    assert not acquaintances.is_stranger(key(1))
    assert not acquaintances.is_stranger(key(2, "old"))


def test_once_a_task_was_forgotten_nobody_is_a_stranger() -> None:
    """However many tasks were met, none that the database holds is taken for new."""
    acquaintances = Acquaintances()
    acquaintances.learn(frozenset())

    for number in range(MAX_BLOCKS + 1):
        acquaintances.meet(key(number * BLOCK_PROBLEMS))

    assert not acquaintances.is_stranger(key(0))
    assert not acquaintances.is_stranger(key(1))
