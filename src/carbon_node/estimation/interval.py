"""Numbers with bounds: intervals, and factors that say where their interval comes from."""

import math
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A positive quantity that is known to lie between two bounds.

    Args:
        low: least value that the source allows, > 0.
        value: best single value, from low to high.
        high: greatest value that the source allows, finite.

    Raises:
        ValueError: if a number is not finite or not positive, or the value lies outside its bounds.
    """

    low: float
    value: float
    high: float

    def __post_init__(self) -> None:
        if not all(map(math.isfinite, (self.low, self.value, self.high))):
            raise ValueError(f"interval {self.low}, {self.value}, {self.high} is not finite")
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"interval needs 0 < {self.low} <= {self.value} <= {self.high}")

    def __mul__(self, other: "Interval") -> "Interval":
        """Multiply by an independent interval: bounds times bounds.

        Rounding is monotone, so the value of the product stays within the bounds of the product.
        """
        return Interval(self.low * other.low, self.value * other.value, self.high * other.high)

    def __add__(self, other: "Interval") -> "Interval":
        """Add an independent interval: bounds plus bounds."""
        return Interval(self.low + other.low, self.value + other.value, self.high + other.high)

    def scaled(self, factor: float) -> "Interval":
        """Multiply by an exact positive number."""
        return Interval(self.low * factor, self.value * factor, self.high * factor)

    def map(self, convert: Callable[[float], float]) -> "Interval":
        """Convert to another unit by a monotone function."""
        return Interval(convert(self.low), convert(self.value), convert(self.high))

    def widened_to(self, other: "Interval") -> "Interval":
        """Keep the value and stretch the bounds until they cover `other` too."""
        return Interval(min(self.low, other.low), self.value, max(self.high, other.high))

    def overlaps(self, other: "Interval") -> bool:
        """Whether some number lies in both intervals."""
        return self.low <= other.high and other.low <= self.high

    @property
    def is_exact(self) -> bool:
        """Whether the bounds coincide with the value."""
        return self.low == self.high


def exact(value: float) -> Interval:
    """Make an interval of zero width.

    Args:
        value: the number, finite and > 0.

    Raises:
        ValueError: if the number is not finite or not positive.
    """
    return Interval(value, value, value)


def within_factor(value: float, factor: float) -> Interval:
    """Make the interval from `value / factor` to `value * factor`.

    Args:
        value: the number, finite and > 0.
        factor: at least 1.

    Raises:
        ValueError: if the result is not an interval.
    """
    return Interval(value / factor, value, value * factor)


def within_share(value: float, share: float) -> Interval:
    """Make the interval of plus and minus a share of the value.

    Args:
        value: the number, finite and > 0.
        share: from 0 to below 1; 0.05 means plus and minus 5 %.

    Raises:
        ValueError: if the result is not an interval.
    """
    return Interval(value * (1 - share), value, value * (1 + share))


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor of the formula and the reason to believe it.

    Args:
        interval: low, value and high in the unit that the owner's name states.
        source: one line for people.
    """

    interval: Interval
    source: str
