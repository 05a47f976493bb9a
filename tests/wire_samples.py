"""Hypothesis strategies of samples, derived from the type tables."""

from collections.abc import Mapping
from types import MappingProxyType

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from carbon_node.wire import samples as wire
from carbon_node.wire.contract import Topic
from carbon_node.wire.types import STRUCTS, Member, Struct

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
_KINDS: Mapping[str, SearchStrategy[object]] = MappingProxyType(
    {
        "boolean": st.booleans(),
        "int32": st.integers(-(2**31), 2**31 - 1),
        "uint32": st.integers(0, 2**32 - 1),
        "double": st.floats(allow_nan=False),
        "string": _TEXT,
        "sequence<octet>": st.binary(),
        "sequence<string>": st.lists(_TEXT).map(tuple),
    }
)
_ENUMERATIONS: Mapping[str, SearchStrategy[object]] = MappingProxyType(
    {
        "node_status": st.sampled_from(wire.Status),
        "task_status": st.sampled_from(wire.TaskStatus),
        "error_code": st.sampled_from(wire.ErrorCode),
        "err_code": st.sampled_from(wire.ErrorCode),
        "cmd_node": st.sampled_from(wire.NodeCommand),
        "cmd_task": st.sampled_from(wire.TaskCommand),
    }
)
TASK_IDS = st.builds(wire.TaskId, _KINDS["uint32"], _KINDS["uint32"])


def samples(sample_type: type[wire.Sample]) -> SearchStrategy[wire.Sample]:
    """Draw samples of a type that the wire can hold."""
    members = STRUCTS[sample_type].members
    return st.builds(sample_type, **{member.name: _values(member) for member in members})


def _values(member: Member) -> SearchStrategy[object]:
    if member.name in _ENUMERATIONS:
        return _ENUMERATIONS[member.name]
    return TASK_IDS if isinstance(member.type, Struct) else _KINDS[member.type]


def full_inputs(task_id: wire.TaskId) -> dict[Topic, wire.Sample]:
    """The three samples of a task, with every member set."""
    return {
        Topic.USER_INPUT: wire.UserInput(
            modality="text",
            problem_short_description="écrire",
            problem_definition="写",
            inputs=("a", "", "c"),
            outputs=("d",),
            minimum_samples=2**32 - 1,
            maximum_samples=7,
            optimize_carbon_footprint_manual=True,
            previous_iteration=-(2**31),
            optimize_carbon_footprint_auto=True,
            desired_carbon_footprint=1e-300,
            geo_location_continent="Europe",
            geo_location_region="España",
            extra_data=b'{"num_outputs": 1}',
            task_id=task_id,
        ),
        Topic.ML_MODEL: wire.MLModel(
            model_path="/m.onnx",
            model="m",
            raw_model=bytes(range(256)),
            model_properties_path="/p",
            model_properties="p",
            input_batch=("x", "y"),
            target_latency=0.5,
            extra_data=b"\x00\xff",
            task_id=task_id,
        ),
        Topic.HW_RESOURCE: wire.HWResource("cpu", 270.0, 0.35, 1.0, 2.0, b"", task_id),
    }
