"""docs/numbers.md: its examples are run, and its lists are those of the code."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.patience import PATIENCE_S

from carbon_node.estimation import (
    DEFAULT_PUE,
    Assumptions,
    Basis,
    Estimate,
    EstimationRequest,
    Measurement,
    Place,
    Plan,
    Reason,
    conclude,
    plan,
    provenance,
)
from carbon_node.intensity import IntensityConfig, IntensityLookup
from carbon_node.intensity.rungs import Rung

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "numbers.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    """Return the only example of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def shown_result() -> dict[str, Any]:
    """Return the result that the page shows."""
    return dict(json.loads(example("json")))


def test_the_shown_result_is_what_the_node_computes() -> None:
    """Every number, source and step of the example is the code's, for the task on the page."""
    place = Place("France", "Europe")
    request = EstimationRequest(
        "example/model",
        hardware="example board",
        power_w=300.0,
        latency=0.25,
        place=place,
        desired_carbon_g=0.002,
    )
    planned = plan(request, Assumptions())
    assert isinstance(planned, Plan)
    intensity = IntensityLookup(IntensityConfig()).lookup(place)
    run = Measurement(4.17e-05, 0.5, components=("simulated",))
    result = conclude(planned, intensity, run)
    assert isinstance(result, Estimate)
    consumers = {
        "num_outputs": 1,
        "model_restrains": ["example/model"],
        "auto_reiterate": False,
    }
    assert shown_result() == consumers | provenance(result, "0.1.0")


def test_the_shown_result_follows_the_schema() -> None:
    """With the consumers' keys beside the provenance."""
    schema = json.loads((DOCS / "provenance.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(shown_result())


def test_the_shown_python_computes_the_shown_numbers() -> None:
    """A reader who follows the page gets the published doubles."""
    names: dict[str, Any] = {"result": shown_result()}
    exec(example("python"), names)  # noqa: S102 - the page's own example
    assert names["energy_kwh"] == pytest.approx(shown_result()["energy_kwh"][1], rel=1e-14)
    assert names["carbon_g"] == pytest.approx(shown_result()["carbon_g"][1], rel=1e-14)


def test_the_shown_command_prints_what_is_shown() -> None:
    """Blanks at line ends aside."""
    command, *expected = example("console").splitlines()
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command.replace("$ carbon-node", "carbon_node"))],
        env={"PATH": os.environ["PATH"], "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE_S,
        check=True,
    )
    assert [line.rstrip() for line in done.stdout.splitlines()] == expected


def first_column(heading: str) -> list[str]:
    """Return the code words of the first column of the table below a heading."""
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    table = rest.partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def test_every_reason_is_explained() -> None:
    """The closed list of the page is that of the code."""
    assert first_column("When there is no number") == [reason.value for reason in Reason]


def test_every_mode_is_explained() -> None:
    """All that a result can name."""
    shown = set(first_column("What CarbonTracker has to do with it"))
    assert shown == {basis.value for basis in Basis}


def test_every_step_of_the_ladder_is_explained() -> None:
    """In the order in which they are taken."""
    _, _, rest = PAGE.partition("\n## From a place to its intensity\n")
    steps = re.findall(r"^\d\. `([a-z]+)`", rest, re.MULTILINE)
    assert steps == [rung.value for rung in Rung if rung is not Rung.LIVE]
    assert "`live`" in rest


def test_the_default_pue_is_the_documented_one() -> None:
    """Its range as well."""
    pue = DEFAULT_PUE.interval
    assert f"| PUE, default | {pue.low} to {pue.high} |" in PAGE
    assert f"{pue.value}" in PAGE
