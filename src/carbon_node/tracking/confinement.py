"""What Linux offers to hold a process and all that it starts. For measuring processes only."""

import ctypes
import os
import resource
import signal
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from carbon_node.tracking.config import Limits

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def die_with_parent(parent_pid: int) -> None:
    """Have the kernel kill this process when the thread that started it ends.

    Ends it at once if that has already happened.

    Args:
        parent_pid: who started this process, as seen before it could end.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(0)


def outlive_parent() -> None:
    """Undo `die_with_parent`."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends, so that none can get away."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def hold_stop_signals() -> None:
    """Hold back what a terminal or supervisor sends to all processes: the node says when to end."""
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)


def heed_stop_signals() -> None:
    """Let SIGTERM and SIGINT end this process, also those sent since it was forked."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


def reap_at_once() -> None:
    """Have the kernel drop children when they end, without a word on how they did."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def reap_on_demand() -> None:
    """Undo `reap_at_once`: children stay until they are waited for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def apply_limits(limits: Limits) -> None:
    """Limit what this process and its descendants may take, for good; never dump core."""
    _limit(resource.RLIMIT_CORE, 0)
    if limits.address_space_bytes is not None:
        _limit(resource.RLIMIT_AS, limits.address_space_bytes)
    if limits.file_size_bytes is not None:
        _limit(resource.RLIMIT_FSIZE, limits.file_size_bytes)
    if limits.processes is not None:
        # The kernel counts all tasks of the user, on the whole host: a fixed number would refuse
        # the first thread of a busy user. All tasks of the host are at least the user's.
        _limit(resource.RLIMIT_NPROC, _tasks_of_the_host() + limits.processes)


def live_in(directory: Path) -> None:
    """Make a folder this process's working, home and temporary folder."""
    os.chdir(directory)
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME"):
        os.environ[name] = str(directory)


def see_only_gpus(uuids: Sequence[str]) -> None:
    """Hide every GPU from this process but these; to be called before any library finds GPUs.

    Args:
        uuids: NVIDIA GPUs by their names for CUDA; AMD's are always hidden, as they have no meter.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(uuids)
    os.environ["ROCR_VISIBLE_DEVICES"] = ""
    os.environ["HIP_VISIBLE_DEVICES"] = "-1"


def keep_only(*descriptors: int) -> None:
    """Close every file descriptor above stderr but these."""
    edge = 3
    for descriptor in sorted(descriptors):
        os.closerange(edge, descriptor)
        edge = descriptor + 1
    os.closerange(edge, os.sysconf("SC_OPEN_MAX"))


def end_children(spared: frozenset[int] = frozenset()) -> None:
    """Kill and reap the children of this process, and theirs as they are adopted.

    Only own children are signalled. Unless they are reaped at once, their ids cannot have become
    another process's meanwhile.

    Args:
        spared: process ids of children to leave alone.
    """
    while _has_children() and (doomed := set(_children()) - spared):
        for pid in doomed:
            with suppress(ProcessLookupError):  # likewise
                os.kill(pid, signal.SIGKILL)
        for pid in doomed:
            with suppress(ChildProcessError):  # the kernel was faster: see `reap_at_once`
                os.waitpid(pid, 0)


def remove_directory(directory: Path) -> None:
    """Remove a folder and all in it, also what its owner made unwritable, as far as that goes."""
    closed = [directory]
    while closed:
        folder = closed.pop()
        with suppress(OSError):
            folder.chmod(stat.S_IRWXU)
            closed += [
                entry for entry in folder.iterdir() if entry.is_dir() and not entry.is_symlink()
            ]
    rmtree(directory, ignore_errors=True)


def _prctl(option: int, value: int) -> None:
    # Loaded at the call: ctypes is not needed to import this module.
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value}) failed")


def _limit(kind: int, value: int) -> None:
    _, ceiling = resource.getrlimit(kind)
    allowed = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
    resource.setrlimit(kind, (allowed, allowed))


def _tasks_of_the_host() -> int:
    running_and_all = Path("/proc/loadavg").read_text().split()[3]
    return int(running_and_all.split("/")[1])


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _children() -> Iterator[int]:
    me = os.getpid()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _parent_of(entry) == me:
            yield int(entry.name)


def _parent_of(process: Path) -> int:
    try:
        fields = (process / "stat").read_text()
    except OSError:  # ended meanwhile
        return 0
    return int(fields.rpartition(")")[2].split()[1])
