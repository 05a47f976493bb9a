"""Samples that found no room, in words."""

import pytest

from carbon_node.transport.refusals import REFUSING_S, Refusals


def test_refusals_are_named_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first refusal is to be logged; the problem is named until none has come for a time."""
    found = Refusals()
    assert found.problem() is None
    assert not found.note(0, [], 0.0)
    now_s = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    assert found.note(3, ["/a", "/b"], now_s)
    assert not found.note(5, ["/a"], now_s)
    assert "/a found no room, 5 times" in str(found.problem())
    now_s += REFUSING_S + 1
    assert found.problem() is None
    assert found.note(6, ["/a"], now_s)
