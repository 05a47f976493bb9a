"""Takes the place of `sustainml-wp3/carbon_footprint_node.py`: becomes `carbon-node run`.

The launchers of a SustainML workspace start it as `python3 sustainml-wp3/carbon_footprint_node.py`.
The process stays the same one, with its environment, so their signals reach the node.
"""

import importlib.util
import os
import sys

if importlib.util.find_spec("carbon_node") is None:
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(
        f"carbon_footprint_node.py: carbon_node is not installed for {sys.executable} "
        f"(Python {version}; it needs 3.11 or newer); install it with: "
        f"{sys.executable} -m pip install carbon-node"
    )
os.execv(sys.executable, [sys.executable, "-m", "carbon_node", "run"])  # noqa: S606 - this is its job
