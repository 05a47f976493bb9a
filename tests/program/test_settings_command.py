"""`carbon-node settings` as a program: what it prints, on which stream, with which status."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S

KEY = "planted-key"


def settings(tmp_path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command with an environment of its own."""
    return subprocess.run(
        [sys.executable, "-m", "carbon_node", "settings", *arguments],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_show_prints_values_with_unit_origin_and_range(tmp_path: Path) -> None:
    """Each setting has one line with everything about it, and the secret is hidden."""
    done = settings(
        tmp_path, "show", CARBON_NODE_TRACKER__WINDOW_S="0.25", CARBON_NODE_LIVE_KEY=KEY
    )
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("tracker.window_s"))
    for said in ("0.25 s", "environment CARBON_NODE_TRACKER__WINDOW_S", "from 0.01 to 3600"):
        assert said in line
    assert "SUSTAINML_DOMAIN_ID is not set" in done.stdout
    assert KEY not in done.stdout


def test_show_as_json_is_for_programs(tmp_path: Path) -> None:
    """Value, unit, origin, default and range of each setting are there, and what was read."""
    file = tmp_path / "my.toml"
    file.write_text("pue = 1.2")
    done = settings(tmp_path, "show", "--json", "--config", str(file), CARBON_NODE_LIVE_KEY=KEY)
    shown = json.loads(done.stdout)
    pue = shown["settings"]["pue"]
    assert (pue["value"], pue["origin"], pue["default"]) == (1.2, f"file {file}", 1.58)
    assert shown["settings"]["live_key"]["value"] == "***"
    assert shown["files"] == [str(file)]
    assert KEY not in done.stdout


def test_show_names_the_file_of_persisted_changes(tmp_path: Path) -> None:
    """A change that an earlier run kept is shown with its file."""
    kept = tmp_path / "configuration.json"
    kept.write_text('{"revision": 2, "changes": {"pue": 1.3}}')
    state = {"CARBON_NODE_STATE_DIR": str(tmp_path), "CARBON_NODE_PERSIST_CONFIGURATION": "true"}
    done = settings(tmp_path, "show", **state)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("pue"))
    assert "1.3" in line
    assert f"persisted {kept}" in line


def test_check_of_a_valid_file_ends_with_0(tmp_path: Path) -> None:
    """A valid file is reported as valid, with status 0."""
    file = tmp_path / "my.toml"
    file.write_text("[tracker]\nmode = 'formula'")
    done = settings(tmp_path, "check", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file} is valid\n")


def test_check_says_that_a_place_is_not_understood(tmp_path: Path) -> None:
    """A valid text that names no place is a problem too: the node would leave it out."""
    file = tmp_path / "my.toml"
    file.write_text("place = 'Germny'")
    done = settings(tmp_path, "check", str(file))
    assert done.returncode == 2
    assert done.stdout.startswith(f"place is not understood ({file}): ")
    assert "near matches: germany" in done.stdout


def test_check_prints_one_line_for_each_problem(tmp_path: Path) -> None:
    """Each problem is one line with key, value, file and range, and the status is 2."""
    file = tmp_path / "my.toml"
    file.write_text(f"pue = 0.2\npeu = 1\nlive_key = ['{KEY}']\n[tracker]\nmode = 'fast'")
    done = settings(tmp_path, "check", str(file))
    assert done.returncode == 2
    assert sorted(done.stdout.splitlines()) == [
        f"live_key cannot be *** (file {file}): give printable ASCII text",
        f"pue cannot be 0.2 (file {file}): give a number from 1 to 5",
        f"tracker.mode cannot be 'fast' (file {file}):"
        " give one of auto, declared, measured, formula",
        f"unknown setting 'peu' (file {file}): did you mean pue?",
    ]


def test_schema_describes_the_file(tmp_path: Path) -> None:
    """The schema has types and ranges as editors read them."""
    done = settings(tmp_path, "schema")
    schema = json.loads(done.stdout)
    assert schema["properties"]["pue"]["minimum"] == 1
    assert schema["$defs"]["TrackerSettings"]["properties"]["window_s"]["unit"] == "s"


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["show"], {"CARBON_NODE_PUE": "0"}, "pue cannot be 0.0 (environment CARBON_NODE_PUE)"),
        (["show"], {"CARBON_NODE_PEU": "1"}, "did you mean pue?"),
        (["show", "--config", "/"], {}, "cannot read configuration file /: Is a directory"),
        (["show", "--config", "/none"], {}, "cannot read configuration file /none: No such file"),
        (["check"], {}, "Missing argument 'file'"),
    ],
)
def test_settings_that_cannot_be_used_end_with_2_and_one_line(
    tmp_path: Path, arguments: list[str], environ: dict[str, str], said: str
) -> None:
    """What cannot be used is one line on stderr that says why, and status 2."""
    done = settings(tmp_path, *arguments, **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_show_names_the_entries_of_the_preset(tmp_path: Path) -> None:
    """The shipped part of the hardware map is visible, to people and programs."""
    told = settings(tmp_path, "show")
    assert "Preset sustainml of the hardware map: DGX100, V100" in told.stdout
    shipped = json.loads(settings(tmp_path, "show", "--json").stdout)["hardware_preset"]
    (zynq,) = [each for each in shipped if each["name"] == "Zynq UltraScale+ ZCU102"]
    assert zynq["latency_unit"] == "us"
