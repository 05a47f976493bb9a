"""Names, types and qualities of the pipeline, written down a second time, from the contract.

No line here is derived from the code: what it spells is what the other nodes were compiled with.
"""

import pytest

from carbon_node.wire import contract
from carbon_node.wire.contract import BaselinePolicy, Topic
from carbon_node.wire.quality import FORGETTING_SAMPLES, SERVICE, reader_quality, writer_quality
from carbon_node.wire.samples import ErrorCode, NodeCommand, Status, TaskCommand, TaskStatus
from carbon_node.wire.types import STRUCTS, TASK_ID, Struct

TOPICS = {
    Topic.USER_INPUT: ("/sustainml/user_input", "UserInputImpl"),
    Topic.ML_MODEL: ("/sustainml/ml_model_provider/output", "MLModelImpl"),
    Topic.HW_RESOURCE: ("/sustainml/hw_resources/output", "HWResourceImpl"),
    Topic.FOOTPRINT: ("/sustainml/carbon_tracker/output", "CO2FootprintImpl"),
    Topic.BASELINE: ("/sustainml/carbon_tracker/baseline", "CO2FootprintImpl"),
    Topic.STATUS: ("/sustainml/status", "NodeStatusImpl"),
    Topic.CONTROL: ("/sustainml/control", "NodeControlImpl"),
    Topic.REQUEST: ("sustainml/request", "RequestTypeImpl"),
    Topic.RESPONSE: ("sustainml/response", "ResponseTypeImpl"),
}

MEMBERS = {
    "UserInputImpl": (
        "string modality, string problem_short_description, string problem_definition, "
        "sequence<string> inputs, sequence<string> outputs, uint32 minimum_samples, "
        "uint32 maximum_samples, boolean optimize_carbon_footprint_manual, "
        "int32 previous_iteration, boolean optimize_carbon_footprint_auto, "
        "double desired_carbon_footprint, string geo_location_continent, "
        "string geo_location_region, sequence<octet> extra_data, @key TaskIdImpl task_id"
    ),
    "MLModelImpl": (
        "string model_path, string model, sequence<octet> raw_model, "
        "string model_properties_path, string model_properties, sequence<string> input_batch, "
        "double target_latency, sequence<octet> extra_data, @key TaskIdImpl task_id"
    ),
    "HWResourceImpl": (
        "string hw_description, double power_consumption, double latency, "
        "double memory_footprint_of_ml_model, double max_hw_memory_footprint, "
        "sequence<octet> extra_data, @key TaskIdImpl task_id"
    ),
    "CO2FootprintImpl": (
        "double carbon_footprint, double energy_consumption, double carbon_intensity, "
        "sequence<octet> extra_data, @key TaskIdImpl task_id"
    ),
    "NodeStatusImpl": (
        "int32 node_status, int32 task_status, int32 error_code, string error_description, "
        "@key string node_name, @key TaskIdImpl task_id"
    ),
    "NodeControlImpl": (
        "int32 cmd_node, int32 cmd_task, string target_node, @key string source_node, "
        "@key TaskIdImpl task_id"
    ),
    "RequestTypeImpl": "@key int32 node_id, @key int32 transaction_id, string configuration",
    "ResponseTypeImpl": (
        "@key int32 node_id, @key int32 transaction_id, boolean success, int32 err_code, "
        "string configuration"
    ),
    "TaskIdImpl": "uint32 problem_id, uint32 iteration_id",
}


def spelled(struct: Struct) -> str:
    """Spell the members of a struct as IDL would."""
    return ", ".join(
        ("@key " if member.is_key else "")
        + f"{member.type.name if isinstance(member.type, Struct) else member.type} {member.name}"
        for member in struct.members
    )


def test_names_of_participants_are_those_of_the_pipeline() -> None:
    """The orchestrator makes its proxy from the first, and is known by the second."""
    assert contract.NODE_NAME == "CARBON_FOOTPRINT_NODE"
    assert contract.ORCHESTRATOR_NAME == "ORCHESTRATOR_NODE"


def test_requests_to_the_carbon_node_have_the_id_1() -> None:
    """Every node of release 0.2 gets every request, and knows its own by a number."""
    assert contract.CONFIGURATION_NODE_ID == 1


def test_domains_are_0_to_232() -> None:
    """Ports of higher domains do not exist."""
    assert (contract.DOMAIN_RANGE[0], contract.DOMAIN_RANGE[-1]) == (0, 232)


def test_topics_have_the_names_and_types_of_the_pipeline() -> None:
    """Only the two of the configuration service begin without a slash."""
    found = {topic: (topic.dds_name, STRUCTS[topic.sample_type].name) for topic in Topic}
    assert found == TOPICS


def test_types_have_the_members_of_the_pipeline_in_their_order() -> None:
    """XCDR1 has no names on the wire: what stands elsewhere is read as something else."""
    assert {each.name: spelled(each) for each in (*STRUCTS.values(), TASK_ID)} == MEMBERS


def test_types_are_appendable() -> None:
    """As the other nodes declare them."""
    assert {each.extensibility for each in (*STRUCTS.values(), TASK_ID)} == {"appendable"}


def test_enumerations_have_the_numbers_of_the_pipeline() -> None:
    """Enumerators travel as numbers, in the order of the contract."""
    node_status = ("INACTIVE", "ERROR", "IDLE", "INITIALIZING", "RUNNING", "TERMINATING")
    commands = {-1: "UNKNOWN", 0: "NO_COMMAND", 1: "START", 2: "STOP", 3: "RESET", 4: "TERMINATE"}
    task_commands = ("STOP", "RESET", "PREEMPT", "TERMINATE")
    assert [each.name for each in map(Status, range(6))] == [*node_status]
    assert [each.name for each in map(TaskStatus, range(4))] == [
        *("WAITING", "ERROR", "RUNNING", "SUCCEEDED")
    ]
    assert [each.name for each in map(ErrorCode, range(2))] == ["NO_ERROR", "INTERNAL_ERROR"]
    assert {each.value: each.name for each in NodeCommand} == commands
    assert [each.name for each in map(TaskCommand, range(1, 5))] == [*task_commands]
    assert TaskCommand(0) is TaskCommand.NO_COMMAND


@pytest.mark.parametrize("topic", [each for each in Topic if each is not Topic.CONTROL])
def test_topics_are_reliable_and_retain_the_last_sample_of_each_instance(topic: Topic) -> None:
    """Late readers get what they missed, and match only writers that promise it."""
    writer, reader = writer_quality(topic), reader_quality(topic)
    assert writer.is_reliable
    assert reader.is_reliable
    assert writer.is_retained
    assert reader.is_retained
    assert (writer.depth, reader.depth - FORGETTING_SAMPLES) == (1, 1)


def test_any_writer_of_commands_matches() -> None:
    """Even one that promises nothing: best effort, volatile."""
    reader = reader_quality(Topic.CONTROL)
    assert not reader.is_reliable
    assert not reader.is_retained


def test_endpoints_hold_more_instances_than_peers() -> None:
    """Peers have 500 and end none: with no more, an endpoint would be full with one of them."""
    for topic in Topic:
        assert min(writer_quality(topic).instances, reader_quality(topic).instances) > 500


def test_the_rpc_keeps_all_and_retains_nothing() -> None:
    """Both directions are reliable and volatile, without a limit."""
    assert (SERVICE.is_reliable, SERVICE.is_retained) == (True, False)
    assert (SERVICE.depth, SERVICE.instances) == (0, 0)


def test_the_baseline_has_three_policies() -> None:
    """As operators spell them."""
    assert [each.value for each in BaselinePolicy] == ["auto", "always", "never"]
