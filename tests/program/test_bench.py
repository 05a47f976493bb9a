"""The benchmark command as a program: it runs, loses nothing and compares; no time is asserted."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from bench.__main__ import NODE, PARTS
from tests.transports import PATIENCE_S, wait_for

ROOT = Path(__file__).parents[2]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(1800)
def test_the_quick_run_answers_every_question(tmp_path: Path) -> None:
    """All benchmarks run; every number is one, and no task is lost or answered twice."""
    result = tmp_path / "result.json"
    done = bench("--quick", "--json", str(result))
    assert done.returncode == 0, done.stderr
    content: dict[str, Any] = json.loads(result.read_text())
    assert (content["effort"], content["failures"]) == ("quick", {})
    assert set(content["figures"]) == {*NODE, *PARTS}
    figures = [figure for figures in content["figures"].values() for figure in figures]
    for figure in figures:
        spread = figure["spread"]
        assert spread["runs"] >= 1
        assert math.isfinite(spread["median"])
        assert spread["median"] <= spread["p95"] <= spread["p99"]
        assert f"| {figure['question']} " in done.stdout
    kept = {each["question"]: each["spread"] for each in figures if "output" in each["question"]}
    lost = [kept[question]["p99"] for question in kept if "without output" in question]
    assert {*lost} == {0}
    again = bench("--table", str(result), "--json", str(tmp_path / "unused"))
    assert (again.returncode, again.stdout.strip()) == (0, done.stdout.strip())
    assert not (tmp_path / "unused").exists()


def test_a_comparison_follows_the_table(tmp_path: Path) -> None:
    """Ratios to an earlier result are printed behind the figures."""
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert bench("start", "--quick", "--json", str(first)).returncode == 0
    done = bench("start", "--quick", "--json", str(second), "--compare", str(first))
    assert done.returncode == 0, done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| start     |")]
    assert float(row.split("|")[-2]) > 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("strat",), "no benchmark is named strat; choose of installed, start"),
        (("start", "--compare", "missing.json"), "missing.json: No such file or directory; name"),
        (("start", "--compare", "README.md"), "README.md is no result of scripts/bench"),
    ],
)
def test_a_wrong_call_says_what_to_do(arguments: tuple[str, ...], told: str) -> None:
    """Nothing is measured for a name or a file that is wrong."""
    done = bench(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_a_run_that_is_ended_leaves_no_process(tmp_path: Path) -> None:
    """SIGTERM ends the benchmark, its node and its peers."""
    command = [sys.executable, "-m", "bench", "start", "--json", str(tmp_path / "result.json")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as running:
        here = psutil.Process(running.pid)
        # The benchmark, its node, and the node's forkserver.
        wait_for(lambda: len(here.children(recursive=True)) >= 3)
        below = here.children(recursive=True)
        running.terminate()
    gone, alive = psutil.wait_procs(below, timeout=PATIENCE_S)
    assert (len(gone), alive) == (len(below), [])
