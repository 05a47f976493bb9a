"""`carbon-node place find`: what a text means, and what it does not."""

import json

import pytest

from carbon_node.cli.place import find


def found(capsys: pytest.CaptureFixture[str], text: str, continent: str = "") -> tuple[int, str]:
    """Return the exit status and what is printed."""
    status = find(text, continent)
    return status, capsys.readouterr().out


def test_a_place_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, code, each part of the text, value, source, zone and PUE of the site."""
    status, printed = found(capsys, "AWS us-east-1")
    assert status == 0
    for text in (
        "Virginia, United States (US-VA)",
        "AWS: cloud provider",
        "us-east-1: cloud region",
        "418 gCO2e/kWh",
        "Electricity Maps",
        "US-MIDA-PJM",
        "consumption, life cycle",
        "1.15: AWS",
    ):
        assert text in printed


def test_a_near_match_is_mentioned_and_never_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error gets the world's mean and the name that was probably meant, status 1."""
    status, printed = found(capsys, "Germny")
    assert status == 1
    assert "near matches: germany" in printed
    assert printed.startswith("place           World")


def test_what_was_left_out_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Parts that were not understood stand in lines of their own."""
    _, printed = found(capsys, "Hall 7, Oak Ridge, TN")
    assert "not understood  Hall 7" in printed


def test_a_continent_decides(capsys: pytest.CaptureFixture[str]) -> None:
    """Georgia is a country in Europe and a state in North America."""
    assert "(GE)" in found(capsys, "Georgia", "Europe")[1]
    assert "(US-GA)" in found(capsys, "Georgia", "North America")[1]


def test_programs_read_json(capsys: pytest.CaptureFixture[str]) -> None:
    """The same in one JSON object."""
    assert find("Paris, TX 75460", as_json=True) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["code"] == "US-TX"
    assert answer["understood"][0] == {"text": "Paris", "as": "city"}
    low, value, high = answer["intensity_g_per_kwh"]
    assert low <= value <= high
