"""The pipeline's topics on `sustainml_py`, the library of a SustainML workspace.

The library owns the DDS participant. It joins the three inputs of a task by itself and calls back
on one of two threads of its own; what the callback has written into the output when it returns is
published. So a callback hands its task to the event loop as three arrivals, and blocks until the
pipeline publishes that task's footprint. Configuration requests take the same way.
"""

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from carbon_node.errors import TransportError
from carbon_node.transport.freeze import FreezeWatch
from carbon_node.transport.news import News
from carbon_node.transport.sustainml.callbacks import INPUT_TOPICS, Callbacks, Deadlines, Unanswered
from carbon_node.transport.sustainml.objects import (
    LibraryNode,
    LibraryNodeClass,
    library_node_class,
)
from carbon_node.wire.contract import Arrival, ConfigurationCall, Loss, Peer, Receipt, Topic
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationResponse,
    HWResource,
    MLModel,
    Sample,
    TaskId,
    UserInput,
)

TASKS_PER_RUN = 500
"""Task ids after which the library hands over no more: it disposes of nothing."""

LIMITATIONS = (
    "no status of single tasks: the library publishes the node's own only",
    "no control commands: the library ignores them",
    "no disposing: the library handles 500 tasks, and no more until a restart",
    "no more than 50 tasks in flight: further ones are lost in the library",
    "no more than two tasks at once, however many workers there are",
    "no gap between outputs: two may leave at once",
    "no baseline for the ML model provider",
    "no discovery: a second carbon node is noticed on the same host only",
    "no second join: peers of another vendor that took a frozen node for dead have lost it",
    "no unanswered tasks at a stop: those that run are answered as failed",
    "no telling of sessions: an orchestrator that restarts alone may get answers from old inputs",
)
"""What a node on this transport cannot do, one line each, for people."""

DOMAIN_VARIABLE = "SUSTAINML_DOMAIN_ID"
"""The library takes its domain from the C environment and from nowhere else."""

LEASE_S = 20.0
"""Seconds after which peers give up a participant of the library: the default of Fast DDS."""

STOP_S = 2.0
"""Seconds that callbacks get to return, and then `spin`."""

TERMINATE_EVERY_S = 0.05
"""Seconds between calls of `terminate`: one that comes just before `spin` waits is lost."""


def ignore(severity: str, category: str, message: str) -> None:
    """Take a log line and do nothing."""


@dataclass(frozen=True, slots=True)
class SustainmlConfig:
    """How to run on the library.

    Args:
        domain: DDS domain id, 0 to 232.
        deadlines: how long the library's threads wait for the pipeline.
        failed: makes the output of a task that the pipeline did not answer; called on the library's
            threads.
        log: gets what goes wrong, on the loop's thread: severity (error, warning, info or debug),
            category, message.
    """

    domain: int
    deadlines: Deadlines
    failed: Callable[[UserInput, MLModel, HWResource, Unanswered], CO2Footprint]
    log: Callable[[str, str, str], None] = ignore


class SustainmlTransport:
    """One node of the library; `LIMITATIONS` says what it cannot do.

    All methods belong to the thread of the loop that opened it. A process can have one once: the
    library's `terminate` is for good.
    """

    def __init__(self, config: SustainmlConfig) -> None:
        self._config = config
        self._news = News()
        self._arrived: deque[Arrival] = deque()
        self._task_ids: set[TaskId] = set()
        self._callbacks = Callbacks(
            config.deadlines, config.failed, self._hand_over, self._report_error
        )
        self._freeze = FreezeWatch(LEASE_S)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._class: LibraryNodeClass | None = None
        self._node: LibraryNode | None = None
        self._spinning: threading.Thread | None = None

    async def open(self) -> None:
        """Join the domain; the library announces INITIALIZING.

        Raises:
            BindingUnavailable: the library cannot be imported.
        """
        os.putenv(DOMAIN_VARIABLE, str(self._config.domain))
        self._loop = asyncio.get_running_loop()
        self._class = library_node_class()
        self._node = self._class(
            callback=self._callbacks.on_task, service_callback=self._callbacks.on_request
        )
        self._freeze.start(self._wake)

    async def close(self) -> None:
        """Release every callback that waits, then leave the domain; may be repeated.

        Tasks that wait for their answer go out as failed ones: the library publishes whatever a
        callback returns.
        """
        node, self._node = self._node, None
        if node is None:
            return
        self._freeze.stop()
        self._news.announce()
        if not await asyncio.to_thread(self._callbacks.release, STOP_S):
            self._log("warning", "a callback did not return in time")
        if not await asyncio.to_thread(self._terminate):
            self._log("warning", "the library did not stop in time")
        parts = list(vars(node).values())
        del node
        await asyncio.to_thread(_let_go, parts)

    def connect(self, *topics: Topic) -> None:
        """Let the library announce IDLE, once inputs are wanted; it has all its endpoints already.

        Args:
            topics: what is to be connected; without any, everything.
        """
        node = self._opened()
        is_wanted = not topics or bool({*topics} & {*INPUT_TOPICS})
        if is_wanted and self._spinning is None:
            # A daemon thread: it blocks in C++, where nothing could end it at exit.
            self._spinning = threading.Thread(target=node.spin, name="sustainml", daemon=True)
            self._spinning.start()

    async def arrivals(self) -> AsyncIterator[Arrival]:
        """Iterate over what callbacks handed over, until closed; for one consumer."""
        while self._node is not None:
            if self._arrived:
                yield self._arrived.popleft()
            else:
                await self._news.next()

    def publish(self, topic: Topic, sample: Sample) -> None:
        """Answer the callback that waits for this sample.

        A footprint answers the task of its id, a configuration response the request of its
        transaction id. Anything else is dropped: the library writes the node's status by itself,
        and has no other writer.

        Raises:
            TransportError: no callback waits for this, or not any more.
        """
        self._opened()
        match sample:
            case CO2Footprint() if topic is Topic.FOOTPRINT:
                self._callbacks.answer_task(sample)
            case ConfigurationResponse():
                self._callbacks.answer_request(sample)
            case _:
                pass

    async def configuration_calls(self) -> AsyncIterator[ConfigurationCall]:
        """Yield nothing until closed: calls arrive as configuration requests."""
        while self._node is not None:
            await self._news.next()
        no_calls: tuple[ConfigurationCall, ...] = ()
        for call in no_calls:
            yield call

    def answer(self, call: ConfigurationCall, text: str) -> None:  # noqa: ARG002 - as every transport
        """Refuse: no call comes from here.

        Raises:
            TransportError: always.
        """
        raise TransportError(f"no caller waits for the answer to {call.correlation!r}")

    def retire(self, topic: Topic, sample: Sample) -> None:
        """Do nothing: the library cannot end instances."""

    def adopt(self, topic: Topic, sample: Sample) -> None:
        """Do nothing: the library cannot end instances."""

    def peers(self) -> tuple[Peer, ...]:
        """Nobody: the library does not tell whom it has discovered."""
        return ()

    def matched(self, topic: Topic) -> None:
        """Return None: the library does not tell."""

    async def wait_for_match(self, topic: Topic, count: int = 1, *, timeout_s: float) -> bool:  # noqa: ARG002 - as every transport
        """Return False: the library does not tell."""
        return False

    async def wait_for_peers(
        self,
        fact: Callable[[Collection[Peer]], bool],
        timeout_s: float,  # noqa: ARG002 - as every transport
    ) -> bool:
        """Look once whether a fact about the peers holds: here it will not change."""
        return fact(self.peers())

    def is_instance_acknowledged(self, topic: Topic, sample: Sample) -> bool:  # noqa: ARG002 - as every transport
        """Return False: the library does not tell."""
        return False

    def is_in_doubt(self) -> bool:
        """Return False: nothing can be done here."""
        return False

    async def loss(self) -> Loss:
        """Wait until the process has stood still for so long that peers may have given it up."""
        await self._news.until(self._freeze.look, None)
        frozen_s = self._freeze.take()
        return Loss(f"the process stood still for {frozen_s:.1f} s", is_lasting=False)

    def rejoin(self) -> None:
        """Refuse: the library can join once in a process.

        Raises:
            TransportError: always.
        """
        raise TransportError("sustainml_py cannot join again: restart the node")

    def overload(self) -> str | None:
        """Return None: the library does not tell."""
        return None

    async def sign_of_life(self) -> None:
        """Look whether the library's thread, which hands over tasks, still lives.

        Raises:
            TransportError: it has ended, or the transport is not open.
        """
        self._opened()
        if self._spinning is not None and not self._spinning.is_alive():
            raise TransportError("the thread of sustainml_py has ended: restart the node")

    def is_acknowledged(self, topic: Topic) -> bool:  # noqa: ARG002 - as every transport
        """Return True: the library does not tell, so nothing can be waited for."""
        return True

    async def wait_for_acknowledgments(self, topic: Topic, timeout_s: float) -> bool:  # noqa: ARG002 - as every transport
        """Return False: the library does not tell."""
        return False

    async def wait_for_receipt(self, topic: Topic, timeout_s: float) -> Receipt:  # noqa: ARG002 - as every transport
        """Return NONE: the library does not tell."""
        return Receipt.NONE

    def _opened(self) -> LibraryNode:
        if self._node is None:
            raise TransportError("the transport is not open")
        return self._node

    def _terminate(self) -> bool:
        if self._spinning is None or self._class is None:
            return True
        deadline_s = time.monotonic() + STOP_S
        while self._spinning.is_alive() and time.monotonic() < deadline_s:
            self._class.terminate()
            self._spinning.join(TERMINATE_EVERY_S)
        return not self._spinning.is_alive()

    def _hand_over(self, arrivals: list[Arrival]) -> None:
        """Take arrivals from a thread of the library to the loop."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._take_in, arrivals)

    def _take_in(self, arrivals: list[Arrival]) -> None:
        self._arrived.extend(arrivals)
        self._count({arrival.key for arrival in arrivals if arrival.key.is_valid})
        self._news.announce()

    def _count(self, task_ids: set[TaskId]) -> None:
        is_new = not task_ids <= self._task_ids
        self._task_ids |= task_ids
        if is_new and len(self._task_ids) == TASKS_PER_RUN:
            self._log(
                "error",
                f"this was task {TASKS_PER_RUN}, the last that the library hands over: restart the "
                "node, or run it with --transport=fastdds",
            )

    def _wake(self) -> None:
        """Wake the loop from another thread."""
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._news.announce)

    def _report_error(self, message: str) -> None:
        """Log from a thread of the library."""
        # At worst the loop is closed, and there is no log any more.
        with suppress(RuntimeError):
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._log, "error", message)

    def _log(self, severity: str, message: str) -> None:
        self._config.log(severity, "sustainml_py", message)


def _let_go(parts: list[object]) -> None:
    # The last first: the node in C++ still calls the listeners, which its Python object would let
    # go of before it.
    while parts:
        parts.pop()
