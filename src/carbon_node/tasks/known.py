"""Whether a task can be known to the database at all, without asking it.

The user input's writer has a new GUID with every start of its orchestrator, so a writer of whom the
database held nothing when it was opened can only be known from tasks that were accepted since.
"""

from carbon_node.tasks.answers import TaskKey
from carbon_node.tasks.memory import TaskMemory


class Acquaintances:
    """Writers of whom the database held tasks, and tasks that were accepted since.

    The latter are bounded: once one of them had to be forgotten, nobody is a stranger any more, and
    the database is asked about everyone.
    """

    def __init__(self) -> None:
        self._writers: frozenset[str] | None = None
        self._met = TaskMemory()

    @property
    def has_learnt(self) -> bool:
        """Whether the writers in the database are known."""
        return self._writers is not None

    def learn(self, writers: frozenset[str] | None) -> None:
        """Note the writers of all tasks in the database; None if that is not known."""
        self._writers = writers

    def meet(self, key: TaskKey) -> None:
        """Note that a task was accepted."""
        self._met.add(key)

    def is_stranger(self, key: TaskKey) -> bool:
        """Whether the database holds nothing of a task for certain."""
        return (
            self._writers is not None
            and key.writer not in self._writers
            and key not in self._met
            and not self._met.has_forgotten
        )
