"""DDS domain ids for tests."""

import itertools
import os
import socket

DOMAINS = range(1, 101)
"""Above these, the ports of a domain reach into those that Linux hands out to any program."""

_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

# Each of several processes of one run has domains of its own: two would find the same one unused.
_own = DOMAINS[_WORKER::_WORKERS]
_start = itertools.count(os.getpid() * 7)


def fresh_domain() -> int:
    """Find a domain that no other test uses, in this process or in one beside it."""
    candidates = (_own[next(_start) % len(_own)] for _ in _own)
    return next(domain for domain in candidates if _is_unused(domain))


def _is_unused(domain: int) -> bool:
    # The first participant of a domain holds this port of the RTPS port formula.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", 7410 + 250 * domain))
        except OSError:
            return False
    return True
