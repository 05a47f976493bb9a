"""What peers see of the node's status."""

import asyncio
from collections.abc import Awaitable, Callable

from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.transport.memory import MemoryBus, MemoryTransport
from carbon_node.wire.contract import NODE_NAME, Arrival, Role, Topic
from carbon_node.wire.samples import NodeStatus, Status, TaskId, TaskStatus

ID = TaskId(3, 1)
PATIENCE_S = 10.0


def watched(scenario: Callable[[StatusAnnouncer], Awaitable[None]], count: int) -> list[Arrival]:
    """The first samples that a reader of the status topic gets while a scenario goes on."""

    async def run() -> list[Arrival]:
        bus = MemoryBus()
        node = MemoryTransport(bus, Role(NODE_NAME, reads=(), writes=(Topic.STATUS,)))
        peer = MemoryTransport(bus, Role("PEER", reads=(Topic.STATUS,), writes=()))
        for transport in (node, peer):
            await transport.open()
            transport.connect()
        arrivals = peer.arrivals()
        announcer = StatusAnnouncer(node, quiet_s=0.01)
        acting = asyncio.ensure_future(scenario(announcer))
        async with asyncio.timeout(PATIENCE_S):
            taken = [await anext(arrivals) for _ in range(count)]
            await acting
        await peer.close()
        await node.close()
        return taken

    return asyncio.run(run())


async def _ready(announcer: StatusAnnouncer) -> None:
    announcer.open()
    await asyncio.sleep(0)
    announcer.ready()
    await asyncio.sleep(0)


def test_a_task_is_announced_at_start_and_end_then_retired_and_idle_repeated() -> None:
    """Each sample carries the node's status truthfully, and the task's instance ends soon."""

    async def scenario(announcer: StatusAnnouncer) -> None:
        await _ready(announcer)
        announcer.task_started(ID)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        announcer.task_ended(ID, error=None)

    seen = watched(scenario, 6)

    running = NodeStatus(Status.RUNNING, TaskStatus.RUNNING, node_name=NODE_NAME, task_id=ID)
    succeeded = NodeStatus(Status.IDLE, TaskStatus.SUCCEEDED, node_name=NODE_NAME, task_id=ID)
    idle = NodeStatus(Status.IDLE, node_name=NODE_NAME)
    assert [arrival.sample for arrival in seen[-4:]] == [running, succeeded, None, idle]
    assert seen[-2].key == ID


def test_a_failed_task_leaves_the_node_idle() -> None:
    """A task that fails because of its data is an ended task, not a broken node."""

    async def scenario(announcer: StatusAnnouncer) -> None:
        await _ready(announcer)
        announcer.task_started(ID)
        announcer.task_ended(ID, error="no power: 0 W")

    seen = watched(scenario, 3)

    ended = seen[-1].sample
    assert isinstance(ended, NodeStatus)
    assert (ended.node_status, ended.task_status) == (Status.IDLE, TaskStatus.ERROR)
    assert ended.error_description == "no power: 0 W"


def test_the_node_runs_until_its_last_task_ends() -> None:
    """With two tasks, the first end is announced as running, the second as idle."""

    async def scenario(announcer: StatusAnnouncer) -> None:
        await _ready(announcer)
        announcer.task_started(ID)
        announcer.task_started(TaskId(4, 1))
        await asyncio.sleep(0)
        announcer.task_ended(ID, error=None)
        announcer.task_ended(TaskId(4, 1), error=None)

    seen = watched(scenario, 6)

    ends = [
        (arrival.sample.task_id, arrival.sample.node_status)
        for arrival in seen
        if isinstance(arrival.sample, NodeStatus)
        and arrival.sample.task_status is TaskStatus.SUCCEEDED
    ]
    assert ends == [(ID, Status.RUNNING), (TaskId(4, 1), Status.IDLE)]
