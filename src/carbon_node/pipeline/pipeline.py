"""The life of a task, from three samples to one published footprint.

Every complete task gets its output, whatever happens to its measurement, because no consumer has a
timeout; where it can leave a second time says `tasks.publication`. A task that fails because of its
data is an answered task.
"""

import asyncio

import structlog

from carbon_node.errors import TransportError
from carbon_node.pipeline.admission import Admission
from carbon_node.pipeline.announcer import StatusAnnouncer
from carbon_node.pipeline.answering import Answering
from carbon_node.pipeline.keeping import Keeping
from carbon_node.pipeline.ports import SecretKeeper
from carbon_node.pipeline.publishing import Publishing
from carbon_node.pipeline.raw_models import claim
from carbon_node.pipeline.register import TaskRegister
from carbon_node.pipeline.secrecy import later_without_secrets, without_secrets
from carbon_node.pipeline.task import Progress, TaskInputs
from carbon_node.tasks.decision import Answered, Compute
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import TaskId

MAX_RUNNING = 64
"""Tasks in progress at once: each holds an instance of the status topic, of which the
orchestrator's reader has 500."""

log = structlog.get_logger(__name__)


class Pipeline:
    """Takes complete tasks in and sends footprints out.

    Args:
        keeping: knows which tasks were answered before.
        answering: answers tasks.
        publishing: lets answers leave.
        announcer: publishes the node's status; it is IDLE.
        register: notes every task.
        secrets: registers every secret for redaction; the task goes on without them.
    """

    def __init__(
        self,
        keeping: Keeping,
        answering: Answering,
        publishing: Publishing,
        announcer: StatusAnnouncer,
        register: TaskRegister,
        secrets: SecretKeeper,
    ) -> None:
        self._keeping = keeping
        self._answering = answering
        self._publishing = publishing
        self._announcer = announcer
        self._register = register
        self._secrets = secrets
        self._admission = Admission(MAX_RUNNING)
        self._started_count = 0
        self.is_stopping = False
        """Whether no more tasks are taken."""
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
            serving = [parts.create_task(service) for service in self._publishing.services()]
            await stop.wait()
            self.is_stopping = True
            self._admission.close()
            self._announcer.stop()
            await self._finish(budget_s)
            for part in serving:
                part.cancel()
        await self._publishing.settle()

    async def start(self, inputs: TaskInputs) -> None:
        """Start a complete task: from here on, its inputs are without secrets.

        Args:
            inputs: its three samples, as they came.
        """
        # Before anything is awaited: a model that nobody claimed may have to make room.
        claim(inputs.ml_model)
        clean, secrets = await without_secrets(inputs, self._secrets)
        if not self.is_stopping:
            self._begin(clean, secrets)

    def _begin(
        self, inputs: TaskInputs, secrets: tuple[str, ...] = (), *, is_repeat: bool = False
    ) -> None:
        self._started_count += 1
        progress = Progress(self._started_count, inputs, secrets, is_repeat=is_repeat)
        self._register.enter(progress)
        task = asyncio.create_task(self._perform(progress), name=progress.name)
        self._tasks[task] = progress
        task.add_done_callback(self._forget)

    async def revise(self, arrival: Arrival) -> None:
        """Take in a later sample of a task that has started and not ended; others are not meant."""
        progress = self._register.find_open(arrival.key)
        if progress is not None:
            later = await later_without_secrets(arrival, progress.secrets, self._secrets)
            progress.revise(later)

    def stop_task(self, task_id: TaskId, why: str) -> bool:
        """End a waiting or running task with a failed result.

        Returns:
            False if there is no such task, or its answer is on its way already.
        """
        progress = self._register.find_open(task_id)
        return progress is not None and progress.interruption.stop(why)

    def repeat_task(self, task_id: TaskId) -> bool:
        """Compute a task again: one that runs from its beginning, an answered one from its inputs.

        Returns:
            False if there is no such task, or its inputs are kept no more.
        """
        progress = self._register.find_open(task_id)
        if progress is not None and progress.interruption.repeat():
            return True
        inputs = progress.inputs if progress else self._register.find_answered(task_id)
        if inputs is None or self.is_stopping:
            return False
        self._begin(inputs, is_repeat=True)
        return True

    def pause(self) -> bool:
        """Let no more tasks begin; inputs are kept.

        Returns:
            False if that is so already.
        """
        if self.is_stopping or self._announcer.is_paused:
            return False
        self._admission.close()
        self._announcer.pause()
        return True

    def resume(self) -> bool:
        """Let tasks begin again.

        Returns:
            False if they may already.
        """
        if self.is_stopping or not self._announcer.is_paused:
            return False
        self._admission.open()
        self._announcer.resume()
        return True

    async def _perform(self, progress: Progress) -> None:
        async with self._admission.place(progress):
            try:
                match await self._keeping.decide(progress):
                    case Compute():
                        await self._answer(progress)
                    case Answered() as answered:
                        await self._answer_again(progress, answered)
            except TransportError as error:
                log.error("output not published", task_id=progress.name, error=str(error))  # noqa: TRY400 - the message says it all
        changed = progress.changed
        if changed is not None and await self._keeping.has_to_run_again(progress, changed):
            self._begin(changed, progress.secrets)

    async def _answer(self, progress: Progress) -> None:
        self._publishing.task_started(progress.inputs.key.task_id)
        answer = await self._answering.answer(progress)
        kept = await self._keeping.keep(progress, answer)
        with progress.stage("outbox"):
            await self._publishing.publish(progress.position, kept)
        self._register.computed(progress, answer)

    async def _answer_again(self, progress: Progress, answered: Answered) -> None:
        kept = self._keeping.republication(answered)
        if kept is None:
            self._publishing.answered_before(answered.kept)
        else:
            self._publishing.task_started(progress.inputs.key.task_id)
            with progress.stage("outbox"):
                await self._publishing.publish(progress.position, kept)
        self._register.repeated(progress, answered.kept.answer, is_sent=kept is not None)

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
