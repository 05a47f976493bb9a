"""State directories, a large history, and what a store says and does."""

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.samples import MANY, Steps, edition

from carbon_node.store import Health
from carbon_node.store.database import DATABASE_NAME, Database


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory that does not exist yet."""
    return tmp_path / "state"


@pytest.fixture
def told() -> list[Health]:
    """Collects what a store says: give its `append` as `notify`."""
    return []


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


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory with 100,000 results."""
    directory = tmp_path_factory.mktemp("large")
    with closing(Database.open(directory / DATABASE_NAME)) as database:
        database.write([edition(1)])
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
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
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
