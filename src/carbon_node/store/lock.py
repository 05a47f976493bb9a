"""One node per state directory."""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from carbon_node.errors import StateDirectoryInUse

LOCK_NAME = "carbon-node.lock"


class StateLock:
    """The right to write in a state directory, from `acquire` to `release`.

    An flock: the kernel releases it with the process, however that ends, so a lock left by SIGKILL
    never has to be broken. The file stays, since removing it would let two processes hold locks on
    two files of one name.
    """

    def __init__(self, file: int, path: Path) -> None:
        self._file = file
        self._path = path

    @property
    def is_in_place(self) -> bool:
        """Whether the locked file still has its name.

        After its directory was removed, nothing keeps another node from locking one of that name.
        """
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except OSError:
            return False

    @classmethod
    def acquire(cls, directory: Path) -> "StateLock":
        """Take the lock without waiting.

        Raises:
            StateDirectoryInUse: another process has it.
            OSError: the lock file cannot be made or locked.
        """
        path = directory / LOCK_NAME
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(file)
            raise StateDirectoryInUse(
                f"{directory} belongs to {holder}; stop that node or set another state_dir"
            ) from error
        except OSError:
            os.close(file)
            raise
        with suppress(OSError):
            # A full disk costs the name of the holder, not the lock.
            os.ftruncate(file, 0)
            os.pwrite(
                file, f"carbon node pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0
            )
        return cls(file, path)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)
