"""Run one benchmark: `python -m bench.single NAME full|quick`; prints its figures as JSON.

SIGTERM ends it and every process that it has started.
"""

import importlib
import signal
import sys
from types import FrameType

import psutil

from bench.effort import FULL, QUICK
from bench.report import figures_to_json

PATIENCE_S = 15.0
"""Seconds that a process gets to end by itself."""


def main() -> None:
    """Measure and print."""
    signal.signal(signal.SIGTERM, end)
    name, effort = sys.argv[1:]
    module = importlib.import_module(f"bench.{name}")
    print(figures_to_json(module.figures({"full": FULL, "quick": QUICK}[effort])))


def end(number: int, _frame: FrameType | None) -> None:
    """End every process that was started, and then this one.

    Leaving the contexts alone would miss one whose start the signal has cut short.
    """
    children = psutil.Process().children()
    for child in children:
        child.terminate()
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_S)
    for child in alive:
        child.kill()
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
