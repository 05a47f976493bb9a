"""The supervisor's one line."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from carbon_node.daemon import operation
from carbon_node.daemon.operation import StatusLine, status_text
from carbon_node.pipeline.facts import Identity, NodeFacts
from carbon_node.wire.samples import Status

pytestmark = pytest.mark.anyio

FACTS = NodeFacts(
    identity=Identity("1.0", 7, "fastdds", "auto", 0.0),
    status=Status.IDLE,
    is_paused=False,
    incomplete_count=1,
    waiting_count=2,
    running=(),
    answered_count=40,
    failed_count=0,
    commands={},
    overload=None,
    degraded=(),
    uptime_s=1.0,
)


@dataclass
class Desk:
    """Knows facts, and receives lines."""

    told: NodeFacts = FACTS
    lines: list[str] = field(default_factory=list)

    def facts(self) -> NodeFacts:
        """As set."""
        return self.told

    def status(self, text: str) -> None:
        """Note a line."""
        self.lines.append(text)


def test_the_line_counts_tasks() -> None:
    """Those that miss inputs and failures are told only if there are any."""
    assert status_text(FACTS) == "idle: 2 waiting, 0 running, 40 done, 1 without all inputs"
    failed = replace(FACTS, failed_count=2, is_paused=True)
    assert status_text(replace(failed, incomplete_count=0)) == (
        "paused: 2 waiting, 0 running, 40 done (2 without a result)"
    )


async def test_many_changes_give_one_line_and_quiet_gives_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A burst of tasks costs one message; it is repeated only while tasks are there."""
    monkeypatch.setattr(operation, "PERIOD_S", 0.01)
    desk = Desk(replace(FACTS, waiting_count=0))

    line = StatusLine(desk)
    line.follow(desk.facts)
    for _ in range(100):
        line.changed()
    await asyncio.sleep(0.1)
    assert len(desk.lines) == 1


async def test_the_line_follows_tasks_until_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """While tasks wait or run the line is told again; then there is silence."""
    monkeypatch.setattr(operation, "PERIOD_S", 0.005)
    desk = Desk()

    line = StatusLine(desk)
    line.follow(desk.facts)
    line.changed()
    while len(desk.lines) <= 3:  # noqa: ASYNC110 - a supervisor calls nobody back
        await asyncio.sleep(0.001)
    desk.told = replace(FACTS, waiting_count=0)
    while desk.lines[-1] == status_text(FACTS):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.001)
    known = len(desk.lines)
    await asyncio.sleep(0.05)
    assert len(desk.lines) == known
    assert desk.lines[-1] == "idle: 0 waiting, 0 running, 40 done, 1 without all inputs"
