"""What each command imports: no more than it needs, in the order that it needs."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.domains import fresh_domain
from tests.program.processes import PATIENCE_S, NodeProcess, environment, run_arguments

MARK = "imported: "
PROGRAM = f"""
import sys
from carbon_node.cli import main
sys.argv[0] = "carbon-node"
try:
    main()
finally:
    print("{MARK}" + " ".join(sys.modules))
"""
COMMAND = [sys.executable, "-c", PROGRAM]

DDS = {"carbon_node.transport.binding", "carbon_node.transport.fastdds"}
DRAWING = {"matplotlib", "pyarrow"}
NODE = {
    "carbon_node.daemon.serve",
    "carbon_node.pipeline",
    "carbon_node.tracking.pool",
    "structlog",
}


def modules_in(lines: list[str]) -> set[str]:
    """Return what a process says that it has imported."""
    (line,) = (line for line in lines if line.startswith(MARK))
    return set(line.removeprefix(MARK).split())


def imported(*arguments: str) -> set[str]:
    """Return the modules that a command has imported at its end."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return modules_in(done.stdout.splitlines())


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_import_no_command(option: str) -> None:
    """Of this package only the table of commands, and nothing that takes long."""
    found = imported(option)
    own = {"carbon_node", "carbon_node.cli", "carbon_node.cli.lazy", "carbon_node.errors"}
    assert {name for name in found if name.startswith("carbon_node")} == own
    assert not found & {"asyncio", "pydantic", "rich"}


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (["estimate", "--power=300", "--latency=1"], {"carbon_node.store", "starlette"}),
        (["settings", "schema"], {"carbon_node.store", "sqlite3"}),
        (["history", "--state-dir=/nonexistent"], set()),
        (["status", "--http-listen=127.0.0.1:1"], {"carbon_node.store", "starlette"}),
        (["service", "print"], {"carbon_node.settings", "rich"}),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
def test_commands_import_neither_dds_nor_the_node(arguments: list[str], needless: set[str]) -> None:
    """They start quickly, and work where the DDS library does not load."""
    assert not imported(*arguments) & (DDS | DRAWING | NODE | needless)


def test_the_node_imports_nothing_that_only_commands_use(tmp_path: Path) -> None:
    """The log is configured before structlog is imported, which would import rich otherwise."""
    node = NodeProcess([*COMMAND, *run_arguments(fresh_domain(), tmp_path)])
    try:
        node.wait_for_event("ready")
        assert node.stop() == 0
        found = modules_in(node.lines)
    finally:
        node.close()
    assert {"structlog", *DDS} <= found
    assert not found & (DRAWING | {"rich", "carbontracker", "torch", "onnxruntime"})
