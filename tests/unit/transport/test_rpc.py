"""When calls of the configuration service wait."""

from carbon_node.transport.rpc import HOLD_S, Hold


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
