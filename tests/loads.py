"""Peers that send a node many tasks and keep count of what comes back."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.calling_transport import participant
from tests.patience import PATIENCE_S as PATIENCE_S

from carbon_node.transport.fastdds import FastDdsTransport
from carbon_node.wire.contract import LEASE_DURATION_S, Role, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    HWResource,
    MLModel,
    NodeStatus,
    Sample,
    TaskId,
    UserInput,
)

INPUTS = (Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE)
ROLE = Role("carbon_node_load", reads=(Topic.FOOTPRINT, Topic.STATUS), writes=INPUTS)


@dataclass(frozen=True, slots=True)
class Input:
    """One sample of a task and where it is written."""

    topic: Topic
    sample: Sample


def task_inputs(number: int, *, outputs: int = 1, power_w: float | None = None) -> list[Input]:
    """The three samples of a task whose answer differs from that of every other number."""
    task_id = TaskId(number, 1)
    extra_data = json.dumps({"num_outputs": outputs}).encode()
    user = UserInput(geo_location_region="France", extra_data=extra_data, task_id=task_id)
    power = 100.0 + number / 10 if power_w is None else power_w
    hardware = HWResource("hw", power, 1.0, task_id=task_id)
    model = MLModel(model=f"model {number}", task_id=task_id)
    return [
        Input(Topic.USER_INPUT, user),
        Input(Topic.ML_MODEL, model),
        Input(Topic.HW_RESOURCE, hardware),
    ]


class Load:
    """What a peer sent and received.

    Args:
        transport: open and connected.
    """

    def __init__(self, transport: FastDdsTransport) -> None:
        self.transport = transport
        self.outputs: defaultdict[int, list[CO2Footprint]] = defaultdict(list)
        self.statuses: list[NodeStatus] = []
        self._news = asyncio.Event()

    async def read(self) -> None:
        """Receive, until cancelled."""
        async for arrival in self.transport.arrivals():
            match arrival.sample:
                case CO2Footprint() as footprint:
                    self.outputs[footprint.task_id.problem_id].append(footprint)
                case NodeStatus() as status:
                    self.statuses.append(status)
                case _:
                    continue
            self._news.set()

    def send(self, inputs: Iterable[Input]) -> None:
        """Write samples at once."""
        for each in inputs:
            self.transport.publish(each.topic, each.sample)

    def send_tasks(
        self, tasks: Iterable[int], *, outputs: int = 1, power_w: float | None = None
    ) -> None:
        """Write the inputs of tasks at once."""
        for number in tasks:
            self.send(task_inputs(number, outputs=outputs, power_w=power_w))

    async def wait_for(self, fact: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
        """Wait until a fact about what was received holds."""
        try:
            async with asyncio.timeout(timeout_s):
                while not fact():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"outputs of {len(self.outputs)} tasks only") from None

    async def wait_for_answers(self, count: int, timeout_s: float = PATIENCE_S) -> None:
        """Wait until so many tasks are answered."""
        await self.wait_for(lambda: len(self.outputs) >= count, timeout_s)

    def repeated(self) -> dict[int, int]:
        """Tasks with more than one output, and how many they have."""
        return {number: len(found) for number, found in self.outputs.items() if len(found) > 1}


def outputs_asked(footprint: CO2Footprint) -> int:
    """`num_outputs` of an output."""
    asked: int = json.loads(footprint.extra_data)["num_outputs"]
    return asked


def numbers(footprint: CO2Footprint) -> tuple[float, float, float]:
    """What an output says."""
    return (
        footprint.carbon_footprint,
        footprint.energy_consumption,
        footprint.carbon_intensity,
    )


@asynccontextmanager
async def loading(
    domain: int,
    *,
    is_matched: bool = True,
    loopback_only: bool = True,
    lease_s: float = LEASE_DURATION_S,
) -> AsyncIterator[Load]:
    """A peer in a domain; it has met the node there unless told that there is none yet."""
    async with participant(
        domain, ROLE, is_matched=is_matched, loopback_only=loopback_only, lease_s=lease_s
    ) as transport:
        load = Load(transport)
        reading = asyncio.create_task(load.read())
        yield load
        reading.cancel()
