"""Listening: from an address to a served local interface, inside the loop that runs already."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from carbon_node.errors import ConfigError
from carbon_node.http.address import Address, TcpAddress, UnixAddress, exposure, parse_address
from carbon_node.http.view import NodeView
from carbon_node.observability.metrics import Metrics

if TYPE_CHECKING:
    from carbon_node.http.connection import Connections

BACKLOG = 32
"""Connections that wait to be accepted."""

SOCKET_MODE = 0o660
"""Permissions of a Unix socket: its owner and group may read what the node shows."""


class HttpInterface:
    """Serves the local interface; no signal handler, and no wake-up while nobody asks.

    Args:
        address: where to listen; None serves nothing.
        view: what is shown.
        metrics: what is counted.
        token: reads what requests have to carry, empty for nothing, when the interface starts;
            raises ConfigError.
    """

    def __init__(
        self,
        address: Address | None,
        view: NodeView,
        metrics: Metrics,
        token: Callable[[], str] = lambda: "",
    ) -> None:
        self._address = address
        self._view = view
        self._metrics = metrics
        self._token = token
        self._has_token = False
        self._server: asyncio.Server | None = None
        self._connections: Connections | None = None

    @property
    def listens_at(self) -> str | None:
        """Where clients reach it, in the form of `http_listen`; None while they cannot."""
        if self._server is None:
            return None
        if isinstance(self._address, UnixAddress):
            return str(self._address)
        host, port = self._server.sockets[0].getsockname()[:2]
        return str(TcpAddress(host, port))

    @property
    def exposure(self) -> str | None:
        """Why strangers can read what is shown; None if they cannot, or while nothing is served."""
        where = self.listens_at
        return None if where is None else exposure(parse_address(where), has_token=self._has_token)

    async def start(self) -> str | None:
        """Begin to serve.

        Imports for about 0.1 s in a thread: call it when the node is ready already.

        Returns:
            None, or why the node goes on without the interface.
        """
        if self._address is None:
            return None
        try:
            connections = await asyncio.to_thread(self._new_connections, self._address)
        except ConfigError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # libraries are imported, which may raise anything
            return (
                f"it cannot be loaded ({type(error).__name__}: {error}); "
                "install carbon-node again, or set http_listen to off"
            )
        try:
            listener = await _listener(self._address)
        except OSError as error:
            return f"cannot listen at {self._address}: {error.strerror or error}"
        loop = asyncio.get_running_loop()
        self._connections = connections
        self._server = await loop.create_server(connections.accept, sock=listener, backlog=BACKLOG)
        return None

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is None or self._connections is None:
            return
        self._server.close()
        self._server = None
        if isinstance(self._address, UnixAddress):
            self._address.path.unlink(missing_ok=True)
        await self._connections.close()

    def _new_connections(self, address: Address) -> "Connections":
        # Here, because they bring starlette, uvicorn and prometheus-client.
        from carbon_node.http.app import application
        from carbon_node.http.connection import Connections

        host = address.host if isinstance(address, TcpAddress) else ""
        token = self._token()
        self._has_token = bool(token)
        return Connections(application(self._view, self._metrics, host, token))


async def _listener(address: Address) -> socket.socket:
    match address:
        case UnixAddress(path):
            _remove_stale(path)
            return _listening(socket.AF_UNIX, str(path), mode=SOCKET_MODE)
        case TcpAddress(host, port):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            family, _, _, _, where = found[0]
            return _listening(family, where)


def _listening(
    family: int, where: str | tuple[object, ...], mode: int | None = None
) -> socket.socket:
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(socket.socket(family, socket.SOCK_STREAM))
        if family != socket.AF_UNIX:
            # Else connections of the last run keep the port for a minute.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(where)
        if mode is not None:
            Path(str(where)).chmod(mode)
        listener.listen(BACKLOG)
        undo.pop_all()
        return listener


def _remove_stale(path: Path) -> None:
    """Remove the socket of a node that ended without doing so; a living one stays."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        is_stale = probe.connect_ex(str(path)) == errno.ECONNREFUSED
    if is_stale:
        path.unlink()
