"""What travels between main's orchestrator and the node, and when its calls wait."""

from carbon_node.transport.rpc import HOLD_S, REPLY, REQUEST, Hold
from carbon_node.wire.types import Struct


def spelled(struct: Struct) -> str:
    """Spell a struct of one member with its id, as IDL would."""
    (member,) = struct.members
    content = spelled(member.type) if isinstance(member.type, Struct) else member.type
    number = "" if member.id is None else f"@id({member.id:#010x}) "
    return f"{struct.extensibility} {{ {number}{content} {member.name} }}"


def test_requests_and_replies_are_spelled_as_fast_dds_generates_them() -> None:
    """From main's interface; a reply holds a result and nothing else, or it would be rejected."""
    assert (REQUEST.name, REPLY.name) == (
        *("CarbonFootprintService_Request", "CarbonFootprintService_Reply"),
    )
    assert spelled(REQUEST) == (
        "mutable { @id(0x096ebada) final { string configuration } update_configuration }"
    )
    assert spelled(REPLY) == (
        "mutable { @id(0x096ebada) mutable { @id(0x0784a8b4) final { string return_ } result } "
        "update_configuration }"
    )


def test_calls_wait_until_every_caller_can_be_answered() -> None:
    """As soon as each request writer has a reply reader, the wait is over."""
    hold = Hold()

    assert [hold.is_on(2, 1, 0.0), hold.is_on(2, 1, 0.5), hold.is_on(2, 2, 0.6)] == [
        True,
        True,
        False,
    ]


def test_a_caller_without_reader_holds_the_others_once() -> None:
    """The endpoint opens again after a while, and stays open while that caller is there."""
    hold = Hold()

    seen = [hold.is_on(1, 0, at_s) for at_s in (0.0, HOLD_S / 2, HOLD_S, 10 * HOLD_S)]

    assert seen == [True, True, False, False]


def test_a_later_caller_is_waited_for_again() -> None:
    """Each time that a caller cannot be answered has its own wait."""
    hold = Hold()
    hold.is_on(1, 0, 0.0)
    hold.is_on(1, 1, 100.0)

    assert hold.is_on(2, 1, 200.0)
