"""The supervisor's one line about the node: tasks waiting, running, done."""

import asyncio
from typing import Protocol

from carbon_node.pipeline.view import NodeFacts

PERIOD_S = 1.0
"""Seconds between two lines at least, while tasks come and go; without tasks none is sent."""


class FactsSource(Protocol):
    """Who knows how the node is."""

    def facts(self) -> NodeFacts:
        """Return how the node is."""
        ...


class StatusReceiver(Protocol):
    """Who shows the line."""

    def status(self, text: str) -> None:
        """Take the line."""
        ...


def status_text(facts: NodeFacts) -> str:
    """Return the line."""
    waiting = facts.incomplete_count + facts.waiting_count
    state = "paused" if facts.is_paused else facts.status.name.lower()
    counts = f"{waiting} waiting, {len(facts.running)} running, {facts.answered_count} done"
    failed = f" ({facts.failed_count} without a result)" if facts.failed_count else ""
    return f"{state}: {counts}{failed}"


class StatusLine:
    """Tells the supervisor when the line has changed, without a wake-up while nothing happens.

    Args:
        receiver: who shows the line.
    """

    def __init__(self, receiver: StatusReceiver) -> None:
        self._receiver = receiver
        self._source: FactsSource | None = None
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, source: FactsSource) -> None:
        """Begin to tell what the source knows."""
        self._source = source

    def changed(self) -> None:
        """Note that tasks have come or gone; belongs to the loop's thread."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._tell)

    def _tell(self) -> None:
        self._timer = None
        if self._source is None:
            return
        facts = self._source.facts()
        self._receiver.status(status_text(facts))
        if facts.running or facts.waiting_count:
            self.changed()
