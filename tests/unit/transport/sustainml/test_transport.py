"""A node on the library of a workspace, which the stand-in stands in for."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.library import STAND_IN, StandInPeers, stand_in_world
from tests.library_node import failed
from tests.transports import PATIENCE_S, run, take

from carbon_node.errors import BindingUnavailable, TransportError
from carbon_node.transport.sustainml import objects as sustainml_objects
from carbon_node.transport.sustainml import transport as sustainml
from carbon_node.transport.sustainml.callbacks import UNANSWERED, Callbacks, Deadlines, Unanswered
from carbon_node.transport.sustainml.objects import MODULE, copied
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


def test_a_task_that_is_answered_too_late_goes_out_as_failed(directory: Path) -> None:
    """The callback returns at its deadline, and the late answer is refused."""

    async def test() -> None:
        async with node(directory, Deadlines(task_s=0.1)) as (transport, peers):
            send(peers)
            arrival = await answer(peers)
            assert arrival.sample == CO2Footprint(extra_data=b"LATE", task_id=TASK)
            with pytest.raises(TransportError, match="deadline"):
                transport.publish(Topic.FOOTPRINT, CO2Footprint(task_id=TASK))

    run(test())


def test_closing_releases_every_callback_that_waits(directory: Path) -> None:
    """Tasks and requests that wait are answered as failed before the node leaves."""

    async def test() -> None:
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

    run(test())


def test_the_library_announces_idle_when_inputs_are_wanted(directory: Path) -> None:
    """Opening announces INITIALIZING; IDLE waits until tasks are answered."""

    async def test() -> None:
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

    run(test())


def test_no_exception_leaves_a_callback(directory: Path) -> None:
    """What goes wrong is logged with its traceback, and consumers get what keeps them alive."""
    said: list[tuple[str, str, str]] = []

    def broken(*_: object) -> CO2Footprint:
        raise ZeroDivisionError("for the test")

    async def test() -> None:
        async with node(
            directory, Deadlines(task_s=0.0), broken, lambda *line: said.append(line)
        ) as (_, peers):
            send(peers)
            arrival = await answer(peers)
            assert isinstance(arrival.sample, CO2Footprint)
            assert arrival.sample.extra_data == UNANSWERED.extra_data

    run(test())
    ((severity, _, message),) = said
    assert severity == "error"
    assert "in broken" in message
    assert "ZeroDivisionError: for the test" in message


def test_a_repeated_task_is_answered_again(directory: Path) -> None:
    """A task that is delivered twice is two tasks by its writers, and each gets its answer."""

    async def test() -> None:
        writers = set()
        async with node(directory) as (transport, peers):
            for carbon in (1.0, 2.0):
                send(peers)
                arrivals = await take(transport.arrivals(), 3)
                writers |= {arrival.writer for arrival in arrivals}
                transport.publish(Topic.FOOTPRINT, CO2Footprint(carbon, task_id=TASK))
                assert (await answer(peers)).sample == CO2Footprint(carbon, task_id=TASK)
        assert len(writers) == 2

    run(test())


def test_the_last_task_that_the_library_can_handle_is_reported(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, and repetitions do not count: the library counts task ids."""
    monkeypatch.setattr(sustainml, "TASKS_PER_RUN", 2)
    said: list[tuple[str, str, str]] = []

    async def test() -> None:
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

    run(test())
    ((severity, _, message),) = said
    assert severity == "error"
    assert "restart the node" in message


class Values:
    """An object of the library, with accessors as methods."""

    def __init__(self, **values: object) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Callable[..., object]:
        return lambda *new: self.values.update({name: new[0]}) if new else self.values[name]


def requested(node_id: int) -> Values:
    """Let callbacks answer a request, and return the response."""
    response = Values()
    callbacks: Callbacks

    def grant(arrivals: list[Arrival]) -> None:
        (request,) = (arrival.sample for arrival in arrivals)
        assert isinstance(request, ConfigurationRequest)
        assert request.node_id == 1
        callbacks.answer_request(
            ConfigurationResponse(1, request.transaction_id, success=True, configuration="done")
        )

    callbacks = Callbacks(Deadlines(PATIENCE_S), failed, grant, pytest.fail)
    callbacks.on_request(Values(node_id=node_id, transaction_id=9, configuration=""), response)
    return response


@pytest.mark.parametrize("node_id", [0, 1])
def test_a_request_is_answered_with_the_ids_that_it_came_with(node_id: int) -> None:
    """Also with id 0, which the library's main branch leaves in every request."""
    assert requested(node_id).values == {
        "node_id": node_id,
        "transaction_id": 9,
        "success": True,
        "err_code": 0,
        "configuration": "done",
    }


@pytest.mark.parametrize("node_id", [-1, 2])
def test_a_request_to_another_node_is_left_alone(node_id: int) -> None:
    """Nothing is written into the response to it."""
    assert requested(node_id).values == {}


def test_a_request_that_nobody_answers_is_refused_in_time() -> None:
    """The caller, who waits without a timeout, hears why."""
    response = Values()
    callbacks = Callbacks(Deadlines(PATIENCE_S, 0.0), failed, lambda _: None, pytest.fail)
    callbacks.on_request(Values(node_id=1, transaction_id=9, configuration=""), response)
    assert (response.values["success"], response.values["err_code"]) == (False, 1)
    assert '"code": "timeout"' in str(response.values["configuration"])


def test_text_that_is_not_utf_8_is_mended() -> None:
    """Lone surrogates, as the library hands them out, become replacement characters."""
    source = Values(node_id=1, transaction_id=2, configuration="a\udcffb")
    assert copied(ConfigurationRequest, source).configuration == "a\N{REPLACEMENT CHARACTER}b"


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asked for the library learns what to do."""
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(BindingUnavailable, match=r"setup\.bash"):
        sustainml_objects.library_node_class()


def test_a_transport_that_is_not_open_refuses() -> None:
    """Using it is an error, closing it is not."""
    transport = SustainmlTransport(SustainmlConfig(0, Deadlines(1.0), failed))
    with pytest.raises(TransportError, match="not open"):
        transport.connect()
    with pytest.raises(TransportError, match="not open"):
        transport.publish(Topic.FOOTPRINT, CO2Footprint())
    asyncio.run(transport.close())


def test_what_the_library_does_not_tell_is_answered_at_once(directory: Path) -> None:
    """Nobody is known, and no wait for anybody blocks."""

    async def test() -> None:
        async with node(directory) as (transport, _):
            assert (transport.peers(), transport.matched(Topic.FOOTPRINT)) == ((), 0)
            assert not await transport.wait_for_peers(bool, 1.0)
            assert not await transport.wait_for_acknowledgments(Topic.FOOTPRINT, PATIENCE_S)

    run(test())
