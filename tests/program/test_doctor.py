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
