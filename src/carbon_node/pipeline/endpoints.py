"""The two endpoints of the configuration service: topics of release 0.2, and the RPC of main.

Callers of both wait for their answer without a timeout, so whatever they send is answered, to each
in the order of its requests. An answer may wait for the store; nothing else waits for it.
"""

import asyncio
from collections import deque
from dataclasses import replace

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.outputs import RetainedSamples
from carbon_node.pipeline.ports import (
    CallTransport,
    ConfigurationAnswer,
    ConfigurationService,
    Observer,
    Transport,
)
from carbon_node.wire.contract import CONFIGURATION_NODE_ID, Topic
from carbon_node.wire.samples import ConfigurationRequest, ConfigurationResponse, ErrorCode

RESPONSES_RETAINED = 400
"""Responses that stay for readers that are slow; older instances end before the 500 of a peer's
reader are full."""

MAX_WAITING = 1_000
"""Requests that wait for their answer: more than a reader of the response topic can hold."""

log = structlog.get_logger(__name__)


class TopicEndpoint:
    """Answers requests on the topics of release 0.2.

    Args:
        transport: where responses go.
        service: what answers.
        observer: counts requests.
    """

    def __init__(
        self, transport: Transport, service: ConfigurationService, observer: Observer
    ) -> None:
        self._service = service
        self._observer = observer
        self._responses = RetainedSamples(transport, Topic.RESPONSE, RESPONSES_RETAINED)
        self._waiting: deque[ConfigurationRequest] = deque()
        self._arrived = asyncio.Event()

    def take(self, request: ConfigurationRequest) -> None:
        """Take a request in; `run` answers it with its ids, once for each time that it is sent.

        Every node of the pipeline gets every request: those to others are not answered. Requests
        beyond `MAX_WAITING` are dropped, the oldest first: nobody can wait for so many.
        """
        if request.node_id != CONFIGURATION_NODE_ID:
            return
        if len(self._waiting) == MAX_WAITING:
            dropped = self._waiting.popleft()
            log.error("configuration request dropped", transaction_id=dropped.transaction_id)
        self._waiting.append(request)
        self._arrived.set()

    async def run(self) -> None:
        """Answer requests one after the other, until cancelled."""
        while True:
            await self._arrived.wait()
            while self._waiting:
                await self._answer(self._waiting.popleft())
            self._arrived.clear()

    async def _answer(self, request: ConfigurationRequest) -> None:
        key = ConfigurationResponse(request.node_id, request.transaction_id)
        answer = await _counted(self._service, request.configuration, "topics", self._observer)
        code = ErrorCode.NO_ERROR if answer.success else ErrorCode.INTERNAL_ERROR
        response = replace(key, success=answer.success, err_code=code, configuration=answer.text)
        try:
            self._responses.publish(response, key)
        except TransportError as error:
            log.error(  # noqa: TRY400 - the message says it all
                "configuration response not published",
                transaction_id=request.transaction_id,
                error=str(error),
            )


class RpcEndpoint:
    """Answers calls of main's orchestrator.

    Args:
        transport: where calls come from.
        service: what answers.
        observer: counts calls.
    """

    def __init__(
        self, transport: CallTransport, service: ConfigurationService, observer: Observer
    ) -> None:
        self._transport = transport
        self._service = service
        self._observer = observer

    async def run(self) -> None:
        """Serve calls until cancelled or the transport is closed; those to come wait in DDS.

        Raises:
            TransportError: the service cannot be served.
        """
        async for call in self._transport.configuration_calls():
            answer = await _counted(self._service, call.text, "rpc", self._observer)
            try:
                self._transport.answer(call, answer.text)
            except TransportError as error:
                log.error("configuration call not answered", error=str(error))  # noqa: TRY400 - the message says it all


async def _counted(
    service: ConfigurationService, text: str, interface: str, observer: Observer
) -> ConfigurationAnswer:
    answer = await service.answer(text)
    observer.request(interface, "granted" if answer.success else "refused")
    return answer
