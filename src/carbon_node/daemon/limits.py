"""What the system has to grant before anything is opened, and what the node declines.

Where less is granted, what fails is a matter of chance: an import, a thread, a socket, and inside
Fast DDS the end of the process. So it is asked beforehand.
"""

import resource

from carbon_node.errors import DaemonError

OPEN_FILES = 64
"""An idle node holds some 30 descriptors, each measurement a few more."""

ADDRESS_SPACE_BYTES = 1 << 30
"""A node that has answered 20 tasks reserves about this much, most of it for the stacks and heaps
of its threads; it uses a tenth."""


def check() -> None:
    """Compare this process's limits with what the node needs.

    Raises:
        DaemonError: one is too low.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if _is_below(files, OPEN_FILES):
        raise DaemonError(
            f"the limit on open files is {files}, the node needs {OPEN_FILES}: "
            "raise it with 'ulimit -n', or LimitNOFILE= of the service"
        )
    space_bytes, _ = resource.getrlimit(resource.RLIMIT_AS)
    if _is_below(space_bytes, ADDRESS_SPACE_BYTES):
        raise DaemonError(
            f"the limit on address space is {space_bytes >> 10} KiB, the node needs "
            f"{ADDRESS_SPACE_BYTES >> 10}: raise it with 'ulimit -v', or LimitAS= of the service; "
            "MemoryMax= bounds what it uses"
        )


def decline_core_dumps() -> None:
    """Leave no core dump, now and in child processes: it would hold keys and users' tokens.

    Whoever looks for a defect allows one to the running process: `prlimit --core=unlimited`.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def _is_below(limit: int, needed: int) -> bool:
    return limit != resource.RLIM_INFINITY and limit < needed
