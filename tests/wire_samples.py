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
HARDWARE_OF_PRODUCERS: Mapping[str, wire.HWResource] = MappingProxyType(
    {
        "GPU simulator, 2025": wire.HWResource("H100_x4", 1180.5, 2.75),
        "GPU simulator, 2025, short": wire.HWResource("H100", 280.0, 0.021),
        "PIM simulator, 2025": wire.HWResource("PIM_AI_4chip", 6.25, 12.5),
        "phone simulator, 2025, nothing generated": wire.HWResource("A17Pro", 0.0, 0.4),
        "FPGA estimator, 2025": wire.HWResource("Zynq UltraScale+ ZCU102", 0.0, 812.0),
        "GPU simulator, 2026": wire.HWResource("H100_x4", 1180.5, 2.75 / 3600, 512.0, 320_000.0),
        "GPU simulator, 2026, memory lost": wire.HWResource("H100_x4", 1180.5, 2.75 / 3600),
        "PIM simulator, 2026": wire.HWResource("PIM_AI_4chip", 6.25, 12.5 / 3600, 512.0),
        "FPGA estimator, 2026": wire.HWResource(
            "Ultra96-V2",
            5.5,
            0.0008 / 3600,
            11.0,
            2048.0,
            b'{"latency_h": 2.2222e-7, "power_w": 5.5}',
        ),
        "FPGA estimator, 2026, without extra": wire.HWResource("Ultra96-V2", 5.5, 0.0008 / 3600),
        "Axelera, 2026": wire.HWResource(
            "Axelera Edge 130p", 9.0, 4e-6, 30.0, 0.0, b'{"latency_h": 4e-6, "power_w": 9}'
        ),
        "board of 2026 that no preset has": wire.HWResource("Nova 1", 9.0, 4e-6, 30.0),
        "board that no preset has": wire.HWResource("Nova 1", 9.0, 0.25),
    }
)
"""What the pipeline's hardware nodes of both generations send, by what sends it."""

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
