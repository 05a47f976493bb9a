"""A pipeline that runs, for the tests of its parts."""

from collections.abc import AsyncIterator

import pytest
from tests.pipelines import World, running_world

from carbon_node.pipeline import former_outputs, outputs
from carbon_node.store import store


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A pipeline of its own for each test."""
    async with running_world() as world:
        yield world


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let outputs take no time that their tests do not ask about."""
    monkeypatch.setattr(outputs, "TAKEN_S", 0.0)
    monkeypatch.setattr(outputs, "END_GAP_S", 0.0)
    monkeypatch.setattr(outputs, "TAKING_S", 0.0)
    monkeypatch.setattr(outputs, "MEETING_S", 0.0)
    monkeypatch.setattr(outputs, "CONFIRM_S", 0.001)
    monkeypatch.setattr(store, "_LONG_LINGER_S", 0.0)
    monkeypatch.setattr(former_outputs, "FORMER_GAP_S", 0.001)
