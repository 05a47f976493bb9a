"""What the system has to grant."""

import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

from carbon_node.daemon.limits import ADDRESS_SPACE_BYTES, OPEN_FILES, check
from carbon_node.errors import DaemonError

ENOUGH = {resource.RLIMIT_NOFILE: OPEN_FILES, resource.RLIMIT_AS: ADDRESS_SPACE_BYTES}
ENDLESS = dict.fromkeys(ENOUGH, resource.RLIM_INFINITY)

Grant = Callable[[dict[int, int]], None]


@pytest.fixture
def grant(monkeypatch: pytest.MonkeyPatch) -> Grant:
    """Grant this process so much; lowering its own limits could not be undone."""

    def granted(limits: dict[int, int]) -> None:
        monkeypatch.setattr(resource, "getrlimit", lambda which: (limits[which],) * 2)

    return granted


@pytest.mark.parametrize("limits", [ENOUGH, ENDLESS])
def test_enough_is_enough(grant: Grant, limits: dict[int, int]) -> None:
    """The least that suffices, and no limit at all, are let through."""
    grant(limits)
    check()


@pytest.mark.parametrize(
    ("which", "said"),
    [
        (resource.RLIMIT_NOFILE, "open files is 63, the node needs 64: .*ulimit -n"),
        (resource.RLIMIT_AS, "address space is 1048575 KiB, the node needs 1048576: .*ulimit -v"),
    ],
)
def test_one_too_few_is_named(grant: Grant, which: int, said: str) -> None:
    """The line says how much is granted, how much is needed, and how to raise it."""
    grant(ENOUGH | {which: ENOUGH[which] - 1})
    with pytest.raises(DaemonError, match=said):
        check()


def test_no_core_dump_is_left_unless_somebody_allows_it() -> None:
    """Only the soft limit is lowered, so that whoever looks for a defect can raise it again."""
    code = (
        "import resource; from carbon_node.daemon import limits; limits.decline_core_dumps();"
        "print(*resource.getrlimit(resource.RLIMIT_CORE))"
    )
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    found = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert found.split() == ["0", str(most)]
