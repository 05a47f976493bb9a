"""The tables of wire types and the tuples that samples become."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.wire_samples import samples

from carbon_node.errors import WireError
from carbon_node.wire.contract import Topic
from carbon_node.wire.samples import (
    ConfigurationRequest,
    NodeCommand,
    NodeControl,
    NodeStatus,
    Sample,
    TaskCommand,
    TaskId,
    UserInput,
)
from carbon_node.wire.types import STRUCTS, decode, encode, instance_of, key_of, sendable

TYPES = tuple(STRUCTS)


def test_every_topic_has_a_table() -> None:
    """No topic's type is missing."""
    assert {topic.sample_type for topic in Topic} == set(STRUCTS)


@pytest.mark.parametrize("sample_type", TYPES)
def test_tables_follow_the_dataclasses(sample_type: type[Sample]) -> None:
    """Members have the names and the order of the fields."""
    members = [member.name for member in STRUCTS[sample_type].members]
    assert members == [field.name for field in fields(sample_type)]


def test_task_ids_are_keys() -> None:
    """Every sample with a task id is told apart by it."""
    for struct in STRUCTS.values():
        for member in struct.members:
            assert member.is_key or member.name != "task_id"


@given(st.sampled_from(TYPES).flatmap(samples))
def test_samples_survive_the_way_through_tuples(sample: Sample) -> None:
    """Decoding an encoded sample gives an equal one."""
    assert decode(type(sample), encode(sample)) == sample


@given(st.text())
def test_sendable_text_can_be_sent(text: str) -> None:
    """Any text becomes one without NUL that has a UTF-8 form, and usual text stays as it is."""
    sent = sendable(text)
    assert "\0" not in sent
    assert sent.encode().decode() == sent
    assert sendable(sent) == sent


def test_unknown_enumerators_are_wire_errors() -> None:
    """A status that the contract does not know is refused with its type and value."""
    values = (9, 0, 0, "", "", (1, 1))
    with pytest.raises(WireError, match=r"NodeStatusImpl.*9"):
        decode(NodeStatus, values)


def test_unknown_commands_are_commands_too() -> None:
    """A command that the contract does not know arrives, so that it can be counted."""
    command = decode(NodeControl, (9, -3, "", "", (1, 1)))
    assert command == NodeControl(NodeCommand.UNKNOWN, TaskCommand.UNKNOWN, task_id=TaskId(1, 1))


def test_keys_are_task_ids_where_there_are_any() -> None:
    """Configuration requests have no task id."""
    assert key_of(UserInput(task_id=TaskId(3, 4))) == (3, 4)
    assert key_of(ConfigurationRequest(1, 2, "")) == (0, 0)


def test_instances_are_told_apart_by_all_keys() -> None:
    """The same task id of two nodes is two instances."""
    assert instance_of(NodeStatus(node_name="a")) != instance_of(NodeStatus(node_name="b"))
