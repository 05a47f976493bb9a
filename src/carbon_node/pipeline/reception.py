"""Hands what arrives to whom it concerns."""

from dataclasses import replace

from carbon_node.pipeline.control import Control
from carbon_node.pipeline.doors import TopicEndpoint
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.ports import Transport
from carbon_node.pipeline.raw_models import RawModels
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import (
    ConfigurationRequest,
    HWResource,
    MLModel,
    NodeControl,
    UserInput,
)


class Reception:
    """Reads the node's topics.

    Args:
        transport: what is read.
        pipeline: gets the inputs of tasks.
        control: gets commands.
        door: gets configuration requests.
        models: takes the bytes out of models.
    """

    def __init__(
        self,
        transport: Transport,
        pipeline: Pipeline,
        control: Control,
        door: TopicEndpoint,
        models: RawModels,
    ) -> None:
        self._transport = transport
        self._pipeline = pipeline
        self._control = control
        self._door = door
        self._models = models

    async def run(self) -> None:
        """Hand over what arrives, until cancelled or the transport is closed."""
        async for arrival in self._transport.arrivals():
            await self._hand_over(arrival)
            # The next one may be far, and this one may hold megabytes.
            del arrival

    async def _hand_over(self, arrival: Arrival) -> None:
        match arrival.sample:
            case UserInput() | HWResource():
                self._pipeline.take_in(arrival)
            case MLModel() as model:
                light = await self._models.detached(model)
                self._pipeline.take_in(replace(arrival, sample=light))
            case NodeControl() as command:
                self._control.obey(command)
            case ConfigurationRequest() as request:
                self._door.answer(request)
            case _:
                pass
