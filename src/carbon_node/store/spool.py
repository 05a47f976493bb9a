"""Bytes that wait in private files instead of memory."""

import itertools
import os
import shutil
import weakref
from pathlib import Path

SPOOL_NAME = "waiting-models"


class Spooled:
    """Bytes in a file, which goes with this object.

    Args:
        path: the file.
        size_bytes: how many there are.
    """

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self.size_bytes = size_bytes
        weakref.finalize(self, path.unlink, missing_ok=True)

    def open(self) -> int:
        """Return a new file descriptor that reads the bytes from their start; blocks.

        It stays good when this object and its file are gone.

        Raises:
            OSError: they cannot be read.
        """
        return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)


class FileSpool:
    """Keeps bytes in the state directory, in files that only this user can read.

    Args:
        directory: state directory of this process alone.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory / SPOOL_NAME
        self._numbers = itertools.count(1)

    def clear(self) -> None:
        """Remove what a killed predecessor left."""
        shutil.rmtree(self._directory, ignore_errors=True)

    def put(self, octets: bytes | memoryview) -> Spooled:
        """Write bytes to a file; blocks.

        Raises:
            OSError: they cannot be written; nothing is left of them.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._directory / str(next(self._numbers))
        try:
            path.touch(mode=0o600)
            path.write_bytes(octets)
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return Spooled(path, len(octets))
