"""A node that is process 1 of a container forks an init that forwards signals and reaps orphans.

The kernel drops signals that process 1 has not prepared for, which makes a node that still starts
deaf to a stop. It also gives process 1 every orphan of the container, and each stays a zombie until
it is reaped. The node cannot do that itself: its children belong to those that started them.
"""

import contextlib
import os
import signal

FORWARDED = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that mean the node."""

_AWAITED = FORWARDED | {signal.SIGCHLD}


def leave_place_of_init() -> int | None:
    """Fork if this is process 1; call it while the process has one thread.

    Returns:
        In the new process, and in one that is not process 1: None, to go on as the node. In process
        1: the exit status of the node, once that has ended.
    """
    if os.getpid() != 1:
        return None
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    node = os.fork()
    if node:
        return _status_of(node)
    # A terminal signals whole groups: the node must not get its Ctrl-C twice.
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
    return None


def _status_of(node: int) -> int:
    # First without a signal: what started this process may have left it ended children.
    while (status := _reap(node)) is None:
        number = signal.sigwait(_AWAITED)
        if number != signal.SIGCHLD:
            # Not reaped yet, so its number is still its own.
            os.kill(node, number)
    return status


def _reap(node: int) -> int | None:
    """Reap everything that has ended; return the node's exit status if it is among that."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == node:
                code = os.waitstatus_to_exitcode(ended[1])
                status = code if code >= 0 else 128 - code
    return status
