"""Bytes that wait in private files instead of memory, bounded together.

Models arrive before their tasks are complete, and some tasks never are. Bytes whose task is
complete are claimed; when there is no room for more, unclaimed ones go, oldest first.
"""

import errno
import itertools
import os
import shutil
import weakref
from pathlib import Path

SPOOL_NAME = "waiting-models"

LIMIT_BYTES = 512 * 2**20
"""Size of all that waits; a single model may be larger while nothing else waits."""


class Spooled:
    """Bytes in a file, which goes with this object.

    Args:
        path: the file.
        size_bytes: how many there are.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes
        self.is_claimed = False
        """Whether the task that they belong to is complete."""
        self._removal = weakref.finalize(self, path.unlink, missing_ok=True)

    def claim(self) -> None:
        """Keep them, whatever else comes: their task is complete."""
        self.is_claimed = True

    def drop(self) -> None:
        """Remove the file now."""
        self._removal()

    def open(self) -> int:
        """Return a new file descriptor that reads the bytes from their start; blocks.

        It stays good when this object and its file are gone.

        Raises:
            OSError: they cannot be read, or were given up because too many others waited.
        """
        if not self._removal.alive:
            raise OSError(errno.ENOENT, f"given up: more than {LIMIT_BYTES} bytes of models waited")
        return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)


class FileSpool:
    """Keeps bytes in the state directory, in files that only this user can read.

    Args:
        directory: state directory of this process alone.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / SPOOL_NAME
        self._numbers = itertools.count(1)
        self._waiting: weakref.WeakValueDictionary[int, Spooled] = weakref.WeakValueDictionary()

    def clear(self) -> None:
        """Remove what a killed predecessor left."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def put(self, octets: bytes | memoryview) -> Spooled:
        """Write bytes to a file; blocks.

        Returns:
            The bytes; given up already if complete tasks leave no room for them.

        Raises:
            OSError: they cannot be written; nothing is left of them.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = next(self._numbers)
        path = self._directory / str(number)
        if not self._has_room(len(octets)):
            given_up = Spooled(path, len(octets))
            given_up.drop()
            return given_up
        try:
            path.touch(mode=0o600)
            path.write_bytes(octets)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        spooled = self._waiting[number] = Spooled(path, len(octets))
        return spooled

    def _has_room(self, size_bytes: int) -> bool:
        """Make room for bytes, at the cost of those that nobody has claimed; whether there is."""
        waiting = dict(sorted(self._waiting.items()))
        left_bytes = LIMIT_BYTES - size_bytes - sum(each.size_bytes for each in waiting.values())
        for number, spooled in tuple(waiting.items()):
            if left_bytes >= 0:
                break
            if not spooled.is_claimed:
                spooled.drop()
                left_bytes += spooled.size_bytes
                del waiting[number], self._waiting[number]
        return left_bytes >= 0 or not waiting
