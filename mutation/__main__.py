"""Judge a package's unit tests by mutants: `scripts/mutate PACKAGE [--sample N] [--seed N]`.

Prints every survivor with its place and its change, and the share that was killed. Ends with 1 if
that share is under the goal, with 2 if nothing could be judged.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from mutation.equivalent import known
from mutation.judge import UnmutatedError, check_survival, judged, observed, warm_up
from mutation.mutant import SOURCES, Mutant
from mutation.suite import judges, tests_of

DRAWING_PYTHON = Path("build/mutate/bin/python")


def main() -> int:
    """Run what was asked for; return the exit status."""
    options = _options()
    try:
        listed = known()
        mutants = drawn(options.package, options.sample, options.seed)
        unlisted = [m for m in mutants if not any(entry.matches(m) for entry in listed)]
        killed = _killed(unlisted, options)
    except (UnmutatedError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    share = 100 * killed / len(unlisted) if unlisted else 100.0
    print(
        f"{options.package}: {killed} of {len(unlisted)} mutants killed, {share:.0f} %"
        f" ({len(mutants) - len(unlisted)} more are listed as equivalent;"
        f" sample {options.sample}, seed {options.seed})"
    )
    return 0 if share >= options.goal else 1


def drawn(package: str, sample: int, seed: int) -> list[Mutant]:
    """Return a random sample of the package's mutants, drawn in Cosmic Ray's environment."""
    command = [str(DRAWING_PYTHON), "-m", "mutation.draw", package, str(sample), str(seed)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return [Mutant(**fields) for fields in json.loads(answer.stdout)]


def _killed(mutants: list[Mutant], options: argparse.Namespace) -> int:
    warm_up()
    began_s = time.monotonic()
    suite = observed(tests_of(options.package), options.budget_s)
    _say(f"{len(suite)} tests judge, found in {time.monotonic() - began_s:.0f} s")
    for mutant in mutants[:1]:
        check_survival(mutant, judges(mutant, suite, options.budget_s))
    killed = 0
    for mutant in mutants:
        verdict = judged(mutant, judges(mutant, suite, options.budget_s))
        killed += verdict.killer is not None
        place = f"{mutant.path}:{mutant.line}"
        if verdict.killer is None:
            print(f"survived  {place}  {mutant.operator}\n{mutant.diff}", flush=True)
        elif options.verbose:
            print(
                f"killed    {place}  {mutant.operator}, by {verdict.killer}\n{mutant.diff}",
                flush=True,
            )
    _say(f"judged in {time.monotonic() - began_s:.0f} s")
    return killed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/mutate",
        description="Judge the unit tests of a package by small random changes to its code.",
    )
    parser.add_argument("package", help="below carbon_node: estimation, or estimation.interval")
    parser.add_argument("--sample", type=int, default=80, help="how many mutants (80)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another sample (1)")
    parser.add_argument(
        "--goal", type=float, default=85, help="least share killed, in percent (85)"
    )
    parser.add_argument(
        "--budget-s",
        type=float,
        default=4,
        help="processor time of the tests that judge one mutant (4)",
    )
    parser.add_argument("--verbose", action="store_true", help="show what was killed, and by what")
    options = parser.parse_args()
    place = SOURCES.joinpath(*options.package.split("."))
    if not place.is_dir() and not place.with_suffix(".py").is_file():
        parser.error(f"carbon_node has no package or module {options.package}")
    if not tests_of(options.package).exists():
        parser.error(f"{tests_of(options.package)} does not exist: no unit test judges it")
    return options


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
