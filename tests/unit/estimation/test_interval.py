"""Intervals: what they hold, and that arithmetic on them loses nothing."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.estimation import Interval, exact, within_factor, within_share

POSITIVE = st.floats(min_value=1e-6, max_value=1e6)
INTERVALS = st.tuples(POSITIVE, POSITIVE, POSITIVE).map(sorted).map(lambda three: Interval(*three))


@st.composite
def points(draw: st.DrawFn) -> tuple[Interval, float]:
    """Draw an interval and a number in it."""
    interval = draw(INTERVALS)
    return interval, draw(st.floats(min_value=interval.low, max_value=interval.high))


@given(points(), points())
def test_a_product_holds_the_product_of_any_two_members(
    one: tuple[Interval, float], other: tuple[Interval, float]
) -> None:
    """Whatever the true factors are, their product lies in the product of their intervals."""
    product = one[0] * other[0]
    assert product.low <= one[1] * other[1] <= product.high


@given(INTERVALS, INTERVALS)
def test_the_value_of_a_product_is_the_product_of_values(one: Interval, other: Interval) -> None:
    """The value is exactly what floating point multiplies, and lies within its bounds."""
    product = one * other
    assert product.value == one.value * other.value
    assert product.low <= product.value <= product.high


@given(INTERVALS, INTERVALS, POSITIVE)
def test_a_wider_factor_gives_a_wider_product(
    one: Interval, other: Interval, factor: float
) -> None:
    """Less certainty about a factor never gives more about the product."""
    wider = other.widened_to(within_factor(other.value, 1 + factor))
    assert (one * wider).low <= (one * other).low
    assert (one * wider).high >= (one * other).high


@given(POSITIVE, POSITIVE)
def test_exact_factors_give_an_exact_product(one: float, other: float) -> None:
    """Intervals of zero width multiply to an interval of zero width."""
    assert (exact(one) * exact(other)).is_exact


@given(INTERVALS, POSITIVE)
def test_scaling_keeps_the_order(interval: Interval, factor: float) -> None:
    """A scaled interval is an interval."""
    scaled = interval.scaled(factor)
    assert scaled == interval.map(lambda number: number * factor)
    assert scaled.low <= scaled.value <= scaled.high


@given(INTERVALS, INTERVALS)
def test_widening_covers_both_and_keeps_the_value(one: Interval, other: Interval) -> None:
    """The widened interval contains both, around the value of the first."""
    widened = one.widened_to(other)
    assert widened.value == one.value
    assert widened.low <= min(one.low, other.low)
    assert widened.high >= max(one.high, other.high)


@given(points(), INTERVALS)
def test_intervals_with_a_common_member_overlap(
    one: tuple[Interval, float], other: Interval
) -> None:
    """Overlapping is having a number in common, whichever is asked."""
    is_common = other.low <= one[1] <= other.high
    assert one[0].overlaps(other) or not is_common
    assert one[0].overlaps(other) == other.overlaps(one[0])


def test_separate_intervals_do_not_overlap() -> None:
    """Intervals that only follow each other have nothing in common."""
    assert not Interval(1, 2, 3).overlaps(Interval(4, 5, 6))


@pytest.mark.parametrize(
    ("low", "value", "high"),
    [(2, 1, 3), (1, 4, 3), (0, 1, 2), (-1, 1, 2), (1, 1, math.inf), (math.nan, 1, 2)],
)
def test_what_is_no_interval_is_refused(low: float, value: float, high: float) -> None:
    """Numbers out of order, not positive or not finite raise and say which."""
    with pytest.raises(ValueError, match="interval"):
        Interval(low, value, high)


def test_shares_and_factors_give_their_bounds() -> None:
    """5 % and a factor of 1.25 mean what they say."""
    assert within_share(100, 0.05) == Interval(95, 100, 105)
    assert within_factor(100, 1.25) == Interval(80, 100, 125)
