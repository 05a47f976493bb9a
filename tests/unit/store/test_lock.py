"""One node per state directory, for as long as the directory is the one that was locked."""

import os
import socket
from pathlib import Path

import pytest

from carbon_node.errors import StateDirectoryInUse
from carbon_node.store.lock import LOCK_NAME, StateLock


def test_a_second_holder_is_refused_and_hears_of_the_first(tmp_path: Path) -> None:
    """Until it is given back; the file stays, and only its user may read it."""
    first = StateLock.acquire(tmp_path)
    holder = f"carbon node pid {os.getpid()} on {socket.gethostname()}"
    for _ in range(2):
        with pytest.raises(StateDirectoryInUse, match=f"{tmp_path} belongs to {holder}; stop"):
            StateLock.acquire(tmp_path)
    first.release()
    StateLock.acquire(tmp_path).release()
    assert (tmp_path / LOCK_NAME).stat().st_mode & 0o777 == 0o600


def test_a_longer_name_of_an_earlier_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    """The message quotes one holder."""
    (tmp_path / LOCK_NAME).write_text("carbon node pid 1234567 on " + "x" * 100)
    lock = StateLock.acquire(tmp_path)
    assert (tmp_path / LOCK_NAME).read_text().splitlines() == [
        f"carbon node pid {os.getpid()} on {socket.gethostname()}"
    ]
    lock.release()


def test_a_lock_on_a_file_that_is_gone_keeps_nobody_out(tmp_path: Path) -> None:
    """Whoever holds it can see that, whether or not another file has its name now."""
    lock = StateLock.acquire(tmp_path)
    seen = [lock.is_in_place]
    (tmp_path / LOCK_NAME).unlink()
    seen.append(lock.is_in_place)
    other = StateLock.acquire(tmp_path)
    assert [*seen, lock.is_in_place, other.is_in_place] == [True, False, False, True]
    lock.release()
    other.release()


def test_a_directory_that_is_missing_is_the_systems_error(tmp_path: Path) -> None:
    """The store says what to do about it."""
    with pytest.raises(FileNotFoundError):
        StateLock.acquire(tmp_path / "none")
