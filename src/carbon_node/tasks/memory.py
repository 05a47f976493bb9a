"""Memory of tasks that were met, by which new ones are told from repetitions.

Each start of an orchestrator numbers its tasks one after the other, so they are remembered in
blocks of consecutive problems, one bit for each task.
"""

from collections import OrderedDict
from typing import TypeAlias

from carbon_node.tasks.key import TaskKey

BLOCK_PROBLEMS = 256
"""Consecutive problem ids, of one writer and iteration, that share a block."""

MAX_BLOCKS = 20_000
"""Blocks of a memory unless another bound is set; 8 MB at most."""

_Block: TypeAlias = tuple[str, int, int]


class TaskMemory:
    """A set of tasks that forgets the block without news for longest when it has too many.

    A block takes some 400 bytes: 2 for each task of a pipeline that numbers its tasks one after the
    other, and 400 for a task whose number has no neighbours. By default that is room for 5 million
    tasks of the former kind, and for 20,000 of the latter.

    Args:
        max_blocks: blocks that are remembered, >= 1.
    """

    def __init__(self, max_blocks: int = MAX_BLOCKS) -> None:
        self._max_blocks = max_blocks
        self._blocks: OrderedDict[_Block, int] = OrderedDict()
        self.has_forgotten = False
        """Whether tasks were added that are not remembered any more."""

    def __contains__(self, key: TaskKey) -> bool:
        """Whether a task is remembered."""
        block, bit = _place(key)
        return bool(self._blocks.get(block, 0) & bit)

    def add(self, key: TaskKey) -> None:
        """Remember a task."""
        block, bit = _place(key)
        self._blocks[block] = self._blocks.get(block, 0) | bit
        self._blocks.move_to_end(block)
        if len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)
            self.has_forgotten = True


class KnownTasks:
    """Writers of whom the database held tasks, and tasks that were accepted since.

    The latter are bounded: once one of them had to be forgotten, no task is certainly new any more,
    and the database is asked about every one.
    """

    def __init__(self) -> None:
        self._writers: frozenset[str] | None = None
        self._met = TaskMemory()

    @property
    def is_loaded(self) -> bool:
        """Whether the writers in the database are known."""
        return self._writers is not None

    def load(self, writers: frozenset[str] | None) -> None:
        """Note the writers of all tasks in the database; None if that is not known."""
        self._writers = writers

    def add(self, key: TaskKey) -> None:
        """Note that a task was accepted."""
        self._met.add(key)

    def is_new(self, key: TaskKey) -> bool:
        """Whether the database holds nothing of a task for certain."""
        return (
            self._writers is not None
            and key.writer not in self._writers
            and key not in self._met
            and not self._met.has_forgotten
        )


def _place(key: TaskKey) -> tuple[_Block, int]:
    """Tell the block of a task, and its bit in there."""
    problem_id, iteration_id = key.task_id
    block, offset = divmod(problem_id, BLOCK_PROBLEMS)
    return (key.writer, iteration_id, block), 1 << offset
