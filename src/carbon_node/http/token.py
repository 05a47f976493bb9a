"""The token that requests have to carry, if the operator wants one: a secret in a file of its own.

A file, because a command line and an environment are seen by others, and because systemd and
container platforms hand secrets out as files.
"""

import hmac
import os
import stat
from pathlib import Path

from carbon_node.errors import ConfigError

SHORTEST_CHARS = 16
"""A shorter token can be guessed over the network."""

LONGEST_CHARS = 4096

_FORBIDDEN = stat.S_IWGRP | stat.S_IRWXO
"""Others may do nothing with the file, and its group may read it only: whoever is in it may ask.
systemd shows the access that a service has to its credentials as that of the group."""


def read_token(path: Path) -> str:
    """Return the token in a file, without the white space around it.

    Raises:
        ConfigError: it cannot be read, is open to others, or is no token.
    """
    try:
        content, mode = _read(path)
    except OSError as error:
        raise ConfigError(
            f"http_token_file {path} cannot be read: {error.strerror}; give the user of this "
            "process access to it"
        ) from error
    if not stat.S_ISREG(mode):
        raise ConfigError(f"http_token_file {path} is no file")
    if mode & _FORBIDDEN:
        raise ConfigError(
            f"http_token_file {path} is open to others (mode {stat.S_IMODE(mode):04o}): "
            f"chmod g-w,o= {path}"
        )
    token = content.decode("ascii", errors="replace").strip()
    is_visible = token.isascii() and token.isprintable() and " " not in token
    if not is_visible or not SHORTEST_CHARS <= len(token) <= LONGEST_CHARS:
        raise ConfigError(
            f"http_token_file {path} holds no token: write {SHORTEST_CHARS} to {LONGEST_CHARS} "
            "visible ASCII characters, such as 'openssl rand -hex 32' prints"
        )
    return token


def is_authorized(token: str, authorization: str) -> bool:
    """Whether a request may be answered; takes the same time whatever it carries.

    Args:
        token: the token; empty if none is asked for.
        authorization: the request's header of that name; empty without.
    """
    if not token:
        return True
    scheme, _, given = authorization.partition(" ")
    is_same = hmac.compare_digest(given.strip().encode(errors="replace"), token.encode())
    return scheme.lower() == "bearer" and is_same


def _read(path: Path) -> tuple[bytes, int]:
    # Not blocking: opening a pipe that nobody writes would last for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(descriptor).st_mode
        return (os.read(descriptor, LONGEST_CHARS + 2) if stat.S_ISREG(mode) else b""), mode
    finally:
        os.close(descriptor)
