"""The results database: SQLite in WAL mode, one file in the state directory.

Durability: `synchronous = FULL`. Once a transaction is committed it survives SIGKILL, because its
pages are the kernel's, and power loss, because the log was synced. NORMAL would keep the first and
lose the last seconds on power loss: the node would then measure tasks again that it had published,
and the orchestrator would take the second answer for a new result. The sync is paid once for all
tasks that wait (see `store.Store`).
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from carbon_node.errors import StoreDamaged, StoreError
from carbon_node.store.editions import Edition, Editions
from carbon_node.store.rows import (
    INSERT_PUBLISHED,
    INSERT_SOURCES,
    SELECT_EDITIONS,
    UPDATE_PROGRESS,
    UPSERT_STREAM,
    UPSERT_TASK,
    edition_of,
    progress_values,
    published_values,
    stream_values,
    task_values,
)
from carbon_node.store.schema import VERSION, migrate, version_of
from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.lineage import MAX_STREAMS

DATABASE_NAME = "results.sqlite3"

_BUSY_TIMEOUT_S = 2.0
"""How long a write waits for another program that has locked the database."""

_LOG_LIMIT_BYTES = 8 * 1024 * 1024
"""Size to which the write-ahead log is cut after a checkpoint."""

_PRUNE_CHUNK = 500
"""Rows that one transaction of the retention deletes, so that a save never waits long for it."""

_CACHE_KIB = 256
"""Pages of the database in memory; SQLite's 2,000 would fill up for rows that are read once. What
is not here comes out of the kernel's cache."""

_WRITER_PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    f"journal_size_limit = {_LOG_LIMIT_BYTES}",
    f"cache_size = -{_CACHE_KIB}",
)

_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

_REMEDIES = {
    sqlite3.SQLITE_FULL: "free some space there",
    sqlite3.SQLITE_READONLY: "make it writable for the user of this process",
    sqlite3.SQLITE_CANTOPEN: "give the user of this process access to it",
    sqlite3.SQLITE_PERM: "give the user of this process access to it",
    sqlite3.SQLITE_BUSY: "end the program that has locked it",
    sqlite3.SQLITE_IOERR: "check the disk and the space on it",
}

_PRUNE = """
DELETE FROM tasks WHERE id IN (
    SELECT id FROM tasks
    WHERE id <= (SELECT id FROM tasks ORDER BY id DESC LIMIT 1 OFFSET ?)
    OR id < coalesce(
        (SELECT id FROM tasks WHERE +accepted_at_ms >= ? ORDER BY id LIMIT 1), 9223372036854775807
    )
    ORDER BY id LIMIT ?
)
"""
# Old is what comes before the first that is not: a row of 1970 among those of today is not old,
# its clock was wrong. The + keeps SQLite from sorting by the index on time.

_PRUNE_STREAMS = "DELETE FROM streams WHERE id <= (SELECT max(id) FROM streams) - ?"

_WHERE_KEY = "WHERE problem_id = ? AND iteration_id = ? AND writer = ? ORDER BY edition"


class Database:
    """An open results database, used by the thread that opened it only.

    Every method raises `StoreDamaged` when the content is not what was written and `StoreError`
    when the database cannot be read or written; a failed write leaves nothing behind.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self._path = path
        self._file = path.stat() if path is not None else None
        connection.row_factory = sqlite3.Row

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open or make the database file for reading and writing, its schema up to date."""
        if _is_empty(path):
            raise StoreDamaged(f"results database {path} is empty")
        return cls._connected(path, _uri(path, "mode=rwc"), _prepare_writing)

    @classmethod
    def in_memory(cls) -> "Database":
        """Make an empty database that ends with the process."""
        return cls._connected(None, "file::memory:", migrate)

    @classmethod
    def open_without_space(cls, path: Path) -> "Database":
        """Open this process's database file where there is no room for SQLite's shared memory.

        Committed results can be read then, also on a full disk.
        """
        return cls._connected(path, _uri(path, "mode=rw"), _prepare_alone)

    @classmethod
    def open_read_only(cls, path: Path) -> "Database":
        """Open the database file beside a node that writes it, or without one."""
        if _is_empty(path):
            raise StoreDamaged(
                f"results database {path} is empty; the node begins a new one at its next start"
            )
        # Without a log nobody writes and all is in the file: then no lock is needed, which a
        # user who may not write in the directory could not take.
        has_log = path.with_name(f"{path.name}-wal").exists()
        access = (
            "mode=ro"
            if has_log or os.access(path.parent, os.W_OK, effective_ids=True)
            else "immutable=1"
        )
        return cls._connected(path, _uri(path, access), _prepare_reading)

    @classmethod
    def _connected(
        cls, path: Path | None, uri: str, prepare: Callable[[sqlite3.Connection], object]
    ) -> "Database":
        with _translated(path):
            connection = sqlite3.connect(
                uri, uri=True, timeout=_BUSY_TIMEOUT_S, isolation_level=None
            )
            try:
                connection.execute("PRAGMA foreign_keys = ON")
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

    def rows(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return the rows of a query."""
        with _translated(self._path):
            return self._connection.execute(query, values).fetchall()

    def value(self, query: str, values: Sequence[object] = ()) -> sqlite3.Row:
        """Return the single row of a query."""
        with _translated(self._path):
            row: sqlite3.Row = self._connection.execute(query, values).fetchone()
        return row

    def write(self, editions: Iterable[Edition], marked: Iterable[Edition] = ()) -> None:
        """Write editions in one transaction; committed and synced when this returns.

        Args:
            editions: whatever is or is not there of them yet.
            marked: editions that are there with their answers; only how far they have come is new.
        """
        self._check_place()
        with self._transaction() as connection:
            for edition in editions:
                (row_id,) = connection.execute(UPSERT_TASK, task_values(edition)).fetchone()
                if edition.answer is not None:
                    values = (row_id, *published_values(edition.answer.footprint))
                    connection.execute(INSERT_PUBLISHED, values)
                if edition.sources.are_known:
                    _write_sources(connection, row_id, edition)
            connection.executemany(UPDATE_PROGRESS, map(progress_values, marked))

    def prune(self, max_results: int, accepted_before_ms: int) -> int:
        """Delete some editions that are too many or too old, oldest first; return how many."""
        with self._transaction() as connection:
            connection.execute(_PRUNE_STREAMS, (MAX_STREAMS,))
            values = (max_results, accepted_before_ms, _PRUNE_CHUNK)
            return connection.execute(_PRUNE, values).rowcount

    def _check_place(self) -> None:
        """Notice that the file was removed: SQLite would go on writing to what nobody can read."""
        if self._path is None or self._file is None:
            return
        try:
            is_in_place = os.path.samestat(self._path.stat(), self._file)
        except OSError as error:
            raise StoreError(f"results database {self._path}: {error.strerror}") from error
        if not is_in_place:
            raise StoreError(f"results database {self._path}: the file was replaced")

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


def _write_sources(connection: sqlite3.Connection, row_id: int, edition: Edition) -> None:
    values = [row_id]
    for sample in edition.sources.samples:
        stream = stream_values(edition.key.writer, sample, is_certain=edition.sources.is_certain)
        (stream_id,) = connection.execute(UPSERT_STREAM, stream).fetchone()
        values += (stream_id, sample.sequence_number)
    connection.execute(INSERT_SOURCES, values)


def _is_empty(path: Path) -> bool:
    """Whether there is a file without content, which SQLite would take for a new database."""
    try:
        return path.stat().st_size == 0 and not path.with_name(f"{path.name}-wal").exists()
    except OSError:
        return False


def _uri(path: Path, options: str) -> str:
    return f"{path.absolute().as_uri()}?{options}"


def _prepare_writing(connection: sqlite3.Connection) -> None:
    # Before anything is changed in the database of a newer release.
    version_of(connection)
    for pragma in _WRITER_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    with _tables_expected():
        migrate(connection)


def _prepare_reading(connection: sqlite3.Connection) -> None:
    version = version_of(connection)
    if version < VERSION:
        raise StoreError(
            f"the results database has schema {version} and this release reads {VERSION}; "
            "start the node of this release once, which brings it up to date"
        )


def _prepare_alone(connection: sqlite3.Connection) -> None:
    # Exclusive locking keeps the index of the log in memory; it has to be set before any access.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    version_of(connection)


def _edition(row: sqlite3.Row) -> Edition:
    try:
        return edition_of(row)
    except (ValueError, TypeError) as error:
        raise StoreDamaged(f"results database: an unreadable row: {error}") from error


def _check_tables(connection: sqlite3.Connection) -> None:
    with _tables_expected():
        connection.execute(SELECT_EDITIONS + "LIMIT 0")


@contextmanager
def _tables_expected() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        # A function that this SQLite lacks says nothing about the file.
        is_of_file = "no such function" not in str(error)
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR or not is_of_file:
            raise
        raise StoreDamaged(f"the results database lacks tables of its schema: {error}") from error


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        # errors of the module itself, such as use after close, carry no code
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF
        kind = StoreDamaged if code in _DAMAGE_CODES else StoreError
        remedy = f"; {_REMEDIES[code]}" if code in _REMEDIES else ""
        raise kind(f"results database {path or 'in memory'}: {error}{remedy}") from error
