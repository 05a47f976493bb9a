"""What a measuring process says about how its model ran, and what follows for the number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from carbon_node.estimation.interval import Interval
from carbon_node.estimation.measurement import GuessedPower
from carbon_node.tracking.messages import Json

MAX_LINES: Final = 16
"""Excluded devices, and observations of other load, that are kept."""

MAX_LINE: Final = 160
"""Characters of one."""

GUESS_FACTOR: Final = 10.0
"""CarbonTracker guesses 35.6 W for most server processors; idle ones draw a tenth of that."""

HIGHEST_RATING_W: Final = 500.0
"""Highest rating of a processor in the catalogue (AMD EPYC 9965, Intel Xeon 6980P): what one of
unknown name may draw."""


@dataclass(frozen=True, slots=True)
class SubWindow:
    """A part of the window.

    Args:
        seconds: its length.
        inferences: how many ran.
        power_w: mean power of all components, None where one of them was not read.
    """

    seconds: float
    inferences: int
    power_w: float | None

    @classmethod
    def of(cls, seconds: object, inferences: object, power_w: object) -> Self:
        """Take what a measuring process sent.

        Raises:
            ValueError: it is no number.
            TypeError: likewise.
        """
        power = None if power_w is None else float(str(power_w))
        return cls(float(str(seconds)), int(str(inferences)), power)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """How a model ran.

    Args:
        host: name of the host; empty for a simulated run.
        sockets: processors of the host.
        excluded: devices that are not charged.
        others: load by others.
        used_gpu: whether the model can have run on a GPU.
    """

    host: str
    sockets: int
    excluded: tuple[str, ...]
    others: tuple[str, ...]
    used_gpu: bool

    @classmethod
    def of(cls, found: Json) -> Self:
        """Take what a measuring process sent; a simulated run has none."""
        return cls(
            host=str(found.get("host", ""))[:MAX_LINE],
            sockets=max(1, int(found.get("sockets", 1))),
            excluded=_lines(found.get("excluded", ())),
            others=_lines(found.get("others", ())),
            used_gpu=found.get("used_gpu") is True,
        )


def spread_of(windows: Sequence[SubWindow]) -> Interval:
    """Compare the energy of an inference in each sub-window with that in all of them.

    Where a component was read too rarely for every sub-window, its power is taken for constant, and
    the time of an inference alone makes the difference.

    Args:
        windows: the sub-windows.

    Returns:
        The least share, 1, and the greatest.
    """
    is_read = all(window.power_w is not None for window in windows)
    parts = [
        (_work(window, is_read=is_read), window.inferences)
        for window in windows
        if window.inferences > 0 and _work(window, is_read=is_read) > 0
    ]
    if not parts:
        return Interval(1.0, 1.0, 1.0)
    mean = sum(work for work, _ in parts) / sum(inferences for _, inferences in parts)
    shares = [work / inferences / mean for work, inferences in parts]
    return Interval(min(1.0, *shares, 1.0), 1.0, max(1.0, *shares, 1.0))


def guessed_power(
    processor: str, guessed_w: float, sockets: int, processor_power_w: Interval | None
) -> GuessedPower:
    """Bound the guess of a processor's power by what its kind is rated.

    Args:
        processor: its name.
        guessed_w: CarbonTracker's guess, of one processor, watts.
        sockets: how many of them the host has.
        processor_power_w: watts of one of them, None if its rating is unknown.
    """
    one = processor_power_w or Interval(
        guessed_w / GUESS_FACTOR, guessed_w, max(guessed_w * GUESS_FACTOR, HIGHEST_RATING_W)
    )
    times = "" if sockets == 1 else f"{sockets} x "
    return GuessedPower(f"{times}{processor}"[:MAX_LINE], one.scaled(sockets))


def _work(window: SubWindow, *, is_read: bool) -> float:
    return window.seconds * (window.power_w or 0.0) if is_read else window.seconds


def _lines(found: object) -> tuple[str, ...]:
    given = found if isinstance(found, list | tuple) else ()
    return tuple(str(line)[:MAX_LINE] for line in given[:MAX_LINES])
