"""The database is brought up to date step by step, and never half."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from carbon_node.errors import StoreError
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
