"""When readers have forgotten a participant."""

import pytest

from carbon_node.transport.standing import FAST_DDS, LONGEST_S, MARGIN_S, Standing

CYCLONE_DDS = 0x0110
READERS = ("reader", "other")


def standing(lease_s: float = 10.0, vendor: int = CYCLONE_DDS) -> Standing:
    """A participant that has met a reader, and one of Fast DDS."""
    met = Standing()
    met.met("reader", vendor, lease_s)
    met.met("other", FAST_DDS, 20.0)
    return met


@pytest.mark.parametrize(
    ("readers", "after_s", "is_lost"),
    [
        (("reader",), 10.9, False),
        (("reader",), 11.1, True),
        # The other one may be dead, and holds the acknowledgment up until discovery knows that.
        (READERS, 20.9, False),
        (READERS, 21.1, True),
    ],
)
def test_a_reader_that_outlives_its_lease_without_a_word_has_forgotten(
    readers: tuple[str, ...],
    after_s: float,
    is_lost: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Until then it may be dead, and discovery has not noticed."""
    met = standing()
    assert met.asked(100.0)
    assert not met.asked(101.0)
    assert met.is_lost(readers, 100.0 + after_s) is is_lost


def test_an_answer_ends_the_question() -> None:
    """The next one counts from when it is asked."""
    met = standing()
    met.asked(100.0)
    met.answered()
    assert not met.is_lost(READERS, 200.0)
    met.asked(200.0)
    assert not met.is_lost(READERS, 220.0)


def test_a_long_lease_is_not_waited_for() -> None:
    """A lease without end would leave the reader without its outputs for ever."""
    met = standing(lease_s=2**31)
    met.asked(0.0)
    assert not met.is_lost(("reader",), LONGEST_S)
    assert met.is_lost(("reader",), LONGEST_S + MARGIN_S + 0.1)


def test_a_silence_that_outlasts_a_new_participant_is_not_its_fault() -> None:
    """The node does not join again and again for a reader that never acknowledges."""
    met = standing()
    met.asked(0.0)
    assert met.is_lost(READERS, 50.0)
    met.rejoined()
    met.met("reader", CYCLONE_DDS, 10.0)
    met.asked(60.0)
    assert not met.is_lost(("reader",), 1000.0)
    met.answered()
    met.asked(2000.0)
    assert met.is_lost(("reader",), 3000.0)


def test_only_readers_of_another_vendor_forget_for_good() -> None:
    """Participants of Fast DDS find each other again."""
    assert standing().has_foreign(READERS)
    assert not standing().has_foreign(("other",))
    assert not standing(vendor=FAST_DDS).has_foreign(READERS)
    left = standing()
    left.left("reader")
    assert not left.has_foreign(READERS)
    assert left.has_met_others
    left.rejoined()
    assert not left.has_met_others
