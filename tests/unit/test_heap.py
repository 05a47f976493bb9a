"""Memory that is not used goes back to the system."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbon_node.heap import give_back, settle


@pytest.fixture
def thawed() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    yield
    gc.unfreeze()


def resident_kib() -> int:
    """Resident memory of this process."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_freed_memory_is_given_back() -> None:
    """What lies below something that lasts is returned too, which freeing alone does not do."""
    held = [bytes(4_000) for _ in range(10_000)]
    lasting = bytes(4_000)
    before_kib = resident_kib()
    held.clear()

    give_back()

    assert before_kib - resident_kib() > 30_000
    assert len(lasting) == 4_000


@pytest.mark.usefixtures("thawed")
def test_what_the_start_left_is_walked_no_more() -> None:
    """After the start, garbage is gone and everything else is out of the collector's sight."""
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle

    settle()

    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < 1_000
