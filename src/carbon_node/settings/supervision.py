"""How whoever started the node wants to hear from it: sd_notify(3) and sd_watchdog_enabled(3)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Supervision:
    """What the supervisor asked for.

    Args:
        notify_socket: address of its notification socket, empty if nobody listens.
        watchdog_usec: microseconds within which it wants a sign of life; None if it wants none.
    """

    notify_socket: str = ""
    watchdog_usec: int | None = None


def supervision(environ: Mapping[str, str] | None = None) -> Supervision:
    """Read what the supervisor asked for; what makes no sense counts as not asked.

    Args:
        environ: the environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    return Supervision(environ.get("NOTIFY_SOCKET", ""), _watchdog_usec(environ))


def _watchdog_usec(environ: Mapping[str, str]) -> int | None:
    # The variables are inherited: a watchdog that is meant for a parent must not be fed from here.
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    text = environ.get("WATCHDOG_USEC", "")
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(2**63))
    return int(text) or None if is_number else None
