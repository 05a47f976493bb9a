"""The node's handle of its forkserver: started by exec, asked and ended through a socket."""

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from typing import Final, Self

from carbon_node.tracking.config import TrackerConfig

STARTING_LIMIT_S: Final = 60.0
"""Importing CarbonTracker takes a second; what has not answered after this long never will."""

_FIXED_ENVIRONMENT: Final = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    # numpy's OpenBLAS starts threads at import; what forks must have one.
    "OPENBLAS_NUM_THREADS": "1",
}

_log = logging.getLogger(__name__)


class Forkserver:
    """A running forkserver, for the event loop that started it.

    No method blocks for longer than an exec takes.

    Args:
        process: the started program.
        control: socket through which it takes requests; its end ends the program.
    """

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process, self._control = process, control
        self._started_s = time.monotonic()
        self._ended = asyncio.Event()

    @classmethod
    def start(cls, config: TrackerConfig) -> Self:
        """Start one and return at once; requests wait until it has imported CarbonTracker.

        Raises:
            OSError: the system would not start a process.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)  # noqa: FBT003 - the socket's own interface
        with theirs:
            try:
                process = _spawn(theirs, config)
            except OSError:
                ours.close()
                raise
        server = cls(process, ours)
        server._watch_its_end()
        return server

    @property
    def has_ended(self) -> bool:
        """Whether the program has ended, whoever ended it."""
        return self._ended.is_set()

    @property
    def is_overdue(self) -> bool:
        """Whether it has had all the time that it may take to answer its first request."""
        return time.monotonic() - self._started_s > STARTING_LIMIT_S

    def request(self, descriptors: list[int]) -> None:
        """Ask for a keeper that gets copies of these file descriptors.

        Raises:
            OSError: it has ended, or takes no requests.
        """
        socket.send_fds(self._control, [b"k"], descriptors)

    def kill(self) -> None:
        """End it without its cooperation; keepers that it forked go on."""
        self._process.send_signal(signal.SIGKILL)

    async def close(self, patience_s: float) -> None:
        """Let it end after its keepers, and see that it does.

        Args:
            patience_s: how long that may take; then it is killed.
        """
        self._control.close()
        try:
            async with asyncio.timeout(patience_s):
                await self._ended.wait()
        except TimeoutError:
            _log.warning("the forkserver did not end within %g s and was killed", patience_s)
            self.kill()
            await self._ended.wait()

    def _watch_its_end(self) -> None:
        try:
            exit_descriptor = os.pidfd_open(self._process.pid)
        except (
            ProcessLookupError
        ):  # ended, and reaped by a supervisor's child reaper in our process
            self._note_end()
            return
        asyncio.get_running_loop().add_reader(exit_descriptor, self._note_exit, exit_descriptor)

    def _note_exit(self, exit_descriptor: int) -> None:
        asyncio.get_running_loop().remove_reader(exit_descriptor)
        os.close(exit_descriptor)
        self._note_end()

    def _note_end(self) -> None:
        status = self._process.wait()  # does not block: it has ended
        self._ended.set()
        _log.debug("the forkserver ended with status %d", status)
        self._control.close()


def _spawn(control: socket.socket, config: TrackerConfig) -> subprocess.Popen[bytes]:
    descriptor = control.fileno()
    arguments = [str(descriptor), str(os.getpid()), config.workload]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-m", "carbon_node.tracking.forkserver", *arguments],
        env=_environment(config),
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        start_new_session=True,
    )


def _environment(config: TrackerConfig) -> dict[str, str]:
    import_path = os.pathsep.join(filter(None, sys.path))
    return {**_FIXED_ENVIRONMENT, "PYTHONPATH": import_path, **dict(config.environment)}
