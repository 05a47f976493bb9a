"""The life of a task, from three samples to one published footprint.

Every complete task gets exactly one output, whatever happens to its measurement, because no
consumer has a timeout. A task that fails because of its data is an answered task.
"""

import asyncio
import time
from datetime import UTC, datetime

import structlog

from carbon_node.errors import TransportError
from carbon_node.estimation import NotComputed
from carbon_node.pipeline.admission import Admission
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.canonical_line import STORED, canonical_line, stored_line
from carbon_node.pipeline.intake import Intake
from carbon_node.pipeline.keeping import Keeping
from carbon_node.pipeline.observing import tell_answered
from carbon_node.pipeline.ports import NO_OBSERVER, NO_SECRET_KEEPER, Observer, SecretKeeper
from carbon_node.pipeline.progress import Answer, Progress
from carbon_node.pipeline.publishing import Publishing
from carbon_node.pipeline.recent import RecentResults
from carbon_node.pipeline.register import TaskRegister
from carbon_node.pipeline.secrecy import cleaned, without_secrets
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.answer import Outcome
from carbon_node.tasks.decision import Answered, Compute
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import TaskId

MAX_RUNNING = 64
"""Tasks in progress at once: each holds an instance of the status topic, of which the
orchestrator's reader has 500."""

EVICTION_PERIOD_S = 60.0
"""Seconds between looks for incomplete tasks that are too old, when nothing else arrives."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Takes samples in and sends footprints out.

    Args:
        intake: makes tasks of samples.
        keeping: knows which tasks were answered before.
        answering: answers tasks.
        publishing: lets answers leave.
        announcer: publishes the node's status; it is IDLE.
        register: told of every task.
        results: told of every published result.
        observer: told of every published result, to count it.
        secrets: told of every secret that a task carries; the task goes on without them.
    """

    def __init__(
        self,
        intake: Intake,
        keeping: Keeping,
        answering: Answering,
        publishing: Publishing,
        announcer: StatusAnnouncer,
        register: TaskRegister,
        results: RecentResults,
        observer: Observer = NO_OBSERVER,
        secrets: SecretKeeper = NO_SECRET_KEEPER,
    ) -> None:
        self._intake = intake
        self._keeping = keeping
        self._answering = answering
        self._publishing = publishing
        self._announcer = announcer
        self._register = register
        self._results = results
        self._observer = observer
        self._secrets = secrets
        self._admission = Admission(MAX_RUNNING)
        self._started_count = 0
        self._is_stopping = False
        self._tasks: dict[asyncio.Task[None], Progress] = {}

    async def run(self, stop: asyncio.Event, budget_s: float) -> None:
        """Answer tasks until told to stop; then give those that run a budget.

        The rest is left unanswered but not lost: its inputs stay with the peers and come again at
        the next start.

        Args:
            stop: set when no more tasks are to be taken.
            budget_s: seconds that running tasks get after that, >= 0.
        """
        async with asyncio.TaskGroup() as parts:
            services = (self._publishing.run(), self._publishing.follow(), self._evict())
            serving = [parts.create_task(service) for service in services]
            await stop.wait()
            self._is_stopping = True
            self._admission.close()
            self._announcer.stop()
            await self._finish(budget_s)
            for part in serving:
                part.cancel()
        await self._publishing.settle()

    def take_in(self, arrival: Arrival) -> None:
        """Take in a sample of a task; the one that completes the task starts it."""
        if self._is_stopping:
            return
        inputs = self._intake.take_in(arrival, time.monotonic())
        if inputs is not None:
            self._start(inputs)
        elif (progress := self._register.find_open(arrival.key)) is not None:
            progress.revise(without_secrets(arrival, progress.secrets, self._secrets))

    def stop_task(self, task_id: TaskId, why: str) -> bool:
        """End a waiting or running task with a failed result.

        Returns:
            False if there is no such task, or its answer is on its way already.
        """
        progress = self._register.find_open(task_id)
        return progress is not None and progress.interruption.stop(why)

    def repeat_task(self, task_id: TaskId) -> bool:
        """Compute a task again: one that runs from its beginning, an answered one once more.

        Returns:
            False if there is no such task, or its inputs are kept no more.
        """
        progress = self._register.find_open(task_id)
        if progress is not None and progress.interruption.repeat():
            return True
        inputs = progress.inputs if progress else self._register.find_answered(task_id)
        if inputs is None or self._is_stopping:
            return False
        self._start(inputs, is_repeat=True)
        return True

    def pause(self) -> bool:
        """Let no more tasks begin; inputs are kept.

        Returns:
            False if that is so already.
        """
        if self._is_stopping or self._announcer.is_paused:
            return False
        self._admission.close()
        self._announcer.pause()
        return True

    def resume(self) -> bool:
        """Let tasks begin again.

        Returns:
            False if they may already.
        """
        if self._is_stopping or not self._announcer.is_paused:
            return False
        self._admission.open()
        self._announcer.resume()
        return True

    async def _evict(self) -> None:
        while True:
            await asyncio.sleep(EVICTION_PERIOD_S)
            self._intake.evict(time.monotonic())

    def _start(self, inputs: TaskInputs, *, is_repeat: bool = False) -> None:
        self._started_count += 1
        inputs, secrets = cleaned(inputs, self._secrets)
        progress = Progress(self._started_count, inputs, secrets, is_repeat=is_repeat)
        self._register.enter(progress)
        task = asyncio.create_task(self._perform(progress), name=progress.name)
        self._tasks[task] = progress
        task.add_done_callback(self._forget)

    async def _perform(self, progress: Progress) -> None:
        async with self._admission.place(progress):
            try:
                match await self._keeping.decide(progress):
                    case Compute():
                        await self._answer(progress)
                    case Answered() as answered:
                        await self._answer_once_more(progress, answered)
            except TransportError as error:
                log.error("output not published", task_id=progress.name, error=str(error))  # noqa: TRY400 - the message says it all
        if await self._keeping.has_to_run_again(progress) and progress.changed is not None:
            self._start(progress.changed)

    async def _answer(self, progress: Progress) -> None:
        self._publishing.task_started(progress.inputs.task_id)
        answer = await self._answering.answer(progress)
        kept = await self._keeping.keep(progress, answer)
        with progress.stage("outbox"):
            await self._publishing.publish(progress.position, kept)
        self._note(progress, answer)

    async def _answer_once_more(self, progress: Progress, answered: Answered) -> None:
        kept = self._keeping.republication(answered)
        if kept is None:
            self._publishing.answered_before(answered.kept)
        else:
            self._publishing.task_started(progress.inputs.task_id)
            with progress.stage("outbox"):
                await self._publishing.publish(progress.position, kept)
        log.info("task answered", **stored_line(progress, answered.kept, is_sent=kept is not None))
        is_failed = answered.kept.answer.outcome is Outcome.NOT_COMPUTED
        self._register.answered(progress, is_failed=is_failed)
        self._observer.task_finished(STORED)

    def _note(self, progress: Progress, answer: Answer) -> None:
        log.info("task answered", **canonical_line(progress, answer))
        self._register.answered(progress, is_failed=isinstance(answer.result, NotComputed))
        self._results.add(progress, answer, datetime.now(UTC))
        tell_answered(self._observer, progress, answer)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._register.leave(self._tasks.pop(task))
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task lost inside the node", task_id=task.get_name(), exc_info=error)

    async def _finish(self, budget_s: float) -> None:
        running = [task for task, progress in self._tasks.items() if progress.has_begun]
        if running:
            await asyncio.wait(running, timeout=budget_s)
        unanswered = list(self._tasks)
        for task in unanswered:
            log.warning("task left unanswered by the stop", task_id=task.get_name())
            task.cancel()
        await asyncio.gather(*unanswered, return_exceptions=True)
