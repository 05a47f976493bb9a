"""The systemd unit's sandbox without systemd: bubblewrap, and what `sandbox_enter` adds inside.

What is restricted is read from the unit itself, so that the two cannot differ. Left out, because
they need systemd as process 1: the user namespace (a user without capabilities takes its place),
the device ACL, the cgroup's memory limit (a limit of the data segment takes its place), and the
refusal of set-user-id bits.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from carbon_node.cli.service_unit import UnitOptions, unit_text

SERVICE_ID = 61_234
"""User and group id within the sandbox: from the range that systemd uses for dynamic users."""

_ENTER = Path(__file__).with_name("sandbox_enter.py")
_HIDDEN = {"/home": "0755", "/root": "0755", "/tmp": "1777", "/var/tmp": "1777"}  # noqa: S108
"""Directories that are empty within, and their modes there."""

_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # what systemd's PrivateDevices keeps too


def directives() -> dict[str, list[str]]:
    """Return the unit's directives, each with the values of all its lines."""
    found: dict[str, list[str]] = {}
    for line in unit_text(UnitOptions()).splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def sandboxed(
    command: Sequence[str | Path], state: Path, *, user_id: int = SERVICE_ID
) -> list[str]:
    """Return a command that runs another one under the unit's restrictions.

    Skips the test where the machine cannot do that. Descriptors and the environment pass through,
    with the variables that the unit sets; the working directory is `/`, and writable are `state`
    and the private `/tmp` alone. Signals do not pass through: send them to `process_inside`. What
    runs inside has process ids of its own and is killed with the process that this starts.

    Args:
        command: program and arguments; this interpreter's packages and this repository are seen.
        state: directory that stands for the state directory; becomes the user's.
        user_id: numeric id of user and group.
    """
    _skip_unless_possible()
    os.chown(state, user_id, user_id)
    seen = {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])}
    binds = [word for path in sorted(seen) for word in (*_way_to(path), "--ro-bind", path, path)]
    empty = [(mode, path) for path, mode in _HIDDEN.items() if Path(path).is_dir()]
    hidden = [word for mode, path in empty for word in ("--perms", mode, "--tmpfs", path)]
    mounts = ["--ro-bind", "/", "/", "--dev", "/dev", "--bind", _SHARED_MEMORY, _SHARED_MEMORY]
    mounts += ["--proc", "/proc", *hidden, *binds]
    mounts += [*_way_to(str(state)), "--bind", str(state), str(state)]
    enter = [sys.executable, "-I", str(_ENTER), json.dumps(_inner(user_id)), *map(str, command)]
    life = ["--unshare-pid", "--die-with-parent"]
    return ["bwrap", *life, *mounts, *_environment(state), "--chdir", "/", "--", *enter]


def process_inside(sandbox_pid: int) -> psutil.Process:
    """Find the process of the command in the sandbox that a process is."""
    below = psutil.Process(sandbox_pid).children(recursive=True)
    return next(process for process in below if process.uids().real != 0)


def _environment(state: Path) -> list[str]:
    pairs = [tuple(line.split("=", 1)) for line in directives()["Environment"]]
    pairs += [("STATE_DIRECTORY", str(state)), ("HOME", "/")]
    return [word for name, value in pairs for word in ("--setenv", name, value)]


def _way_to(path: str) -> list[str]:
    """Make the directories above a mount point passable where an empty one hides the machine's."""
    above = [str(parent) for parent in reversed(Path(path).parents)]
    made = [
        parent for parent in above if parent.startswith(tuple(_HIDDEN)) and parent not in _HIDDEN
    ]
    return [word for parent in made for word in ("--perms", "0755", "--dir", parent)]


def _inner(user_id: int) -> dict[str, object]:
    unit = directives()
    return {
        "user_id": user_id,
        "umask": unit["UMask"][0],
        "files": int(unit["LimitNOFILE"][0]),
        "data_gib": int(unit["MemoryMax"][0].removesuffix("G")),
        "families": unit["RestrictAddressFamilies"][0].split(),
        "system_calls": sorted(_allowed(unit["SystemCallFilter"])),
    }


def _allowed(filters: list[str]) -> set[str]:
    names: set[str] = set()
    for line in filters:
        words = line.removeprefix("~").split()
        groups = [word for word in words if word.startswith("@")]
        meant = _system_calls(groups) | (set(words) - set(groups))
        names = names - meant if line.startswith("~") else names | meant
    return names


def _system_calls(groups: list[str]) -> set[str]:
    """Return the system calls of systemd's groups, those of the groups within them too."""
    names: set[str] = set()
    for group in groups:
        listed = subprocess.run(
            ["systemd-analyze", "syscall-filter", group],  # noqa: S607  # whichever is installed
            capture_output=True,
            text=True,
            check=True,
        )
        members = [line.strip() for line in listed.stdout.splitlines()[1:]]
        nested = [name for name in members if name.startswith("@")]
        names |= {name for name in members if name and name[0] not in "@#"} | _system_calls(nested)
    return names


def _skip_unless_possible() -> None:
    missing = [tool for tool in ("bwrap", "systemd-analyze") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the sandbox needs {', '.join(missing)}: apt-get install bubblewrap systemd")
    if os.geteuid() != 0:
        pytest.skip("the sandbox needs root: it changes to the user of the service")
    probe = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"bubblewrap does not work here: {done.stderr.strip()}")
