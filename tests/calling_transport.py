"""A participant that calls the node's configuration service, as main's orchestrator does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.patience import PATIENCE_S

from carbon_node.errors import TransportError
from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_qos, native_type, translated_errors
from carbon_node.transport.fastdds import FastDdsConfig, FastDdsTransport
from carbon_node.transport.rpc import BATCH, REPLY, REQUEST, SERVICE_NAME
from carbon_node.wire.contract import LEASE_DURATION_S, Role
from carbon_node.wire.quality import SERVICE
from carbon_node.wire.types import sendable


class CallingTransport(FastDdsTransport):
    """A transport with the calling end of the RPC: a writer of requests and a reader of replies.

    Unlike Fast DDS's own requester it hears the replies to others, and leaves them.
    """

    def __init__(self, config: FastDdsConfig) -> None:
        super().__init__(config)
        self._service: tuple[native.Writer, native.Reader] | None = None
        self._replies: dict[bytes, str] = {}

    async def close(self) -> None:
        """Leave the domain."""
        self._service = None
        await super().close()

    async def call_configuration(self, text: str, timeout_s: float) -> str:
        """Call the configuration service and wait for its answer.

        Raises:
            TransportError: nobody serves, or no answer came in time.
        """
        requests, replies = self._called()
        if not await self.wait_until(
            lambda: len(requests.matched()) == len(replies.matched()) > 0, timeout_s
        ):
            raise TransportError(f"nobody served {SERVICE_NAME} within {timeout_s} s")
        with translated_errors("call the configuration service"):
            correlation = requests.write(((sendable(text),),))
        if not await self.wait_until(lambda: self._has_reply(replies, correlation), timeout_s):
            raise TransportError(f"{SERVICE_NAME} did not answer within {timeout_s} s")
        return self._replies.pop(correlation)

    def _called(self) -> tuple[native.Writer, native.Reader]:
        if self._service is None:
            participant, qos = self._opened(), native_qos(SERVICE)
            self._service = (
                native.Writer(participant, REQUEST.name, native_type(REQUEST), qos),
                native.Reader(participant, REPLY.name, native_type(REPLY), qos),
            )
        return self._service

    def _has_reply(self, replies: native.Reader, correlation: bytes) -> bool:
        for sample in replies.take(BATCH):
            if sample.value is not None:
                ((self._replies[sample.correlation],),) = sample.value[0]
        return correlation in self._replies


@asynccontextmanager
async def participant(
    domain: int,
    role: Role,
    *,
    is_matched: bool = True,
    loopback_only: bool = True,
    lease_s: float = LEASE_DURATION_S,
) -> AsyncIterator[CallingTransport]:
    """A participant with its endpoints; it has met others unless told that there are none yet."""
    config = FastDdsConfig(domain, role, lease_s, loopback_only=loopback_only)
    transport = CallingTransport(config)
    await transport.open()
    try:
        transport.connect()
        if is_matched:
            for topic in (*role.reads, *role.writes):
                assert await transport.wait_for_match(topic, timeout_s=PATIENCE_S), topic
        yield transport
    finally:
        await transport.close()
