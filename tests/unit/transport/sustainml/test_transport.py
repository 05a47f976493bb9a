"""A node on the library of a workspace, which the stand-in stands in for."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.library import STAND_IN, StandInPeers, stand_in_world
from tests.library_node import failed
from tests.transports import PATIENCE_S, take

from carbon_node.errors import TransportError
from carbon_node.transport.sustainml import transport as sustainml
from carbon_node.transport.sustainml.callbacks import UNANSWERED, Deadlines, Unanswered
from carbon_node.transport.sustainml.transport import SustainmlConfig, SustainmlTransport
from carbon_node.wire.contract import Arrival, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    TaskId,
    UserInput,
)

pytestmark = pytest.mark.anyio

TASK = TaskId(1, 1)
PATIENT = Deadlines(PATIENCE_S, PATIENCE_S)


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a stand-in that this process can import looks for its domain."""
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setenv("SUSTAINML_STAND_IN", str(tmp_path))
    yield tmp_path
    # Its `terminate` is for good, so the next test needs a new one.
    for name in [name for name in sys.modules if name.startswith("sustainml_py")]:
        del sys.modules[name]


@asynccontextmanager
async def node(
    directory: Path,
    deadlines: Deadlines = PATIENT,
    failed: Callable[[UserInput, MLModel, HWResource, Unanswered], CO2Footprint] = failed,
    log: Callable[[str, str, str], None] = lambda *_: None,
) -> AsyncIterator[tuple[SustainmlTransport, StandInPeers]]:
    """Have a node, open and connected, and its peers."""
    async with stand_in_world(directory) as (world, peers):
        transport = SustainmlTransport(SustainmlConfig(world.domain, deadlines, failed, log))
        await transport.open()
        transport.connect()
        try:
            yield transport, peers
        finally:
            await transport.close()


def send(peers: StandInPeers) -> None:
    """Send a task."""
    peers.publish(Topic.HW_RESOURCE, HWResource(task_id=TASK))
    peers.publish(Topic.USER_INPUT, UserInput(task_id=TASK))
    peers.publish(Topic.ML_MODEL, MLModel(task_id=TASK))


async def answer(peers: StandInPeers) -> Arrival:
    """Take the next answer at the peers."""
    (arrival,) = await take(peers.arrivals(), 1)
    return arrival


async def test_a_task_that_is_answered_too_late_goes_out_as_failed(directory: Path) -> None:
    """The callback returns at its deadline, and the late answer is refused."""
    async with node(directory, Deadlines(task_s=0.1)) as (transport, peers):
        send(peers)
        arrival = await answer(peers)
        assert arrival.sample == CO2Footprint(extra_data=b"LATE", task_id=TASK)
        with pytest.raises(TransportError, match="deadline"):
            transport.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))


async def test_closing_releases_every_callback_that_waits(directory: Path) -> None:
    """Tasks and requests that wait are answered as failed before the node leaves."""
    async with node(directory) as (transport, peers):
        send(peers)
        await take(transport.arrivals(), 3)
        peers.publish(Topic.REQUEST, ConfigurationRequest(1, 5, "{}"))
        await take(transport.arrivals(), 1)
        await transport.close()
        answers = [(await answer(peers)).sample for _ in range(2)]
        await asyncio.wait_for(peers.has_left.wait(), PATIENCE_S)

    (footprint,) = (sample for sample in answers if isinstance(sample, CO2Footprint))
    (response,) = (sample for sample in answers if isinstance(sample, ConfigurationResponse))
    assert footprint == CO2Footprint(extra_data=b"STOPPED", task_id=TASK)
    assert (response.node_id, response.transaction_id, response.success) == (1, 5, False)
    assert '"success": false' in response.configuration


async def test_the_library_announces_idle_when_inputs_are_wanted(directory: Path) -> None:
    """Opening announces INITIALIZING; IDLE waits until tasks are answered."""
    async with stand_in_world(directory) as (world, peers):
        config = SustainmlConfig(world.domain, Deadlines(PATIENCE_S), failed)
        transport = SustainmlTransport(config)
        await transport.open()
        transport.connect(Topic.STATUS)
        send(peers)
        await take(transport.arrivals(), 3)
        transport.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))
        await answer(peers)
        assert peers.statuses == ["INITIALIZING"]
        transport.connect(Topic.USER_INPUT)
        await transport.close()
        await asyncio.wait_for(peers.has_left.wait(), PATIENCE_S)
        assert peers.statuses == ["INITIALIZING", "IDLE"]


async def test_no_exception_leaves_a_callback(directory: Path) -> None:
    """What goes wrong is logged with its traceback, and consumers get what keeps them alive."""
    said: list[tuple[str, str, str]] = []

    def broken(*_: object) -> CO2Footprint:
        raise ZeroDivisionError("for the test")

    async with node(directory, Deadlines(task_s=0.0), broken, lambda *line: said.append(line)) as (
        _,
        peers,
    ):
        send(peers)
        arrival = await answer(peers)
        assert isinstance(arrival.sample, CO2Footprint)
        assert arrival.sample.extra_data == UNANSWERED.extra_data
    ((severity, _, message),) = said
    assert severity == "error"
    assert "in broken" in message
    assert "ZeroDivisionError: for the test" in message


async def test_a_repeated_task_is_answered_again(directory: Path) -> None:
    """A task that is delivered twice is two tasks by its writers, and each gets its answer."""
    writers = set()
    async with node(directory) as (transport, peers):
        for carbon in (1.0, 2.0):
            send(peers)
            arrivals = await take(transport.arrivals(), 3)
            writers |= {arrival.writer for arrival in arrivals}
            transport.publish(Topic.FOOTPRINT, CO2Footprint(carbon, task_id=TASK))
            assert (await answer(peers)).sample == CO2Footprint(carbon, task_id=TASK)
    assert len(writers) == 2


async def test_the_last_task_that_the_library_can_handle_is_reported(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and repetitions do not count: the library counts task ids."""
    monkeypatch.setattr(sustainml, "TASKS_PER_RUN", 2)
    said: list[tuple[str, str, str]] = []
    async with node(directory, log=lambda *line: said.append(line)) as (transport, peers):
        for problem in (1, 1, 2, 3):
            task_id = TaskId(problem, 1)
            peers.publish(Topic.HW_RESOURCE, HWResource(task_id=task_id))
            peers.publish(Topic.USER_INPUT, UserInput(task_id=task_id))
            peers.publish(Topic.ML_MODEL, MLModel(task_id=task_id))
            await take(transport.arrivals(), 3)
            assert bool(said) == (problem > 1)
            transport.publish(Topic.FOOTPRINT, CO2Footprint(task_id=task_id))
            await answer(peers)
    ((severity, _, message),) = said
    assert severity == "error"
    assert "restart the node" in message


async def test_a_transport_that_is_not_open_refuses() -> None:
    """Using it is an error, closing it is not."""
    transport = SustainmlTransport(SustainmlConfig(0, Deadlines(1.0), failed))
    with pytest.raises(TransportError, match="not open"):
        transport.connect()
    with pytest.raises(TransportError, match="not open"):
        transport.publish(Topic.FOOTPRINT, CO2Footprint())
    await transport.close()


async def test_what_the_library_does_not_tell_is_answered_at_once(directory: Path) -> None:
    """Nobody is known, and no wait for anybody blocks."""
    async with node(directory) as (transport, _):
        assert transport.peers() == ()
        assert await transport.wait_for_match(Topic.FOOTPRINT, timeout_s=PATIENCE_S) is False
        assert not await transport.wait_for_peers(bool, 1.0)
        assert not await transport.wait_for_acknowledgments(Topic.FOOTPRINT, PATIENCE_S)
