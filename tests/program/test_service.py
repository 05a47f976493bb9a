"""`carbon-node service` and the unit under systemd's own tools."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.patience import PATIENCE_S
from tests.program.processes import run_command

EXPOSURE_LIMIT = 1.5
ANALYZE = shutil.which("systemd-analyze")
BWRAP = shutil.which("bwrap")
KILL = [path for path in ("/usr/bin/kill", "/bin/kill") if Path(path).exists()]
needs_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze is missing: apt-get install systemd"
)


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    command = [str(ANALYZE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A unit as the command writes it, with an interpreter that exists."""
    # Verification looks only whether it can be executed.
    python = "/bin/sh"
    done = run_command("service", "install", "--unit-dir", str(tmp_path), "--python", python)
    assert done.returncode == 0, done.stderr
    return tmp_path / "carbon-node.service"


@needs_systemd
def test_systemd_accepts_the_unit(installed: Path) -> None:
    """Systemd accepts the unit silently: no unknown directive, no bad value."""
    done = analyze("verify", "--man=no", installed)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.skipif(BWRAP is None, reason="bubblewrap is missing: apt-get install bubblewrap")
def test_a_system_without_kill_accepts_the_unit(installed: Path) -> None:
    """A minimal Debian has no /bin/kill, so that the unit needs none."""
    hidden = [word for path in KILL for word in ("--ro-bind", "/dev/null", path)]
    sandbox = [str(BWRAP), "--dev-bind", "/", "/", *hidden]
    if subprocess.run([*sandbox, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("bubblewrap cannot work here")
    command = [*sandbox, str(ANALYZE), "verify", "--man=no", str(installed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_the_exposure_of_the_service_is_low(installed: Path) -> None:
    """Systemd's own rating of the sandbox is 1.5 or lower."""
    done = analyze("security", "--offline=yes", "--no-pager", installed)
    rating = re.search(r"Overall exposure level for carbon-node\.service: ([\d.]+)", done.stdout)
    assert rating is not None, done.stdout + done.stderr
    assert float(rating[1]) <= EXPOSURE_LIMIT


@needs_systemd
def test_the_rating_notices_a_weaker_unit(installed: Path) -> None:
    """The test above can fail: without a user of its own the unit is rated above the limit."""
    text = installed.read_text().replace("DynamicUser=yes\nUser=carbon-node", "User=root")
    installed.write_text(text.replace("CapabilityBoundingSet=\n", ""))
    done = analyze("security", "--offline=yes", "--threshold=15", "--no-pager", installed)
    assert done.returncode != 0


def test_print_and_install_give_the_same_unit(installed: Path) -> None:
    """`service print` prints exactly what `service install` writes."""
    done = run_command("service", "print", "--python", "/bin/sh")
    assert done.stdout == installed.read_text()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """`--dry-run` says what would be written and leaves the directory alone."""
    options = ("--unit-dir", str(tmp_path), "--python", "/bin/sh", "--dry-run")
    done = run_command("service", "install", *options)
    assert done.returncode == 0
    assert f"Would write {tmp_path}/carbon-node.service" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_uninstall_removes_the_unit(installed: Path) -> None:
    """After a dry run the unit is still there, after the real one it is gone."""
    directory = str(installed.parent)
    assert run_command("service", "uninstall", "--unit-dir", directory, "--dry-run").returncode == 0
    assert installed.exists()
    assert run_command("service", "uninstall", "--unit-dir", directory).returncode == 0
    assert not installed.exists()


def test_nothing_to_uninstall_is_an_error(tmp_path: Path) -> None:
    """A directory without the unit gives status 1 and one line."""
    done = run_command("service", "uninstall", "--unit-dir", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "nothing is installed there" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--user", "no-such-user-here"),
        ("--python", "/home/me/bin/python"),
        ("--python", "python3"),
        ("--config", "relative.toml"),
    ],
)
def test_options_that_cannot_work_are_refused(options: tuple[str, str], tmp_path: Path) -> None:
    """A user that is missing or a path that the service cannot see gives status 2 and one line."""
    python = () if "--python" in options else ("--python", "/bin/sh")
    done = run_command("service", "install", "--unit-dir", str(tmp_path), *python, *options)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    """A directory that does not exist gives status 1 and one line."""
    missing = tmp_path / "missing"
    done = run_command("service", "install", "--unit-dir", str(missing), "--python", "/bin/sh")
    assert done.returncode == 1
    assert f"cannot write {missing}" in done.stderr
