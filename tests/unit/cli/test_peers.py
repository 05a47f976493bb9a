"""The simulated peers against a node that the test plays."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.transports import NODE

from carbon_node.cli import peers as module
from carbon_node.cli.peers import PEERS_ROLE, Answer, SimulatedPeers, SubmittedTask
from carbon_node.errors import TransportError
from carbon_node.wire.contract import NODE_NAME, Role, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    NodeStatus,
    Status,
    TaskId,
    TaskStatus,
    UserInput,
)

pytestmark = pytest.mark.anyio

TIMEOUT_S = 10.0
NO_TASK = TaskId(0, 0)


@dataclass
class Clock:
    """A clock that stands still until it is set."""

    now_s: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now_s


@dataclass
class Scene:
    """A node that the test plays, the peers and their clock."""

    bus: MemoryBus
    node: MemoryTransport
    peers: SimulatedPeers
    clock: Clock

    def say(self, status: Status, task_id: TaskId = NO_TASK) -> None:
        """Publish a status of the node, or of a task that runs."""
        task_status = TaskStatus.WAITING if task_id == NO_TASK else TaskStatus.RUNNING
        told = NodeStatus(status, task_status, node_name=NODE_NAME, task_id=task_id)
        self.node.publish(Topic.STATUS, told)

    def submit(self, problem_id: int) -> asyncio.Task[Answer | None]:
        """Submit a task."""
        task_id = TaskId(problem_id, 1)
        inputs = SubmittedTask(
            UserInput(task_id=task_id), MLModel(task_id=task_id), HWResource(task_id=task_id)
        )
        return asyncio.create_task(self.peers.submit(inputs))

    def others(self) -> list[MemoryTransport]:
        """Return the transports beside the node's: that of the peers."""
        return self.bus.others(self.node)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Let everything run until a fact holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():  # noqa: ASYNC110 - facts of all kinds
                await asyncio.sleep(0.001)


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """Return peers that have joined a domain with a node that is ready."""
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "DISCOVERY_S", 0.0)
    bus, clock = MemoryBus(), Clock()
    node = MemoryTransport(bus, NODE)
    await node.open()
    node.connect()
    peers = SimulatedPeers(MemoryTransport(bus, PEERS_ROLE), 7, TIMEOUT_S, clock)
    scene = Scene(bus, node, peers, clock)
    async with peers.joined():
        scene.say(Status.IDLE)
        await peers.wait_for_node()
        yield scene
    await node.close()


async def test_the_situation_follows_the_tasks(scene: Scene) -> None:
    """What is sent, begun and done is counted; other tasks of the node are not."""
    tasks = [scene.submit(problem_id) for problem_id in (1, 2, 3)]
    scene.say(Status.RUNNING, TaskId(1, 1))
    scene.say(Status.RUNNING, TaskId(99, 1))
    scene.node.publish(Topic.FOOTPRINT, CO2Footprint(carbon_footprint=2.5, task_id=TaskId(2, 1)))
    answer = await tasks[1]
    await scene.until(lambda: scene.peers.situation().begun_count == 1)

    assert answer is not None
    assert answer.footprint.carbon_footprint == 2.5
    situation = scene.peers.situation()
    assert (situation.sent_count, situation.begun_count, situation.done_count) == (3, 1, 1)
    assert (situation.is_node_there, situation.status) == (True, Status.RUNNING)
    for topic in PEERS_ROLE.writes:
        left = [key for transport in scene.others() for key in transport.retained[topic]]
        assert len(left) == 2, "an answered task leaves room for another"

    scene.say(Status.INITIALIZING)
    await scene.until(lambda: scene.peers.situation().begun_count == 0)
    await scene.node.close()
    assert not scene.peers.situation().is_node_there
    for task in (tasks[0], tasks[2]):
        task.cancel()


async def test_a_task_waits_as_long_as_the_node_gives_signs(scene: Scene) -> None:
    """A status and another task's output each start the timeout again; then silence ends it."""
    waiting, other = scene.submit(1), scene.submit(2)
    await scene.until(lambda: scene.peers.situation().sent_count == 2)

    scene.clock.now_s = 9.0
    scene.say(Status.RUNNING)
    await scene.until(lambda: scene.peers.situation().status is Status.RUNNING)
    scene.clock.now_s = 18.0
    scene.node.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TaskId(2, 1)))
    assert await other is not None
    scene.clock.now_s = 27.0
    late = scene.submit(3)
    await asyncio.sleep(0.02)
    assert not waiting.done()

    scene.clock.now_s = 28.0
    assert await waiting is None
    # It has not waited that long yet.
    assert not late.done()
    late.cancel()


async def test_a_domain_without_a_node_is_named() -> None:
    """Whoever waits in vain learns what to type."""
    peers = SimulatedPeers(MemoryTransport(MemoryBus(), PEERS_ROLE), 7, 0.01)
    async with peers.joined():
        with pytest.raises(TransportError, match="start one with: carbon-node run --domain 7"):
            await peers.wait_for_node()


async def test_a_domain_with_an_orchestrator_is_refused() -> None:
    """It would index a table with participants that it does not know; nothing is written there."""
    bus = MemoryBus()
    orchestrator = MemoryTransport(bus, Role("ORCHESTRATOR_NODE", (), ()))
    await orchestrator.open()
    own = MemoryTransport(bus, PEERS_ROLE)
    with pytest.raises(TransportError, match="domain 7 has an ORCHESTRATOR_NODE"):
        async with SimulatedPeers(own, 7, TIMEOUT_S).joined():
            pytest.fail("joined a real pipeline")
    assert own.retained == {}
    assert bus.transports == [orchestrator]


async def test_others_in_the_domain_are_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither nodes nor other peers that are played."""
    monkeypatch.setattr(module, "DISCOVERY_S", 0.01)
    bus = MemoryBus()
    for name in ("CARBON_FOOTPRINT_NODE", "carbon_node_submit"):
        await MemoryTransport(bus, Role(name, (), ())).open()
    async with SimulatedPeers(MemoryTransport(bus, PEERS_ROLE), 7, TIMEOUT_S).joined():
        assert len(bus.transports) == 3
