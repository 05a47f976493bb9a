"""Join, store and publishing under any interleaving of inputs and crashes."""

import asyncio
import shutil
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.loads import outputs_asked
from tests.memory_transport import MemoryBus, MemoryTransport
from tests.patience import PATIENCE_S
from tests.pipelines import NODE, World
from tests.stores import store_config
from tests.transports import PEERS

from carbon_node.pipeline.keeping import KeepingPolicy
from carbon_node.settings import Configuration, load
from carbon_node.store import open_store
from carbon_node.tasks.decision import Republish
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    Sample,
    TaskId,
    UserInput,
)

TASKS = 4
TICK_S = 0.0005
QUIET_S = 0.05


@dataclass(frozen=True, slots=True)
class Send:
    """A peer writes an input."""

    topic: Topic
    sample: Sample


@dataclass(frozen=True, slots=True)
class Crash:
    """The node dies after some time and starts again."""

    ticks: int


def inputs_of(number: int) -> list[Send]:
    """The inputs of a task that asks for three outputs."""
    task_id = TaskId(number, 1)
    return [
        Send(Topic.USER_INPUT, UserInput(extra_data=b'{"num_outputs": 3}', task_id=task_id)),
        Send(Topic.ML_MODEL, MLModel(model="m", task_id=task_id)),
        Send(Topic.HW_RESOURCE, HWResource("hw", 100.0 + number, 1.0, task_id=task_id)),
    ]


ONCE = [each for number in range(1, TASKS + 1) for each in inputs_of(number)]
CRASHES = st.lists(st.builds(Crash, st.integers(0, 40)), max_size=4)


@st.composite
def stories(draw: st.DrawFn, crashes: st.SearchStrategy[list[Crash]]) -> list[Send | Crash]:
    """Every input at least once, some again, in any order, with crashes anywhere."""
    again = draw(st.lists(st.sampled_from(ONCE), max_size=6))
    return list(draw(st.permutations([*ONCE, *again, *draw(crashes)])))


@dataclass
class Domain:
    """A peer, what it received, and a node that dies and comes back.

    Args:
        place: where the state directories of the node's lives are.
    """

    place: Path
    bus: MemoryBus = field(default_factory=MemoryBus)
    outputs: defaultdict[int, list[CO2Footprint]] = field(default_factory=lambda: defaultdict(list))
    life: int = 0

    def __post_init__(self) -> None:
        self.peer = MemoryTransport(self.bus, PEERS)

    @property
    def state_dir(self) -> Path:
        """State directory of this life."""
        return self.place / str(self.life)

    async def watch(self) -> None:
        """Collect outputs."""
        async for arrival in self.peer.arrivals():
            if isinstance(arrival.sample, CO2Footprint):
                self.outputs[arrival.key.problem_id].append(arrival.sample)

    @asynccontextmanager
    async def node(self) -> AsyncIterator[None]:
        """One life; it ends as SIGKILL would end it."""
        node = MemoryTransport(self.bus, NODE)
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(
                open_store(store_config(self.state_dir), lambda _: None)
            )
            await node.open()
            node.connect()
            world = World(
                node,
                self.peer,
                None,
                store,
                KeepingPolicy(Republish.UNACKNOWLEDGED, rerun_on_change=False),
            )
            world.configuration = formula()
            # An answer that is computed again in another life has other numbers.
            world.g_per_kwh = 100.0 + self.life
            world.announcer.open()
            world.announcer.ready()
            # The node's work ends first: a killed process does not see its transport close.
            with _background(world.read(), world.pipeline.run(world.stop, 0.0)):
                yield
            # What is on disk at this moment is all that the next life knows.
            following = self.place / str(self.life + 1)
            shutil.copytree(self.state_dir, following, ignore=shutil.ignore_patterns("*-shm"))
            await node.close()
        self.life += 1


@contextmanager
def _background(*works: Coroutine[Any, Any, None]) -> Iterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def formula() -> Configuration:
    """A configuration without measurements."""
    return load({"domain": 0, "output_gap_ms": 0, "tracker.mode": "formula"}, {}).configuration


async def lived(story: list[Send | Crash], place: Path) -> dict[int, list[CO2Footprint]]:
    """Let a story happen; the outputs of each task."""
    domain = Domain(place)
    await domain.peer.open()
    domain.peer.connect()
    watching = asyncio.create_task(domain.watch())
    chapters: list[list[Send]] = [[]]
    pauses: list[int] = []
    for event in story:
        match event:
            case Send():
                chapters[-1].append(event)
            case Crash(ticks):
                pauses.append(ticks)
                chapters.append([])
    for chapter, ticks in zip(chapters, [*pauses, 0], strict=True):
        async with domain.node():
            for send in chapter:
                domain.peer.publish(send.topic, send.sample)
                await asyncio.sleep(0)
            await asyncio.sleep(ticks * TICK_S)
            if len(pauses) == domain.life:
                await _quiet(domain)
    watching.cancel()
    return domain.outputs


async def _quiet(domain: Domain) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while len(domain.outputs) < TASKS:  # noqa: ASYNC110 - a fact of several parts
            await asyncio.sleep(TICK_S)
    await asyncio.sleep(QUIET_S)


def happen(story: list[Send | Crash]) -> dict[int, list[CO2Footprint]]:
    """Let a story happen in a place of its own."""
    with tempfile.TemporaryDirectory() as place:
        # Each story has a loop of its own, with which all ends that its lives have left behind.
        return asyncio.run(lived(story, Path(place)))


@settings(max_examples=25, deadline=None)
@given(stories(st.just([])))
def test_any_interleaving_gives_exactly_one_output_per_task(story: list[Send | Crash]) -> None:
    """Without crashes, each task has one output with what the user asked for."""
    outputs = happen(story)

    assert {number: len(found) for number, found in outputs.items()} == dict.fromkeys(
        range(1, TASKS + 1), 1
    )
    assert all(outputs_asked(found[0]) == 3 for found in outputs.values())


@settings(max_examples=40, deadline=None)
@given(stories(CRASHES))
def test_crashes_anywhere_lose_no_task_and_compute_none_twice(story: list[Send | Crash]) -> None:
    """Each task has one answer; what leaves again has the same numbers and asks for no more."""
    outputs = happen(story)

    assert set(outputs) == set(range(1, TASKS + 1))
    for found in outputs.values():
        assert len({(one.carbon_footprint, one.energy_consumption) for one in found}) == 1
        assert all(outputs_asked(one) == 1 for one in found[1:])
