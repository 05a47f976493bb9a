"""The node's status follows its table and nothing else, and peers see it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.transports import take

from carbon_node.errors import StatusTransitionError
from carbon_node.pipeline.announcer import MAX_ENDED, Event, NodeStatusMachine, StatusAnnouncer
from carbon_node.wire.contract import NODE_NAME, Arrival, Role, Topic
from carbon_node.wire.samples import ErrorCode, NodeStatus, Status, TaskId, TaskStatus

ID = TaskId(3, 1)
EVENTS = [event for event in Event if event is not Event.LAST_TASK_ENDED]


def advanced(*events: Event) -> list[Status]:
    """The status after each event in the life of a node."""
    machine = NodeStatusMachine()
    return [machine.advance(event) for event in events]


def test_a_task_makes_the_node_run_and_its_end_makes_it_idle() -> None:
    """The life of a node with two overlapping tasks."""
    seen = advanced(
        Event.OPENED,
        Event.READY,
        Event.TASK_STARTED,
        Event.TASK_STARTED,
        Event.TASK_ENDED,
        Event.TASK_ENDED,
        Event.STOPPED,
    )

    assert seen == [
        Status.INITIALIZING,
        Status.IDLE,
        Status.RUNNING,
        Status.RUNNING,
        Status.RUNNING,
        Status.IDLE,
        Status.TERMINATING,
    ]


def test_a_paused_node_is_inactive_once_nothing_runs() -> None:
    """A pause lets tasks end, keeps the node from saying IDLE, and ends as it began."""
    seen = advanced(
        Event.OPENED,
        Event.READY,
        Event.TASK_STARTED,
        Event.PAUSED,
        Event.TASK_ENDED,
        Event.TASK_STARTED,
        Event.TASK_ENDED,
        Event.RESUMED,
    )

    assert seen[3:] == [
        Status.RUNNING,
        Status.INACTIVE,
        Status.RUNNING,
        Status.INACTIVE,
        Status.IDLE,
    ]


@given(st.lists(st.sampled_from(EVENTS), max_size=30))
def test_any_sequence_of_events_keeps_status_and_count_consistent(events: list[Event]) -> None:
    """An event either follows the table or raises and changes nothing."""
    machine = NodeStatusMachine()
    running_count = 0
    for event in events:
        before = machine.status
        try:
            machine.advance(event)
        except StatusTransitionError:
            assert machine.status is before
        else:
            running_count += {Event.TASK_STARTED: 1, Event.TASK_ENDED: -1}.get(event, 0)
        assert running_count >= 0
        assert machine.status is not Status.ERROR
        assert (running_count > 0) or machine.status is not Status.RUNNING
        assert not machine.is_paused or machine.status in {Status.RUNNING, Status.INACTIVE}
        assert running_count == 0 or machine.status in {Status.RUNNING, Status.TERMINATING}


def test_an_illegal_event_names_itself_and_the_status() -> None:
    """The message of a forbidden transition says what was tried and when."""
    with pytest.raises(
        StatusTransitionError, match="TASK_STARTED cannot happen to a node that is CLOSED"
    ):
        NodeStatusMachine().advance(Event.TASK_STARTED)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[StatusAnnouncer, AsyncIterator[Arrival]]]:
    """The announcer of a node that is ready, and what a reader of the status topic gets then."""
    bus = MemoryBus()
    node = MemoryTransport(bus, Role(NODE_NAME, reads=(), writes=(Topic.STATUS,)))
    peer = MemoryTransport(bus, Role("PEER", reads=(Topic.STATUS,), writes=()))
    for transport in (node, peer):
        await transport.open()
        transport.connect()
    arrivals = peer.arrivals()
    announcer = StatusAnnouncer(node, quiet_s=0.01)
    announcer.open()
    await take(arrivals, 1)
    announcer.ready()
    await take(arrivals, 1)
    yield announcer, arrivals
    announcer.stop()  # which ends its timer
    await peer.close()
    await node.close()


@pytest.mark.anyio
async def test_a_task_is_announced_at_start_and_end_then_retired_and_idle_repeated() -> None:
    """Each sample carries the node's status truthfully, and the task's instance ends soon."""
    async with watched() as (announcer, arrivals):
        announcer.task_started(ID)
        seen = await take(arrivals, 1)
        announcer.task_ended(ID, error=None)
        seen += await take(arrivals, 3)

    running = NodeStatus(Status.RUNNING, TaskStatus.RUNNING, node_name=NODE_NAME, task_id=ID)
    succeeded = NodeStatus(Status.IDLE, TaskStatus.SUCCEEDED, node_name=NODE_NAME, task_id=ID)
    idle = NodeStatus(Status.IDLE, node_name=NODE_NAME)
    assert [arrival.sample for arrival in seen] == [running, succeeded, None, idle]
    assert seen[-2].key == ID


@pytest.mark.anyio
async def test_a_failed_task_leaves_the_node_idle() -> None:
    """A task that fails because of its data is an ended task, not a broken node."""
    async with watched() as (announcer, arrivals):
        announcer.task_started(ID)
        announcer.task_ended(ID, error="no power: 0 W")
        (arrival,) = await take(arrivals, 1)

    ended = arrival.sample
    assert isinstance(ended, NodeStatus)
    assert (ended.node_status, ended.task_status) == (Status.IDLE, TaskStatus.ERROR)
    assert ended.error_code is ErrorCode.INTERNAL_ERROR
    assert ended.error_description == "no power: 0 W"


@pytest.mark.anyio
async def test_the_node_runs_until_its_last_task_ends() -> None:
    """With two tasks, the first end is announced as running, the second as idle."""
    async with watched() as (announcer, arrivals):
        announcer.task_started(ID)
        announcer.task_started(TaskId(4, 1))
        await take(arrivals, 2)
        announcer.task_ended(ID, error=None)
        announcer.task_ended(TaskId(4, 1), error=None)
        seen = await take(arrivals, 2)

    ends = [
        (arrival.sample.task_id, arrival.sample.node_status)
        for arrival in seen
        if isinstance(arrival.sample, NodeStatus)
        and arrival.sample.task_status is TaskStatus.SUCCEEDED
    ]
    assert ends == [(ID, Status.RUNNING), (TaskId(4, 1), Status.IDLE)]


@pytest.mark.anyio
async def test_a_nodes_life_is_announced_under_its_name() -> None:
    """INITIALIZING with the status writer, IDLE when ready, TERMINATING at the stop."""
    bus = MemoryBus()
    node = MemoryTransport(bus, Role("CARBON_FOOTPRINT_NODE", reads=(), writes=(Topic.STATUS,)))
    peer = MemoryTransport(bus, Role("PEER", reads=(Topic.STATUS,), writes=()))
    for transport in (node, peer):
        await transport.open()
        transport.connect()
    arrivals = peer.arrivals()
    announcer = StatusAnnouncer(node)
    seen = []
    for event in (announcer.open, announcer.ready, announcer.repeat, announcer.stop):
        event()
        seen += await take(arrivals, 1)

    name = "CARBON_FOOTPRINT_NODE"
    said = (Status.INITIALIZING, Status.IDLE, Status.IDLE, Status.TERMINATING)
    assert [arrival.sample for arrival in seen] == [
        NodeStatus(status, node_name=name) for status in said
    ]


@pytest.mark.anyio
async def test_ended_tasks_do_not_fill_the_readers() -> None:
    """A burst leaves fewer instances than the 500 that the orchestrator reads."""
    bus = MemoryBus()
    node = MemoryTransport(bus, Role(NODE_NAME, reads=(), writes=(Topic.STATUS,)))
    await node.open()
    node.connect()
    announcer = StatusAnnouncer(node)
    announcer.open()
    announcer.ready()
    for number in range(600):
        announcer.task_started(TaskId(number, 1))
        announcer.task_ended(TaskId(number, 1), error=None)
        assert len(node.retained[Topic.STATUS]) <= MAX_ENDED + 2 < 500
    announcer.stop()
    await node.close()


class Clock:
    """The loop's time, set by hand: timers fire when the test lets it pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now_s = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self._now_s)

    async def pass_(self, seconds: float) -> None:
        """Let time pass, and what is due happen."""
        self._now_s += seconds
        for _ in range(3):
            await asyncio.sleep(0)


def instances(node: MemoryTransport) -> list[int]:
    """The problem ids of the status instances that are there; 0 is the node's own."""
    return [arrival.key.problem_id for arrival in node.retained[Topic.STATUS].values()]


@asynccontextmanager
async def ready_node() -> AsyncIterator[tuple[StatusAnnouncer, MemoryTransport]]:
    """A node that is IDLE, with the pauses that it has in a pipeline."""
    node = MemoryTransport(MemoryBus(), Role(NODE_NAME, reads=(), writes=(Topic.STATUS,)))
    await node.open()
    node.connect()
    announcer = StatusAnnouncer(node)
    announcer.open()
    announcer.ready()
    yield announcer, node
    await node.close()


@pytest.mark.anyio
async def test_an_ended_task_stays_a_moment_for_its_readers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each one its own, about a second; only then, and if nothing runs, IDLE is said again."""
    clock = Clock(monkeypatch)
    async with ready_node() as (announcer, node):
        for number in (1, 2):
            announcer.task_started(TaskId(number, 1))
        announcer.task_ended(TaskId(1, 1), error=None)
        await clock.pass_(0.6)
        announcer.task_ended(TaskId(2, 1), error=None)
        assert instances(node) == [0, 1, 2]
        await clock.pass_(0.5)
        assert instances(node) == [0, 2]
        said_ns = node.retained[Topic.STATUS][NODE_NAME, (0, 0)].source_timestamp_ns
        await clock.pass_(0.5)
        await clock.pass_(0.5)
        assert instances(node) == [0]
        assert node.retained[Topic.STATUS][NODE_NAME, (0, 0)].source_timestamp_ns > said_ns
        announcer.stop()


@pytest.mark.anyio
async def test_a_task_that_begins_again_is_not_ended_by_its_earlier_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A restarted orchestrator uses ids again, at once perhaps."""
    clock = Clock(monkeypatch)
    async with ready_node() as (announcer, node):
        announcer.task_started(ID)
        announcer.task_ended(ID, error=None)
        announcer.task_started(ID)
        await clock.pass_(5.0)
        assert instances(node) == [0, 3]
        announcer.stop()


@pytest.mark.anyio
async def test_nothing_is_ended_after_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks may still end within its budget; the participant takes all with it soon."""
    clock = Clock(monkeypatch)
    async with ready_node() as (announcer, node):
        for number in (1, 2):
            announcer.task_started(TaskId(number, 1))
        announcer.task_ended(TaskId(1, 1), error=None)
        announcer.stop()
        announcer.task_ended(TaskId(2, 1), error=None)
        await clock.pass_(5.0)
        assert instances(node) == [0, 1, 2]
        assert announcer.status is Status.TERMINATING
