"""The results of a node, in the one thread that reads and writes them.

What changed and is not on disk yet is kept in `_unwritten`. In good times that is what the next
commit writes. When the database cannot be written, it is what the node works from, and what is
written as soon as it can be.

A read that fails is tried again on the reopened database. If it still fails, an acceptance is
refused: what is there and cannot be read must not be taken for new and answered a second time. What
is saved all the same gets provisional numbers, and its place among the task's editions once they
can be read.
"""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, count, islice
from pathlib import Path

from carbon_node.errors import StateDirectoryInUse, StoreDamaged, StoreError
from carbon_node.store import history
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import (
    Accept,
    Change,
    Edition,
    Editions,
    End,
    Ignore,
    Mark,
    Note,
    Save,
    accept,
    appended,
    note,
    save,
)
from carbon_node.store.lock import StateLock
from carbon_node.store.pages import ROWS_READ, Cursor, Page, look, look_in_memory
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Decision
from carbon_node.tasks.key import TaskKey
from carbon_node.tasks.lineage import SampleId, Span, Use
from carbon_node.wire.samples import TaskId

_WRITTEN_LIMIT = 512
"""Tasks whose editions stay in memory after they were written: marks follow within a second, and
would have to be read again each. Most of an edition is shared with the retained outputs."""

_MEMORY_LIMIT = 10_000
"""Tasks kept in memory while the database cannot be written; then the oldest are given up."""


DAMAGED_LIMIT_BYTES = 1 << 30
"""Size of all damaged databases that are kept; the last one stays however large it is."""

_PROVISIONAL = 1 << 40
"""Numbers above this are those of editions that were made without knowing the earlier ones."""


@dataclass(frozen=True, slots=True)
class Health:
    """How well results are kept.

    Args:
        trouble: why results cannot be written now and what would fix it; empty when they can be.
        unwritten: tasks that are kept in memory only, because of the trouble.
        lost: answers that were given up because the trouble lasted too long; they were published,
            but are not in the history.
        moved_aside: where the last damaged database of this process was moved.
    """

    trouble: str = ""
    unwritten: int = 0
    lost: int = 0
    moved_aside: Path | None = None

    @property
    def is_degraded(self) -> bool:
        """Whether results are kept in memory only."""
        return bool(self.trouble)


class Ledger:
    """Every task's editions, on disk if possible. Used by one thread only, but for `health`.

    Args:
        directory: state directory, made if it is missing; None keeps everything in memory.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._lock: StateLock | None = None
        self._database: Database | None = None
        self._unwritten: dict[TaskKey, Editions] = {}
        # The latest, for their marks.
        self._written: OrderedDict[TaskKey, Editions] = OrderedDict()
        # Those of the unwritten whose earlier editions could not be read.
        self._unread: set[TaskKey] = set()
        # Numbers of editions by the provisional ones that answers were handed out with.
        self._numbers: OrderedDict[tuple[TaskKey, int], int] = OrderedDict()
        self._has_been_open = False
        self._is_damaged = False
        self._lost = 0
        self.trouble = ""
        """Why results cannot be written now; may be read by any thread."""
        self.moved_aside: Path | None = None
        """Where the last damaged database was moved; may be read by any thread."""

    @property
    def health(self) -> Health:
        """How well results are kept; may be read by any thread."""
        return Health(
            self.trouble,
            len(self._unwritten) if self.trouble else 0,
            self._lost,
            self.moved_aside,
        )

    def open(self) -> None:
        """Take the state directory and open its database; one that cannot be opened is no error.

        Raises:
            StateDirectoryInUse: another node has the state directory.
        """
        try:
            self._establish()
        except StateDirectoryInUse:
            raise
        except StoreError as error:
            self._degrade(error)

    def close(self) -> None:
        """Write what can be written and give the state directory back."""
        if self.trouble:
            self.recover()
        self.commit()
        self._close_database()
        if self._lock is not None:
            self._lock.release()

    def accept(self, event: Accept, *, is_urgent: bool = False) -> Decision:
        """Record that a task's inputs are complete; written with the next commit.

        Args:
            event: what happened.
            is_urgent: whether the task is new if nothing can be read of it.

        Raises:
            StoreError: what the database holds of the task cannot be read now. Without a database
                since the start there is nothing to wait for: the task is new then.
        """
        try:
            before = self._unwritten.get(event.key, ()) if event.is_first else self._read(event.key)
        except StoreError:
            if self._has_been_open and not is_urgent:
                raise
            before = self._blank(event.key)
        after, decision = accept(before, event, self._first_number(event.key))
        self._keep(before, after)
        return decision

    def commit(self, changes: Sequence[Change] = ()) -> dict[int, Kept]:
        """Apply changes in turn and write all that waits at once.

        Args:
            changes: what happened; acceptances are those of tasks that are new for certain.

        Returns:
            What stands for each save, by its position among the changes.
        """
        kept = {}
        for position, change in enumerate(changes):
            match change:
                case Accept():
                    self.accept(change)
                case Save():
                    kept[position] = self._save(change)
                case Mark() | End():
                    number = self._number(change.key, change.number)
                    self._note(replace(change, number=number))
                case Ignore():
                    self._note(change)
        if self._unwritten and not self.trouble:
            try:
                self._write()
            except StoreError as error:
                self._repair(error)
        return kept

    def recover(self) -> None:
        """Open the database again and write what waits, or stay in trouble."""
        try:
            self._establish()
        except StoreError as error:
            self._degrade(error)

    def editions(self, key: TaskKey) -> Editions:
        """Return all editions of a task, oldest first; none if they cannot be read now."""
        try:
            return self._read(key)
        except StoreError:
            return ()

    def writers(self) -> frozenset[str] | None:
        """Return the writers of all tasks in the database; None if it cannot be read now.

        Raises:
            StoreError: it turned out that it cannot be read.
        """
        if self.trouble or self._database is None:
            return None
        return history.writers(self._database)

    def past(self) -> tuple[Span, ...] | None:
        """Return which samples each session used; None if it cannot be read now.

        Raises:
            StoreError: it turned out that it cannot be read.
        """
        if self.trouble or self._database is None:
            return None
        return history.past(self._database)

    def uses(self, task_id: TaskId, ml_model: SampleId, hw_resource: SampleId) -> tuple[Use, ...]:
        """Return what the writers of two samples gave to tasks of an id, as far as it is known."""
        stored: tuple[Use, ...] = ()
        if self._database is not None:
            with suppress(StoreError):
                stored = history.uses(self._database, task_id, ml_model, hw_resource)
        waiting = tuple(
            Use(key.writer, sample)
            for key, editions in self._unwritten.items()
            if key.task_id == task_id
            for edition in editions
            if edition.sources.are_known
            for sample in edition.sources.samples
        )
        return (*stored, *waiting)

    def left_with_readers(self) -> tuple[Kept, ...]:
        """Return the answers whose instances readers may hold; none if they cannot be read now."""
        if self.trouble or self._database is None:
            return ()
        try:
            return history.left_with_readers(self._database)
        except StoreError as error:
            self._repair(error)
            return ()

    def prune(self, max_results: int, accepted_before_ms: int) -> bool:
        """Delete some of what is too many or too old; return whether there is more to delete."""
        if self.trouble or self._database is None:
            return False
        # What is deleted must not be written again for a mark.
        self._written.clear()
        try:
            return self._database.prune(max_results, accepted_before_ms) > 0
        except StoreError as error:
            self._repair(error)
            return False

    def look(self, page: Page) -> None:
        """Find some more editions of a page, also those not written yet; takes a moment.

        Raises:
            StoreError: the database cannot be read now.
        """
        self.commit()
        begin = page.cursor
        is_in_memory = begin is None or (begin.is_in_memory and self._is_unwritten(begin))
        waiting = self._unwritten_behind(begin) if is_in_memory else []
        if waiting:
            look_in_memory(waiting, page)
        elif self._database is None:
            page.end()
        else:
            place = None if begin is None or is_in_memory else self._renumbered(begin)
            look(self._database, page, place, lambda each: self._is_unwritten(Cursor.behind(each)))

    def _renumbered(self, cursor: Cursor) -> Cursor:
        return replace(cursor, number=self._number(cursor.key, cursor.number))

    def _is_unwritten(self, cursor: Cursor) -> bool:
        known = self._unwritten.get(cursor.key, ())
        return any(edition.number == cursor.number for edition in known)

    def _unwritten_behind(self, cursor: Cursor | None) -> list[Edition]:
        """List the next unwritten editions behind one of them, newest first."""
        newest_first = (
            edition for known in reversed(self._unwritten.values()) for edition in reversed(known)
        )
        if cursor is not None:
            place = (cursor.key, cursor.number)
            for edition in newest_first:
                if (edition.key, edition.number) == place:
                    break
        return list(islice(newest_first, ROWS_READ))

    def _number(self, key: TaskKey, number: int) -> int:
        """Return the number of an edition that was handed out under a provisional one."""
        return self._numbers.get((key, number), number)

    def _repair(self, error: StoreError) -> None:
        self._is_damaged = isinstance(error, StoreDamaged)
        self.recover()

    def _establish(self) -> None:
        try:
            self._renew()
        except StoreDamaged:
            self._is_damaged = True
            self._renew()
        self.trouble = ""

    def _renew(self) -> None:
        self._close_database()
        self._written.clear()
        try:
            self._database = self._opened()
        except OSError as error:
            raise StoreError(
                f"{self._directory}: {error.strerror}; make it a directory that this user may write"
            ) from error
        self._has_been_open = True
        self._write()

    def _opened(self) -> Database:
        if self._directory is None:
            return Database.in_memory()
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock(self._directory)
        path = self._directory / DATABASE_NAME
        if self._is_damaged:
            self.moved_aside = _moved_aside(path)
            self._is_damaged = False
        return Database.open(path)

    def _take_lock(self, directory: Path) -> None:
        """Lock the state directory, again if another one stands in its place now."""
        if self._lock is not None and not self._lock.is_in_place:
            self._lock.release()
            self._lock = None
        if self._lock is None:
            self._lock = StateLock.acquire(directory)

    def _degrade(self, error: StoreError) -> None:
        self.trouble = str(error)
        if self._database is None and self._lock is not None and self._directory is not None:
            with suppress(StoreError):
                self._database = Database.open_without_space(self._directory / DATABASE_NAME)
                self._has_been_open = True

    def _close_database(self) -> None:
        if self._database is not None:
            with suppress(StoreError):
                self._database.close()
            self._database = None

    def _read(self, key: TaskKey) -> Editions:
        """Return all editions of a task.

        Raises:
            StoreError: they cannot be read, from the reopened database neither.
        """
        known = self._unwritten.get(key) or self._written.get(key)
        if known is not None:
            return known
        try:
            return self._stored(key)
        except StoreError as error:
            self._repair(error)
        known = self._unwritten.get(key)
        if known is not None:
            return known
        try:
            return self._stored(key)
        except StoreError as error:
            self._degrade(error)
            raise

    def _stored(self, key: TaskKey) -> Editions:
        if self._database is None:
            raise StoreError(self.trouble)
        return self._database.load(key)

    def _blank(self, key: TaskKey) -> Editions:
        """Begin the editions of a task of which nothing can be read."""
        self._unread.add(key)
        return ()

    def _first_number(self, key: TaskKey) -> int:
        return _PROVISIONAL + 1 if key in self._unread else 1

    def _save(self, event: Save) -> Kept:
        try:
            before = self._read(event.key)
        except StoreError:
            before = self._blank(event.key)
        after, kept = save(before, event, self._first_number(event.key))
        self._keep(before, after)
        return kept

    def _note(self, change: Note) -> None:
        # A mark on what cannot be read is lost: the answer is published again after a restart.
        before = self.editions(change.key)
        self._keep(before, note(before, change))

    def _keep(self, before: Editions, after: Editions) -> None:
        if after is before:
            return
        self._unwritten[after[0].key] = after
        if self.trouble and len(self._unwritten) > _MEMORY_LIMIT:
            oldest = next(iter(self._unwritten))
            self._unread.discard(oldest)
            self._lost += any(edition.answer is not None for edition in self._unwritten.pop(oldest))

    def _changed(self) -> tuple[list[Edition], list[Edition]]:
        """Tell what differs from what was written last: in full, or only in how far it has come."""
        whole: list[Edition] = []
        marked: list[Edition] = []
        for key, editions in self._unwritten.items():
            written = {edition.number: edition for edition in self._written.get(key, ())}
            for edition in editions:
                before = written.get(edition.number)
                if before is None or before.answer is not edition.answer:
                    whole.append(edition)
                elif before is not edition:
                    marked.append(edition)
        return whole, marked

    def _write(self) -> None:
        if self._database is None or not self._unwritten:
            return
        for key in tuple(self._unread & self._unwritten.keys()):
            self._file(key, self._database.load(key))
        if self._lock is not None and not self._lock.is_in_place:
            raise StoreError(f"{self._directory}: its lock was removed")
        self._database.write(*self._changed())
        self._written.update(self._unwritten)
        self._unwritten.clear()
        self._unread.clear()
        while len(self._written) > _WRITTEN_LIMIT:
            self._written.popitem(last=False)

    def _file(self, key: TaskKey, stored: Editions) -> None:
        """Put what is known of a task behind what is stored of it."""
        self._unwritten[key], numbers = appended(stored, self._unwritten[key])
        self._unread.discard(key)
        self._numbers |= {(key, before): after for before, after in numbers.items()}
        while len(self._numbers) > _MEMORY_LIMIT:
            self._numbers.popitem(last=False)


def _moved_aside(path: Path) -> Path:
    """Rename the database and its log, and return the new name of the database."""
    stem = path.with_name(f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    target = next(
        name
        for name in chain((stem,), (Path(f"{stem}.{n}") for n in count(2)))
        if not name.exists()
    )
    for suffix in ("-wal", ""):
        with suppress(FileNotFoundError):
            Path(f"{path}{suffix}").rename(f"{target}{suffix}")
    Path(f"{path}-shm").unlink(missing_ok=True)
    _limit_damaged(path, target)
    return target


def _limit_damaged(path: Path, newest: Path) -> None:
    """Delete the oldest damaged databases until they are small enough together."""
    found = path.parent.glob(f"{path.name}.damaged-*")
    sizes = {file: file.stat().st_size for file in found}
    own = [file for file in sizes if file.name.removesuffix("-wal") == newest.name]
    others = sorted(sizes.keys() - set(own), key=lambda file: file.stat().st_mtime_ns)
    left_bytes = DAMAGED_LIMIT_BYTES - sum(sizes[file] for file in own)
    for file in reversed(others):
        left_bytes -= sizes[file]
        if left_bytes < 0:
            file.unlink()
