"""What is known of named hardware: the catalogue, the operator's map, the preset."""

from carbon_node.hardware.catalogue import Catalogue, Hardware, Kind
from carbon_node.hardware.map import PRESETS, Entry, HardwareMap, power_of, preset

__all__ = ["PRESETS", "Catalogue", "Entry", "Hardware", "HardwareMap", "Kind", "power_of", "preset"]
