"""Which task this is, and what it is about.

An orchestrator that restarts counts its tasks from (1, 1) again, so the task id alone names no
task. The writer of the user input does: its GUID is new with every start of the orchestrator.
"""

from dataclasses import dataclass

from carbon_node.wire.samples import TaskId


@dataclass(frozen=True, slots=True)
class TaskKey:
    """Identity of a task across restarts of this node and of the orchestrator.

    Args:
        task_id: id as on the wire.
        writer: GUID of the user input's writer as text.
    """

    task_id: TaskId
    writer: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a task was about, as the peers sent it; kept up to 1,000 characters of each text.

    Args:
        model: model id.
        hardware: hardware description.
        place: geo-location text of the user input.
    """

    model: str = ""
    hardware: str = ""
    place: str = ""
