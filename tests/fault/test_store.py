"""What must cost no answer: kills, damage, full disks, missing rights, a second node."""

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.disks import fill
from tests.patience import PATIENCE_S
from tests.stores import editions_in, store_config
from tests.unit.store.samples import answer, summary, task

from carbon_node.errors import StateDirectoryInUse
from carbon_node.store import Health, Store, open_store
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Accept, Edition, Save, accept, save
from carbon_node.store.lock import StateLock
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Answered, Compute, ComputeReason
from carbon_node.tasks.key import TaskKey

RETRY_S = 0.02

pytestmark = pytest.mark.anyio

WRITER = """
import asyncio, os, sys
from pathlib import Path
from carbon_node.store import open_store
from tests.stores import store_config
from tests.unit.store.samples import answer, summary, task

async def work(store, number, attempt):
    await store.accept(task(number), "a", summary())
    kept = await store.save(task(number), "a", summary(), answer(task(number), attempt))
    os.write(1, f"{number} {kept.answer.carbon_g}\\n".encode())
    store.mark_published(kept)
    store.mark_acknowledged(kept)

async def main(directory, attempt):
    async with open_store(store_config(Path(directory)), print) as store:
        os.write(1, b"ready\\n")
        for first in range(50 * int(attempt) - 49, 100_000, 5):
            await asyncio.gather(*(work(store, first + n, attempt) for n in range(5)))

asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""


async def _answer(store: Store, key: TaskKey, carbon_g: float = 2.0) -> Kept:
    await store.accept(key, "a", summary())
    return await store.save(key, "a", summary(), answer(key, carbon_g))


@pytest.fixture
def told() -> list[Health]:
    """What the stores of a test report of their health."""
    return []


def _opened(directory: Path, told: list[Health]) -> AbstractAsyncContextManager[Store]:
    return open_store(store_config(directory, retry_s=RETRY_S), told.append)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the disk tells nobody that it has room again
            await asyncio.sleep(RETRY_S / 4)


@contextmanager
def _writer(directory: Path, attempt: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", WRITER, str(directory), str(attempt)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process
        process.kill()


async def test_kill_at_any_moment_loses_no_saved_answer_and_tears_none(
    tmp_path: Path, told: list[Health]
) -> None:
    """What was saved before a SIGKILL is found after it, with the value it was saved with."""
    moments = random.Random(6)  # noqa: S311 - moments, not keys
    saved: dict[int, float] = {}
    for attempt in range(1, 13):
        with _writer(tmp_path, attempt) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(moments.randrange(1, 200))]
            process.kill()
            lines += process.stdout.read().splitlines(keepends=True)
        for number, carbon_g in (map(float, line.split()) for line in lines if line):
            assert saved.setdefault(int(number), carbon_g) == carbon_g

    async with _opened(tmp_path, told) as store:
        editions = await editions_in(store)
        answers = {e.key.task_id.problem_id: e.answer for e in editions if e.answer is not None}
        assert len(answers) == len({e.key for e in editions if e.answer is not None})
        for number, carbon_g in saved.items():
            assert answers[number] == answer(task(number), carbon_g)

    assert told == []
    assert len(saved) > 100


def test_log_that_was_cut_short_leaves_whole_answers(tmp_path: Path) -> None:
    """After power loss the log may end anywhere: what it still says is a whole beginning."""
    whole = tmp_path / "whole"
    whole.mkdir()
    database = Database.open(whole / DATABASE_NAME)
    database.write([])
    expected: list[Edition] = []
    for number in range(1, 21):
        key = task(number)
        edition, _ = accept((), Accept(key, "a", summary(), number))
        edition, _ = save(edition, Save(key, "a", summary(), answer(key, number / 3), number))
        database.write(edition)
        expected += edition
    log = (whole / f"{DATABASE_NAME}-wal").read_bytes()
    counts = []
    for end in (*range(0, len(log), len(log) // 40), len(log)):
        cut = tmp_path / str(end)
        cut.mkdir()
        shutil.copy(whole / DATABASE_NAME, cut)
        (cut / f"{DATABASE_NAME}-wal").write_bytes(log[:end])
        with closing(Database.open(cut / DATABASE_NAME)) as after:
            found = list(after.select("ORDER BY id"))
        assert found == expected[: len(found)]
        counts.append(len(found))
    database.close()
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (0, 20)


async def test_second_process_is_refused_until_the_first_is_killed(
    tmp_path: Path, told: list[Health]
) -> None:
    """The refusal names the first by process id, and a SIGKILL leaves no lock behind."""
    with _writer(tmp_path, 1) as process:
        with pytest.raises(StateDirectoryInUse, match=f"carbon node pid {process.pid} on "):
            async with _opened(tmp_path, told):
                pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        async with _opened(tmp_path, told) as store:
            await editions_in(store, limit=1)
    assert told == []


def _garbage(file: Path) -> None:
    file.write_bytes(b"this is no database" * 1000)


def _shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _zeroed(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    file.write_bytes(content)


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _without_tables(file: Path) -> None:
    file.unlink()
    sqlite = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 1')"
    subprocess.run([sys.executable, "-c", sqlite, str(file)], check=True)


@pytest.mark.parametrize("damage", [_garbage, _shortened, _zeroed, _emptied, _without_tables])
async def test_damaged_database_is_moved_aside(
    tmp_path: Path, damage: Callable[[Path], None], told: list[Health]
) -> None:
    """The node goes on with a new database, and the name of the old one says what happened."""

    async def go_on(store: Store) -> None:
        for number in range(1, 301):
            await store.accept(task(number), "a", summary())
        kept = await _answer(store, task(400))
        assert not store.health.is_degraded
        assert await store.accept(task(400), "a", summary()) == Answered(
            kept, is_acknowledged=False
        )

    async with _opened(tmp_path, told) as store:
        await asyncio.gather(*(_answer(store, task(n)) for n in range(1, 301)))
    told.clear()
    damage(tmp_path / "results.sqlite3")
    async with _opened(tmp_path, told) as store:
        await go_on(store)
    (health,) = told
    assert health.moved_aside is not None
    assert health.moved_aside.is_file()
    assert health.moved_aside.name.startswith("results.sqlite3.damaged-")
    async with _opened(tmp_path, told) as store:
        await go_on(store)
    assert told == [health]


async def test_removed_state_directory_is_made_again(tmp_path: Path, told: list[Health]) -> None:
    """Results do not go on into a file that nobody can find."""
    directory = tmp_path / "state"
    async with _opened(directory, told) as store:
        await _answer(store, task(1))
        shutil.rmtree(directory)
        await _answer(store, task(2))
        assert (directory / "results.sqlite3").is_file()


@pytest.mark.parametrize("removed", ["", "carbon-node.lock"])
async def test_second_process_is_refused_in_a_directory_that_was_removed_and_came_back(
    tmp_path: Path, removed: str, told: list[Health]
) -> None:
    """The node takes the lock of the new directory, or of the new lock file, with its next save."""
    directory = tmp_path / "state"
    async with _opened(directory, told) as store:
        await _answer(store, task(1))
        if removed:
            (directory / removed).unlink()
        else:
            shutil.rmtree(directory)
        await _answer(store, task(2))
        assert not store.health.is_degraded
        with pytest.raises(StateDirectoryInUse, match=f"carbon node pid {os.getpid()} on "):
            StateLock.acquire(directory)
    StateLock.acquire(directory).release()


async def test_damaged_databases_are_bounded_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[Health]
) -> None:
    """A disk that damages its files does not fill with them; the last one stays."""
    monkeypatch.setattr("carbon_node.store.ledger.DAMAGED_LIMIT_BYTES", 100_000)
    for number in range(5):
        (tmp_path / "results.sqlite3").write_bytes(bytes([number]) * 40_000)
        async with _opened(tmp_path, told) as store:
            await _answer(store, task(1))
        health = told.pop()
        assert told == []
        assert health.moved_aside is not None
        os.utime(health.moved_aside, (number, number))
        (tmp_path / "results.sqlite3").unlink()
    # By content: a name may be used again within its second.
    kept = {file.read_bytes()[0] for file in tmp_path.glob("results.sqlite3.damaged-*")}
    assert kept == {3, 4}


async def test_database_of_a_newer_release_is_left_alone(
    tmp_path: Path, told: list[Health]
) -> None:
    """After a downgrade the node answers from memory and says what to do."""
    database = tmp_path / "results.sqlite3"
    sqlite = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('PRAGMA user_version = 9')"
    subprocess.run([sys.executable, "-c", sqlite, str(database)], check=True)
    before = database.read_bytes()
    async with _opened(tmp_path, told) as store:
        kept = await _answer(store, task(1))
        assert await store.accept(task(1), "a", summary()) == Answered(kept, is_acknowledged=False)
    (health,) = told
    assert "use the newer carbon-node" in health.trouble
    assert database.read_bytes() == before


async def test_directory_that_cannot_be_made_is_used_once_it_can(
    tmp_path: Path, told: list[Health]
) -> None:
    """The node starts and answers without a disk, says so, and writes all of it later."""
    directory = tmp_path / "state"
    directory.write_text("in the way")
    async with _opened(directory, told) as store:
        kept = await _answer(store, task(1))
        assert store.health.unwritten == 1
        assert [e.key for e in await editions_in(store, limit=5)] == [task(1)]
        assert await store.accept(task(1), "a", summary()) == Answered(kept, is_acknowledged=False)
        directory.unlink()
        await _until(lambda: not store.health.is_degraded)
        filed = replace(kept, edition=1)
        assert await store.accept(task(1), "a", summary()) == Answered(filed, is_acknowledged=False)
    trouble, recovered = told
    assert "File exists; make it a directory that this user may write" in trouble.trouble
    assert recovered == Health()
    async with _opened(directory, told) as store:
        assert isinstance(await store.accept(task(1), "a", summary()), Answered)
    assert told == [trouble, recovered]


async def test_answers_made_without_knowing_older_ones_are_filed_after_them(
    tmp_path: Path, told: list[Health]
) -> None:
    """What is on a disk that comes back late is neither overwritten nor lost."""
    directory, away = tmp_path / "state", tmp_path / "away"
    async with _opened(directory, told) as store:
        store.mark_acknowledged(await _answer(store, task(1), 1.0))
    directory.rename(away)
    directory.write_text("in the way")
    async with _opened(directory, told) as store:
        await _answer(store, task(1), 2.0)
        directory.unlink()
        away.rename(directory)
        await _until(lambda: not store.health.is_degraded)
        editions = await store.editions(task(1))
        assert [(e.number, e.answer.carbon_g, e.is_superseded) for e in editions if e.answer] == [
            (1, 1.0, True),
            (2, 2.0, False),
        ]


async def test_database_that_another_program_locked_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[Health]
) -> None:
    """Somebody's open transaction in the sqlite3 shell does not stop the node."""
    monkeypatch.setattr("carbon_node.store.database._BUSY_TIMEOUT_S", 0.02)
    async with _opened(tmp_path, told) as store:
        await _answer(store, task(1))
        with closing(sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await _answer(store, task(2))
            assert "end the program that has locked it" in store.health.trouble
            other.execute("COMMIT")
        await _until(lambda: not store.health.is_degraded)
    assert len(told) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
async def test_directory_without_write_permission_is_used_once_there_is(told: list[Health]) -> None:
    """Answers wait in memory until the operator has fixed the permissions."""
    # Others may not enter the directories of pytest.
    shared = Path(tempfile.mkdtemp())
    shared.chmod(0o755)
    try:
        os.seteuid(65534)
        async with _opened(shared, told) as store:
            await _answer(store, task(1))
            assert store.health.is_degraded
            os.seteuid(0)
            shared.chmod(0o777)
            os.seteuid(65534)
            await _until(lambda: not store.health.is_degraded)
        trouble, _ = told
        assert "Permission denied" in trouble.trouble
    finally:
        os.seteuid(0)
        shutil.rmtree(shared)


async def test_full_disk_costs_no_answer(small_disk: Path, told: list[Health]) -> None:
    """Answers go on from memory, what is on disk is still known, and all is written in the end."""
    directory = small_disk / "state"
    async with _opened(directory, told) as store:
        first = await _answer(store, task(1))
        filler = fill(small_disk)
        later = [await _answer(store, task(n)) for n in range(2, 30)]
        assert store.health.is_degraded
        assert "disk is full; free some space" in store.health.trouble
        for kept in (first, *later):
            decision = await store.accept(kept.key, "a", summary())
            assert decision == Answered(kept, is_acknowledged=False)
        filler.unlink()
        await _until(lambda: not store.health.is_degraded)
    assert [health.is_degraded for health in told] == [True, False]
    async with _opened(directory, told) as store:
        assert len(await editions_in(store)) == 29
    assert len(told) == 2


async def test_start_on_a_full_disk_knows_what_was_answered(
    small_disk: Path, told: list[Health]
) -> None:
    """Retained tasks of the last life are not measured and published again."""
    directory = small_disk / "state"
    kept = Kept(task(1), 1, answer(task(1), 1.0))
    with _writer(directory, 1) as process:
        assert process.stdout is not None
        while process.stdout.readline().split()[:1] != [b"1"]:
            pass
    (directory / "results.sqlite3-shm").unlink()
    filler = fill(small_disk)
    async with _opened(directory, told) as store:
        assert store.health.is_degraded
        decision = await store.accept(kept.key, "a", summary())
        assert isinstance(decision, Answered)
        assert decision.kept == kept
        assert await store.accept(task(99_999), "a", summary()) == Compute(ComputeReason.NEW)
        filler.unlink()
        await _until(lambda: not store.health.is_degraded)
