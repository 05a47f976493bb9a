"""The database is brought up to date step by step, and never half."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from carbon_node.errors import StoreError
from carbon_node.store.rows import SELECT_EDITIONS, edition_of
from carbon_node.store.schema import MIGRATIONS, VERSION, migrate, version_of

SECOND = "ALTER TABLE tasks ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';"
BROKEN = "ALTER TABLE tasks ADD COLUMN colour TEXT; INSERT INTO nowhere VALUES (1);"


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """An empty database."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def test_empty_database_gets_the_newest_schema(connection: sqlite3.Connection) -> None:
    """All steps run once, and again none."""
    migrate(connection)
    migrate(connection)
    assert version_of(connection) == VERSION


def test_older_database_is_brought_up_to_date_with_its_rows(connection: sqlite3.Connection) -> None:
    """What an older release wrote is there after an upgrade."""
    migrate(connection)
    connection.execute(
        "INSERT INTO tasks (problem_id, iteration_id, writer, edition, digest, state,"
        " is_superseded, ignored_digest, accepted_at_ms, model, hardware, place)"
        " VALUES (1, 1, 'w', 1, 'd', 0, 0, '', 0, 'm', 'h', 'p')"
    )
    migrate(connection, (*MIGRATIONS, SECOND))
    assert connection.execute("SELECT model, colour FROM tasks").fetchall() == [("m", "green")]
    assert version_of(connection, VERSION + 1) == VERSION + 1


def test_step_that_fails_leaves_the_database_as_it_was(connection: sqlite3.Connection) -> None:
    """A failed upgrade can be tried again, by this release or by the one before."""
    migrate(connection)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (*MIGRATIONS, BROKEN))
    connection.execute("ROLLBACK")
    assert version_of(connection) == VERSION
    migrate(connection, (*MIGRATIONS, SECOND))


def test_database_of_a_newer_release_is_refused(connection: sqlite3.Connection) -> None:
    """An older program does not write what it does not understand."""
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreError, match="use the newer carbon-node"):
        version_of(connection)


def test_results_of_the_first_schema_get_what_they_lack(connection: sqlite3.Connection) -> None:
    """Later columns are filled from what was published; what is no JSON stays readable."""
    migrate(connection, MIGRATIONS[:1])
    published = {
        1: b'{"place": {"name": "France"}, "tracker": {"agrees": true}}',
        2: b'{"place": {"name": "World"}, "tracker": {"failure": "timeout"}}',
        3: b'{"not_computed": {"reason": "no power", "detail": "0 W"}}',
        4: b"\xffbroken",
    }
    for number in range(1, 6):
        outcome = "computed" if number in published else None
        connection.execute(
            "INSERT INTO tasks (id, problem_id, iteration_id, writer, edition, digest, state,"
            " is_superseded, ignored_digest, accepted_at_ms, model, hardware, place, outcome,"
            " reason, mode, place_code, revision, stage_seconds)"
            " VALUES (?, ?, 1, 'w', 1, 'd', 1, 0, '', 0, 'm', 'h', 'p', ?, '', '', '', 0, '{}')",
            (number, number, outcome),
        )
    for number, extra_data in published.items():
        connection.execute("INSERT INTO published VALUES (?, 1, 1, 1, ?)", (number, extra_data))

    migrate(connection)

    rows = connection.execute(
        "SELECT detail, place_name, tracker_failure, agrees FROM tasks ORDER BY id"
    ).fetchall()
    assert rows == [
        ("", "France", "", 1),
        ("", "World", "timeout", None),
        ("0 W", "", "", None),
        ("", "", "", None),
        (None, None, None, None),
    ]
    connection.row_factory = sqlite3.Row
    found = [edition_of(row) for row in connection.execute(f"{SELECT_EDITIONS} ORDER BY id")]
    assert [each.answer and each.answer.agrees for each in found] == [True, None, None, None, None]
    assert connection.execute("SELECT count(*), count(place_name) FROM history").fetchone()[0] == 5
