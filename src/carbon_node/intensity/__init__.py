"""From the text of a place to its carbon intensity."""

from carbon_node.intensity.live import LiveConfig, LiveIntensity
from carbon_node.intensity.lookup import IntensityConfig, IntensityLookup, check_intensity
from carbon_node.intensity.tables import tables_edition

__all__ = [
    "IntensityConfig",
    "IntensityLookup",
    "LiveConfig",
    "LiveIntensity",
    "check_intensity",
    "tables_edition",
]
