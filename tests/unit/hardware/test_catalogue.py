"""The catalogue of named hardware."""

import json
from importlib.resources import files

import pytest

from carbon_node.errors import ConfigError
from carbon_node.hardware.catalogue import find_hardware


@pytest.mark.parametrize("name", ["NVIDIA H200", "nvidia h200", "H200", " h200 "])
def test_hardware_is_found_with_and_without_its_maker(name: str) -> None:
    """Capitals, outer blanks and the maker do not matter."""
    hardware = find_hardware(name)
    assert (hardware.name, hardware.power.interval.value) == ("NVIDIA H200", 700)
    assert "data sheet" in hardware.power.source


def test_a_rating_is_the_most_that_is_drawn() -> None:
    """A rated power is an upper bound, half of it the lower one."""
    interval = find_hardware("NVIDIA T4").power.interval
    assert (interval.low, interval.value, interval.high) == (35, 70, 70)


@pytest.mark.parametrize("name", ["A100", "nvidia a100 sxn", "h20"])
def test_unknown_hardware_names_what_is_similar(name: str) -> None:
    """The error offers names, and --power as the way out."""
    with pytest.raises(ConfigError, match=r"similar: .*--power") as raised:
        find_hardware(name)
    assert "NVIDIA" in str(raised.value)


@pytest.mark.parametrize("name", ["", "x" * 100_000])
def test_nonsense_is_not_repeated_at_length(name: str) -> None:
    """The message stays a line."""
    with pytest.raises(ConfigError) as raised:
        find_hardware(name)
    assert len(str(raised.value)) < 300


def test_every_entry_can_be_found_by_its_name() -> None:
    """All names are distinct, have a believable power and a source."""
    table = json.loads(
        (files("carbon_node.hardware") / "catalogue.json").read_text(encoding="utf-8")
    )
    for name in table["hardware"]:
        hardware = find_hardware(name)
        assert hardware.name == name
        assert 1 < hardware.power.interval.value < 2000
        assert len(hardware.power.source) > len(name) + 10
