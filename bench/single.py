"""Run one benchmark: `python -m bench.single NAME full|quick`; prints its figures as JSON."""

import importlib
import sys

from bench.effort import FULL, QUICK
from bench.report import figures_to_json


def main() -> None:
    """Measure and print."""
    name, effort = sys.argv[1:]
    module = importlib.import_module(f"bench.{name}")
    print(figures_to_json(module.figures({"full": FULL, "quick": QUICK}[effort])))


if __name__ == "__main__":
    main()
