"""Where the local interface listens: a TCP address, a Unix socket, or nowhere."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from carbon_node.errors import ConfigError

OFF = "off"

UNIX_PATH_LIMIT_BYTES = 107
"""Longest path that the kernel takes as the address of a Unix socket."""

_EXPECTED = "expected host:port, [IPv6 address]:port, the absolute path of a Unix socket, or off"


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A TCP address.

    Args:
        host: IP address without brackets, or a host name.
        port: 0..65535; 0 lets the kernel choose.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """The path of a Unix socket."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


Address: TypeAlias = TcpAddress | UnixAddress


def parse_address(text: str) -> Address | None:
    """Return where `http_listen` says to listen, None for `off`.

    Raises:
        ConfigError: the text is none of the accepted forms.
    """
    if text == OFF:
        return None
    if text.startswith(("/", "unix:")):
        return _unix(text)
    host, _, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not host or not (port.isascii() and port.isdecimal()) or int(port[:6]) > 65535:
        raise ConfigError(f"http_listen is {text!r}: {_EXPECTED}")
    return TcpAddress(host, int(port))


def exposure(address: Address | None, *, has_token: bool) -> str | None:
    """Say that strangers can read what the node shows; None if they cannot.

    Args:
        address: where the node listens.
        has_token: whether it answers only those who know its token.
    """
    match address:
        case TcpAddress(host) if not (has_token or _is_loopback(host)):
            return (
                f"anyone who can reach {address} can read results and settings: set "
                "http_token_file, or let http_listen be a loopback address or a Unix socket"
            )
        case _:
            return None


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _unix(text: str) -> UnixAddress:
    path = text.removeprefix("unix:")
    if not path.startswith("/") or "\0" in path or len(path.encode()) > UNIX_PATH_LIMIT_BYTES:
        raise ConfigError(
            f"http_listen is {text!r}: the path of a Unix socket is absolute and has at most "
            f"{UNIX_PATH_LIMIT_BYTES} bytes"
        )
    return UnixAddress(Path(path))
