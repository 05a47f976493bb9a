"""Questions to the history: right answers, and quick ones."""

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.errors import StoreError
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition, State
from carbon_node.store.history import Query, Totals, editions, open_history, totals
from carbon_node.wire import samples

MANY = 100_000

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOON_MS = 1_777_636_800_000

MULTIPLIED = {
    "id": "n",
    "problem_id": "n",
    "accepted_at_ms": "accepted_at_ms + n",
    "model": "'model-' || (n % 40)",
}
"""What differs between the rows of a large history."""

PUBLISH = (
    "INSERT INTO published SELECT tasks.id, p.carbon_footprint, p.energy_consumption,"
    " p.carbon_intensity, p.extra_data FROM tasks, published AS p WHERE tasks.id > 1"
)


def _edition(number: int, minute: int = 0, **about: str) -> Edition:
    key = task(number)
    at_ms = NOON_MS + minute * 60_000
    return Edition(
        key, 1, "d", summary(**about), at_ms, State.SAVED, answer(key, float(number)), at_ms
    )


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A history of six editions of five tasks."""
    older = replace(_edition(1), number=1, is_superseded=True, answer=answer(task(1), 100.0))
    failed = replace(_edition(4, 30), answer=failure(task(4)))
    rows = [
        older,
        replace(_edition(1, 1), number=2),
        _edition(2, 10, model="Vision/ViT_b", hardware="Jetson 100%", place="Ávila, Spain"),
        _edition(3, 20, place="Madrid"),
        failed,
        replace(_edition(5, 40), answer=None, finished_at_ms=None, state=State.ACCEPTED),
    ]
    with closing(Database.open(tmp_path / DATABASE_NAME)) as writer:
        writer.write(rows)
        with closing(open_history(tmp_path)) as reader:
            yield reader


@pytest.mark.parametrize(
    ("query", "problem_ids"),
    [
        (Query(), [1, 1, 2, 3, 4, 5]),
        (Query(last=2), [4, 5]),
        (Query(last=99), [1, 1, 2, 3, 4, 5]),
        (Query(model="vit_B"), [2]),
        (Query(model="vit%"), []),
        (Query(hardware="100%"), [2]),
        (Query(hardware="a100"), [1, 1, 3, 4, 5]),
        (Query(place="madrid"), [3]),
        (Query(place="es", last=1), [3]),
        (Query(since=NOON.replace(minute=20)), [3, 4, 5]),
        (Query(until=NOON.replace(minute=20)), [1, 1, 2]),
        (Query(since=NOON.replace(minute=1), until=NOON.replace(minute=11)), [1, 2]),
        (Query(task_id=samples.TaskId(1, 1)), [1, 1]),
        (Query(task_id=samples.TaskId(1, 2)), []),
        (Query(has_numbers=True), [1, 2, 3]),
        (Query(is_answered=True), [1, 1, 2, 3, 4]),
        (Query(is_answered=True, last=2), [3, 4]),
        (Query(last=2, offset=1), [3, 4]),
        (Query(last=2, offset=9), []),
        (Query(last=9, max_bytes=1), [5]),
        (Query(last=9, is_answered=True, max_bytes=1), [4]),
        (Query(last=9, max_bytes=150), [3, 4, 5]),
        (Query(model="resnet", place="Spain", last=3), [1, 4, 5]),
    ],
)
def test_every_condition_of_a_query_holds(
    database: Database, query: Query, problem_ids: list[int]
) -> None:
    """Rows come oldest first, and all of them are what was asked for."""
    found = [edition.key.task_id.problem_id for edition in editions(database, query)]
    assert found == problem_ids


def test_totals_count_each_task_once(database: Database) -> None:
    """A task that was answered twice counts with its newest answer, `last` changes nothing."""
    everything = Totals(
        results=5, tasks=4, computed=3, unanswered=1, energy_kwh=6.0 / 200, carbon_g=6.0
    )
    assert totals(database, Query(last=1)) == everything
    assert totals(database, Query(model="nothing")) == Totals(0, 0, 0, 0, 0.0, 0.0)


def test_rows_come_back_as_they_were_written(database: Database) -> None:
    """To the last bit of each number."""
    (edition,) = editions(database, Query(task_id=samples.TaskId(3, 1)))
    assert edition == _edition(3, 20, place="Madrid")


def test_history_is_read_while_it_is_written(tmp_path: Path) -> None:
    """A reader sees what was committed and disturbs nobody."""
    with closing(Database.open(tmp_path / DATABASE_NAME)) as writer:
        writer.write([_edition(1)])
        with closing(open_history(tmp_path)) as reader:
            rows = editions(reader, Query())
            assert next(rows) == _edition(1)
            writer.write([_edition(2)])
            assert len(list(editions(reader, Query()))) == 2


@pytest.mark.parametrize("name", ["a b", "a?b#c%20d", "é"])
def test_any_directory_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Relative ones, and names with characters that mean something in a URI."""
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(Database.open(Path(name) / DATABASE_NAME)) as writer:
        writer.write([_edition(1)])
        with closing(open_history(Path(name))) as reader:
            assert list(editions(reader, Query())) == [_edition(1)]
    assert (tmp_path / name / DATABASE_NAME).is_file()


def test_reader_cannot_write(database: Database) -> None:
    """A program that looks at the history cannot harm it."""
    with pytest.raises(StoreError, match="readonly"):
        database.write([_edition(9)])


def test_no_results_yet_is_said_so(tmp_path: Path) -> None:
    """The message names the directory."""
    with pytest.raises(StoreError, match=f"no results in {tmp_path}"):
        open_history(tmp_path)


def test_database_of_an_older_release_is_read_after_an_upgrade(tmp_path: Path) -> None:
    """A reader changes nothing, so it cannot bring the schema up to date."""
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
        connection.execute("CREATE TABLE anything (x)")
    with pytest.raises(StoreError, match="start the node of this release once"):
        open_history(tmp_path)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with 100,000 results."""
    directory = tmp_path_factory.mktemp("large")
    with closing(Database.open(directory / DATABASE_NAME)) as database:
        database.write([_edition(1)])
    with closing(sqlite3.connect(directory / DATABASE_NAME)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(tasks)")]
        values = ", ".join(MULTIPLIED.get(name, name) for name in columns)
        numbers = "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers"
        rows = f"INSERT INTO tasks SELECT {values} FROM tasks, numbers"  # noqa: S608 - constants
        connection.execute(f"{numbers} WHERE n < ?) {rows}", (MANY,))
        connection.execute(PUBLISH)
        connection.commit()
    return directory


STEP = 100
"""Instructions of SQLite's machine that are counted as one step."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Count the instructions that SQLite executes for some work: no other work changes that."""
    connect, counted = sqlite3.connect, itertools.count()

    def counting(*arguments: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_progress_handler(lambda: next(counted) < 0, STEP)
        return connection

    def instructions(work: Callable[[], object]) -> int:
        before = next(counted)
        work()
        return (next(counted) - before) * STEP

    monkeypatch.setattr(sqlite3, "connect", counting)
    return instructions


def test_store_of_many_results_opens_without_reading_them(
    large: Path, steps: Callable[[Callable[[], object]], int]
) -> None:
    """With 100,000 results that takes no more than with none, and it knows them."""
    assert steps(lambda: Database.open(large / DATABASE_NAME).close()) < MANY / 100
    with closing(Database.open(large / DATABASE_NAME)) as database:
        assert database.load(task(MANY))[0].summary.model == "model-0"


@pytest.mark.parametrize(
    "query",
    [
        Query(last=20),
        Query(model="model-7", last=20),
        Query(hardware="nothing", last=20),
        Query(place="ES", since=NOON, last=20),
        Query(task_id=samples.TaskId(77_777, 1)),
    ],
)
def test_history_of_many_results_is_read_once(
    large: Path, query: Query, steps: Callable[[Callable[[], object]], int]
) -> None:
    """Neither a list nor the totals take more than one pass over 100,000 results."""
    with closing(open_history(large)) as database:
        assert totals(database, Query()).results == MANY
        assert steps(lambda: list(editions(database, query))) < 5 * MANY
        assert steps(lambda: totals(database, query)) < 50 * MANY
