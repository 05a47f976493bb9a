"""`carbon-node estimate` as a program: published figures, what-if tables, bad options."""

import csv
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.patience import PATIENCE_S

KILOGRAMS_PER_POUND = 0.45359237

# No network, no DDS: what the command must not need fails when it is touched.
BLOCKED = """
import runpy, socket, sys

def refuse(*_):
    raise AssertionError("network touched")
socket.socket.connect = socket.getaddrinfo = refuse
sys.modules["carbon_node.transport._fastdds"] = None
sys.argv = ["carbon-node", "estimate", *sys.argv[1:]]
runpy.run_module("carbon_node", run_name="__main__")
"""


def estimate(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command without network and DDS."""
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def answer(*arguments: str) -> Any:  # noqa: ANN401 - JSON
    """Return what the command prints as JSON."""
    done = estimate(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def half_unit(number: str) -> float:
    """Return half a unit of a printed number's last digit; zeros before the point are no digits."""
    digits = Decimal(number)
    shown = digits if "." in number else digits.normalize()
    exponent = shown.as_tuple().exponent
    assert isinstance(exponent, int)
    return float(Decimal(1).scaleb(exponent) / 2)


@dataclass(frozen=True, slots=True)
class Row:
    """A published figure and how far half units of its printed digits reach.

    Args:
        name: publication and model.
        options: watts, hours, PUE and g/kWh as printed.
        published_kwh: as printed.
        tolerance_kwh: half a unit of the energy's last digit, and of the PUE's where one applies.
        published_kg: as printed, converted where pounds were.
        tolerance_kg: the same for the carbon.
    """

    name: str
    options: dict[str, str]
    published_kwh: float
    tolerance_kwh: float
    published_kg: float
    tolerance_kg: float


def published_rows() -> list[Row]:
    """Read tests/data/vectors.csv."""
    path = Path(__file__).parents[1] / "data/vectors.csv"
    with path.open(encoding="utf-8") as lines:
        return [_row(row) for row in csv.DictReader(lines)]


def _row(row: dict[str, str]) -> Row:
    kwh, kg, pue = float(row["published_kwh"]), float(row["published_kg"]), row["pue"]
    # Watts and hours are counts of devices and days; of the inputs, only the PUE is rounded.
    share = 0.0 if pue == "1.0" else half_unit(pue) / float(pue)
    is_in_pounds = re.search(r"published \d+ lb", row["note"])
    half_kg = KILOGRAMS_PER_POUND / 2 if is_in_pounds else half_unit(row["published_kg"])
    return Row(
        row["source"],
        {
            "--power": row["watts_total"],
            "--latency": row["hours"],
            "--pue": pue,
            "--intensity": row["g_per_kwh"],
        },
        kwh,
        half_unit(row["published_kwh"]) + share * kwh,
        kg,
        half_kg + share * kg,
    )


@pytest.mark.parametrize("row", published_rows(), ids=lambda row: row.name)
def test_published_figures_are_reproduced(row: Row) -> None:
    """Options alone reproduce energy and carbon of every published row."""
    options = [word for option in row.options.items() for word in option]
    shown = answer(*options, "--latency-unit", "h")
    assert shown["energy_kwh"] == pytest.approx(row.published_kwh, abs=row.tolerance_kwh)
    assert shown["carbon_g"] / 1000 == pytest.approx(row.published_kg, abs=row.tolerance_kg)


def test_the_tolerances_would_find_a_wrong_factor() -> None:
    """No row allows more than 3 %: a forgotten PUE of 1.09 would be seen everywhere."""
    for row in published_rows():
        assert row.tolerance_kwh / row.published_kwh < 0.03
        assert row.tolerance_kg / row.published_kg < 0.03


def test_one_scenario_is_one_object() -> None:
    """The JSON holds the result, each factor with source and interval, and the place."""
    shown = answer("--power", "300", "--latency", "2", "--region", "France")
    assert shown["device_energy_kwh"] == pytest.approx(600 / 3.6e6, rel=1e-12)
    assert shown["energy_kwh"] == shown["device_energy_kwh"] * shown["pue"]
    assert shown["carbon_g"] == shown["energy_kwh"] * shown["intensity_g_per_kwh"]
    assert (shown["place"], shown["place_code"], shown["pue"]) == ("France", "FR", 1.58)
    assert "Ember" in shown["sources"]["intensity_g_per_kwh"]
    low_g, high_g = shown["intervals"]["carbon_g"]
    assert low_g < shown["carbon_g"] < high_g
    assert shown["sources"].keys() == {"power_w", "latency_h", "pue", "intensity_g_per_kwh"}


def test_several_scenarios_are_an_array() -> None:
    """Every machine is combined with every place, with those that are indistinct."""
    shown = answer(
        *("--power", "300", "--latency", "2"), *("--region", "France", "--region", "Poland"),
        *("--region", "Germany",),
    )  # fmt: skip
    assert [row["place"] for row in shown] == ["France", "Poland", "Germany"]
    assert [row["indistinct_from"] for row in shown] == [[], [2], [1]]


def test_the_table_names_scenarios_sources_and_differences() -> None:
    """The table has bars and says which differences are not significant."""
    done = estimate(
        *("--power", "300", "--hardware", "H200", "--latency", "2"),
        *("--region", "France", "--region", "Poland"),
        COLUMNS="120",
    )
    assert (done.returncode, done.stderr) == (0, "")
    for said in (
        *("300 W, 2 s, France", "NVIDIA H200 SXM, 2 s, Poland", "░"),
        *("2 and 4 differ within their intervals", "go beyond the intervals"),
        *("588.6 g/kWh Poland: Ember", "NVIDIA H200 SXM data sheet", "pue 1.58: Uptime"),
    ):
        assert said in done.stdout


def test_a_terminal_without_unicode_gets_plain_bars() -> None:
    """Without block characters in the encoding, the bars are ASCII."""
    done = estimate(
        *("--power", "300", "--latency", "2", "--region", "France", "--region", "Poland"),
        PYTHONIOENCODING="ascii",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "#" in done.stdout


def test_a_doubtful_place_is_warned_about() -> None:
    """The world's mean comes with a warning that says why."""
    done = estimate("--power", "300", "--latency", "2", "--region", "Germny")
    assert "World" in done.stdout
    assert "near matches: germany" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--power", "300"),
        ("--latency", "2"),
        ("--power", "nan", "--latency", "2"),
        ("--power", "inf", "--latency", "2"),
        ("--power", "-300", "--latency", "2"),
        ("--power", "0", "--latency", "2"),
        ("--power", "much", "--latency", "2"),
        ("--power", "1e9", "--latency", "2"),
        ("--power", "300", "--latency", "0"),
        ("--power", "300", "--latency", "1e99"),
        ("--power", "300", "--latency", "2", "--latency-unit", "min"),
        ("--power", "300", "--latency", "2", "--pue", "0.9"),
        ("--power", "300", "--latency", "2", "--intensity", "-1"),
        ("--power", "300", "--latency", "2", "--intensity", "1e9"),
        ("--power", "300", "--latency", "2", "--inferences", "0"),
        ("--hardware", "no such thing", "--latency", "2"),
        ("--power", "300", "--latency", "2", "--latency", "3"),
        ("--power", "300", "--latency", "2", "--nonsense"),
    ],
)
def test_bad_options_end_with_status_2_and_one_line(arguments: tuple[str, ...]) -> None:
    """A bad option is one line on stderr that names it."""
    done = estimate(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"carbon-node: [^\n]+\n", done.stderr)


def test_the_same_question_gives_the_same_bytes() -> None:
    """Two runs print the same output."""
    arguments = ("--hardware", "H200", "--latency", "2", "--region", "us-east-1", "--json")
    assert estimate(*arguments).stdout == estimate(*arguments).stdout
