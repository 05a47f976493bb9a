"""What the doctor finds on hosts with and without meters."""

import os
from pathlib import Path

import pytest

from carbon_node.cli import host
from carbon_node.cli.host import Finding


def _zone(powercap: Path, zone: str, name: str) -> Path:
    folder = powercap / zone
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    (folder / "energy_uj").write_text("1")
    return folder / "energy_uj"


def test_processors_are_counted_and_named(tmp_path: Path) -> None:
    """Processors are counted and named, since CarbonTracker guesses power by the name."""
    info = tmp_path / "cpuinfo"
    info.write_text("processor\t: 0\nmodel name\t: CPU X\nprocessor\t: 1\nmodel name\t: CPU X\n")
    assert host.processor(info) == Finding("cpu", is_usable=True, detail="2 x CPU X")


def test_readable_counters_are_usable(tmp_path: Path) -> None:
    """Counters of packages and memory count, that of the whole platform does not."""
    _zone(tmp_path, "intel-rapl:0", "package-0")
    _zone(tmp_path, "intel-rapl:0:2", "dram")
    _zone(tmp_path, "intel-rapl:1", "psys")
    found = host.rapl(tmp_path)
    assert (found.is_usable, found.detail) == (True, "2 energy counters are readable")


def test_counters_for_root_only_name_the_command_that_fixes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counters that only root may read name the command that makes them readable."""
    counter = _zone(tmp_path, "intel-rapl:0", "package-0")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may read everything
    found = host.rapl(tmp_path)
    assert found.fix.startswith(f"chmod a+r {counter}; to stay, in /etc/tmpfiles.d: z /sys/")
    assert (found.is_usable, found.breaks) == (False, ("measured",))


def test_host_without_the_interface_measures_by_guess(tmp_path: Path) -> None:
    """A virtual machine without energy counters breaks nothing: power is guessed."""
    found = host.rapl(tmp_path / "none")
    assert (found.is_usable, found.breaks) == (False, ())
    assert host.power_source([found]) == "guess"


def test_interface_without_counters_measures_by_guess(tmp_path: Path) -> None:
    """The kernel has the interface but no counter to show, as in most containers."""
    (tmp_path / "intel-rapl").mkdir()
    found = host.rapl(tmp_path)
    assert (found.is_usable, found.breaks) == (False, ())


def test_missing_package_names_the_command_that_installs_it() -> None:
    """Of packages that are needed together, the missing ones are named."""
    found = host.package("x", ("carbontracker", "no-such-package"), "pip install x")
    expected = Finding(
        "x", is_usable=False, detail="not installed: no-such-package", fix="pip install x"
    )
    assert found == expected


def test_installed_package_tells_its_version() -> None:
    """An installed package is reported with its version."""
    assert host.carbontracker().detail.startswith("carbontracker 2.4.")


def test_roots_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """A model root that does not exist is named."""
    assert host.roots((tmp_path,)) == Finding("model_roots", is_usable=True, detail=str(tmp_path))
    found = host.roots((tmp_path, tmp_path / "none"))
    assert (found.is_usable, found.detail) == (False, f"cannot be read: {tmp_path}/none")


def test_root_is_told_that_the_process_limit_does_not_bind() -> None:
    """The process limit applies to ordinary users, but not to root."""
    assert not host.process_limit(0).is_usable
    assert host.process_limit(1000).is_usable


def test_modes_are_those_that_nothing_breaks() -> None:
    """A mode works unless some finding breaks it."""
    broken = Finding("c", is_usable=False, detail="", breaks=("declared", "measured"))
    assert host.modes([broken]) == ("formula",)
    assert host.modes([]) == ("formula", "declared", "measured")


def test_meters_are_named_together() -> None:
    """With both meters usable, both are named."""
    meters = [Finding(name, is_usable=True, detail="") for name in ("rapl", "nvml", "cpu")]
    assert host.power_source(meters) == "rapl+nvml"


@pytest.mark.gpu
@pytest.mark.skipif(not Path("/dev/nvidiactl").exists(), reason="no NVIDIA GPU is at hand")
def test_gpu_tells_its_power() -> None:
    """On a host with an NVIDIA GPU its power is read through NVML."""
    found = host.nvml()
    assert (found.is_usable, " W" in found.detail) == (True, True)
