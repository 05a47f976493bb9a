"""One carbon node per domain: claim it, and recognise a living rival.

Two ways, because neither is enough. Within one network namespace a claimed socket name decides at
once, and ends with its process. Elsewhere discovery has to tell, and its single answer to a new
participant may be lost: then only the next periodic announcement does, some seconds later.

Discovery also knows a participant until its lease ends, so a node that is started again at once may
still be shown its own dead predecessor. The process is therefore named in a participant property,
down to its PID namespace: within the same namespace, whether it lives can be looked up.
"""

import os
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from carbon_node.errors import NodeAlreadyPresent
from carbon_node.wire.contract import NODE_NAME, Peer

_PROCESS = "carbon_node.process"
_STARTED = "carbon_node.started_ns"
_CLAIM = frozenset({_PROCESS, _STARTED})
_CLAIMS = "carbon_node/domain/"
# A zero octet, which marks a name that is no path, is printed as "@".
_CLAIMED = re.compile(rf" @{_CLAIMS}([0-9]{{1,3}})$", re.MULTILINE)
_SOCKETS = Path("/proc/net/unix")
_TIME = re.compile(r"[0-9]{1,20}")


@contextmanager
def claimed(domain: int) -> Iterator[None]:
    """Be the only carbon node of a domain in this network namespace.

    Args:
        domain: DDS domain id.

    Raises:
        NodeAlreadyPresent: another process has claimed the domain; the message names it.
    """
    name = f"\0{_CLAIMS}{domain}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as claim:
        try:
            claim.bind(name)
        except OSError as error:
            raise already_present(domain, [f"process {_owner(name)} on this host"]) from error
        claim.listen()
        yield


def claimed_domains() -> tuple[int, ...]:
    """Find the domains of the carbon nodes in this network namespace, lowest first."""
    try:
        sockets = _SOCKETS.read_text(errors="replace")
    except OSError:
        # Without /proc nothing is known.
        return ()
    return tuple(sorted({int(domain) for domain in _CLAIMED.findall(sockets)}))


def already_present(domain: int, rivals: Iterable[str]) -> NodeAlreadyPresent:
    """Return the error that names the other nodes of a domain.

    Args:
        domain: DDS domain id.
        rivals: descriptions of the other nodes.
    """
    return NodeAlreadyPresent(
        f"domain {domain} has a carbon node already: {', '.join(rivals)}; "
        "stop it, or choose another domain with --domain"
    )


def properties(started_ns: int) -> tuple[tuple[str, str], ...]:
    """Describe this process to other nodes.

    Args:
        started_ns: when it started, nanoseconds since the epoch; of two that start at once, the
            older stays.

    Returns:
        Participant properties to propagate.
    """
    return ((_PROCESS, f"{_namespace()}/{os.getpid()}"), (_STARTED, str(started_ns)))


def rivals(peers: Iterable[Peer], started_ns: int, *, is_running: bool) -> tuple[str, ...]:
    """Find living carbon nodes that were here before this one.

    Args:
        peers: the other participants of the domain.
        started_ns: when this process started, nanoseconds since the epoch.
        is_running: whether this node answers tasks already. Then it does not yield to a participant
            that says nothing of itself, as another implementation does: whoever takes its name
            could say as much.

    Returns:
        A description of each, for people.
    """
    return tuple(
        f"{known.get(_PROCESS, 'another implementation')} (GUID {peer.guid})"
        for peer, known in _namesakes(peers)
        if (_is_earlier(known, started_ns) if known.keys() & _CLAIM else not is_running)
    )


def unverified(peers: Iterable[Peer]) -> tuple[str, ...]:
    """Find participants with this node's name that do not say, or not properly, since when.

    Returns:
        The GUID of each.
    """
    return tuple(peer.guid for peer, known in _namesakes(peers) if _started_ns(known) is None)


def _namesakes(peers: Iterable[Peer]) -> list[tuple[Peer, dict[str, str]]]:
    return [(peer, dict(peer.properties)) for peer in peers if peer.name == NODE_NAME]


def _is_earlier(known: dict[str, str], started_ns: int) -> bool:
    since_ns = _started_ns(known)
    return since_ns is not None and since_ns <= started_ns and _is_alive(known.get(_PROCESS, ""))


def _owner(name: str) -> int:
    """PID of the process that listens on a socket name; 0 if it has just ended."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(name)
        except OSError:
            return 0
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid


def _namespace() -> str:
    # Containers share the host's name; their process ids mean nothing outside their namespace.
    return f"{socket.gethostname()}/{Path('/proc/self/ns/pid').readlink()}"


def _is_alive(process: str) -> bool:
    namespace, _, pid = process.rpartition("/")
    if namespace != _namespace() or not pid.isdecimal():
        return True
    return Path("/proc", pid).exists()


def _started_ns(known: dict[str, str]) -> int | None:
    """Time of the start; None for what no node of ours says, be it thousands of digits."""
    started = known.get(_STARTED, "")
    return int(started) if _TIME.fullmatch(started) else None
