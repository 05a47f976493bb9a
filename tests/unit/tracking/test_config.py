"""Numbers that no measurement could work with."""

from typing import Any

import pytest
from tests.trackers import tracker_config

from carbon_node.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_s", 0.0),
        ("window_s", float("nan")),
        ("deadline_s", 0.0),
        ("deadline_s", float("inf")),
        ("grace_s", -1.0),
        ("workers", 0),
        ("queue_wait_s", -1.0),
    ],
)
def test_number_out_of_range_is_refused_by_name(name: str, value: Any) -> None:  # noqa: ANN401
    """The message names the setting, the value and the range."""
    with pytest.raises(ConfigError, match=rf"tracker.{name} is {value}; it must lie between"):
        tracker_config(**{name: value})
