"""Trackers for tests: bounds that no test comes near unless it names its own."""

from typing import Any

from carbon_node.tracking import Limits, TrackerConfig, Unmetered

LIMITS = Limits(address_space_bytes=8 << 30, processes=256, file_size_bytes=64 << 20)


def tracker_config(**changes: Any) -> TrackerConfig:  # noqa: ANN401 - any field
    """How a test measures; without settings, which a machine with a GPU may lack."""
    usual: dict[str, Any] = {
        "window_s": 0.5,
        "deadline_s": 20.0,
        "grace_s": 0.5,
        "workers": 2,
        "queue_wait_s": 60.0,
        "limits": LIMITS,
        "model_roots": (),
        "model_limit_bytes": 2 << 30,
        "devices": None,
        "unmetered": Unmetered.EXCLUDE,
    }
    return TrackerConfig(**usual | changes)
