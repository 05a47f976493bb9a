"""CarbonTracker in guarded child processes."""

from carbon_node.tracking.config import Limits, TrackerConfig, Unmetered, devices_of
from carbon_node.tracking.failures import FailureName
from carbon_node.tracking.models import is_runnable
from carbon_node.tracking.pool import TrackerPool

__all__ = [
    "FailureName",
    "Limits",
    "TrackerConfig",
    "TrackerPool",
    "Unmetered",
    "devices_of",
    "is_runnable",
]
