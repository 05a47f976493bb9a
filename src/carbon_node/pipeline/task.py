"""A complete task: what it consists of, and how far it has come on its way."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from carbon_node.pipeline.interruption import Interruption
from carbon_node.pipeline.raw_models import DetachedModel
from carbon_node.tasks.digest import Input
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import UNKNOWN, Sources
from carbon_node.wire.contract import Arrival
from carbon_node.wire.extra_data import ExtraData, read
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput

LARGE_BYTES = 65_536
"""Inputs above this are digested and searched for secrets in a thread: 30 and 100 ms for each MB
would hold up the loop."""


WAITING = "waiting"
"""Stage of a task that waits until it may begin."""

WORKER = "worker"
"""Stage of a task that waits for a free worker of the tracker."""


def size_bytes(sample: Input) -> int:
    """Return about how much a sample of a task holds, in memory and elsewhere."""
    match sample:
        case UserInput() as user:
            texts = (
                *(user.modality, user.problem_short_description, user.problem_definition),
                *(user.geo_location_continent, user.geo_location_region),
                *(*user.inputs, *user.outputs),
            )
            return sum(map(len, texts)) + len(user.extra_data)
        case MLModel() as model:
            texts = (
                *(model.model, model.model_path, model.model_properties),
                *(model.model_properties_path, *model.input_batch),
            )
            elsewhere = model.spooled_bytes if isinstance(model, DetachedModel) else 0
            return sum(map(len, texts)) + len(model.extra_data) + len(model.raw_model) + elsewhere
        case HWResource() as hardware:
            return len(hardware.hw_description) + len(hardware.extra_data)


@dataclass(frozen=True, slots=True)
class TaskExtraData:
    """What the extra_data of a task's samples says. May hold the user's `hf_token`."""

    user_input: ExtraData
    ml_model: ExtraData
    hw_resource: ExtraData


# Without slots: what was parsed stays with the inputs that it came from.
@dataclass(frozen=True)
class TaskInputs:
    """The three samples of a complete task.

    Args:
        key: which task this is.
        user_input: what the user asks for.
        ml_model: the chosen model.
        hw_resource: the chosen hardware.
        sources: which samples completed the task; later ones of it change nothing here.
        older: names of those that seem to be from before the user input, and were used for lack of
            newer ones.
    """

    key: TaskKey
    user_input: UserInput
    ml_model: MLModel
    hw_resource: HWResource
    sources: Sources = field(default=UNKNOWN, compare=False)
    older: tuple[str, ...] = field(default=(), compare=False)

    @property
    def task_id(self) -> TaskId:
        """Id on the wire."""
        return self.key.task_id

    @cached_property
    def extra(self) -> TaskExtraData:
        """Content of the samples' extra_data, parsed once."""
        samples = (self.user_input, self.ml_model, self.hw_resource)
        return TaskExtraData(*(read(sample.extra_data) for sample in samples))

    @property
    def size_bytes(self) -> int:
        """About how much they hold, in memory and elsewhere."""
        samples: tuple[Input, ...] = (self.user_input, self.ml_model, self.hw_resource)
        return sum(map(size_bytes, samples))

    def revised(self, arrival: Arrival) -> "TaskInputs":
        """Return them with a later sample of this task; what belongs to another changes nothing.

        Models and hardware of any writer count: only the user input's tells orchestrators apart.
        """
        match arrival.sample:
            case UserInput() as user_input if arrival.writer == self.key.writer:
                return replace(self, user_input=user_input)
            case MLModel() as ml_model:
                return replace(self, ml_model=ml_model)
            case HWResource() as hw_resource:
                return replace(self, hw_resource=hw_resource)
            case _:
                return self


@dataclass(slots=True, eq=False)
class Progress:
    """A task on its way.

    Args:
        position: unique place in the order of starts; outputs leave in this order where several
            wait.
        inputs: its three samples.
        secrets: values that its inputs came with and go on without.
        stage_s: seconds that each stage took so far, by name.
        current_stage: name of the stage that it is in, empty between two.
        since_s: monotonic time in seconds at which its last input arrived.
        revision: revision of the settings that it is computed under; None before that.
        has_begun: whether it waits to begin no longer.
        is_repeat: whether it is computed again although it was answered.
        digest: of the inputs; empty until it has begun.
        summary: what the task is about; empty until it has begun.
        changed: inputs that came since it has begun, if they differ.
        interruption: how commands stop or repeat it.
    """

    position: int
    inputs: TaskInputs
    secrets: tuple[str, ...] = field(default=(), repr=False)
    stage_s: dict[str, float] = field(default_factory=dict)
    current_stage: str = ""
    since_s: float = field(default_factory=time.monotonic)
    revision: int | None = None
    has_begun: bool = False
    is_repeat: bool = False
    digest: str = ""
    summary: Summary = field(default_factory=Summary)
    changed: TaskInputs | None = None
    interruption: Interruption = field(default_factory=Interruption)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        since_s = time.monotonic()
        self.current_stage = name
        try:
            yield
        finally:
            self.current_stage = ""
            self.stage_s[name] = round(time.monotonic() - since_s, 4)

    @property
    def is_running(self) -> bool:
        """Whether something is done for it: it waits neither to begin nor for a worker."""
        return self.has_begun and self.current_stage != WORKER

    def revise(self, arrival: Arrival) -> None:
        """Take in a later sample of this task: before it has begun, the newest counts."""
        revised = (self.changed or self.inputs).revised(arrival)
        if not self.has_begun:
            self.inputs = revised
        else:
            self.changed = None if revised == self.inputs else revised

    @property
    def name(self) -> str:
        """Task id for people."""
        problem_id, iteration_id = self.inputs.task_id
        return f"{problem_id}.{iteration_id}"
