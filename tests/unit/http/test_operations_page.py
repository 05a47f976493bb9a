"""The page for operators speaks of what is there."""

import re
from pathlib import Path

import pytest
from tests.unit.http.node_view import PlainView, ask, serving

from carbon_node.http.app import operations
from carbon_node.http.connection import CONNECTION_LIMIT, LIFETIME_S
from carbon_node.observability.metrics import Metrics
from carbon_node.observability.rendering import RECORD_LIMIT_BYTES

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operations.md").read_text()
FAILURES = re.findall(r"^\| `([^`]+)` \|", PAGE.partition("## Common failures")[2], re.MULTILINE)


def source() -> str:
    """All program text, with string literals that are split over lines joined."""
    texts = [path.read_text() for path in sorted((ROOT / "src" / "carbon_node").rglob("*.py"))]
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(texts))


@pytest.mark.parametrize("phrase", FAILURES)
def test_every_failure_has_its_phrase_in_the_program(phrase: str) -> None:
    """A phrase that no release prints helps nobody."""
    assert phrase in source()


def test_every_path_and_no_other_is_told() -> None:
    """The table of paths is that of the interface."""
    told = {
        path.partition("?")[0]
        for path in re.findall(r"^\| `(/[a-zA-Z/.?=&\d]+)` \|", PAGE, re.MULTILINE)
    }
    served = {known.path for known in operations(PlainView(), Metrics())}
    assert {path.replace("{problem}/{iteration}", "PROBLEM/ITERATION") for path in served} == told


async def test_every_metric_and_no_other_is_told() -> None:
    """The table of metrics is that of the metrics page."""
    metrics = Metrics()
    metrics.task_finished("estimated")
    metrics.stage("tracker", 0.5)
    metrics.tracker_failed("timeout")
    metrics.peers_lost(has_rejoined=True)

    async with serving(metrics=metrics) as interface:
        await ask(interface, "/healthz")
        page = (await ask(interface, "/metrics")).body.decode()
    samples = {line.partition("{")[0].split()[0] for line in page.splitlines() if line[0] != "#"}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in samples}
    told = set(re.findall(r"`(carbon_node_[a-z_]+)", PAGE))
    assert {name for name in shown if name.startswith("carbon_node_")} == told


def test_bounds_are_those_of_the_program() -> None:
    """Numbers of the page are the program's constants."""
    prose = " ".join(PAGE.split())
    connections = f"At most {CONNECTION_LIMIT} connections are open, each for at most"
    assert f"{connections} {LIFETIME_S:g} s" in prose
    assert f"A record has at most {RECORD_LIMIT_BYTES:,} bytes;" in prose
