"""Bytes that wait on disk are bounded together."""

import os
from pathlib import Path

import pytest

from carbon_node.store import spool
from carbon_node.store.spool import FileSpool, Spooled

GIVEN_UP = "[Errno 2] given up: more than 100 bytes of models waited"


@pytest.fixture
def small_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileSpool:
    """Return a spool with room for 100 bytes."""
    monkeypatch.setattr(spool, "LIMIT_BYTES", 100)
    return FileSpool(tmp_path)


def content(spooled: Spooled) -> bytes | str:
    """What can be read of bytes, or why nothing can."""
    try:
        descriptor = spooled.open()
    except OSError as error:
        return str(error)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def test_the_oldest_that_nobody_claims_goes_first(small_spool: FileSpool, tmp_path: Path) -> None:
    """Models without a task never fill the disk, and cost no complete task its model."""
    first, second = small_spool.put(b"1" * 40), small_spool.put(b"2" * 40)
    first.claim()
    third = small_spool.put(b"3" * 40)
    fourth = small_spool.put(b"4" * 20)
    kept = [content(each) for each in (first, second, third, fourth)]
    assert kept == [b"1" * 40, GIVEN_UP, b"3" * 40, b"4" * 20]
    assert sum(file.stat().st_size for file in tmp_path.rglob("[0-9]*")) == 100


def test_a_model_for_which_complete_tasks_leave_no_room_is_given_up(small_spool: FileSpool) -> None:
    """What is claimed stays; the newcomer says what became of it when it is needed."""
    claimed = [small_spool.put(b"1" * 50), small_spool.put(b"2" * 50)]
    for each in claimed:
        each.claim()
    assert content(small_spool.put(b"3")) == GIVEN_UP
    assert [content(each) for each in claimed] == [b"1" * 50, b"2" * 50]
    del claimed, each
    assert content(small_spool.put(b"4" * 100)) == b"4" * 100


def test_a_large_model_alone_is_kept(small_spool: FileSpool) -> None:
    """A model above the bound can be measured while no other waits."""
    other = small_spool.put(b"1" * 50)
    assert content(small_spool.put(b"2" * 500)) == b"2" * 500
    assert content(other) == GIVEN_UP


def test_models_fill_the_room_to_the_last_byte(small_spool: FileSpool) -> None:
    """What fits is kept; one byte more costs the oldest its place, and no other."""
    full = [small_spool.put(b"1" * 50), small_spool.put(b"2" * 50)]
    assert [content(each) for each in full] == [b"1" * 50, b"2" * 50]
    assert content(small_spool.put(b"3")) == b"3"
    assert [content(each) for each in full] == [GIVEN_UP, b"2" * 50]


def test_a_spool_makes_its_private_place(tmp_path: Path) -> None:
    """Even below a state directory that is not there yet; a predecessor's models go."""
    models = FileSpool(tmp_path / "state" / "node")
    models.clear()
    waiting = models.put(b"octets")
    assert content(waiting) == b"octets"
    folder = tmp_path / "state" / "node" / "waiting-models"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    models.clear()
    assert not folder.exists()


def test_a_model_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """The error is the disk's, for whoever keeps the model in memory instead."""
    models = FileSpool(tmp_path)
    (tmp_path / "waiting-models").mkdir()
    (tmp_path / "waiting-models" / "1").mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        models.put(b"octets")
    assert content(models.put(b"next")) == b"next"
