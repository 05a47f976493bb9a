"""What a former life of the node left with readers ends before anything leaves."""

import asyncio

import pytest
from structlog.testing import capture_logs
from tests.unit.pipeline.outputs_domain import ASKED, outputs_of, reader, until

from carbon_node.errors import TransportError
from carbon_node.pipeline import former_outputs
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import CO2Footprint, TaskId

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("_hurried")]


async def test_what_a_former_life_left_ends_before_anything_leaves() -> None:
    """With the readers that are there, in the order of their keys; and only once."""
    async with outputs_of(2, 1) as domain:
        await domain.leaves_with_readers(2, 1)
        async with reader(domain, 1, 2) as first:
            assert not domain.outputs.has_room()
            await domain.publish(3)
            assert first.take() == [(1, None), (2, None), (3, ASKED)]


async def test_without_a_reader_nothing_waits_for_the_former_life() -> None:
    """An answer to a task of the same id takes the former's place."""
    async with outputs_of(1) as domain:
        await domain.publish(1)
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]
            await until(lambda: not domain.node.retained_problems())
            assert late.take() == [(1, 1), (1, None)]


async def test_a_reader_that_turns_up_later_gets_the_ends_too() -> None:
    """Before anything else; to the one that was there they say nothing new."""
    async with outputs_of(1, 2) as domain, reader(domain, 1, 2) as first:
        await domain.publish(3)
        assert first.take() == [(1, None), (2, None), (3, ASKED)]
        async with reader(domain, 1, 2) as late:
            assert not domain.outputs.has_room()
            await domain.publish(4)
            of_others = [taken for taken in late.take() if taken[0] != 3]
            assert of_others == [(1, None), (2, None), (4, ASKED)]
        assert {problem for problem, _ in first.take()[3:]} == {3, 4}


async def test_after_the_lease_nobody_holds_anything_of_a_former_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever comes then is not waited for, and gets no ends."""
    monkeypatch.setattr(former_outputs, "LATE_READERS_S", 0.01)
    async with outputs_of(1, lease_s=0.01) as domain:
        await domain.leaves_with_readers()
        async with reader(domain, 1) as late:
            assert domain.outputs.has_room()
            await domain.publish(2)
            assert late.take() == [(2, ASKED)]


async def test_until_then_a_reader_may_turn_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lease is over, but discovery takes a while."""
    monkeypatch.setattr(former_outputs, "LATE_READERS_S", 3600.0)
    async with outputs_of(1, lease_s=0.001) as domain:
        await asyncio.sleep(0.02)
        async with reader(domain, 1) as late:
            await until(lambda: late.take() == [(1, None)])


async def test_many_ends_leave_within_half_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the pause between two would be otherwise: then the dead participant is gone."""
    monkeypatch.setattr(former_outputs, "FORMER_GAP_S", 3600.0)
    loop, passed_s = asyncio.get_running_loop(), 0.0
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + passed_s)
    async with outputs_of(1, 2, 3, 4, lease_s=60.0) as domain, reader(domain, 1, 2, 3, 4) as first:
        await until(lambda: bool(first.take()))
        for count in (1, 2, 3, 4):
            assert len(first.take()) == count
            passed_s += 30.0 / 4 + 0.1
            for _ in range(10):
                await asyncio.sleep(0)


async def test_a_reader_that_does_not_answer_holds_the_others_up_once() -> None:
    """Not for each end."""
    async with outputs_of(1, 2, 3) as domain:
        domain.node.are_acknowledging = False
        async with reader(domain, 1, 2, 3) as first:
            await until(lambda: len(first.take()) == 3)
        assert domain.node.waits_s == (former_outputs.RECEIPT_S,)


async def test_each_end_is_acknowledged_before_the_next() -> None:
    """So that each has a notification of its own."""
    async with outputs_of(1, 2, 3) as domain, reader(domain, 1, 2, 3) as first:
        await until(lambda: len(first.take()) == 3)
        await until(domain.former.are_ended)
        assert domain.node.waits_s == (former_outputs.RECEIPT_S,) * 3


async def test_an_end_that_cannot_be_written_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log names the output."""
    async with outputs_of(1, 2) as domain:

        def adopt(_topic: Topic, sample: CO2Footprint) -> None:
            if sample.task_id == TaskId(1, 1):
                raise TransportError("the writer is full")

        monkeypatch.setattr(domain.node, "adopt", adopt)
        with capture_logs() as lines:
            async with reader(domain, 1, 2) as first:
                await until(lambda: first.take() == [(2, None)])
                await until(domain.former.are_ended)
        assert [(line["log_level"], line.get("task_id")) for line in lines] == [
            ("warning", TaskId(1, 1)),
            ("info", None),
        ]
        assert (lines[-1]["count"], lines[-1]["readers"]) == (2, 1)


async def test_an_answer_that_leaves_again_stays_with_its_readers() -> None:
    """It is this life's then, and the next one has to end it."""
    async with outputs_of(1, 2) as domain:
        domain.outputs.publish(domain.left[0])
        domain.node.are_acknowledging = False
        async with reader(domain, 1, 2) as first:
            await until(lambda: (2, None) in first.take())
            await until(domain.former.are_ended)
            assert first.taken == [(1, 1), (2, None)]
        await domain.leaves_with_readers(1, 2)
