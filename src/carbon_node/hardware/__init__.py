"""What is known of named hardware: the catalogue, the operator's map, the preset."""

from carbon_node.hardware.catalogue import Catalogue, Hardware, Kind, shipped_catalogue
from carbon_node.hardware.here import names_of_this_host
from carbon_node.hardware.map import Entry, HardwareMap, Preset, power_of, preset

__all__ = [
    "Catalogue",
    "Entry",
    "Hardware",
    "HardwareMap",
    "Kind",
    "Preset",
    "names_of_this_host",
    "power_of",
    "preset",
    "shipped_catalogue",
]
