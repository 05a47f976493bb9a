"""The life of a task, from three samples to one published footprint.

Every complete task gets exactly one output, whatever happens to its measurement, because no
consumer has a timeout. A task that fails because of its data is an answered task.
"""

import asyncio
import time

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.canonical_line import canonical_line
from carbon_node.pipeline.intake import INPUT_TOPICS, Intake
from carbon_node.pipeline.ports import Transport
from carbon_node.pipeline.progress import Progress
from carbon_node.pipeline.publishing import Publishing
from carbon_node.pipeline.task import TaskInputs

MAX_RUNNING = 64
"""Tasks in progress at once: each holds an instance of the status topic, of which the
orchestrator's reader has 500."""

EVICTION_PERIOD_S = 60.0
"""Seconds between looks for incomplete tasks that are too old, when nothing else arrives."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Takes samples in and sends footprints out.

    Args:
        transport: open, with its readers and writers.
        intake: makes tasks of samples.
        answering: answers tasks.
        publishing: lets answers leave.
        announcer: publishes the node's status; it is IDLE.
    """

    def __init__(
        self,
        transport: Transport,
        intake: Intake,
        answering: Answering,
        publishing: Publishing,
        announcer: StatusAnnouncer,
    ) -> None:
        self._transport = transport
        self._intake = intake
        self._answering = answering
        self._publishing = publishing
        self._announcer = announcer
        self._slots = asyncio.Semaphore(MAX_RUNNING)
        self._started_count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event, budget_s: float) -> None:
        """Answer tasks until told to stop; then give those that run a budget.

        The rest is left unanswered but not lost: its inputs stay with the peers and come again at
        the next start.

        Args:
            stop: set when no more tasks are to be taken.
            budget_s: seconds that running tasks get after that, >= 0.
        """
        async with asyncio.TaskGroup() as parts:
            taking = [parts.create_task(self._receive()), parts.create_task(self._evict())]
            sending = parts.create_task(self._publishing.run())
            await stop.wait()
            for part in taking:
                part.cancel()
            self._announcer.stop()
            await self._finish(budget_s)
            sending.cancel()

    async def _receive(self) -> None:
        async for arrival in self._transport.arrivals():
            if arrival.topic in INPUT_TOPICS and arrival.sample is not None:
                inputs = self._intake.take_in(arrival, time.monotonic())
                if inputs is not None:
                    self._start(inputs)

    async def _evict(self) -> None:
        while True:
            await asyncio.sleep(EVICTION_PERIOD_S)
            self._intake.evict(time.monotonic())

    def _start(self, inputs: TaskInputs) -> None:
        self._started_count += 1
        progress = Progress(self._started_count, inputs)
        task = asyncio.create_task(self._perform(progress), name=progress.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _perform(self, progress: Progress) -> None:
        with progress.stage("waiting"):
            await self._slots.acquire()
        try:
            self._announcer.task_started(progress.inputs.task_id)
            self._publishing.task_started(progress.inputs.task_id)
            answer = await self._answering.answer(progress)
            with progress.stage("outbox"):
                await self._publishing.publish(progress, answer)
            log.info("task answered", **canonical_line(progress, answer))
        except TransportError as error:
            log.error("output not published", task_id=progress.name, error=str(error))  # noqa: TRY400 - the message says it all
        finally:
            self._slots.release()

    async def _finish(self, budget_s: float) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=budget_s)
        unanswered = list(self._tasks)
        for task in unanswered:
            log.warning("task left unanswered by the stop", task_id=task.get_name())
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
