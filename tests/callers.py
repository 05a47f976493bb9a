"""A participant that asks and commands a running node, and submits tasks to it."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from tests.calling_transport import CallingTransport, participant
from tests.patience import PATIENCE_S as PATIENCE_S

from carbon_node.wire.contract import NODE_NAME, Role, Topic
from carbon_node.wire.samples import (
    NO_TASK,
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    NodeCommand,
    NodeControl,
    NodeStatus,
    Sample,
    Status,
    TaskCommand,
    TaskId,
    UserInput,
)

ROLE = Role(
    "carbon_node_test",
    reads=(Topic.RESPONSE, Topic.FOOTPRINT, Topic.STATUS),
    writes=(
        Topic.USER_INPUT,
        Topic.ML_MODEL,
        Topic.HW_RESOURCE,
        Topic.CONTROL,
        Topic.REQUEST,
    ),
)

_transactions = itertools.count(1)
_problems = itertools.count(1)

SampleT = TypeVar("SampleT")


class Caller:
    """What peers do, and everything that they received.

    Args:
        transport: open and connected.
    """

    def __init__(self, transport: CallingTransport) -> None:
        self.transport = transport
        self.received: list[Sample] = []
        self._news = asyncio.Condition()

    async def read(self) -> None:
        """Receive, until cancelled."""
        async for arrival in self.transport.arrivals():
            if arrival.sample is not None:
                async with self._news:
                    self.received.append(arrival.sample)
                    self._news.notify_all()

    async def wait_for(self, fact: Callable[[], SampleT | None], what: str) -> SampleT:
        """Wait until a fact about what was received is not None."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._news:
                while (found := fact()) is None:
                    await self._news.wait()
                return found
        except TimeoutError:
            raise AssertionError(f"did not receive {what}; received {self.received}") from None

    async def ask(self, text: str, transaction: int | None = None) -> ConfigurationResponse:
        """Ask through the topics of release 0.2."""
        number = next(_transactions) if transaction is None else transaction
        known = len(self.responses(number))
        self.transport.publish(Topic.REQUEST, ConfigurationRequest(1, number, text))
        return await self.wait_for(
            lambda: next(iter(self.responses(number)[known:]), None), f"response {number}"
        )

    async def call(self, text: str) -> dict[str, Any]:
        """Ask through the RPC of main."""
        answer = await self.transport.call_configuration(text, PATIENCE_S)
        body: dict[str, Any] = json.loads(answer)
        return body

    async def ask_both(self, request: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Ask the same through both endpoints; the replies."""
        text = request if isinstance(request, str) else json.dumps(request)
        response = await self.ask(text)
        return json.loads(response.configuration), await self.call(text)

    async def status(self) -> dict[str, Any]:
        """Ask how the node is."""
        answer = await self.call('{"status": true}')
        found: dict[str, Any] = answer["status"]
        return found

    async def wait_for_status(self, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask how the node is until a fact about that holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not fact(status := await self.status()):  # noqa: ASYNC110 - asks over DDS
                await asyncio.sleep(0.01)
        return status

    def responses(self, transaction: int) -> list[ConfigurationResponse]:
        """Responses to a transaction so far."""
        return [
            sample
            for sample in self.received
            if isinstance(sample, ConfigurationResponse) and sample.transaction_id == transaction
        ]

    def submit(self, region: str = "France") -> TaskId:
        """Write the inputs of a new task."""
        task_id = TaskId(next(_problems), 1)
        self.transport.publish(
            Topic.USER_INPUT, UserInput(geo_location_region=region, task_id=task_id)
        )
        self.transport.publish(Topic.ML_MODEL, MLModel(model="m", task_id=task_id))
        self.transport.publish(Topic.HW_RESOURCE, HWResource("hw", 300.0, 1.0, task_id=task_id))
        return task_id

    def command(
        self,
        node: NodeCommand = NodeCommand.NO_COMMAND,
        task: TaskCommand = TaskCommand.NO_COMMAND,
        task_id: TaskId = NO_TASK,
        target: str = NODE_NAME,
    ) -> None:
        """Write a command."""
        self.transport.publish(Topic.CONTROL, NodeControl(node, task, target, "TESTER", task_id))

    def outputs(self, task_id: TaskId) -> list[CO2Footprint]:
        """Outputs of a task so far."""
        return [
            sample
            for sample in self.received
            if isinstance(sample, CO2Footprint) and sample.task_id == task_id
        ]

    async def output(self, task_id: TaskId, number: int = 1) -> CO2Footprint:
        """Wait for the n-th output of a task."""
        return await self.wait_for(
            lambda: next(iter(self.outputs(task_id)[number - 1 :]), None), f"output of {task_id}"
        )

    async def node_status(self, *statuses: Status) -> None:
        """Wait until the node's latest status is one of these."""

        def latest() -> Status | None:
            said = [one.node_status for one in self.received if isinstance(one, NodeStatus)]
            return said[-1] if said and said[-1] in statuses else None

        await self.wait_for(latest, f"status {statuses}")


@asynccontextmanager
async def calling(domain: int) -> AsyncIterator[Caller]:
    """A caller that has met the node of a domain."""
    async with participant(domain, ROLE) as transport:
        caller = Caller(transport)
        reading = asyncio.create_task(caller.read())
        yield caller
        reading.cancel()
