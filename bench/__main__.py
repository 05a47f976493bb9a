"""Run benchmarks: `python -m bench [NAME ...] [--quick] [--json FILE] [--compare FILE]`.

Prints a table and writes JSON. Times never decide the exit status: it is 1 if a benchmark failed or
if something does not hold that must hold on every machine, such as that no task is lost.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.effort import FULL, QUICK, Effort
from bench.machine import this_machine
from bench.report import Report, comparison, figures_from_json, read, table, to_json
from bench.single import end

NODE = (
    "installed",
    "start",
    "overhead",
    "declared",
    "bursts",
    "resources",
    "large",
    "endpoints",
    "growth",
)
"""Benchmarks of the running node."""

PARTS = ("transport", "store", "guard", "places")
"""Benchmarks of its parts alone."""

ON_REQUEST = ("loss",)
"""Benchmarks that run when they are named: this one needs root, and a quarter of an hour."""

RESULT = Path("bench-result.json")


def main() -> int:
    """Run what was asked for; return the exit status."""
    signal.signal(signal.SIGTERM, end)
    options = _options()
    earlier = None if options.compare is None else _earlier(options.compare)
    if options.table is not None:
        print(table(_earlier(options.table)), end="")
        return 0
    effort = QUICK if options.quick else FULL
    report = _run(options.names or [*NODE, *PARTS], effort)
    options.json.write_text(to_json(report) + "\n", encoding="utf-8")
    print(table(report))
    if earlier is not None:
        print(comparison(report, earlier))
    _say(f"written to {options.json}")
    for broken in report.broken_promises:
        _say(broken)
    return 1 if report.broken_promises else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the node beside the physical limit of this machine.",
    )
    names = (*NODE, *PARTS, *ON_REQUEST)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"what to run: {', '.join(names)}; without names all but {', '.join(ON_REQUEST)}",
    )
    parser.add_argument("--quick", action="store_true", help="few runs, in under two minutes")
    parser.add_argument(
        "--json",
        type=Path,
        default=RESULT,
        metavar="FILE",
        help=f"where the result goes ({RESULT})",
    )
    parser.add_argument(
        "--compare", type=Path, metavar="FILE", help="also print ratios to an earlier result"
    )
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="print an earlier result and measure nothing"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(
            f"no benchmark is named {', '.join(sorted(unknown))}; choose of {', '.join(names)}"
        )
    return options


def _earlier(path: Path) -> Report:
    try:
        return read(path)
    except OSError as error:
        _say(f"{path}: {error.strerror}; name a result that scripts/bench has written")
    except ValueError as error:
        _say(str(error))
    raise SystemExit(2)


def _run(names: Sequence[str], effort: Effort) -> Report:
    report = Report(this_machine(), effort.name, {}, {})
    for name in names:
        since_s = time.monotonic()
        status, output = _run_alone(name, effort)
        if status == 0:
            report.figures[name] = figures_from_json(output)
        else:
            report.failures[name] = f"status {status}, see above"
        _say(f"{name}: {time.monotonic() - since_s:.0f} s")
    return report


def _run_alone(name: str, effort: Effort) -> tuple[int, str]:
    """Run a benchmark in a process of its own: what it leaves in memory is no cost of the next."""
    command = [sys.executable, "-m", "bench.single", name, effort.name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as single:
        try:
            output, _ = single.communicate()
        finally:
            single.terminate()
    return single.returncode, output


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
