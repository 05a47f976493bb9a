"""Pages of the history, newest first, each read in looks that take the store's thread for a moment.

A look passes a bounded number of rows by their keys and begins where the one before it ended, so
that neither the depth of a page nor how rare its editions are holds up the saves that wait for the
same thread. A place in the history is the identity of an edition, not a number of rows: it stays
the same while results are added, and when what was in memory is written.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from carbon_node.store.database import Database
from carbon_node.store.editions import Edition
from carbon_node.store.history import Query, conditions_of
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.samples import TaskId

ROWS_PASSED = 1_000
"""Rows that one look passes at most; about 5 ms where a condition fits none of them."""

ROWS_READ = 100
"""Editions that one look reads at most; about 5 ms."""

_CURSOR = re.compile(r"(m\.)?([0-9]{1,10})\.([0-9]{1,10})\.([0-9]{1,15})\.(.{0,500})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the history: behind this edition, towards older ones.

    Args:
        key: whose edition it is.
        number: which of them.
        is_in_memory: whether it was in memory only when it was shown; what is in memory comes
            before what is in the database.
    """

    key: TaskKey
    number: int
    is_in_memory: bool = False

    @classmethod
    def behind(cls, edition: Edition, *, is_in_memory: bool = False) -> "Cursor":
        """Return the place behind an edition."""
        return cls(edition.key, edition.number, is_in_memory)

    @classmethod
    def parsed(cls, text: str) -> "Cursor":
        """Read what `str` gives.

        Raises:
            ValueError: it is something else.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise ValueError("not a cursor")
        memory, problem, iteration, number, writer = found.groups()
        key = TaskKey(TaskId(int(problem), int(iteration)), writer)
        return cls(key, int(number), is_in_memory=memory is not None)

    def __str__(self) -> str:
        parts = (*self.key.task_id, self.number, self.key.writer)
        return ("m." if self.is_in_memory else "") + ".".join(map(str, parts))


@dataclass(slots=True)
class Page:
    """Editions that are collected, newest first, until there are enough or no more.

    Args:
        query: which editions are asked for; its `last` is left aside.
        limit: how many at most, >= 1.
        max_bytes: only as many as have so many bytes of extra_data together, but one at least.
        cursor: where the next look begins; None for the newest edition.
        editions: what was found so far.
        is_complete: whether no look is needed any more.
        has_more: whether the history goes on behind a complete page.
    """

    query: Query
    limit: int
    max_bytes: int
    cursor: Cursor | None = None
    editions: list[Edition] = field(default_factory=list)
    is_complete: bool = False
    has_more: bool = False
    _size_bytes: int = 0

    @property
    def following(self) -> Cursor | None:
        """Where the next page begins; None if the history ends with this one."""
        return self.cursor if self.has_more else None

    def offer(self, edition: Edition, *, is_in_memory: bool = False) -> bool:
        """Take an edition; return whether there was room for it. Without, the page is complete."""
        size_bytes = 0 if edition.answer is None else len(edition.answer.footprint.extra_data)
        is_too_large = bool(self.editions) and self._size_bytes + size_bytes > self.max_bytes
        if is_too_large or len(self.editions) == self.limit:
            self.is_complete = self.has_more = True
            return False
        self.editions.append(edition)
        self._size_bytes += size_bytes
        self.cursor = Cursor.behind(edition, is_in_memory=is_in_memory)
        return True

    def end(self) -> None:
        """Note that the history ends here."""
        self.is_complete = True


def look(
    database: Database, page: Page, begin: Cursor | None, is_shown: Callable[[Edition], bool]
) -> None:
    """Look through the next rows of a database for editions of a page.

    Args:
        database: where to look.
        page: takes the editions.
        begin: where in the database the page goes on; None for its newest edition.
        is_shown: whether an edition was on a page already, in a newer form.
    """
    below_id = None if begin is None else _row_id(database, begin)
    if begin is not None and below_id is None:
        # Deleted since then, with everything that is older.
        page.end()
        return
    rows, values = _window(page.query, below_id)
    passed_count, last_id = database.value(f"SELECT count(*), min(id) FROM ({rows})", values)  # noqa: S608 - constants
    clause, wanted = conditions_of(page.query)
    tail = f"{clause or 'WHERE true'} AND id IN ({rows}) ORDER BY id DESC LIMIT {ROWS_READ + 1}"
    read_count = 0
    for edition in database.select(tail, (*wanted, *values)):
        read_count += 1
        if is_shown(edition):
            page.cursor = Cursor.behind(edition)
        elif not page.offer(edition):
            return
    if read_count > ROWS_READ:
        return
    if passed_count < ROWS_PASSED:
        page.end()
    else:
        page.cursor = _cursor_at(database, last_id)


def look_in_memory(newest_first: Sequence[Edition], page: Page) -> None:
    """Look through editions that are in no database yet; older ones are in one, or come behind.

    Args:
        newest_first: some of them, at most `ROWS_READ`.
        page: takes the editions.
    """
    clause, values = conditions_of(page.query)
    with closing(Database.in_memory()) as memory:
        memory.write(reversed(newest_first))
        for edition in memory.select(f"{clause} ORDER BY id DESC", values):
            if not page.offer(edition, is_in_memory=True):
                return
    page.cursor = Cursor.behind(newest_first[-1], is_in_memory=True)


def _window(query: Query, below_id: int | None) -> tuple[str, tuple[object, ...]]:
    """Return the query for the ids of the rows that a look passes, and its values.

    Rows of one task come out of the index on task ids, all others in the order of their keys.
    """
    conditions: dict[str, tuple[object, ...]] = {"true": ()}
    if below_id is not None:
        conditions["id < ?"] = (below_id,)
    if query.task_id is not None:
        conditions["problem_id = ? AND iteration_id = ?"] = query.task_id
    rows = f"SELECT id FROM tasks WHERE {' AND '.join(conditions)} "  # noqa: S608 - constants
    values = tuple(value for values in conditions.values() for value in values)
    return f"{rows} ORDER BY id DESC LIMIT {ROWS_PASSED}", values


def _row_id(database: Database, cursor: Cursor) -> int | None:
    identity = (*cursor.key.task_id, cursor.key.writer, cursor.number)
    (row_id,) = database.value(_ROW_ID, identity)
    return None if row_id is None else int(row_id)


def _cursor_at(database: Database, row_id: int) -> Cursor:
    problem_id, iteration_id, writer, number = database.value(_IDENTITY, (row_id,))
    return Cursor(TaskKey(TaskId(problem_id, iteration_id), writer), number)


_ROW_ID = (
    "SELECT max(id) FROM tasks "
    "WHERE problem_id = ? AND iteration_id = ? AND writer = ? AND edition = ?"
)
_IDENTITY = "SELECT problem_id, iteration_id, writer, edition FROM tasks WHERE id = ?"
