"""The configuration service of main's orchestrator over DDS RPC: text in, text out.

The binding's codec writes every member of a type, and main's orchestrator rejects a reply that
holds both a result and an exception code. So the types leave out what is never sent, and errors are
answered as text.
"""

import asyncio
import time

from carbon_node.errors import TransportError
from carbon_node.transport.binding import native
from carbon_node.transport.endpoints import native_qos, native_type, translated_errors
from carbon_node.transport.news import News
from carbon_node.wire.contract import ConfigurationCall
from carbon_node.wire.quality import SERVICE
from carbon_node.wire.types import Member, Struct, sendable

SERVICE_NAME = "CarbonFootprintService"
OPERATION = "update_configuration"
OPERATION_ID = 0x096EBADA
RESULT_ID = 0x0784A8B4

_PREFIX = f"detail::{SERVICE_NAME}"
_IN = Struct(f"{_PREFIX}_{OPERATION}_In", (Member("configuration", "string"),), "final")
_OUT = Struct(f"{_PREFIX}_{OPERATION}_Out", (Member("return_", "string"),), "final")
_RESULT = Struct(
    f"{_PREFIX}_{OPERATION}_Result", (Member("result", _OUT, id=RESULT_ID),), "mutable"
)
REQUEST = Struct(f"{_PREFIX}_Request", (Member(OPERATION, _IN, id=OPERATION_ID),), "mutable")
REPLY = Struct(f"{_PREFIX}_Reply", (Member(OPERATION, _RESULT, id=OPERATION_ID),), "mutable")

BATCH = 16
"""Calls or answers taken before other coroutines get their turn."""


def _service(participant: native.Participant) -> native.Service:
    return native.Service(participant, SERVICE_NAME, native_type(REQUEST), native_type(REPLY))


HOLD_S = 2.0
"""Longest time that calls wait for a caller whose reply reader is not discovered yet."""


class Hold:
    """Whether calls have to wait for a caller that could not be answered yet.

    A caller's request may arrive before its reply reader is discovered, and a reply that is sent
    before that is lost, since nothing is retained here.
    """

    def __init__(self) -> None:
        self.since_s: float | None = None

    def is_on(self, writers: int, readers: int, now_s: float) -> bool:
        """Look again; a caller whose reader never comes holds the others for `HOLD_S` only.

        Args:
            writers: request writers that are matched.
            readers: reply readers that are matched.
            now_s: monotonic time in seconds.
        """
        if writers <= readers:
            self.since_s = None
        elif self.since_s is None:
            self.since_s = now_s
        return self.since_s is not None and now_s - self.since_s < HOLD_S


class ConfigurationServer:
    """The answering end."""

    def __init__(self, participant: native.Participant, news: News) -> None:
        self._replier = native.Replier(_service(participant), native_qos(SERVICE))
        self._news = news
        self._hold = Hold()

    def take(self) -> list[ConfigurationCall]:
        """Take some of the calls that wait, as soon as all callers can be answered."""
        if self._hold.is_on(*self._replier.matched(), time.monotonic()):
            # A match is news anyway; this is for the caller whose reader never comes.
            asyncio.get_running_loop().call_later(HOLD_S, self._news.announce)
            return []
        return [
            ConfigurationCall(text, correlation)
            for ((text,),), correlation in self._replier.take(BATCH)
        ]

    def answer(self, call: ConfigurationCall, text: str) -> None:
        """Send the answer to a call.

        Raises:
            TransportError: Fast DDS refused.
        """
        with translated_errors("answer a configuration call"):
            self._replier.reply((((sendable(text),),),), call.correlation)


class ConfigurationClient:
    """The calling end, as main's orchestrator has it."""

    def __init__(self, participant: native.Participant, news: News) -> None:
        self._requester = native.Requester(_service(participant), native_qos(SERVICE))
        self._news = news
        self._answers: dict[bytes, str] = {}

    async def call(self, text: str, timeout_s: float) -> str:
        """Send a request and wait for its answer.

        Raises:
            TransportError: nobody serves, or no answer came in time.
        """
        with translated_errors("call the configuration service"):
            if not await self._news.until(self._is_served, timeout_s):
                raise TransportError(f"nobody served {SERVICE_NAME} within {timeout_s} s")
            correlation = self._requester.request(((sendable(text),),))
            if not await self._news.until(lambda: self._has_answer(correlation), timeout_s):
                raise TransportError(f"{SERVICE_NAME} did not answer within {timeout_s} s")
        return self._answers.pop(correlation)

    def _is_served(self) -> bool:
        writers, readers = self._requester.matched()
        return writers == readers > 0

    def _has_answer(self, correlation: bytes) -> bool:
        for (((text,),),), answered in self._requester.take(BATCH):
            self._answers[answered] = text
        return correlation in self._answers
