"""Hands what arrives to whom it concerns."""

from carbon_node.pipeline.control import Control
from carbon_node.pipeline.doors import TopicDoor
from carbon_node.pipeline.pipeline import Pipeline
from carbon_node.pipeline.ports import Transport
from carbon_node.transport.wire import (
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
    """

    def __init__(
        self, transport: Transport, pipeline: Pipeline, control: Control, door: TopicDoor
    ) -> None:
        self._transport = transport
        self._pipeline = pipeline
        self._control = control
        self._door = door

    async def run(self) -> None:
        """Hand over what arrives, until cancelled or the transport is closed."""
        async for arrival in self._transport.arrivals():
            match arrival.sample:
                case UserInput() | MLModel() | HWResource():
                    self._pipeline.take_in(arrival)
                case NodeControl() as command:
                    self._control.obey(command)
                case ConfigurationRequest() as request:
                    self._door.answer(request)
                case _:
                    pass
