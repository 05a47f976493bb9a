"""`carbon-node history` as people run it."""

import asyncio
import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.program.processes import COMMAND, environment, run_command
from tests.stores import store_config
from tests.unit.store.samples import answer, failure, summary, task

from carbon_node.store import open_store
from carbon_node.tasks.answer import Answer
from carbon_node.tasks.key import Summary, TaskKey


def fill(directory: Path, tasks: list[tuple[TaskKey, Summary, Answer | None]]) -> None:
    """Keep tasks, and the answers of those that have one, in a state directory."""

    async def keep() -> None:
        async with open_store(store_config(directory), print) as store:
            for key, about, given in tasks:
                await store.accept(key, "d", about)
                if given is not None:
                    await store.save(key, "d", about, given)

    # The tests have no loop of their own: they run the program and wait for its end.
    asyncio.run(keep())


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory with four tasks, one of them unanswered."""
    tasks: list[tuple[TaskKey, Summary, Answer | None]] = [
        (task(1), summary(), answer(task(1), 0.002)),
        (task(2), summary("bert-base", place="Ávila"), answer(task(2), 0.004)),
        (task(3), summary("gpt2"), failure(task(3))),
        (task(4), summary("gpt2"), None),
    ]
    fill(tmp_path, tasks)
    return tmp_path


def _history(state_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return run_command("history", *options, "--state-dir", str(state_dir))


def test_table_shows_results_and_totals(state_dir: Path) -> None:
    """The table has a line for each task, and totals below."""
    done = _history(state_dir)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third, fourth = done.stdout.splitlines()[1:5]
    assert re.search(r"1\.1 +resnet50 .*ES Spain .*200 g/kWh +10 mWh +2 mg +1 mg - 3 mg", first)
    assert "bert-base" in second
    assert "not computed: no power" in third
    assert fourth.rstrip().endswith("unanswered")
    assert "3 results of 3 tasks; 1 unanswered." in done.stdout
    assert "Newest answers of 2 tasks together: 30 mWh, 6 mgCO2e." in done.stdout


def test_texts_of_peers_give_the_terminal_no_commands(tmp_path: Path) -> None:
    """An escape sequence in a model id is shown as blanks."""
    fill(tmp_path, [(task(1), summary("\x1b[2J\nmodel" + "x" * 900), None)])
    done = _history(tmp_path)
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 5


def test_json_and_csv_carry_everything(state_dir: Path) -> None:
    """JSON and CSV hold all results unless filters apply."""
    content = json.loads(_history(state_dir, "--json").stdout)
    assert [row["problem_id"] for row in content["results"]] == [1, 2, 3, 4]
    assert content["totals"]["tasks"] == 3
    table = _history(state_dir, "--csv", "--model", "BERT").stdout
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["place"], float(row["carbon_g"])) == ("Ávila", 0.004)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (["--since", "1h"], 4),
        (["--until", "1h"], 0),
        (["--since", "2000-01-01", "--until", "2000-01-02T12:00Z"], 0),
        (["--last", "2"], 2),
        (["--place", "es", "--hardware", "a100"], 2),
    ],
)
def test_filters(state_dir: Path, options: list[str], count: int) -> None:
    """Results are filtered by date or age, place, hardware and number."""
    assert len(json.loads(_history(state_dir, "--json", *options).stdout)["results"]) == count


def test_plot_is_drawn(state_dir: Path, tmp_path: Path) -> None:
    """The plot is an SVG or PNG of the results with numbers."""
    chart = tmp_path / "chart.svg"
    done = run_command("history", "plot", "--output", str(chart), "--state-dir", str(state_dir))
    assert (done.returncode, done.stdout) == (0, f"{chart}: 2 results\n")
    assert "<svg" in chart.read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["history", "--state-dir", "/nonexistent"], 1, "no results in /nonexistent"),
        (["history", "--since", "soon"], 2, "'soon' is not a time: write 2026-05-01"),
        (["history", "--last", "0"], 2, "--last"),
        (["history", "--json", "plot", "--output", "x.svg"], 2, "--json comes after plot"),
        (["history", "plot"], 2, "--output"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], status: int, message: str) -> None:
    """A bad option is one line that says what to do instead."""
    done = run_command(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_state_directory_is_the_configured_one(state_dir: Path) -> None:
    """Without the option, the state directory is that of the node's settings."""
    done = run_command("history", "--json", env={"CARBON_NODE_STATE_DIR": str(state_dir)})
    assert len(json.loads(done.stdout)["results"]) == 4


def test_reader_of_a_pipe_may_stop_reading(state_dir: Path) -> None:
    """`history --csv | head` leaves no traceback."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [*COMMAND, "history", "--csv", "--state-dir", str(state_dir)]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, env=environment(), check=False
    )
    os.close(write_end)
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.parametrize("is_running", [False, True])
def test_user_who_may_only_read_sees_the_history(*, is_running: bool) -> None:
    """A user without write access sees the history, with the node running and without."""
    code = """
import asyncio, os, subprocess, sys, tempfile
from contextlib import closing
from pathlib import Path
from carbon_node.store import open_store
from carbon_node.store.history import Query, editions, open_history
from tests.stores import store_config
from tests.unit.store.samples import answer, summary, task

def read(directory):
    os.seteuid(65534)
    try:
        with closing(open_history(directory)) as database:
            return len(list(editions(database, Query())))
    finally:
        os.seteuid(0)

async def main():
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        async with open_store(store_config(directory), print) as store:
            await store.save(task(1), "d", summary(), answer(task(1)))
            if sys.argv[1] == "True":
                print(read(directory))
        if sys.argv[1] == "False":
            print(read(directory))

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(is_running)],
        capture_output=True,
        text=True,
        env=environment({"PYTHONPATH": os.pathsep.join(sys.path)}),
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
