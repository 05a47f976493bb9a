"""`carbon-node doctor` as a program."""

import json
import subprocess
import sys
from pathlib import Path

DOCTOR = [sys.executable, "-m", "carbon_node", "doctor"]


def test_doctor_tells_programs_what_works_here() -> None:
    """One JSON object says which modes work, where power comes from, and what was found."""
    done = subprocess.run([*DOCTOR, "--json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    names = {finding["name"] for finding in told["findings"]}
    assert {"formula", "declared"} <= set(told["modes"])
    assert {"cpu", "rapl", "nvml", "onnx", "hf", "fast_dds", "sustainml_py"} <= names


def test_doctor_tells_people_how_to_fix_what_is_missing() -> None:
    """Whatever cannot be used has the command or setting that fixes it right below."""
    done = subprocess.run(DOCTOR, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    missing = [number for number, line in enumerate(lines) if line.startswith("--")]
    assert missing
    assert all(lines[number + 1].strip().startswith("fix: ") for number in missing)


def test_doctor_knows_the_model_roots_of_a_configuration(tmp_path: Path) -> None:
    """The roots that a configuration file sets are looked at."""
    config = tmp_path / "config.toml"
    config.write_text(f'[tracker]\nmodel_roots = ["{tmp_path}"]\n')
    command = [*DOCTOR, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert any(
        line.split() == ["ok", "model_roots", str(tmp_path)] for line in done.stdout.splitlines()
    )


def test_doctor_warns_of_an_interface_that_strangers_can_read(tmp_path: Path) -> None:
    """Beyond loopback the line says how to close it, and with a token nothing is left to fix."""
    token_file = tmp_path / "token"
    token_file.touch(mode=0o600)
    token_file.write_text("planted-token-of-the-interface\n")
    found = []
    for more in ("", f'http_token_file = "{token_file}"\n'):
        config = tmp_path / "config.toml"
        config.write_text(f'http_listen = "0.0.0.0:9415"\n{more}')
        command = [*DOCTOR, "--json", "--config", str(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        findings = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
        found.append(findings["http_listen"])
    assert [each["is_usable"] for each in found] == [False, True]
    assert "anyone who can reach 0.0.0.0:9415" in found[0]["detail"]
    assert found[0]["fix"].startswith("set http_token_file, or ")
