"""What was answered before is not computed again.

Peers deliver their retained tasks again after a restart. The store knows which of them have an
answer; which of those leave again says `tasks.publication`.
"""

import asyncio
from dataclasses import dataclass

import structlog

from carbon_node.pipeline.ports import TaskStore
from carbon_node.pipeline.raw_models import DetachedModel
from carbon_node.pipeline.task import LARGE_BYTES, Progress, TaskInputs
from carbon_node.pipeline.translate import summary_of
from carbon_node.tasks import digest as task_inputs
from carbon_node.tasks import publication
from carbon_node.tasks.answer import Answer, Kept
from carbon_node.tasks.decision import Answered, Decision, Republish
from carbon_node.wire.samples import HWResource, MLModel, UserInput

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeepingPolicy:
    """What happens to tasks that come again.

    Args:
        republish: which stored answers are published again.
        rerun_on_change: whether a task whose inputs changed while it ran is run again.
    """

    republish: Republish
    rerun_on_change: bool


class Keeping:
    """Asks the store before a task is computed, and tells it what came out.

    Args:
        store: what was accepted and answered.
        policy: what happens to tasks that come again.
    """

    def __init__(self, store: TaskStore, policy: KeepingPolicy) -> None:
        self._store = store
        self._policy = policy

    async def decide(self, progress: Progress) -> Decision:
        """Record that a task begins; say whether it has to be computed."""
        with progress.stage("accept"):
            progress.digest = await _digest(progress.inputs)
            progress.summary = summary_of(progress.inputs)
            return await self._store.accept(
                progress.inputs.key,
                progress.digest,
                progress.summary,
                repeat=progress.is_repeat,
                sources=progress.inputs.sources,
            )

    async def keep(self, progress: Progress, answer: Answer) -> Kept:
        """Keep an answer durably.

        Returns:
            The answer to publish: the first that was kept for these inputs.
        """
        with progress.stage("save"):
            return await self._store.save(
                progress.inputs.key,
                progress.digest,
                progress.summary,
                answer,
                sources=progress.inputs.sources,
            )

    def republication(self, answered: Answered) -> Kept | None:
        """Return the answer that has to be published again; None if the readers have it."""
        return publication.leaving_again(answered, self._policy.republish)

    async def has_to_run_again(self, progress: Progress, changed: TaskInputs) -> bool:
        """Decide what becomes of inputs that came while their task ran, and record it."""
        digest = await _digest(changed)
        if digest == progress.digest:
            return False
        if not self._policy.rerun_on_change:
            self._store.note_ignored(progress.inputs.key, progress.digest, digest)
        log.info(
            "inputs changed while the task ran",
            task_id=progress.name,
            is_run_again=self._policy.rerun_on_change,
        )
        return self._policy.rerun_on_change


async def _digest(inputs: TaskInputs) -> str:
    model = inputs.ml_model
    sha256 = model.raw_model_sha256 if isinstance(model, DetachedModel) else ""
    samples = (inputs.user_input, model, inputs.hw_resource, sha256, _parsed(inputs))
    if inputs.size_bytes > LARGE_BYTES:
        return await asyncio.to_thread(task_inputs.digest, *samples)
    return task_inputs.digest(*samples)


def _parsed(inputs: TaskInputs) -> task_inputs.Contents:
    """What could be parsed of the extra_data; the digest takes the rest byte by byte."""
    extra = inputs.extra
    rows = (
        (UserInput, inputs.user_input.extra_data, extra.user_input),
        (MLModel, inputs.ml_model.extra_data, extra.ml_model),
        (HWResource, inputs.hw_resource.extra_data, extra.hw_resource),
    )
    return {kind: read.content for kind, octets, read in rows if octets and not read.problem}
