"""Runs a program with restrictions that bubblewrap lacks: `sandbox_enter.py JSON COMMAND...`.

Standard library and libseccomp only. Called by `sandbox.sandboxed`, inside the mounts it made.
"""

import ctypes
import errno
import json
import mmap
import os
import resource
import socket
import sys
from typing import Any

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_EQUAL, _AT_LEAST, _MASKED_EQUAL = 4, 5, 7
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
# Mount, then cgroup to net.
_NEW_NAMESPACES = (0x20000, *(1 << bit for bit in range(25, 31)))
_HIGHEST_FAMILY = 64
_SHM_EXEC = 0o100000


class _Condition(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class _Filter:
    """A seccomp filter; `default` applies where no rule does."""

    def __init__(self, default: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def add(self, action: int, name: str, *conditions: tuple[int, int, int, int]) -> None:
        """Add a rule; a system call that this kernel does not have is left out."""
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:
            return
        rules = (_Condition * max(len(conditions), 1))(*(_Condition(*rule) for rule in conditions))
        failed = self._library.seccomp_rule_add_array(
            self._context, ctypes.c_uint32(action), number, len(conditions), rules
        )
        if failed:
            raise OSError(-failed, f"rule for {name}")

    def load(self) -> None:
        """Put the filter in force for this process and what it starts."""
        if failed := self._library.seccomp_load(self._context):
            raise OSError(-failed, "seccomp_load")


def _restrict_arguments(families: list[str]) -> None:
    """Refuse what depends on arguments: address families, namespaces, real time, code."""
    calls = _Filter(_ALLOW)
    known = {int(getattr(socket, name)) for name in families}
    for family in set(range(_HIGHEST_FAMILY)) - known:
        calls.add(_ERRNO | errno.EAFNOSUPPORT, "socket", (0, _EQUAL, family, 0))
    calls.add(_ERRNO | errno.EAFNOSUPPORT, "socket", (0, _AT_LEAST, _HIGHEST_FAMILY, 0))
    for flag in _NEW_NAMESPACES:
        calls.add(_ERRNO | errno.EPERM, "clone", (0, _MASKED_EQUAL, flag, flag))
    calls.add(_ERRNO | errno.ENOSYS, "clone3")
    for name in ("unshare", "setns", "personality"):
        calls.add(_ERRNO | errno.EPERM, name)
    writable_code = mmap.PROT_WRITE | mmap.PROT_EXEC
    calls.add(_ERRNO | errno.EPERM, "mmap", (2, _MASKED_EQUAL, writable_code, writable_code))
    for name in ("mprotect", "pkey_mprotect"):
        condition = (2, _MASKED_EQUAL, mmap.PROT_EXEC, mmap.PROT_EXEC)
        calls.add(_ERRNO | errno.EPERM, name, condition)
    for policy in (os.SCHED_FIFO, os.SCHED_RR):
        calls.add(_ERRNO | errno.EPERM, "sched_setscheduler", (1, _EQUAL, policy, 0))
    calls.add(_ERRNO | errno.EPERM, "shmat", (2, _MASKED_EQUAL, _SHM_EXEC, _SHM_EXEC))
    calls.load()


def _allow_only(names: list[str]) -> None:
    calls = _Filter(_ERRNO | errno.EPERM)
    for name in names:
        calls.add(_ALLOW, name)
    calls.load()


def _become(user_id: int) -> None:
    library = ctypes.CDLL(None)
    for capability in range(64):
        library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(user_id, user_id, user_id)
    os.setresuid(user_id, user_id, user_id)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _limit(files: int, data_gib: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (data_gib << 30, data_gib << 30))


def main() -> None:
    """Restrict this process, then become the command."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    _limit(wanted["files"], wanted["data_gib"])
    os.umask(int(wanted["umask"], 8))
    _become(wanted["user_id"])
    _restrict_arguments(wanted["families"])
    _allow_only(wanted["system_calls"])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606  # no shell is the point


if __name__ == "__main__":
    main()
