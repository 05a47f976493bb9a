"""The wire types as tables, and samples as the plain tuples that cross into the binding.

The tables say what DDS needs to know beyond the dataclasses of `wire`: names, kinds, keys and
member ids on the wire. Enumerations are int32 there, which is how the contract encodes them.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from carbon_node.errors import WireError
from carbon_node.wire import samples

Kind: TypeAlias = Literal[
    "boolean", "int32", "uint32", "double", "string", "sequence<octet>", "sequence<string>"
]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a struct.

    Args:
        name: its name on the wire.
        type: kind of its value, or a nested struct.
        is_key: whether it is part of the key that tells instances apart.
        id: member id where the wire needs a given one; None counts from 0.
        is_borrowed: whether its octets are read in place, as a read-only memoryview that keeps the
            received sample, instead of being copied into bytes.
    """

    name: str
    type: "Kind | Struct"
    is_key: bool = False
    id: int | None = None
    is_borrowed: bool = False


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct on the wire; its samples are tuples in the order of `members`."""

    name: str
    members: tuple[Member, ...]
    extensibility: Literal["final", "appendable", "mutable"] = "appendable"


TASK_ID = Struct("TaskIdImpl", (Member("problem_id", "uint32"), Member("iteration_id", "uint32")))
_KEY_TASK_ID = Member("task_id", TASK_ID, is_key=True)
_TASK_ID_KEY = struct.Struct(">II8x")
_CONFIGURATION_KEYS = (
    Member("node_id", "int32", is_key=True),
    Member("transaction_id", "int32", is_key=True),
)

STRUCTS: Mapping[type[samples.Sample], Struct] = MappingProxyType(
    {
        samples.UserInput: Struct(
            "UserInputImpl",
            (
                Member("modality", "string"),
                Member("problem_short_description", "string"),
                Member("problem_definition", "string"),
                Member("inputs", "sequence<string>"),
                Member("outputs", "sequence<string>"),
                Member("minimum_samples", "uint32"),
                Member("maximum_samples", "uint32"),
                Member("optimize_carbon_footprint_manual", "boolean"),
                Member("previous_iteration", "int32"),
                Member("optimize_carbon_footprint_auto", "boolean"),
                Member("desired_carbon_footprint", "double"),
                Member("geo_location_continent", "string"),
                Member("geo_location_region", "string"),
                Member("extra_data", "sequence<octet>"),
                _KEY_TASK_ID,
            ),
        ),
        samples.MLModel: Struct(
            "MLModelImpl",
            (
                Member("model_path", "string"),
                Member("model", "string"),
                Member("raw_model", "sequence<octet>", is_borrowed=True),
                Member("model_properties_path", "string"),
                Member("model_properties", "string"),
                Member("input_batch", "sequence<string>"),
                Member("target_latency", "double"),
                Member("extra_data", "sequence<octet>"),
                _KEY_TASK_ID,
            ),
        ),
        samples.HWResource: Struct(
            "HWResourceImpl",
            (
                Member("hw_description", "string"),
                Member("power_consumption", "double"),
                Member("latency", "double"),
                Member("memory_footprint_of_ml_model", "double"),
                Member("max_hw_memory_footprint", "double"),
                Member("extra_data", "sequence<octet>"),
                _KEY_TASK_ID,
            ),
        ),
        samples.CO2Footprint: Struct(
            "CO2FootprintImpl",
            (
                Member("carbon_footprint", "double"),
                Member("energy_consumption", "double"),
                Member("carbon_intensity", "double"),
                Member("extra_data", "sequence<octet>"),
                _KEY_TASK_ID,
            ),
        ),
        samples.NodeStatus: Struct(
            "NodeStatusImpl",
            (
                Member("node_status", "int32"),
                Member("task_status", "int32"),
                Member("error_code", "int32"),
                Member("error_description", "string"),
                Member("node_name", "string", is_key=True),
                _KEY_TASK_ID,
            ),
        ),
        samples.NodeControl: Struct(
            "NodeControlImpl",
            (
                Member("cmd_node", "int32"),
                Member("cmd_task", "int32"),
                Member("target_node", "string"),
                Member("source_node", "string", is_key=True),
                _KEY_TASK_ID,
            ),
        ),
        samples.ConfigurationRequest: Struct(
            "RequestTypeImpl", (*_CONFIGURATION_KEYS, Member("configuration", "string"))
        ),
        samples.ConfigurationResponse: Struct(
            "ResponseTypeImpl",
            (
                *_CONFIGURATION_KEYS,
                Member("success", "boolean"),
                Member("err_code", "int32"),
                Member("configuration", "string"),
            ),
        ),
    }
)

_KEYED_BY_TASK = frozenset(
    sample_type
    for sample_type, table in STRUCTS.items()
    if [member for member in table.members if member.is_key] == [_KEY_TASK_ID]
)

_DECODED: Mapping[str, Callable[[Any], object]] = MappingProxyType(
    {
        "task_id": samples.TaskId._make,
        "node_status": samples.Status,
        "task_status": samples.TaskStatus,
        "error_code": samples.ErrorCode,
        "err_code": samples.ErrorCode,
        "cmd_node": samples.NodeCommand,
        "cmd_task": samples.TaskCommand,
    }
)


_VALUES_OF: Mapping[type[samples.Sample], Callable[[samples.Sample], tuple[object, ...]]] = (
    MappingProxyType(
        {
            sample_type: attrgetter(*(member.name for member in struct.members))
            for sample_type, struct in STRUCTS.items()
        }
    )
)


def sendable(text: str) -> str:
    """Replace what a string on the wire cannot hold: NUL, which ends it, and lone surrogates."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def encode(sample: samples.Sample) -> tuple[object, ...]:
    """Turn a sample into the tuple that the binding writes."""
    return tuple([_encoded(value) for value in _VALUES_OF[type(sample)](sample)])


def _encoded(value: object) -> object:
    match value:
        case str():
            return sendable(value)
        case tuple():
            return tuple(_encoded(item) for item in value)
        case _:
            return value


_TO_DECODE: Mapping[type[samples.Sample], tuple[tuple[int, Callable[[Any], object]], ...]] = (
    MappingProxyType(
        {
            sample_type: tuple(
                (position, _DECODED[member.name])
                for position, member in enumerate(struct.members)
                if member.name in _DECODED
            )
            for sample_type, struct in STRUCTS.items()
        }
    )
)
"""Members that are not what they are on the wire: where, and what makes them of it."""


def decode(sample_type: type[samples.Sample], values: tuple[Any, ...]) -> samples.Sample:
    """Turn a tuple that the binding read into a sample.

    Raises:
        WireError: an enumeration has a value that the contract does not know.
    """
    construct: Callable[..., samples.Sample] = sample_type
    decoded = list(values)
    try:
        for position, decoder in _TO_DECODE[sample_type]:
            decoded[position] = decoder(decoded[position])
        return construct(*decoded)
    except ValueError as error:
        raise WireError(f"{STRUCTS[sample_type].name} cannot be read: {error}") from error


def key_of(sample: samples.Sample) -> samples.TaskId:
    """Task id of the sample's instance; (0, 0) where the type has none."""
    match sample:
        case samples.ConfigurationRequest() | samples.ConfigurationResponse():
            return samples.TaskId()
        case _:
            return sample.task_id


def key_in_handle(sample_type: type[samples.Sample], handle: bytes) -> samples.TaskId | None:
    """Read the task id out of an instance handle, where the task id is the whole key.

    A key of at most 16 octets is its own handle, big-endian and padded with zeros; a longer one is
    hashed (DDSI-RTPS, key hash).

    Args:
        sample_type: type of the instance's samples.
        handle: its 16 octets.

    Returns:
        The task id; None where the key is another or longer one, which a handle does not tell.
    """
    if sample_type not in _KEYED_BY_TASK:
        return None
    return samples.TaskId._make(_TASK_ID_KEY.unpack(handle))


def instance_of(sample: samples.Sample) -> tuple[object, ...]:
    """Values of the key members, which tell instances of one type apart."""
    return tuple(
        getattr(sample, member.name) for member in STRUCTS[type(sample)].members if member.is_key
    )
