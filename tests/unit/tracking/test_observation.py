"""One window under CarbonTracker, in a process of its own: only measuring ones know it."""

import json
import subprocess
import sys

SETTLING = """
import json, time
from carbon_node.tracking.observation import observe, simulated_components

calls = []

def work(seconds):
    calls.append(seconds)
    time.sleep(seconds)
    return 1

observed = observe(0.2, work, simulated_components(300.0), settling_s=0.5)
print(json.dumps([calls[0], observed["inferences"], len(calls)]))
"""


def test_devices_settle_at_work_before_the_window_and_outside_of_it() -> None:
    """The inferences that warm a device up are neither counted nor charged."""
    printed = subprocess.run([sys.executable, "-c", SETTLING], check=True, capture_output=True)
    first_s, inferences, calls = json.loads(printed.stdout.splitlines()[-1])
    assert first_s == 0.5
    assert inferences == calls - 1
