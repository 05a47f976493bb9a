"""Samples whose payloads and handles were recorded from Fast DDS's own dynamic types.

`tests/data/payloads.json` holds what `DynamicPubSubType` of Fast DDS 3.2.2 made of them, before the
binding had a codec of its own.
"""

from typing import Any, TypeAlias

from carbon_node.transport.rpc import REPLY, REQUEST
from carbon_node.wire.samples import (
    CO2Footprint,
    ConfigurationRequest,
    ConfigurationResponse,
    HWResource,
    MLModel,
    NodeControl,
    NodeStatus,
    TaskId,
    UserInput,
)
from carbon_node.wire.types import STRUCTS, Member, Struct, encode

Values: TypeAlias = tuple[Any, ...]

_KINDS = (
    Member("text", "string"),
    Member("is_set", "boolean"),
    Member("wide", "double"),
    Member("is_set_too", "boolean"),
    Member("signed", "int32"),
    Member("octets", "sequence<octet>"),
    Member("unsigned", "uint32", is_key=True),
    Member("texts", "sequence<string>"),
    Member("last", "double"),
)
_INNER = Struct("Inner", (Member("is_set", "boolean"), Member("wide", "double")), "final")
EVERY_KIND = (
    Struct("Every_final", (*_KINDS, Member("inner", _INNER)), "final"),
    Struct("Every_appendable", (*_KINDS, Member("inner", _INNER)), "appendable"),
    Struct("Every_mutable", (*_KINDS, Member("inner", _INNER)), "mutable"),
)
_EVERY_VALUE = (
    "zwölf",
    True,
    -2.5e-300,
    False,
    -(2**31),
    bytes(range(7)),
    2**32 - 1,
    ("", "a", "größer"),
    float("inf"),
    (True, 3.5),
)
_TASK = TaskId(70_000, 2**32 - 1)

RECORDED: tuple[tuple[Struct, Values], ...] = (
    *((STRUCTS[sample_type], encode(sample_type())) for sample_type in STRUCTS),
    *(
        (STRUCTS[type(sample)], encode(sample))
        for sample in (
            UserInput(
                "image",
                "a",
                "abc",
                ("one", "", "drei ß"),
                ("x",),
                1,
                2**32 - 1,
                optimize_carbon_footprint_manual=True,
                previous_iteration=-1,
                optimize_carbon_footprint_auto=True,
                desired_carbon_footprint=0.125,
                geo_location_continent="Europe",
                geo_location_region="España",
                extra_data=b'{"num_outputs": 1}',
                task_id=_TASK,
            ),
            MLModel("p/q", "m", bytes(range(251)), "", "{}", ("pic",), 1e9, b"\0", TaskId(1, 2)),
            HWResource("A100", 1.5, 2.5, 3.5, 4.5, b"12345", _TASK),
            CO2Footprint(1.0, 2.0, 3.0, b"{}", TaskId(3, 4)),
            NodeStatus(error_description="why", node_name="CARBON_FOOTPRINT_NODE", task_id=_TASK),
            NodeControl(target_node="t", source_node="ORCHESTRATOR_NODE", task_id=_TASK),
            ConfigurationRequest(1, 2**31 - 1, "{}"),
            ConfigurationResponse(-1, 7, success=True, configuration="ok"),
        )
    ),
    (REQUEST, ((("{}",),))),
    (REQUEST, (("x" * 70_000,),)),
    (REPLY, ((("gut",),),)),
    *((struct, _EVERY_VALUE) for struct in EVERY_KIND),
)
