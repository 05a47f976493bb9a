"""Run one benchmark: `python -m bench.single NAME full|quick`; prints its figures as JSON.

SIGTERM ends it and every process that it has started.
"""

import importlib
import signal
import sys
from types import FrameType

from bench.effort import FULL, QUICK
from bench.report import figures_to_json


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, end)
    name, effort = sys.argv[1:]
    module = importlib.import_module(f"bench.{name}")
    print(figures_to_json(module.figures({"full": FULL, "quick": QUICK}[effort])))


def end(number: int, _frame: FrameType | None) -> None:
    """Leave every context, which ends nodes and peers, and then the process."""
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
