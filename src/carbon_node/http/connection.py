"""Connections of the local interface, bounded in number, lifetime and header bytes.

uvicorn bounds none of these by itself: a client that sends its request byte by byte, or never reads
the answer, would hold its connection for ever. Its protocol is made as its own server makes it, and
stands behind one that bounds the connection: nothing of it is subclassed.
"""

import asyncio
from collections import deque

import uvicorn
from starlette.types import ASGIApp
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
        self._open: deque[_Bounded] = deque()

    def accept(self) -> asyncio.Protocol:
        """Return the protocol of one more connection."""
        # The class is known to be a protocol only; these are the arguments of uvicorn's server.
        served = self._config.http_protocol_class(
            config=self._config,  # type: ignore[call-arg]
            server_state=self._state,
            app_state={},
        )
        return _Bounded(served, self._open)

    async def close(self) -> None:
        """Cut every connection and wait for the requests in progress to notice."""
        for connection in tuple(self._open):
            connection.cut()
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=1.0)


class _Bounded(asyncio.Protocol):
    """Stands between a connection and the protocol that serves it.

    Args:
        served: gets all that happens to the connection.
        opened: all open connections, oldest first.
    """

    def __init__(self, served: asyncio.Protocol, opened: "deque[_Bounded]") -> None:
        self._served = served
        self._open = opened
        self._transport: asyncio.BaseTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(LIFETIME_S, self.cut)
        self._served.connection_made(transport)
        self._open.append(self)
        if len(self._open) > CONNECTION_LIMIT:
            self._open[0].cut()

    def data_received(self, data: bytes) -> None:
        self._served.data_received(data)

    def eof_received(self) -> bool | None:
        return self._served.eof_received()

    def pause_writing(self) -> None:
        self._served.pause_writing()

    def resume_writing(self) -> None:
        self._served.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._served.connection_lost(exc)

    def cut(self) -> None:
        """End the connection without waiting for its peer."""
        self._forget()
        if isinstance(self._transport, asyncio.WriteTransport):
            self._transport.abort()

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self in self._open:
            self._open.remove(self)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        # Every other line of uvicorn's is about what some client did.
        log_level="error",
        access_log=False,
        # Else uvicorn reads the environment, here and in the next line.
        workers=1,
        forwarded_allow_ips="",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=HEADER_LIMIT_BYTES,
    )
