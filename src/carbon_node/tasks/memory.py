"""Memory of tasks that were met, by which new ones are told from repetitions.

Each start of an orchestrator numbers its tasks one after the other, so they are remembered in
blocks of consecutive problems, one bit for each task.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from carbon_node.tasks.key import TaskKey

BLOCK_PROBLEMS = 256
"""Consecutive numbers that share a block: problem ids, of one writer and iteration."""

MAX_BLOCKS = 20_000
"""Blocks of a memory unless another bound is set; 8 MB at most."""

StreamT = TypeVar("StreamT", bound=Hashable)


class NumberMemory(Generic[StreamT]):
    """A set of numbers from several streams, which forgets the block without news for longest.

    A block takes some 400 bytes: 2 for each number of a stream that counts one after the other, and
    400 for a number without neighbours.

    Args:
        max_blocks: blocks that are remembered, >= 1.
    """

    def __init__(self, max_blocks: int) -> None:
        self._max_blocks = max_blocks
        self._blocks: OrderedDict[tuple[StreamT, int], int] = OrderedDict()
        self.has_forgotten = False
        """Whether numbers were added that are not remembered any more."""

    def has(self, stream: StreamT, number: int) -> bool:
        """Whether a number of a stream is remembered."""
        block, offset = divmod(number, BLOCK_PROBLEMS)
        return bool(self._blocks.get((stream, block), 0) >> offset & 1)

    def add(self, stream: StreamT, number: int) -> None:
        """Remember a number of a stream."""
        block, offset = divmod(number, BLOCK_PROBLEMS)
        place = (stream, block)
        self._blocks[place] = self._blocks.get(place, 0) | 1 << offset
        self._blocks.move_to_end(place)
        if len(self._blocks) > self._max_blocks:
            self._blocks.popitem(last=False)
            self.has_forgotten = True


class TaskMemory:
    """A set of tasks that forgets the block without news for longest when it has too many.

    By default that is room for 5 million tasks of pipelines that number their tasks one after the
    other, and for 20,000 whose numbers have no neighbours.

    Args:
        max_blocks: blocks that are remembered, >= 1; see `NumberMemory`.
    """

    def __init__(self, max_blocks: int = MAX_BLOCKS) -> None:
        self._numbers: NumberMemory[tuple[str, int]] = NumberMemory(max_blocks)

    def __contains__(self, key: TaskKey) -> bool:
        """Whether a task is remembered."""
        return self._numbers.has((key.writer, key.task_id.iteration_id), key.task_id.problem_id)

    def add(self, key: TaskKey) -> None:
        """Remember a task."""
        self._numbers.add((key.writer, key.task_id.iteration_id), key.task_id.problem_id)

    @property
    def has_forgotten(self) -> bool:
        """Whether tasks were added that are not remembered any more."""
        return self._numbers.has_forgotten


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
