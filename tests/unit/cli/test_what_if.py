"""What-if questions: which scenarios they make, and what they refuse."""

import dataclasses
import math
from pathlib import Path

import pytest

from carbon_node.cli.what_if import Question, scenarios
from carbon_node.errors import ConfigError
from carbon_node.estimation import LatencyUnit

ONE = Question(powers_w=[300], hardware=[], latencies=[2], latency_unit=LatencyUnit.S)


def labels(question: Question) -> list[str]:
    """Return the labels of the scenarios of a question."""
    return [scenario.label for scenario in scenarios(question)]


def test_one_machine_in_no_place_is_one_scenario() -> None:
    """Without a region the world's mean is used and named."""
    assert labels(ONE) == ["300 W, 2 s, World"]


def test_every_machine_runs_in_every_place() -> None:
    """Two machines in two places are four scenarios, one latency for all."""
    question = dataclasses.replace(ONE, hardware=["T4"], regions=["France", "Poland"])
    assert labels(question) == [
        "300 W, 2 s, France",
        "300 W, 2 s, Poland",
        "NVIDIA T4, 2 s, France",
        "NVIDIA T4, 2 s, Poland",
    ]


def test_latencies_pair_with_machines() -> None:
    """The first latency is that of the first power; hardware follows the powers."""
    question = dataclasses.replace(ONE, hardware=["T4"], latencies=[2, 7])
    assert labels(question) == ["300 W, 2 s, World", "NVIDIA T4, 7 s, World"]


def test_continents_pair_with_regions() -> None:
    """The same name in two continents is two places."""
    question = dataclasses.replace(
        ONE, regions=["Georgia", "Georgia"], continents=["Asia", "North America"]
    )
    codes = [scenario.estimate.intensity.code for scenario in scenarios(question)]
    assert codes == ["GE", "US-GA"]


def test_continents_may_stand_alone() -> None:
    """Without regions, each continent is a place."""
    question = dataclasses.replace(ONE, continents=["Europe", "Asia"])
    assert labels(question) == ["300 W, 2 s, Europe", "300 W, 2 s, Asia"]


def test_stated_numbers_are_exact() -> None:
    """Stated power, latency, PUE and intensity are exact."""
    question = dataclasses.replace(ONE, pue=1.2, intensity_g_per_kwh=400)
    (scenario,) = scenarios(question)
    assert scenario.estimate.carbon_g.is_exact
    assert scenario.estimate.carbon_g.value == pytest.approx(600 / 3.6e6 * 1.2 * 400, rel=1e-12)


def test_catalogue_hardware_brings_its_range() -> None:
    """The energy has the range of the hardware's rated power."""
    question = dataclasses.replace(ONE, powers_w=[], hardware=["T4"], pue=1.0)
    (scenario,) = scenarios(question)
    energy = scenario.estimate.energy_kwh
    assert energy.low == pytest.approx(energy.high * 0.3)


def test_the_operators_map_counts_as_in_a_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its watts are found by the name; a name without any says where to give them."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "carbon-node"
    folder.mkdir()
    (folder / "carbon-node.toml").write_text('[hardware."edge *"]\npower_w = [5, 6, 7]\n')
    question = dataclasses.replace(ONE, powers_w=[], hardware=["Edge 12"], pue=1.0)
    (scenario,) = scenarios(question)
    assert scenario.label == "Edge 12, 2 s, World"
    assert scenario.estimate.device_energy_kwh.value == pytest.approx(6 * 2 / 3.6e6)
    board = dataclasses.replace(question, hardware=["Zynq UltraScale+ ZCU102"])
    with pytest.raises(ConfigError, match="give it power_w in the settings"):
        scenarios(board)


def test_the_default_pue_brings_its_range() -> None:
    """Without a stated PUE the default brings its wide range."""
    (scenario,) = scenarios(dataclasses.replace(ONE, intensity_g_per_kwh=400))
    pue = scenario.estimate.pue.interval
    assert (pue.low, pue.value, pue.high) == (1.09, 1.58, 1.98)
    assert scenario.estimate.carbon_g.high > scenario.estimate.carbon_g.value


def test_a_training_may_take_a_million_hours() -> None:
    """Whole trainings may take more device-hours than the year that limits an inference."""
    question = dataclasses.replace(ONE, latencies=[1_082_990], latency_unit=LatencyUnit.H)
    assert scenarios(question)[0].estimate.device_energy_kwh.value == pytest.approx(324_897)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"powers_w": []}, "--power"),
        ({"latencies": []}, "--latency"),
        ({"latencies": [1, 2]}, "--latency is given 2 times for 1"),
        ({"powers_w": [math.nan]}, "power"),
        ({"powers_w": [-1]}, "power"),
        ({"powers_w": [0]}, "power"),
        ({"powers_w": [1e8]}, "power"),
        ({"latencies": [math.inf]}, "latency"),
        ({"latencies": [0]}, "latency"),
        ({"latencies": [1e300]}, "latency"),
        ({"pue": 0.99}, "PUE"),
        ({"pue": 5.01}, "PUE"),
        ({"pue": math.nan}, "PUE"),
        ({"intensity_g_per_kwh": 0}, "intensity"),
        ({"intensity_g_per_kwh": -1}, "intensity"),
        ({"intensity_g_per_kwh": 3001}, "intensity"),
        ({"inferences": 0}, "inferences"),
        ({"inferences": math.nan}, "inferences"),
        ({"regions": ["a", "b"], "continents": ["c", "d", "e"]}, "--continent"),
        ({"powers_w": [], "hardware": ["no such thing"]}, "catalogue"),
    ],
)
def test_what_cannot_be_estimated_is_refused(change: dict[str, object], message: str) -> None:
    """Missing, contradicting and absurd options are errors that name the option."""
    with pytest.raises(ConfigError, match=message):
        scenarios(dataclasses.replace(ONE, **change))  # type: ignore[arg-type]
