"""The two doors of the configuration service: the topics of release 0.2 and the RPC of main.

Callers of both wait for their answer without a timeout, so whatever they send is answered. Both
doors ask the same service, in the loop's thread, so that two callers never meet in the middle of a
change.
"""

from dataclasses import replace

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.ports import CallTransport, ConfigurationService, Transport
from carbon_node.pipeline.retained import RetainedSamples
from carbon_node.wire.contract import CONFIGURATION_NODE_ID, Topic
from carbon_node.wire.samples import ConfigurationRequest, ConfigurationResponse, ErrorCode

RESPONSES_RETAINED = 400
"""Responses that stay for readers that are slow; older instances end before the 500 of a peer's
reader are full."""

log = structlog.get_logger(__name__)


class TopicEndpoint:
    """Answers requests on the topics of release 0.2.

    Args:
        transport: where responses go.
        service: what answers.
    """

    def __init__(self, transport: Transport, service: ConfigurationService) -> None:
        self._service = service
        self._responses = RetainedSamples(transport, Topic.RESPONSE, RESPONSES_RETAINED)

    def answer(self, request: ConfigurationRequest) -> None:
        """Answer a request with its ids, once for each time that it is sent.

        Every node of the pipeline gets every request: those to others are not answered.
        """
        if request.node_id != CONFIGURATION_NODE_ID:
            return
        key = ConfigurationResponse(request.node_id, request.transaction_id)
        answer = self._service.answer(request.configuration)
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
    """

    def __init__(self, transport: CallTransport, service: ConfigurationService) -> None:
        self._transport = transport
        self._service = service

    async def run(self) -> None:
        """Serve calls until cancelled or the transport is closed.

        Raises:
            TransportError: the service cannot be served.
        """
        async for call in self._transport.configuration_calls():
            answer = self._service.answer(call.text)
            try:
                self._transport.answer(call, answer.text)
            except TransportError as error:
                log.error("configuration call not answered", error=str(error))  # noqa: TRY400 - the message says it all
