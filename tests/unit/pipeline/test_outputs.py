"""Outputs leave as the rule says, and end once they are taken."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from structlog.testing import capture_logs
from tests.patience import PATIENCE_S
from tests.unit.pipeline.outputs_domain import ASKED, never, outputs_of, reader, until

from carbon_node.pipeline import outputs
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import TaskId

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("_hurried")]


async def test_an_output_that_was_taken_ends_and_a_late_reader_gets_nothing_of_it() -> None:
    """Neither does the next life have to end it."""
    async with outputs_of() as domain:
        async with reader(domain) as first:
            await domain.publish(1)
            assert first.take() == [(1, ASKED)]
            await until(lambda: not domain.node.retained_problems())
            assert first.take() == [(1, ASKED), (1, None)]
        async with reader(domain) as late:
            assert late.take() == []
        await domain.leaves_with_readers()


async def test_every_output_that_was_taken_ends() -> None:
    """Those of a burst, and those that come later."""
    async with outputs_of() as domain, reader(domain):
        for burst in ((1, 2, 3), (4, 5)):
            for number in burst:
                await domain.publish(number)
            await until(lambda: not domain.node.retained_problems())


async def test_an_output_that_was_not_acknowledged_stays() -> None:
    """It is not lost to a reader that has not got it, nor forgotten by a later life."""
    async with outputs_of() as domain, reader(domain):
        domain.node.are_acknowledging = False
        await domain.publish(1)
        await asyncio.sleep(0.05)
        assert domain.node.retained_problems() == [1]
        await domain.leaves_with_readers(1)


async def test_an_output_that_a_silent_reader_lacks_is_noted_and_stays_for_it() -> None:
    """After a crash those that have it do not get it again; a reader that wakes up gets it."""
    async with outputs_of() as domain, reader(domain):
        domain.node.is_one_silent = True
        for number in (1, 2):
            await domain.publish(number)
        await domain.acknowledged(1, 2)
        assert domain.node.retained_problems() == [1, 2]
        domain.node.is_one_silent = False
        await until(lambda: not domain.node.retained_problems())


async def test_what_only_a_silent_reader_lacked_ends_when_all_are_gone() -> None:
    """A late reader would take it for a new result."""
    async with outputs_of() as domain:
        async with reader(domain):
            domain.node.is_one_silent = True
            await domain.publish(1)
            await domain.acknowledged(1)
        await until(lambda: not domain.node.retained_problems())


async def test_an_output_that_nobody_was_there_for_orders_nothing_of_a_late_reader() -> None:
    """It waits with `num_outputs` 1, and ends once that reader has it."""
    async with outputs_of() as domain:
        await domain.publish(1)
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]
            await until(lambda: not domain.node.retained_problems())


async def test_what_readers_leave_behind_orders_nothing_of_those_that_come() -> None:
    """Readers that left before they acknowledged an output may not have seen it."""
    async with outputs_of() as domain:
        domain.node.are_acknowledging = False
        async with reader(domain) as first:
            await domain.publish(1)
            await until(lambda: first.take() == [(1, ASKED)])
        (before,) = domain.node.retained[Topic.FOOTPRINT].values()
        await until(lambda: before not in domain.node.retained[Topic.FOOTPRINT].values())
        async with reader(domain) as late:
            assert late.take() == [(1, 1)]


@pytest.fixture
def _few(_hurried: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few outputs be kept, and none end because it was taken."""
    monkeypatch.setattr(outputs, "TAKEN_S", 3600.0)
    monkeypatch.setattr(outputs, "RETAINED", 2)
    monkeypatch.setattr(outputs, "MAX_RETAINED", 4)
    monkeypatch.setattr(outputs, "ROOM_WAIT_S", 3600.0)


@pytest.mark.usefixtures("_few")
async def test_of_too_many_outputs_the_oldest_that_readers_have_end_at_once() -> None:
    """A peer's reader is never full, and nothing waits for that."""
    async with outputs_of() as domain, reader(domain):
        for number in (1, 2, 3):
            await domain.publish(number)
            assert await domain.outputs.confirm()
        assert domain.node.retained_problems() == [2, 3]


@pytest.mark.usefixtures("_few")
async def test_without_a_reader_too_many_outputs_end_unseen() -> None:
    """Nobody has to acknowledge them, and the latest wait for who comes."""
    async with outputs_of() as domain, asyncio.timeout(PATIENCE_S):
        for number in range(1, 7):
            await domain.publish(number)
        assert domain.node.retained_problems() == [5, 6]


@pytest.mark.usefixtures("_few")
async def test_when_all_outputs_are_wanted_the_next_one_waits_for_acknowledgments() -> None:
    """It leaves as soon as the readers have the oldest, which ends then."""
    async with outputs_of() as domain, reader(domain), asyncio.timeout(PATIENCE_S):
        domain.node.are_acknowledging = False
        for number in (1, 2, 3):
            await domain.publish(number)
        assert domain.outputs.has_room()
        await domain.publish(4)
        assert domain.node.retained_problems() == [1, 2, 3, 4]
        assert not domain.outputs.has_room()
        waiting = asyncio.create_task(domain.publish(5))
        await asyncio.sleep(0.02)
        assert not waiting.done()
        domain.node.are_acknowledging = True
        await waiting
        assert domain.node.retained_problems() == [4, 5]


@pytest.mark.usefixtures("_few")
async def test_a_reader_that_acknowledges_nothing_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Then the oldest output ends for each that leaves, until readers acknowledge again."""
    monkeypatch.setattr(outputs, "ROOM_WAIT_S", 0.02)
    async with outputs_of() as domain, reader(domain), asyncio.timeout(PATIENCE_S):
        domain.node.are_acknowledging = False
        with capture_logs() as lines:
            for number in range(1, 7):
                await domain.publish(number)
        assert domain.node.retained_problems() == [3, 4, 5, 6]
        assert [line["unacknowledged"] for line in lines] == [4]
        domain.node.are_acknowledging = True
        await until(lambda: not domain.outputs._unacknowledged)
        domain.node.are_acknowledging = False
        for number in range(7, 11):
            await domain.publish(number)
        assert not domain.outputs.has_room()


async def test_the_first_output_waits_for_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start it may be discovered later than its task, and gets the output as asked."""
    monkeypatch.setattr(outputs, "MEETING_S", PATIENCE_S)
    async with outputs_of() as domain, asyncio.timeout(PATIENCE_S):
        assert not domain.outputs.has_room()
        waiting = asyncio.create_task(domain.publish(1))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        async with reader(domain) as first:
            await waiting
            assert first.take() == [(1, ASKED)]


async def test_where_nobody_reads_one_output_waits() -> None:
    """The others leave at once."""
    async with outputs_of() as domain:
        await domain.publish(1)
        assert domain.outputs.has_room()


async def test_nothing_leaves_while_readers_may_have_lost_the_node() -> None:
    """It leaves when that is over."""
    async with outputs_of() as domain, reader(domain) as first, asyncio.timeout(PATIENCE_S):
        domain.node.doubts = True
        assert not domain.outputs.has_room()
        waiting = asyncio.create_task(domain.publish(1))
        await asyncio.sleep(0.01)
        assert first.take() == []
        domain.node.doubts = False
        domain.outputs.go_on()
        await waiting
        assert first.take() == [(1, ASKED)]


@pytest.mark.parametrize(("readers", "asked"), [(1, ASKED), (2, 1)])
async def test_an_output_that_was_lost_orders_iterations_of_its_only_reader(
    readers: int, asked: int
) -> None:
    """Of several, some may have it already."""
    async with outputs_of() as domain, AsyncExitStack() as stack:
        first, *_ = [await stack.enter_async_context(reader(domain)) for _ in range(readers)]
        domain.node.are_acknowledging = False
        domain.node.is_instance_acknowledged = never  # type: ignore[method-assign, assignment]
        await domain.publish(1)
        first.take()
        lost = await domain.outputs.rejoin(lambda: None)
        assert lost == (TaskId(1, 1),)
        domain.outputs.publish_lost(*lost)
        assert first.take()[1:] == [(1, asked)]


async def test_what_one_reader_has_at_the_last_moment_is_not_lost() -> None:
    """It does not leave again, though not all that was published is acknowledged."""
    async with outputs_of() as domain, reader(domain):
        domain.node.are_acknowledging = False
        await domain.publish(1)
        assert await domain.outputs.rejoin(lambda: None) == ()
        await domain.leaves_with_readers()


async def test_nothing_leaves_after_a_new_join_before_all_readers_are_back() -> None:
    """What the first one acknowledges ends, and the others would not get it any more."""
    async with outputs_of() as domain, reader(domain) as first, reader(domain) as second:
        await domain.publish(1)
        bus = domain.node._bus.transports
        rejoining = asyncio.create_task(domain.outputs.rejoin(lambda: bus.remove(second.transport)))
        await asyncio.sleep(0.01)
        assert not domain.outputs.has_room()
        waiting = asyncio.create_task(domain.publish(2))
        await asyncio.sleep(0.01)
        assert not rejoining.done()
        await second.transport.open()
        assert await rejoining == ()
        await waiting
        assert (2, ASKED) in first.take()
        assert (2, ASKED) in second.take()


@pytest.mark.usefixtures("_few")
async def test_what_readers_have_taken_has_ended_with_the_old_writer() -> None:
    """The next life has not to end it, nor does a new reader get it."""
    async with outputs_of() as domain, reader(domain):
        await domain.publish(1)
        await domain.leaves_with_readers(1)
        assert await domain.outputs.confirm()
        assert await domain.outputs.rejoin(lambda: None) == ()
        await domain.leaves_with_readers()


async def test_a_new_join_waits_for_no_reader_where_none_was() -> None:
    """The next output waits for one as after a start."""
    async with outputs_of() as domain:
        await domain.publish(1)
        assert domain.outputs.has_room()
        assert await domain.outputs.rejoin(lambda: None) == (TaskId(1, 1),)
        assert not domain.outputs.has_room()


async def test_nothing_ends_while_a_reader_of_before_a_new_join_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One whose discovery takes long gets what has left meanwhile, as it would have before."""
    monkeypatch.setattr(outputs, "MEETING_AGAIN_S", 0.0)
    monkeypatch.setattr(outputs, "RETURN_LOOK_S", 0.001)
    monkeypatch.setattr(outputs, "TAKEN_S", 0.2)
    async with outputs_of() as domain, reader(domain):
        async with reader(domain):
            await domain.publish(1)
            await until(lambda: not domain.node.retained_problems())
        await domain.outputs.rejoin(lambda: None)
        await domain.publish(2)
        await domain.acknowledged(2)
        # In which it would end.
        await asyncio.sleep(0.4)
        assert domain.node.retained_problems() == [2]
        async with reader(domain) as returned:
            await until(lambda: (2, ASKED) in returned.take())
            await until(lambda: not domain.node.retained_problems())
