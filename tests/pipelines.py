"""A whole pipeline between an orchestrator in memory and a tracker that waits for the test."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar, cast

from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.stores import store_config
from tests.transports import PEERS, opened

from carbon_node.daemon import parts
from carbon_node.estimation import CarbonIntensity, Place, exact
from carbon_node.estimation.measurement import Measurement, ModelRun, Run
from carbon_node.observability.metrics import Metrics
from carbon_node.observability.redaction import Secrets
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.baseline import Baseline
from carbon_node.pipeline.control import CommandCounts, Control
from carbon_node.pipeline.endpoints import TopicEndpoint
from carbon_node.pipeline.former_outputs import FormerOutputs
from carbon_node.pipeline.join import Join
from carbon_node.pipeline.keeping import Keeping, KeepingPolicy
from carbon_node.pipeline.outputs import Outputs
from carbon_node.pipeline.pacing import Pacing
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.ports import Conditions, TaskStore, Tracker
from carbon_node.pipeline.publishing import Publishing
from carbon_node.pipeline.raw_models import RawModels
from carbon_node.pipeline.reception import Reception
from carbon_node.pipeline.register import TaskRegister
from carbon_node.settings import ConfigurationService, NodeQuestions, load
from carbon_node.store import open_store
from carbon_node.store.spool import FileSpool
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.decision import Republish
from carbon_node.transport.fastdds import FastDdsTransport
from carbon_node.wire.contract import (
    LEASE_DURATION_S,
    NODE_NAME,
    BaselinePolicy,
    Role,
    Topic,
)
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    NodeStatus,
    Sample,
    TaskId,
    UserInput,
)

NODE = Role(
    NODE_NAME,
    reads=(*parts.INPUTS, *parts.REQUESTS),
    writes=(Topic.STATUS, *parts.OUTPUTS),
)

AnyTransport = TypeVar("AnyTransport", MemoryTransport, FastDdsTransport)


class PatientTracker:
    """Measurements that end when the test lets them."""

    def __init__(self) -> None:
        self.begun_count = 0
        self.cancelled_count = 0
        self.has_worker = asyncio.Event()
        self.has_worker.set()
        self.may_end = asyncio.Event()

    def can_run(self, run: ModelRun) -> bool:  # noqa: ARG002 - all are the same
        """Never: models belong to the tests of measurements."""
        return False

    async def measure(
        self,
        run: Run,  # noqa: ARG002 - all are the same
        on_begin: Callable[[], None],
    ) -> Measurement:
        """Wait for the test."""
        self.begun_count += 1
        try:
            await self.has_worker.wait()
            on_begin()
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled_count += 1
            raise
        return Measurement(1e-6, 0.1, 1)


class OneIntensity:
    """The same intensity everywhere.

    Args:
        g_per_kwh: gCO2e per kilowatt-hour.
    """

    def __init__(self, g_per_kwh: float) -> None:
        self._g_per_kwh = g_per_kwh

    def known(self, place: Place) -> CarbonIntensity:
        """Return it."""
        return self.lookup(place)

    def lookup(self, place: Place) -> CarbonIntensity:
        """Return it."""
        return CarbonIntensity(exact(self._g_per_kwh), place.region, "", None, "test")


class World:
    """A node's pipeline, what it is made of, and what its peer received."""

    def __init__(
        self,
        node: MemoryTransport | FastDdsTransport,
        peer: MemoryTransport | FastDdsTransport,
        tracker: Tracker | None,
        store: TaskStore,
        policy: KeepingPolicy,
        left: Sequence[Kept] = (),
        baseline_policy: BaselinePolicy = BaselinePolicy.NEVER,
    ) -> None:
        self.configuration = load({"domain": 0, "output_gap_ms": 0}, {}).configuration
        self.g_per_kwh = 100.0
        self.peer = peer
        self.store = store
        self.tracker = PatientTracker()
        self._tracker = tracker
        self.announcer = StatusAnnouncer(node)
        self.metrics = Metrics()
        self.register = TaskRegister(self.metrics)
        baseline = Baseline(node, baseline_policy)
        self.former = FormerOutputs(node, store, left, LEASE_DURATION_S)
        outputs = Outputs(node, store, self.former)
        pacing = Pacing(lambda: 0.0, lambda: True, asyncio.sleep)
        self.publishing = Publishing(outputs, self.announcer, baseline, pacing)
        self.pipeline = Pipeline(
            Keeping(store, policy),
            Answering(self, "test"),
            self.publishing,
            self.announcer,
            self.register,
            Secrets(),
        )
        configuration = self.configuration
        service = ConfigurationService(configuration, cast(NodeQuestions, None), lambda _: None)
        self.reception = Reception(
            Join(parts.join_bounds(configuration.settings)),
            RawModels(FileSpool(configuration.settings.state_dir), self),
            baseline,
            self.pipeline,
            Control(self.pipeline, lambda: None, lambda: False, CommandCounts(), self.metrics),
            TopicEndpoint(node, service, self.metrics),
            store,
        )
        self.node = node
        self.stop = asyncio.Event()
        self.received: list[Sample] = []
        self.outputs: list[CO2Footprint] = []
        self.statuses: list[NodeStatus] = []

    def conditions(self) -> Conditions:
        """Conditions of a task that starts now."""
        tracker = self.tracker if self._tracker is None else self._tracker
        return parts.conditions(self.configuration, tracker, OneIntensity(self.g_per_kwh))

    def submit(self, problem_id: int = 1, model: MLModel | None = None) -> TaskId:
        """Write the inputs of a task."""
        task_id = TaskId(problem_id, 1)
        self.peer.publish(Topic.USER_INPUT, UserInput(task_id=task_id))
        self.peer.publish(Topic.ML_MODEL, model or MLModel(model="m", task_id=task_id))
        self.peer.publish(Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0, task_id=task_id))
        return task_id

    async def until(self, fact: Callable[[], bool]) -> None:
        """Let everything run until a fact holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact():  # noqa: ASYNC110 - facts of all kinds
                await asyncio.sleep(0.001)

    async def begun(self, count: int = 1) -> None:
        """Wait until so many measurements have begun."""
        await self.until(lambda: self.tracker.begun_count == count)

    async def answered(self, count: int = 1) -> None:
        """Wait until so many outputs came."""
        await self.until(lambda: len(self.outputs) == count)

    async def read(self) -> None:
        """Hand the node's arrivals to the pipeline."""
        await self.reception.run(self.node.arrivals())

    async def watch(self) -> None:
        """Collect what the peer receives."""
        async for arrival in self.peer.arrivals():
            if arrival.sample is not None:
                self.received.append(arrival.sample)
            match arrival.sample:
                case CO2Footprint() as footprint:
                    self.outputs.append(footprint)
                case NodeStatus() as status:
                    self.statuses.append(status)
                case _:
                    pass

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let it run; it is stopped without budget in the end."""
        self.announcer.open()
        self.announcer.ready()
        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(self.read()), group.create_task(self.watch())]
            running = group.create_task(self.pipeline.run(self.stop, 0.0))
            yield
            self.stop.set()
            await running
            for helper in helpers:
                helper.cancel()


@asynccontextmanager
async def joined(transport: AnyTransport) -> AsyncIterator[AnyTransport]:
    """A participant with its endpoints, which leaves in the end with all that it retains."""
    await transport.open()
    transport.connect()
    try:
        yield transport
    finally:
        await transport.close()


@asynccontextmanager
async def remembering_node(
    transport: AnyTransport, orchestrator: AnyTransport, state_dir: Path
) -> AsyncIterator[World]:
    """A node that answers at once, and remembers in its state directory."""
    policy = KeepingPolicy(Republish.UNACKNOWLEDGED, rerun_on_change=False)
    async with (
        open_store(store_config(state_dir), lambda _: None) as store,
        joined(transport),
    ):
        world = World(transport, orchestrator, None, store, policy)
        world.tracker.may_end.set()
        async with world.running():
            yield world


@asynccontextmanager
async def running_world(
    tracker: Tracker | None = None,
    *,
    rerun_on_change: bool = False,
    baseline_policy: BaselinePolicy = BaselinePolicy.NEVER,
) -> AsyncIterator[World]:
    """A pipeline that runs with a store in memory.

    Args:
        tracker: measures instead of the world's `PatientTracker`.
        rerun_on_change: whether tasks are run again whose inputs changed while they ran.
        baseline_policy: whether the node publishes the baseline.
    """
    policy = KeepingPolicy(Republish.UNACKNOWLEDGED, rerun_on_change=rerun_on_change)
    bus = MemoryBus()
    in_memory = store_config(None)
    async with (
        open_store(in_memory, lambda _: None) as store,
        opened(lambda role: MemoryTransport(bus, role), NODE, PEERS) as (node, peer),
    ):
        assert isinstance(node, MemoryTransport)
        assert isinstance(peer, MemoryTransport)
        world = World(node, peer, tracker, store, policy, baseline_policy=baseline_policy)
        async with world.running():
            yield world
