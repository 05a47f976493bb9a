"""What the counters of RAPL say, read in a process of its own: only those know CarbonTracker."""

import json
import subprocess
import sys
from typing import Any

import pytest

READING = """
import json, sys, time
from carbontracker.components.cpu import intel
from carbon_node.tracking import meters

script = json.loads(sys.argv[1])
sleep, readings = time.sleep, iter(script["readings_uj"])

class Handler:
    def devices(self):
        return ["cpu:0", "dram:0"]

    def _get_measurements(self):
        given = next(readings, None)
        return given or [int(time.monotonic() * watts * 1e6) for watts in (100.0, 20.0)]

intel.MEASURE_DELAY = 0.1
meters.time.sleep = lambda seconds: sleep(seconds * script["slowness"])
print(json.dumps(meters.mean_powers_w(Handler())))
"""


def powers_w(slowness: float = 1.0, readings_uj: tuple[list[int], ...] = ()) -> Any:  # noqa: ANN401 - JSON
    """Read the powers of a package of 100 W and its memory of 20 W.

    Args:
        slowness: how many times longer than it should the process sleeps.
        readings_uj: what the counters say at first, before they count those powers.
    """
    script = json.dumps({"slowness": slowness, "readings_uj": readings_uj})
    printed = subprocess.run(
        [sys.executable, "-c", READING, script], check=True, capture_output=True
    )
    return json.loads(printed.stdout)


@pytest.mark.parametrize("slowness", [1.0, 5.0])
def test_power_is_energy_over_the_time_that_has_passed(slowness: float) -> None:
    """A host that is too busy to wake the reader in time is charged for no more than it draws."""
    assert powers_w(slowness) == pytest.approx([100.0, 20.0], rel=0.3)


def test_a_counter_that_starts_again_is_read_once_more() -> None:
    """The difference would be negative."""
    found = powers_w(readings_uj=([2**32, 10], [5, 20]))
    assert found == pytest.approx([100.0, 20.0], rel=0.3)


def test_counters_that_run_backwards_tell_nothing() -> None:
    """Zero is refused later: hardware that runs draws power."""
    assert powers_w(readings_uj=([9, 10], [5, 20], [9, 10], [5, 20])) == [0.0, 0.0]
