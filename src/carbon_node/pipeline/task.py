"""What a complete task consists of."""

from dataclasses import dataclass, replace
from functools import cached_property

from carbon_node.pipeline.raw_models import DetachedModel
from carbon_node.tasks.key import TaskKey
from carbon_node.wire.contract import Arrival
from carbon_node.wire.extra_data import ExtraData, read
from carbon_node.wire.samples import HWResource, MLModel, TaskId, UserInput


@dataclass(frozen=True, slots=True)
class TaskExtraData:
    """What the extra_data of a task's samples says. May hold the user's `hf_token`."""

    user_input: ExtraData
    ml_model: ExtraData
    hw_resource: ExtraData


@dataclass(frozen=True)  # without slots: what was parsed stays with the inputs that it came from
class TaskInputs:
    """The three samples of a complete task.

    Args:
        key: which task this is.
        user_input: what the user asks for.
        ml_model: the chosen model.
        hw_resource: the chosen hardware.
    """

    key: TaskKey
    user_input: UserInput
    ml_model: MLModel
    hw_resource: HWResource

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
        model, hardware, user = self.ml_model, self.hw_resource, self.user_input
        texts = (*user.inputs, *user.outputs, *model.input_batch, user.problem_definition)
        octets = (model.raw_model, model.extra_data, hardware.extra_data, user.extra_data)
        elsewhere = model.spooled_bytes if isinstance(model, DetachedModel) else 0
        return sum(map(len, (*texts, *octets))) + elsewhere

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
