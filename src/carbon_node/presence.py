"""One carbon node per domain: tell others who this one is, and recognise a living rival.

Discovery knows a participant until its lease ends, so a node that is started again at once may
still be shown its own dead predecessor. The process is therefore named in a participant property,
down to its PID namespace: within the same namespace, whether it lives can be looked up.
"""

import os
import socket
from collections.abc import Iterable
from pathlib import Path

from carbon_node.transport.contract import NODE_NAME, Peer

_PROCESS = "carbon_node.process"
_STARTED = "carbon_node.started_ns"


def properties(started_ns: int) -> tuple[tuple[str, str], ...]:
    """Describe this process to other nodes.

    Args:
        started_ns: when it started, nanoseconds since the epoch; of two that start at once, the
            older stays.

    Returns:
        Participant properties to propagate.
    """
    return ((_PROCESS, f"{_namespace()}/{os.getpid()}"), (_STARTED, str(started_ns)))


def rivals(peers: Iterable[Peer], started_ns: int) -> tuple[str, ...]:
    """Find living carbon nodes that were here before this one.

    Args:
        peers: the other participants of the domain.
        started_ns: when this process started, nanoseconds since the epoch.

    Returns:
        A description of each, for people. A node of other make has no properties and counts as
        earlier.
    """
    nodes = [(peer, dict(peer.properties)) for peer in peers if peer.name == NODE_NAME]
    return tuple(
        f"{known.get(_PROCESS, 'a node of other make')} (GUID {peer.guid})"
        for peer, known in nodes
        if _is_alive(known.get(_PROCESS, "")) and _started_ns(known) <= started_ns
    )


def _namespace() -> str:
    # Containers share the host's name; their process ids mean nothing outside their namespace.
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"


def _is_alive(process: str) -> bool:
    namespace, _, pid = process.rpartition("/")
    if namespace != _namespace() or not pid.isdecimal():
        return True
    return Path("/proc", pid).exists()


def _started_ns(known: dict[str, str]) -> int:
    started = known.get(_STARTED, "")
    return int(started) if started.isdecimal() else 0
