"""Questions to the history: right answers, and quick ones."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.store.samples import MANY, Steps, answer, edition, failure, task

from carbon_node.errors import StoreError
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import State
from carbon_node.store.history import Query, Totals, editions, open_history, totals
from carbon_node.wire import samples

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A history of six editions of five tasks."""
    older = replace(edition(1), number=1, is_superseded=True, answer=answer(task(1), 100.0))
    failed = replace(edition(4, 30), answer=failure(task(4)))
    rows = [
        older,
        replace(edition(1, 1), number=2),
        edition(2, 10, model="Vision/ViT_b", hardware="Jetson 100%", place="Ávila, Spain"),
        edition(3, 20, place="Madrid"),
        failed,
        replace(edition(5, 40), answer=None, finished_at_ms=None, state=State.ACCEPTED),
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
    (found,) = editions(database, Query(task_id=samples.TaskId(3, 1)))
    assert found == edition(3, 20, place="Madrid")


def test_history_is_read_while_it_is_written(tmp_path: Path) -> None:
    """A reader sees what was committed and disturbs nobody."""
    with closing(Database.open(tmp_path / DATABASE_NAME)) as writer:
        writer.write([edition(1)])
        with closing(open_history(tmp_path)) as reader:
            rows = editions(reader, Query())
            assert next(rows) == edition(1)
            writer.write([edition(2)])
            assert len(list(editions(reader, Query()))) == 2


@pytest.mark.parametrize("name", ["a b", "a?b#c%20d", "é"])
def test_any_directory_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Relative ones, and names with characters that mean something in a URI."""
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(Database.open(Path(name) / DATABASE_NAME)) as writer:
        writer.write([edition(1)])
        with closing(open_history(Path(name))) as reader:
            assert list(editions(reader, Query())) == [edition(1)]
    assert (tmp_path / name / DATABASE_NAME).is_file()


def test_reader_cannot_write(database: Database) -> None:
    """A program that looks at the history cannot harm it."""
    with pytest.raises(StoreError, match="readonly"):
        database.write([edition(9)])


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


def test_store_of_many_results_opens_without_reading_them(large: Path, steps: Steps) -> None:
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
def test_history_of_many_results_is_read_once(large: Path, query: Query, steps: Steps) -> None:
    """Neither a list nor the totals take more than one pass over 100,000 results."""
    with closing(open_history(large)) as database:
        assert totals(database, Query()).results == MANY
        assert steps(lambda: list(editions(database, query))) < 5 * MANY
        assert steps(lambda: totals(database, query)) < 50 * MANY
