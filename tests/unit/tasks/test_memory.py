"""The memory of tasks: a set that stays small and forgets the oldest first."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.memory import BLOCK_PROBLEMS, TaskMemory
from carbon_node.wire.samples import TaskId

NEAR_EDGES = st.builds(
    lambda block, offset: block * BLOCK_PROBLEMS + offset,
    st.sampled_from([0, 1, 2, 2**24 - 1]),
    st.sampled_from([0, 1, BLOCK_PROBLEMS - 1]),
)
KEYS = st.builds(
    lambda problem, iteration, writer: TaskKey(TaskId(problem, iteration), writer),
    NEAR_EDGES,
    st.sampled_from([1, 2, 2**32 - 1]),
    st.sampled_from(["a", "b"]),
)


@given(st.lists(KEYS), st.lists(KEYS))
def test_it_remembers_what_a_set_remembers(started: list[TaskKey], others: list[TaskKey]) -> None:
    """With room enough, exactly the tasks that started are remembered: none more, none less."""
    memory = TaskMemory(max_blocks=1_000)

    for key in started:
        memory.add(key)

    assert [key in memory for key in (*started, *others)] == [
        key in set(started) for key in (*started, *others)
    ]
    assert not memory.has_forgotten


@given(st.lists(KEYS, unique=True), st.integers(1, 4))
def test_the_latest_tasks_are_always_remembered(started: list[TaskKey], room: int) -> None:
    """However tasks are numbered, at least as many as there are blocks are remembered."""
    memory = TaskMemory(max_blocks=room)

    for count, key in enumerate(started, start=1):
        memory.add(key)
        assert all(latest in memory for latest in started[max(0, count - room) : count])


def test_the_oldest_are_forgotten_first() -> None:
    """Whoever restarts often does not lose the tasks of its latest starts."""
    memory = TaskMemory(max_blocks=2)
    keys = [TaskKey(TaskId(1, 1), writer) for writer in ("first", "second", "third")]

    memory.add(keys[0])
    memory.add(keys[1])
    memory.add(TaskKey(TaskId(2, 1), "first"))
    memory.add(keys[2])

    assert [key in memory for key in keys] == [True, False, True]
    assert memory.has_forgotten


def held_bytes(problems: list[int]) -> int:
    """Memory that a memory of the default size takes for problems of one writer."""
    tracemalloc.start()
    memory = TaskMemory()
    for problem in problems:
        memory.add(TaskKey(TaskId(problem, 1), "01.0f.5a.b8.e5.1d.0b.75.00.00.00.00|0.0.1.2"))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held


def test_consecutive_tasks_cost_next_to_nothing() -> None:
    """100,000 tasks of an orchestrator take less than 4 bytes each."""
    assert held_bytes(list(range(1, 100_001))) < 400_000


def test_odd_numbers_cost_no_more_than_promised() -> None:
    """Numbers without neighbours, however many, stay below 10 MB."""
    assert held_bytes([number * 2_654_435_761 % 2**32 for number in range(60_000)]) < 10e6
