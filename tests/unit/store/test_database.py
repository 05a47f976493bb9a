"""The file of results: what is wrong with it is said with a remedy, and nothing is written half."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.store.samples import answer, summary, task

from carbon_node.errors import StoreDamaged, StoreError
from carbon_node.store import database as database_module
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition, State
from carbon_node.tasks.key import TaskKey


def edition(number: int = 1, key: TaskKey | None = None, at_ms: int = 5) -> Edition:
    """An answered edition."""
    key = task(number) if key is None else key
    return Edition(key, 1, "d", summary(), at_ms, State.SAVED, answer(key, float(number)), at_ms)


def numbers(database: Database) -> list[int]:
    """The tasks that it holds, oldest first."""
    return [each.key.task_id.problem_id for each in database.select("ORDER BY id")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database with one edition lies."""
    path = tmp_path / DATABASE_NAME
    with closing(Database.open(path)) as database:
        database.write([edition()])
    return path


def test_a_write_that_fails_leaves_nothing_behind(path: Path) -> None:
    """Neither what was fine within it nor a transaction that the next one would stumble over."""
    with closing(Database.open(path)) as database:
        with pytest.raises(OverflowError):
            database.write([edition(2), edition(3, at_ms=2**70)])
        assert numbers(database) == [1]
        database.write([edition(4)])
        assert numbers(database) == [1, 4]


def test_what_was_published_is_never_written_again(path: Path) -> None:
    """Only how far an edition has come is new."""
    with closing(Database.open(path)) as database:
        first = edition()
        other = replace(first, state=State.ACKNOWLEDGED, answer=answer(first.key, 9.0))
        database.write([], [other])
        assert database.load(first.key) == (replace(first, state=State.ACKNOWLEDGED),)
        database.write([replace(first, summary=summary("other"), state=State.PUBLISHED)])
        assert database.load(first.key) == (replace(first, state=State.PUBLISHED),)
        assert database.load(task(1, writer="another")) == ()
        assert database.load(task(2)) == ()


def test_pruning_takes_the_oldest_and_says_how_many(path: Path) -> None:
    """By count and by age, with what was published."""
    with closing(Database.open(path)) as database:
        database.write([edition(number, at_ms=number * 10) for number in range(2, 7)])
        assert database.prune(6, 0) == 0
        assert database.prune(5, 0) == 1
        assert numbers(database) == [2, 3, 4, 5, 6]
        assert database.prune(100, 40) == 2
        assert numbers(database) == [4, 5, 6]
        assert tuple(database.value("SELECT count(*) FROM published")) == (3,)
        assert database.prune(100, 1_000) == 3
        assert numbers(database) == []


@pytest.mark.parametrize("opened", [Database.open, Database.open_read_only])
@pytest.mark.parametrize(
    ("content", "said"), [(b"", "is empty"), (b"no database" * 500, "file is not a database")]
)
def test_a_file_that_is_no_database_is_damaged(
    opened: object, content: bytes, said: str, tmp_path: Path
) -> None:
    """An empty one too, which SQLite would take for a new one."""
    path = tmp_path / DATABASE_NAME
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match=f"results database {path}.*{said}"):
        opened(path)  # type: ignore[operator]


def test_a_database_without_its_tables_is_damaged(path: Path) -> None:
    """Whatever its version says."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE published")
    for opened in (Database.open, Database.open_read_only):
        with pytest.raises(StoreDamaged, match="lacks tables of its schema"):
            opened(path)


def test_a_row_that_means_nothing_is_damage(path: Path) -> None:
    """It is not left out silently."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE tasks SET state = 9")
        connection.commit()
    with closing(Database.open(path)) as database, pytest.raises(StoreDamaged, match="unreadable"):
        database.load(task())


def test_a_database_that_is_missing_says_what_to_do(tmp_path: Path) -> None:
    """With the path, and the remedy for it."""
    path = tmp_path / "none" / DATABASE_NAME
    with pytest.raises(StoreError, match=f"{path}: .*; give the user of this process access"):
        Database.open(path)


def test_another_program_that_has_locked_it_is_named(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing waits for it a moment, then says so, and works once it has ended."""
    monkeypatch.setattr(database_module, "_BUSY_TIMEOUT_S", 0.01)
    with closing(Database.open(path)) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match="locked; end the program that has locked it"):
                database.write([edition(2)])
        database.write([edition(2)])
        assert numbers(database) == [1, 2]


@pytest.mark.parametrize("is_replaced", [False, True])
def test_a_file_that_was_taken_away_is_noticed(path: Path, *, is_replaced: bool) -> None:
    """SQLite would go on writing to what nobody can read."""
    with closing(Database.open(path)) as database:
        path.rename(path.with_name("away"))
        if is_replaced:
            path.touch()
        said = "the file was replaced" if is_replaced else "No such file or directory"
        with pytest.raises(StoreError, match=f"results database {path}: {said}"):
            database.write([edition(2)])


def test_a_closed_database_is_an_error_that_is_understood() -> None:
    """Also one in memory, which has no path."""
    database = Database.in_memory()
    database.write([edition()])
    assert numbers(database) == [1]
    database.close()
    with pytest.raises(StoreError, match="results database in memory: Cannot operate on a closed"):
        database.load(task())


def test_an_open_database_can_be_read_without_room_for_shared_memory(path: Path) -> None:
    """By its own process; there it is for reading what was answered."""
    with closing(Database.open_without_space(path)) as database:
        assert numbers(database) == [1]
    with pytest.raises(StoreError):
        Database.open_without_space(path.with_name("none"))
