"""DDS domain ids for tests."""

import itertools
import os
import socket

DOMAINS = range(1, 101)
"""Above these, the ports of a domain reach into those that Linux hands out to any program."""

_start = itertools.count(os.getpid() * 7)


def fresh_domain() -> int:
    """Find a domain that no other test uses, in this process or in one beside it."""
    candidates = (DOMAINS[next(_start) % len(DOMAINS)] for _ in DOMAINS)
    return next(domain for domain in candidates if _is_unused(domain))


def _is_unused(domain: int) -> bool:
    # The first participant of a domain holds this port of the RTPS port formula.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", 7410 + 250 * domain))
        except OSError:
            return False
    return True
