"""The configuration service of main's orchestrator over DDS RPC: text in, text out.

On the wire, a service of Fast DDS is two topics, and a reply names the request that it belongs to:
a plain reader and a plain writer serve it.

The binding's codec writes every member of a type, and main's orchestrator rejects a reply that
holds both a result and an exception code. So the types leave out what is never sent, and errors are
answered as text.
"""

import asyncio
import time
from collections import deque

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

_IN = Struct(f"{OPERATION}_In", (Member("configuration", "string"),), "final")
_OUT = Struct(f"{OPERATION}_Out", (Member("return_", "string"),), "final")
_RESULT = Struct(f"{OPERATION}_Result", (Member("result", _OUT, id=RESULT_ID),), "mutable")
REQUEST = Struct(f"{SERVICE_NAME}_Request", (Member(OPERATION, _IN, id=OPERATION_ID),), "mutable")
"""What callers write; Fast DDS's RPC calls topic and type the same."""

REPLY = Struct(f"{SERVICE_NAME}_Reply", (Member(OPERATION, _RESULT, id=OPERATION_ID),), "mutable")
"""What this node writes, on a topic of the same name too."""

BATCH = 16
"""Calls taken before other coroutines get their turn."""


MAX_UNSENT = 1_000
"""Answers that wait for a reader of replies; callers that have gone never have one."""

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
    """The answering end: a reader of requests and a writer of replies."""

    def __init__(self, participant: native.Participant, news: News) -> None:
        qos = native_qos(SERVICE)
        self._requests = native.Reader(participant, REQUEST.name, native_type(REQUEST), qos)
        self._replies = native.Writer(participant, REPLY.name, native_type(REPLY), qos)
        self._news = news
        self._hold = Hold()
        self._unsent: deque[tuple[ConfigurationCall, str]] = deque(maxlen=MAX_UNSENT)

    def take(self) -> list[ConfigurationCall]:
        """Take some of the calls that wait, as soon as all callers can be answered."""
        writers, readers = len(self._requests.matched()), len(self._replies.matched())
        while self._unsent and readers:
            self._send(*self._unsent.popleft())
        if self._hold.is_on(writers, readers, time.monotonic()):
            # A match is news anyway; this is for the caller whose reader never comes.
            asyncio.get_running_loop().call_later(HOLD_S, self._news.announce)
            return []
        return self._taken()

    def rest(self) -> list[ConfigurationCall]:
        """Take all calls that wait, to be answered by another server of the same node."""
        calls: list[ConfigurationCall] = []
        while taken := self._taken():
            calls.extend(taken)
        return calls

    def _taken(self) -> list[ConfigurationCall]:
        return [
            ConfigurationCall(sample.value[0][0], sample.correlation)
            for sample in self._requests.take(BATCH)
            if sample.value is not None
        ]

    def answer(self, call: ConfigurationCall, text: str) -> None:
        """Send the answer to a call, once a reader of replies is there.

        None is for a moment after the participant was replaced: the call came to the former one.

        Raises:
            TransportError: Fast DDS refused.
        """
        if self._replies.matched():
            self._send(call, text)
        else:
            self._unsent.append((call, text))

    def _send(self, call: ConfigurationCall, text: str) -> None:
        with translated_errors("answer a configuration call"):
            self._replies.write((((sendable(text),),),), call.correlation)
