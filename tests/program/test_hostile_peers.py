"""The real node among hostile and careless participants."""

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.callers import calling
from tests.domains import fresh_domain
from tests.program.processes import running_node
from tests.rtps import (
    PID_ENTITY_NAME,
    PID_PROPERTY_LIST,
    Parameter,
    RawParticipant,
    hostile,
    properties,
    raw_participant,
    text,
)

from carbon_node.wire.contract import NODE_NAME

pytestmark = pytest.mark.anyio

FORMULA = {"CARBON_NODE_TRACKER__MODE": "formula"}
EVERY_S = 0.002
ANNOUNCEMENTS = 1_000


@contextmanager
def flooded(domain: int) -> Iterator[None]:
    """Announce participants and endpoints of any octets, 500 of each a second."""
    ended = threading.Event()
    with raw_participant(domain) as raw:
        flooding = threading.Thread(target=_flood, args=(raw, ended))
        flooding.start()
        try:
            yield
        finally:
            ended.set()
            flooding.join()


def _flood(raw: RawParticipant, ended: threading.Event) -> None:
    chance = random.Random(17)  # noqa: S311 - the same packets in every run
    for _ in range(ANNOUNCEMENTS):
        # Well meant, and not UTF-8.
        name = (PID_ENTITY_NAME, text("Knoten-Küche".encode("latin-1")))
        raw.announce(name, *hostile(chance), lease_duration_s=1)
        raw.announce_writer(*hostile(chance))
        if ended.wait(EVERY_S):
            return


async def test_a_node_starts_and_answers_whatever_is_announced(tmp_path: Path) -> None:
    """Neither a start nor tasks are disturbed by what discovery says of others."""
    domain = fresh_domain()
    with flooded(domain), running_node(domain, tmp_path, env=FORMULA) as node:
        async with calling(domain) as caller:
            for _ in range(50):
                await caller.output(caller.submit())
        assert node.stop() == 0
    assert "Traceback" not in "\n".join(node.lines)


def claim(*pairs: tuple[str, str]) -> tuple[Parameter, ...]:
    """What a participant says that takes the node's name."""
    octets = [(name.encode(), value.encode()) for name, value in pairs]
    return (PID_ENTITY_NAME, text(NODE_NAME.encode())), (PID_PROPERTY_LIST, properties(octets))


async def test_a_running_node_does_not_yield_to_a_claim_that_says_nothing(tmp_path: Path) -> None:
    """The name alone, or with a start of 5,000 digits, ends no node; it is logged."""
    domain = fresh_domain()
    with raw_participant(domain) as raw, running_node(domain, tmp_path, env=FORMULA) as node:
        raw.announce(*claim())
        raw.announce(
            *claim(
                ("carbon_node.process", "host/pid:[1]/7"),
                ("carbon_node.started_ns", "9" * 5_000),
            )
        )
        async with calling(domain) as caller:
            await caller.output(caller.submit())
            await asyncio.to_thread(
                node.wait_for_event,
                "another participant has this node's name and does not say since when: if it is a "
                "carbon node, stop one of the two, or both answer",
                lambda event: event["guid"].startswith("01.0f.ee.ee"),
            )
            await caller.output(caller.submit())
        assert node.stop() == 0
