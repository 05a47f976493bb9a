"""Watching one measuring process: its exit, its pipes, its deadline and the node's word."""

import os
import selectors
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from carbon_node.tracking.messages import HEADER, RESULT_LIMIT_BYTES, Job, Report

_CHUNK_BYTES: Final = 64 << 10
_RESULT_WITH_HEADER_BYTES: Final = HEADER.size + RESULT_LIMIT_BYTES


@dataclass(slots=True)
class _Stream:
    """What came through one pipe: its end, and how much it was."""

    kept_bytes: int
    total_bytes: int = 0
    end: bytes = b""

    def take(self, data: bytes) -> None:
        self.total_bytes += len(data)
        self.end = (self.end + data)[-self.kept_bytes :]

    def text(self) -> str:
        return self.end.decode(errors="replace")


class Watch:
    """A running measurement: its process group and the pipes that come from it. For one thread.

    Args:
        node: connection to the node; its end means that the node is gone.
        job: the measurement.
        pid: its process, also the id of its group.
        channels: file descriptors that read its stdout, its stderr and its result; the watch owns
            them.
    """

    def __init__(
        self, node: socket.socket, job: Job, pid: int, channels: tuple[int, int, int]
    ) -> None:
        self._node, self._job, self._pid = node, job, pid
        self._stdout, self._stderr = _Stream(job.tail_bytes), _Stream(job.tail_bytes)
        self._result = _Stream(_RESULT_WITH_HEADER_BYTES + 1)
        self._streams = dict(zip(channels, (self._stdout, self._stderr, self._result), strict=True))
        self._exit = os.pidfd_open(pid)
        self._ended_by = ""
        self._has_exited = self._node_is_gone = self._killed = False
        self._exit_status = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._exit, selectors.EVENT_READ, self._note_exit)
        self._selector.register(node, selectors.EVENT_READ, self._note_stop)
        for channel in channels:
            os.set_blocking(channel, False)
            self._selector.register(channel, selectors.EVENT_READ, partial(self._read, channel))

    def until_it_ends(self) -> None:
        """Return when the measurement has ended, or has to."""
        while not self._ended_by:
            if not self._handle_events_until(self._job.deadline_monotonic_s):
                self._ended_by = "deadline"

    def end_it(self) -> None:
        """End the whole group, with SIGTERM and grace while somebody waits for that."""
        if not self._has_exited and not self._node_is_gone:
            self._ask_it_to_end()
        self._signal_group(signal.SIGKILL)
        self._exit_status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def report(self) -> Report:
        """Return what was seen, once nothing is left that could still write."""
        for channel in list(self._streams):
            while self._read(channel):
                pass
        return Report(
            ended_by=self._ended_by,
            killed=self._killed,
            exit_status=self._exit_status,
            result=self._result.end,
            stdout_tail=self._stdout.text(),
            stderr_tail=self._stderr.text(),
        )

    def _ask_it_to_end(self) -> None:
        self._signal_group(signal.SIGTERM)
        self._signal_group(signal.SIGCONT)  # a stopped process could not heed it
        grace_ends_s = time.monotonic() + self._job.grace_s
        while not self._has_exited and not self._node_is_gone:
            if not self._handle_events_until(grace_ends_s):
                self._killed = True
                return

    def _signal_group(self, number: signal.Signals) -> None:
        # The group's leader is not reaped before the last signal, so the id is still this group's.
        with suppress(
            PermissionError
        ):  # a member that became another user: the leader was signalled
            os.killpg(self._pid, number)

    def _handle_events_until(self, end_monotonic_s: float) -> bool:
        left_s = end_monotonic_s - time.monotonic()
        if left_s <= 0:
            return False
        for key, _ in self._selector.select(left_s):
            key.data()
        return True

    def _note_exit(self) -> None:
        self._has_exited = True
        self._ended_by = self._ended_by or "itself"
        self._selector.unregister(self._exit)

    def _note_stop(self) -> None:
        try:
            self._node_is_gone = not self._node.recv(1)
        except ConnectionResetError:
            self._node_is_gone = True
        self._ended_by = self._ended_by or "stop"
        self._selector.unregister(self._node)

    def _read(self, channel: int) -> bool:
        try:
            data = os.read(channel, _CHUNK_BYTES)
        except BlockingIOError:
            return False
        self._streams[channel].take(data)
        if not data:
            self._selector.unregister(channel)
            del self._streams[channel]
        self._note_excess()
        return bool(data)

    def _note_excess(self) -> None:
        if self._stdout.total_bytes + self._stderr.total_bytes > self._job.output_limit_bytes:
            self._ended_by = self._ended_by or "flood"
        if self._result.total_bytes > _RESULT_WITH_HEADER_BYTES:
            self._ended_by = self._ended_by or "oversized"
