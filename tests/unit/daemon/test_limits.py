"""What the system has to grant."""

import resource
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
