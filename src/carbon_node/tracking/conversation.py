"""A connection to the keeper of one measurement: one job goes out, one report comes back."""

import asyncio
import os
import signal
import socket
from contextlib import suppress
from typing import Final, Self

from carbon_node.tracking.messages import (
    HEADER,
    Job,
    Json,
    Report,
    body_length,
    frame,
    job_to_json,
    parse,
    report_from_json,
)

REPORT_LIMIT_BYTES: Final = 1 << 20
"""A result and two tails, as JSON."""


class Conversation:
    """A connection to the keeper of one measurement, for the event loop that opened it.

    Args:
        reader: what the keeper says.
        writer: what it is told; closing it ends the measurement at once.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self.keeper_pid: int | None = None

    @classmethod
    async def over(cls, connection: socket.socket) -> Self:
        """Return a conversation over our end of a connected pair of sockets."""
        connection.setblocking(False)  # noqa: FBT003 - the socket's own interface
        return cls(*await asyncio.open_unix_connection(sock=connection))

    def hand_over(self, job: Job) -> None:
        """Send the job; it waits in the connection until a keeper takes it up."""
        self._writer.write(frame(job_to_json(job)))

    async def greeting(self) -> None:
        """Wait until a keeper has taken the job up.

        Raises:
            EOFError: none will.
            ConnectionError: none will.
        """
        self.keeper_pid = int((await self._message())["keeper"])

    async def report(self) -> Report:
        """Return what became of the job.

        Raises:
            EOFError: the keeper ended without a report.
            ConnectionError: the keeper ended without a report.
        """
        return report_from_json(await self._message())

    async def stop(self) -> None:
        """Have the keeper end the measurement with SIGTERM and grace; return when it has ended."""
        self._writer.write(b"s")
        await self._reader.read()

    def kill_keeper(self) -> None:
        """Kill a keeper that does not answer: its connection is open, so its id is its own."""
        if self.keeper_pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.keeper_pid, signal.SIGKILL)

    def close(self) -> None:
        """End the conversation; a measurement that still runs is killed by its keeper."""
        self._writer.transport.abort()

    async def _message(self) -> Json:
        header = await self._reader.readexactly(HEADER.size)
        return parse(await self._reader.readexactly(body_length(header, REPORT_LIMIT_BYTES)))
