"""Memory that is not used goes back to the system."""

import gc
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.process_memory import memory_bytes

from carbon_node.daemon.heap import give_back, settle


@pytest.fixture
def thawed() -> Iterator[None]:
    """Leave the garbage collector as it was."""
    yield
    gc.unfreeze()


def test_freed_memory_is_given_back() -> None:
    """What lies below something that lasts is returned too, which freeing alone does not do."""
    held = [bytes(4_000) for _ in range(10_000)]
    lasting = bytes(4_000)
    before_bytes = memory_bytes(os.getpid(), "VmRSS")
    held.clear()

    give_back()

    assert before_bytes - memory_bytes(os.getpid(), "VmRSS") > 30_000_000
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


def test_large_memory_is_returned_at_once() -> None:
    """What models took is not kept for the next ones, however many came before."""
    script = (
        "from pathlib import Path\n"
        "from carbon_node.daemon import heap\n"
        "heap.keep_large_apart()\n"
        "def resident_mb():\n"
        "    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6\n"
        "before_mb = resident_mb()\n"
        "for _ in range(3):\n"
        "    model = b'1' * 16_000_000\n"
        "    del model\n"
        "print(resident_mb() - before_mb)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert float(done.stdout) < 8
