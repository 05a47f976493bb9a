"""Tasks that name hardware, on the real program: each gets that hardware's energy, or a reason."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.domains import fresh_domain
from tests.program.processes import run_command, running_node

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/provenance.schema.json").read_text())
J_PER_KWH = 3.6e6


def submitted(domain: int, hardware: str, power: float, latency: float, *more: str) -> Any:  # noqa: ANN401 - any JSON
    """Submit one task and return its result; its provenance has to follow the schema."""
    done = run_command(
        *("submit", f"--domain={domain}", "--json", "--region=France"),
        *(f"--hardware={hardware}", f"--power={power}", f"--latency={latency}", *more),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(result["extra_data"])
    return result


@pytest.fixture(scope="module")
def domain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Domain of a node with defaults."""
    domain = fresh_domain()
    with running_node(domain, tmp_path_factory.mktemp("state")):
        yield domain


def test_an_fpga_without_power_is_not_the_node(domain: int) -> None:
    """Nobody rates the board: there is a reason, and no energy."""
    result = submitted(domain, "Zynq UltraScale+ ZCU102", 0, 812)
    assert result["energy_kwh"] == 0
    assert result["extra_data"]["not_computed"]["reason"] == "no power"


@pytest.mark.parametrize(
    ("hardware", "power_w", "latency", "unit", "evidence", "more", "seconds"),
    [
        ("H100_x4", 1180.5, 2.75, "s", "plausibility", (), 2.75),
        ("Snapdragon8gen3", 4.2, 31.5, "s", "plausibility", (), 31.5),
        ("PIM_AI_4chip", 6.25, 12.5, "s", "plausibility", (), 12.5),
        ("pim ai 4CHIP", 6.25, 12.5, "s", "plausibility", (), 12.5),
        ("Zynq UltraScale+ ZCU102", 18.5, 812, "us", "plausibility", (), 812e-6),
        ("H100_x4", 1180.5, 7.6e-4, "h", "memory footprint", ("--memory=512",), 7.6e-4 * 3600),
        ("some other board", 12.0, 0.5, "s", "setting", (), 0.5),
    ],
)
def test_the_pipelines_own_hardware_has_the_formulas_number(
    domain: int,
    hardware: str,
    power_w: float,
    latency: float,
    unit: str,
    evidence: str,
    more: tuple[str, ...],
    seconds: float,
) -> None:
    """Power times the latency in the unit of its producer, and the result says which and why."""
    provenance = submitted(domain, hardware, power_w, latency, *more)["extra_data"]
    assert provenance["mode"] == "declared"
    assert provenance["device_energy_kwh"][1] == pytest.approx(power_w * seconds / J_PER_KWH)
    assert (provenance["latency_unit"], provenance["latency_evidence"]) == (unit, evidence)
    assert f"read as {unit}" in provenance["factors"]["latency_h"]["source"]
    assert provenance["hardware"]["energy_of"] == "the named hardware, as declared"
    assert provenance["warnings"] == []


def test_a_rated_device_without_power_has_the_catalogues_energy(domain: int) -> None:
    """Wide, with a warning, and the devices that the name stands for."""
    provenance = submitted(domain, "H100_x4", 0, 2)["extra_data"]
    assert provenance["mode"] == "catalogue"
    assert provenance["hardware"]["known_as"] == "NVIDIA H100 PCIe"
    assert provenance["hardware"]["count"] == 4
    low, value, high = (each * J_PER_KWH / 2 for each in provenance["device_energy_kwh"])
    assert (low, value, high) == pytest.approx((420, 1064, 1400))
    assert any("no power was sent for H100_x4" in warning for warning in provenance["warnings"])


def test_numbers_that_make_no_sense_are_published_with_a_warning(domain: int) -> None:
    """As declared, and with what they would be."""
    provenance = submitted(domain, "H100", 350_000, 900)["extra_data"]
    assert provenance["factors"]["power_w"]["interval"][1] == 350_000
    assert any("read as mW it would be 350 W" in warning for warning in provenance["warnings"])
    assert any("as ms 0.9 s" in warning for warning in provenance["warnings"])


@pytest.mark.parametrize("name", ["", "H" * 1_000_000, "\x1b[31mZynq\x07\n", "Zynq\u202eUltra"])
def test_names_of_any_kind_are_answered_and_shown_safely(domain: int, name: str) -> None:
    """Too long for a command line they come by DDS; the node lives on."""
    shown = submitted(domain, name[:100_000], 300, 1)["extra_data"]["hardware"]["named"]
    assert shown.isprintable()
    assert len(shown) <= 64


def test_without_the_preset_the_settings_decide(tmp_path: Path) -> None:
    """The operator's entries and unit are all that counts."""
    file = tmp_path / "carbon-node.toml"
    file.write_text(
        'hardware_preset = "off"\nlatency_unit = "ms"\n'
        '[hardware."Zynq*"]\nlatency_unit = "us"\npower_w = [10, 15, 25]\npue = 1.0\n'
    )
    domain = fresh_domain()
    with running_node(domain, tmp_path / "state", f"--config={file}"):
        board = submitted(domain, "Zynq UltraScale+ ZCU102", 0, 812)["extra_data"]
        gpus = submitted(domain, "H100_x4", 1000, 2500)["extra_data"]
    assert board["mode"] == "catalogue"
    assert board["energy_kwh"][1] == pytest.approx(15 * 812e-6 / J_PER_KWH)
    assert board["hardware"]["entry"] == 'hardware."Zynq*" (settings)'
    assert (gpus["latency_unit"], gpus["mode"]) == ("ms", "declared")
    assert gpus["device_energy_kwh"][1] == pytest.approx(1000 * 2.5 / J_PER_KWH)
    assert "known_as" not in gpus["hardware"]


def test_the_frameworks_intensity_is_used_and_named(tmp_path: Path) -> None:
    """SUSTAINML_GRID_CI above 0 is the explicit intensity."""
    domain = fresh_domain()
    with running_node(domain, tmp_path, env={"SUSTAINML_GRID_CI": "250.5"}):
        result = submitted(domain, "H100", 300, 1)
    assert result["intensity_g_per_kwh"] == 250.5
    source = result["extra_data"]["factors"]["intensity_g_per_kwh"]["source"]
    assert source == "set by the framework in SUSTAINML_GRID_CI"
    assert result["extra_data"]["grid_ci_source"] == "env"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[hardware."X9"]\npower_w = [3, 2, 1]', 'hardware."X9"'),
        ('[hardware."X9"]\nsame_as = "H100 SXN"', "same_as"),
        ('[hardware."*"]\ncount = 2', "catches everything"),
    ],
)
def test_a_map_that_cannot_be_meant_ends_with_status_2(tmp_path: Path, text: str, why: str) -> None:
    """And one line that names the entry."""
    file = tmp_path / "carbon-node.toml"
    file.write_text(text)
    done = run_command("run", f"--config={file}")
    assert done.returncode == 2
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_hardware_is_found_on_the_command_line() -> None:
    """What exactly matches, what looks like it, and nothing taken for another."""
    found = run_command("hardware", "find", "h100-X4", "--json")
    assert found.returncode == 0
    first = json.loads(found.stdout)[0]
    assert (first["known_as"], first["count"], first["is_exact"]) == ("NVIDIA H100 PCIe", 4, True)
    missed = run_command("hardware", "find", "A100")
    assert missed.returncode == 1
    first = missed.stdout.splitlines()[0]
    assert "A100" in first, "names that hold the text come before those that look like it"
    assert "~ NVIDIA A100 SXM" in missed.stdout
    listed = run_command("hardware", "list", "map")
    assert "PIM_AI_*dimm" in listed.stdout
    known = run_command("hardware", "find", "H100_x4").stdout
    assert "4 x NVIDIA H100 PCIe: NVIDIA H100 data sheet" in known
    assert 'by hardware."H100_x4" (preset sustainml)' in known
    for line in (known + missed.stdout + listed.stdout).splitlines():
        assert len(line) <= 80, line
