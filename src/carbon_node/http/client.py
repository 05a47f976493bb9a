"""Asking a running node through its local interface; the standard library is enough for that."""

import http.client
import socket
from typing import Any

from carbon_node.errors import InterfaceError
from carbon_node.http.address import Address, TcpAddress, UnixAddress
from carbon_node.wire import bounded_json

TIMEOUT_S = 5.0
"""Seconds that a node has to answer."""

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
"""Largest answer that is read; no node sends one."""


def ask(address: Address, path: str, token: str = "") -> Any:  # noqa: ANN401  # what JSON can be
    """Return the JSON that the node at this address answers to GET.

    Args:
        address: where it listens.
        path: what is asked for.
        token: what it wants to be shown; empty for nothing.

    Raises:
        InterfaceError: nobody answers there, or something else than a carbon node.
    """
    connection = _connection(address)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        content = answer.read(ANSWER_LIMIT_BYTES)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise InterfaceError(
            f"no carbon node answers at {address} ({reason}); "
            "start one with 'carbon-node run', or name its address with --http-listen"
        ) from error
    finally:
        connection.close()
    return _content(address, path, answer.status, content)


def _content(address: Address, path: str, status: int, content: bytes) -> Any:  # noqa: ANN401
    try:
        answer = bounded_json.loads(content)
    except ValueError as error:
        raise InterfaceError(f"what answers at {address} is no carbon node") from error
    if status == http.client.UNAUTHORIZED:
        raise InterfaceError(
            f"the node at {address} wants a token: set http_token_file to the file that it has, "
            "or name that file with --http-token-file"
        )
    if status != http.client.OK:
        raise InterfaceError(f"{address}{path} answered {status}: {answer}")
    return answer


def _connection(address: Address) -> http.client.HTTPConnection:
    match address:
        case TcpAddress(host, port):
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        case UnixAddress(path):
            return _UnixConnection(str(path))


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
