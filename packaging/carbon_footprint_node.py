"""Takes the place of `sustainml-wp3/carbon_footprint_node.py`: becomes `carbon-node run`.

The launchers of a SustainML workspace start it as `python3 sustainml-wp3/carbon_footprint_node.py`.
The process stays the same one, with its environment, so their signals reach the node.
"""

import importlib.util
import os
import sys

if importlib.util.find_spec("carbon_node") is None:
    version = ".".join(map(str, sys.version_info[:2]))
    raise SystemExit(
        f"carbon_footprint_node.py: carbon_node is not installed for {sys.executable} (Python "
        f"{version}; it needs 3.11 or newer): install it into the environment of this python3"
    )
os.execv(sys.executable, [sys.executable, "-m", "carbon_node", "run"])  # noqa: S606 - this is its job
