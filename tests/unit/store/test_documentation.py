"""The page on the history says what is so."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.store.samples import answer, summary, task

from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition, State
from carbon_node.store.schema import VERSION
from carbon_node.store.spool import LIMIT_BYTES
from carbon_node.store.store import READ_ATTEMPTS, StoreConfig

PAGE = (Path(__file__).parents[3] / "docs" / "history.md").read_text()


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory with one result."""
    edition = Edition(task(), 1, "d", summary(), 0, State.SAVED, answer(task()), 0)
    with closing(Database.open(tmp_path / DATABASE_NAME)) as database:
        database.write([edition])
    return tmp_path


@pytest.mark.parametrize("table", ["tasks", "published", "sources", "streams"])
def test_every_column_is_described(state_dir: Path, table: str) -> None:
    """In the order of the table, and none that is not there."""
    section = re.split(r"\n`\w+` has ", PAGE.split(f"\n`{table}` has ")[1])[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    described = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    with closing(sqlite3.connect(state_dir / DATABASE_NAME)) as database:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    assert described == columns


def test_schema_number_is_the_current_one() -> None:
    """A migration without its line on the page fails here."""
    assert f"is the number of the schema, now {VERSION}." in PAGE


def test_backup_with_python_is_a_whole_database(state_dir: Path) -> None:
    """The command on the page, run beside an open database, gives a copy that can be opened."""
    command = next(line for line in PAGE.splitlines() if line.startswith("python3 -c"))
    command = command.replace("/backup/", f"{state_dir}/copy-of-")
    with closing(Database.open(state_dir / DATABASE_NAME)) as database:
        database.write([])
        subprocess.run(["bash", "-c", command], cwd=state_dir, check=True)  # noqa: S607
    with closing(Database.open(state_dir / f"copy-of-{DATABASE_NAME}")) as copy:
        assert len(copy.load(task())) == 1


def test_view_in_the_page_is_there(state_dir: Path) -> None:
    """With the columns that the example names, and readable times."""
    query = re.search(r'"(SELECT .* FROM history LIMIT 10)"', PAGE)
    assert query is not None
    with closing(sqlite3.connect(state_dir / DATABASE_NAME)) as database:
        assert database.execute(query[1]).fetchall() == [
            ("1970-01-01T00:00:00.000Z", "resnet50", 2.0)
        ]


def test_the_page_says_how_much_waits_and_how_long_is_tried() -> None:
    """With the bounds of the code."""
    text = " ".join(PAGE.split())
    assert f"All that wait take {LIMIT_BYTES // 2**20} MiB together at most" in text
    assert READ_ATTEMPTS * StoreConfig(None, 1, 1).retry_s == 60
    assert "the node tries again for a minute" in text
