"""Settings: what can be configured, where it came from, and how it changes while the node runs."""

from carbon_node.settings.loading import Configuration, Loaded, load
from carbon_node.settings.model import Settings, TrackerSettings

__all__ = ["Configuration", "Loaded", "Settings", "TrackerSettings", "load"]
