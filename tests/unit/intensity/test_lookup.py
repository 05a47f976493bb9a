"""The look-up object: the operator's word, and threads."""

import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from carbon_node.errors import ConfigError
from carbon_node.estimation import Place
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.intensity.tables import shipped_data


def test_an_explicit_intensity_wins_over_every_place() -> None:
    """What the operator states is exact and named as such."""
    answer = IntensityLookup(IntensityConfig(g_per_kwh=57)).lookup(Place("Poland"))
    assert answer.g_per_kwh.is_exact
    assert answer.g_per_kwh.value == 57
    assert answer.source == "set by the operator"
    assert [(step.rung, step.outcome) for step in answer.steps] == [("explicit", "taken")]


@pytest.mark.parametrize("grams", [0, -1, 3000.1, 1e6, math.nan, math.inf, -math.inf])
def test_an_absurd_explicit_intensity_is_refused(grams: float) -> None:
    """Zero marks failed results, and beyond 3000 the unit is wrong: neither is accepted."""
    with pytest.raises(ConfigError, match="g/kWh"):
        IntensityConfig(g_per_kwh=grams)


def test_many_threads_may_ask_at_once() -> None:
    """The tables are read once, and everybody gets the same answer."""
    lookup = IntensityLookup(IntensityConfig())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lookup.lookup, [Place("France")] * 64))
    assert all(answer == answers[0] for answer in answers)


def test_nothing_is_read_before_the_first_look_up(tmp_path: Path) -> None:
    """Making the object touches no file, so that the node starts at once."""
    data = tmp_path / "data"
    lookup = IntensityLookup(IntensityConfig(), data=data)
    shutil.copytree(str(shipped_data()), data)
    assert lookup.lookup(Place("France")).place == "France"
