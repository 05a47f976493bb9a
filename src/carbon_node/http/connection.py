"""Connections of the local interface, bounded in number, lifetime and header bytes.

uvicorn bounds none of these by itself: a client that sends its request byte by byte, or never reads
the answer, would hold its connection for ever.
"""

import asyncio
from collections import deque

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

CONNECTION_LIMIT = 64
"""Open connections; one more closes the oldest, so that a flood cannot lock others out."""

LIFETIME_S = 10.0
"""Seconds after which a connection is cut, whatever it does; no answer here takes that long."""

KEEP_ALIVE_S = 5
"""Seconds that a connection may wait for its next request."""

HEADER_LIMIT_BYTES = 16 * 1024
"""Bytes of request line and headers that are buffered while they are incomplete."""


class Connections:
    """Makes the protocol of every accepted connection, and ends all of them at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = _config(app)
        self._config.load()
        self._state = ServerState()
        self._open: deque[_BoundedProtocol] = deque()

    def accept(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""
        return _BoundedProtocol(self._config, self._state, self._open)

    async def close(self) -> None:
        """Cut every connection and wait for the requests in progress to notice."""
        for connection in tuple(self._open):
            connection.cut()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=1.0)


class _BoundedProtocol(H11Protocol):
    def __init__(
        self, config: uvicorn.Config, state: ServerState, opened: "deque[_BoundedProtocol]"
    ) -> None:
        super().__init__(config, state, {})
        self._open = opened
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(LIFETIME_S, self.cut)
        self._open.append(self)
        if len(self._open) > CONNECTION_LIMIT:
            self._open[0].cut()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._forget()

    def cut(self) -> None:
        """End the connection without waiting for its peer."""
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self in self._open:
            self._open.remove(self)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_BoundedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",  # every other line of uvicorn's is about what some client did
        access_log=False,
        workers=1,  # else uvicorn reads the environment, here and in the next line
        forwarded_allow_ips="",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
    )
