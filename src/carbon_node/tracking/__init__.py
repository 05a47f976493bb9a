"""CarbonTracker in guarded child processes.

`pool` is imported by itself: settings and commands know this room without asyncio and a forkserver.
"""

from carbon_node.tracking.config import Limits, TrackerConfig, Unmetered, devices_of
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import is_runnable

__all__ = [
    "FailureName",
    "Limits",
    "TrackerConfig",
    "Unmetered",
    "devices_of",
    "is_runnable",
]
