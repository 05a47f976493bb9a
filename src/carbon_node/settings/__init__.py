"""Settings: what can be configured, where it came from, and how it changes while the node runs."""

from carbon_node.settings.applying import Reply, apply
from carbon_node.settings.loading import Configuration, Loaded, load
from carbon_node.settings.model import Settings, TrackerSettings
from carbon_node.settings.service import Change, ConfigurationService, NodeQuestions
from carbon_node.settings.sources import Origin, Source, Supervision, supervision

__all__ = [
    "Change",
    "Configuration",
    "ConfigurationService",
    "Loaded",
    "NodeQuestions",
    "Origin",
    "Reply",
    "Settings",
    "Source",
    "Supervision",
    "TrackerSettings",
    "apply",
    "load",
    "supervision",
]
