"""Samples of the SustainML wire contract as frozen dataclasses.

Field order is the wire's member order: the type tables and both codecs rely on it. Fields carry the
wire's names and no unit, because the contract gives none; `pipeline.translate` is where numbers get
their units.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias


class TaskId(NamedTuple):
    """Identity of a task on the wire; both parts are uint32.

    A named tuple, so that it sorts, hashes and prints like the pair it is.
    """

    problem_id: int = 0
    iteration_id: int = 0

    @property
    def is_valid(self) -> bool:
        """Whether the id may name a task: (0, 0) never does."""
        return self != (0, 0)


NO_TASK = TaskId(0, 0)
"""The id that never names a task."""


class Status(IntEnum):
    """Status of a node."""

    INACTIVE = 0
    ERROR = 1
    IDLE = 2
    INITIALIZING = 3
    RUNNING = 4
    TERMINATING = 5


class TaskStatus(IntEnum):
    """Status of one task within a node."""

    WAITING = 0
    ERROR = 1
    RUNNING = 2
    SUCCEEDED = 3


class ErrorCode(IntEnum):
    """Error code of a status or of a configuration response."""

    NO_ERROR = 0
    INTERNAL_ERROR = 1


class NodeCommand(IntEnum):
    """Command to a whole node; whatever the contract does not know is UNKNOWN."""

    UNKNOWN = -1
    NO_COMMAND = 0
    START = 1
    STOP = 2
    RESET = 3
    TERMINATE = 4

    @classmethod
    def _missing_(cls, _value: object) -> "NodeCommand":
        return cls.UNKNOWN


class TaskCommand(IntEnum):
    """Command about one task of a node; whatever the contract does not know is UNKNOWN."""

    UNKNOWN = -1
    NO_COMMAND = 0
    STOP = 1
    RESET = 2
    PREEMPT = 3
    TERMINATE = 4

    @classmethod
    def _missing_(cls, _value: object) -> "TaskCommand":
        return cls.UNKNOWN


Octets: TypeAlias = bytes | memoryview
"""Octets that may be megabytes. Where a transport can, it hands out a view of what it received,
which keeps the whole message in memory for as long as someone holds the view."""


@dataclass(frozen=True, slots=True)
class UserInput:
    """What the user asks for (`UserInputImpl`).

    `extra_data` may hold the user's `hf_token`: never log, store or pass it on.
    """

    modality: str = ""
    problem_short_description: str = ""
    problem_definition: str = ""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    minimum_samples: int = 0
    maximum_samples: int = 0
    optimize_carbon_footprint_manual: bool = False
    previous_iteration: int = 0
    optimize_carbon_footprint_auto: bool = False
    desired_carbon_footprint: float = 0.0
    geo_location_continent: str = ""
    geo_location_region: str = ""
    extra_data: bytes = field(default=b"", repr=False)
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class MLModel:
    """The model that the ML model provider chose (`MLModelImpl`)."""

    model_path: str = ""
    model: str = ""
    raw_model: Octets = field(default=b"", repr=False)
    model_properties_path: str = ""
    model_properties: str = ""
    input_batch: tuple[str, ...] = ()
    target_latency: float = 0.0
    extra_data: bytes = field(default=b"", repr=False)
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class HWResource:
    """The hardware that the hardware resource provider chose (`HWResourceImpl`)."""

    hw_description: str = ""
    power_consumption: float = 0.0
    latency: float = 0.0
    memory_footprint_of_ml_model: float = 0.0
    max_hw_memory_footprint: float = 0.0
    extra_data: bytes = field(default=b"", repr=False)
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class CO2Footprint:
    """What this node answers (`CO2FootprintImpl`); its extra_data states the units."""

    carbon_footprint: float = 0.0
    energy_consumption: float = 0.0
    carbon_intensity: float = 0.0
    extra_data: bytes = b""
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Status of a node or, with a valid task id, of one of its tasks (`NodeStatusImpl`)."""

    node_status: Status = Status.INACTIVE
    task_status: TaskStatus = TaskStatus.WAITING
    error_code: ErrorCode = ErrorCode.NO_ERROR
    error_description: str = ""
    node_name: str = ""
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class NodeControl:
    """A command to a node (`NodeControlImpl`)."""

    cmd_node: NodeCommand = NodeCommand.NO_COMMAND
    cmd_task: TaskCommand = TaskCommand.NO_COMMAND
    target_node: str = ""
    source_node: str = ""
    task_id: TaskId = NO_TASK


@dataclass(frozen=True, slots=True)
class ConfigurationRequest:
    """A configuration request of release 0.2 (`RequestTypeImpl`)."""

    node_id: int = 0
    transaction_id: int = 0
    configuration: str = ""


@dataclass(frozen=True, slots=True)
class ConfigurationResponse:
    """The answer to a `ConfigurationRequest`, with its ids echoed (`ResponseTypeImpl`)."""

    node_id: int = 0
    transaction_id: int = 0
    success: bool = False
    err_code: ErrorCode = ErrorCode.NO_ERROR
    configuration: str = ""


Sample: TypeAlias = (
    UserInput
    | MLModel
    | HWResource
    | CO2Footprint
    | NodeStatus
    | NodeControl
    | ConfigurationRequest
    | ConfigurationResponse
)
