"""The results database: SQLite in WAL mode, one file in the state directory.

Durability: `synchronous = FULL`. Once a transaction is committed it survives SIGKILL, because its
pages are the kernel's, and
power loss, because the log was synced. NORMAL would keep the first and lose the last seconds on
power loss: the node would then measure tasks again that it had published, and the orchestrator
would take the second answer for a new result. The sync is paid once for all tasks that wait (see
`store.Store`).
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from carbon_node.answers import TaskKey
from carbon_node.errors import StoreDamaged, StoreError
from carbon_node.store.editions import Edition, Editions
from carbon_node.store.rows import (
    INSERT_PUBLISHED,
    SELECT_EDITIONS,
    UPSERT_TASK,
    edition_of,
    published_values,
    task_values,
)
from carbon_node.store.schema import migrate, version_of

DATABASE_NAME = "results.sqlite3"

_BUSY_TIMEOUT_S = 2.0
"""How long a write waits for another program, such as a backup, that has locked the database."""

_LOG_LIMIT_BYTES = 8 * 1024 * 1024
"""Size to which the write-ahead log is cut after a checkpoint."""

_WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    f"journal_size_limit = {_LOG_LIMIT_BYTES}",
)

_PRUNE_CHUNK = 500
"""Rows that one transaction of the retention deletes, so that a save never waits long for it."""

_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_PRUNE = """
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks
    WHERE accepted_at_ms < ? OR id <= (SELECT id FROM tasks ORDER BY id DESC LIMIT 1 OFFSET ?)
    ORDER BY id LIMIT ?
)
"""

_WHERE_KEY = "WHERE problem_id = ? AND iteration_id = ? AND writer = ? ORDER BY edition"


class Database:
    """An open results database, used by the thread that opened it only.

    Every method raises `StoreDamaged` when the content is not what was written and `StoreError`
    when the database cannot be read or written; a failed write leaves nothing behind.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        connection.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open or make the database file for reading and writing, its schema up to date."""
        return cls._connected(path, path.as_uri(), _WRITER_PRAGMAS, migrate)

    @classmethod
    def in_memory(cls) -> "Database":
        """Make an empty database that ends with the process."""
        return cls._connected(None, "file::memory:", (), migrate)

    @classmethod
    def open_without_space(cls, path: Path) -> "Database":
        """Open this process's database file where there is no room for SQLite's shared memory.

        Exclusive locking keeps the index of the log in memory, so that committed results can be
        read on a full disk.
        """
        return cls._connected(
            path, path.as_uri() + "?mode=rw", ("locking_mode = EXCLUSIVE",), version_of
        )

    @classmethod
    def open_read_only(cls, path: Path) -> "Database":
        """Open the database file beside a node that writes it, or without one."""
        return cls._connected(path, path.as_uri() + "?mode=ro", (), version_of)

    @classmethod
    def _connected(
        cls,
        path: Path | None,
        uri: str,
        pragmas: Sequence[str],
        prepare: Callable[[sqlite3.Connection], object],
    ) -> "Database":
        with _translated(path):
            connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None
            )
            try:
                for pragma in pragmas:
                    connection.execute(f"PRAGMA {pragma}")
                prepare(connection)
                _check_tables(connection)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    def close(self) -> None:
        """Close; the last one to close a file folds the log into it."""
        with _translated(self._path):
            self._connection.close()

    def load(self, key: TaskKey) -> Editions:
        """Return all editions of a task, oldest first."""
        return tuple(self.select(_WHERE_KEY, (*key.task_id, key.writer)))

    def select(self, conditions: str, values: Sequence[object] = ()) -> Iterator[Edition]:
        """Yield the editions that an SQL tail, from WHERE on, selects."""
        with _translated(self._path):
            for row in self._connection.execute(SELECT_EDITIONS + conditions, values):
                yield _edition(row)

    def value(self, query: str, values: Sequence[object] = ()) -> sqlite3.Row:
        """Return the single row of a query."""
        with _translated(self._path):
            row: sqlite3.Row = self._connection.execute(query, values).fetchone()
        return row

    def write(self, editions: Iterable[Edition]) -> None:
        """Write editions in one transaction; committed and synced when this returns."""
        with self._transaction() as connection:
            for edition in editions:
                (row_id,) = connection.execute(UPSERT_TASK, task_values(edition)).fetchone()
                if edition.answer is not None:
                    connection.execute(
                        INSERT_PUBLISHED, (row_id, *published_values(edition.answer.footprint))
                    )

    def prune(self, max_results: int, accepted_before_ms: int) -> int:
        """Delete some editions that are too many or too old, oldest first; return how many."""
        with self._transaction() as connection:
            return connection.execute(
                _PRUNE, (accepted_before_ms, max_results, _PRUNE_CHUNK)
            ).rowcount

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")


def _edition(row: sqlite3.Row) -> Edition:
    try:
        return edition_of(row)
    except (ValueError, TypeError) as error:
        raise StoreDamaged(
            f"results database: a row that cannot have been written so: {error}"
        ) from error


def _check_tables(connection: sqlite3.Connection) -> None:
    try:
        connection.execute(SELECT_EDITIONS + "LIMIT 0")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        raise StoreDamaged(f"the results database lacks tables of its schema: {error}") from error


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # errors of the module itself, such as use after close, carry no code
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE)
        kind = StoreDamaged if code & 0xFF in _DAMAGE_CODES else StoreError
        raise kind(f"results database {path or 'in memory'}: {error}") from error
