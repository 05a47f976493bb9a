"""What identifies a task and what it consists of."""

from dataclasses import dataclass

from carbon_node.transport.wire import HWResource, MLModel, TaskId, UserInput


@dataclass(frozen=True, slots=True)
class TaskIdentity:
    """Which task of which orchestrator.

    A restarted orchestrator counts from (1, 1) again, and those are new tasks: only the writer
    tells them apart.

    Args:
        task_id: id on the wire.
        writer: GUID of the user input's writer.
    """

    task_id: TaskId
    writer: str


@dataclass(frozen=True, slots=True)
class TaskInputs:
    """The three samples of a complete task.

    Args:
        identity: which task this is.
        user_input: what the user asks for.
        ml_model: the chosen model.
        hw_resource: the chosen hardware.
    """

    identity: TaskIdentity
    user_input: UserInput
    ml_model: MLModel
    hw_resource: HWResource

    @property
    def task_id(self) -> TaskId:
        """Id on the wire."""
        return self.identity.task_id
