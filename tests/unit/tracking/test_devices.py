"""Devices without a meter, and load that is not the run's own."""

from pathlib import Path

import pytest

from carbon_node.tracking.devices import amd_gpus, cuda_is_loaded
from carbon_node.tracking.other_load import CoreSeconds, on_cores
from carbon_node.tracking.workload import sockets


def _card(cards: Path, name: str, vendor: str, memory_bytes: int) -> None:
    device = cards / name / "device"
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "mem_info_vram_total").write_text(f"{memory_bytes}\n")


def test_an_amd_gpu_is_named(tmp_path: Path) -> None:
    """One with memory of its own; an integrated one is part of its processor."""
    _card(tmp_path, "card0", "0x1002", 64 << 30)
    _card(tmp_path, "card1", "0x1002", 512 << 20)
    _card(tmp_path, "card2", "0x10de", 64 << 30)
    (tmp_path / "card0-DP-1").mkdir()
    (found,) = amd_gpus(tmp_path)
    assert "AMD GPU" in found
    assert "no meter" in found


def test_a_host_without_graphics_has_no_amd_gpu(tmp_path: Path) -> None:
    """As most servers and containers."""
    assert amd_gpus(tmp_path / "none") == []


@pytest.mark.parametrize(("others_s", "is_said"), [(0.1, False), (0.4, False), (2.4, True)])
def test_cores_that_others_keep_busy_are_said(others_s: float, is_said: bool) -> None:  # noqa: FBT001
    """Beyond a twentieth of the cores; own work is not others'."""
    before = CoreSeconds(busy_s=1000, own_s=10, at_s=50)
    after = CoreSeconds(busy_s=1000 + 3 + others_s, own_s=13, at_s=51)
    said = on_cores(before, after, cores=8)
    assert bool(said) is is_said
    assert not said or said == ["other work kept 2.4 of 8 cores busy during the measurement"]


def test_counters_of_this_host_can_be_read() -> None:
    """Both clocks go forward."""
    first, second = CoreSeconds.now(), CoreSeconds.now()
    assert second.at_s >= first.at_s
    assert second.busy_s >= first.busy_s


def test_sockets_are_counted(tmp_path: Path) -> None:
    """Cores of one package are one; a list without packages is one socket."""
    info = tmp_path / "cpuinfo"
    info.write_text("physical id\t: 0\n\nphysical id\t: 1\n\nphysical id\t: 1\n")
    assert sockets(info) == 2
    info.write_text("processor\t: 0\n")
    assert sockets(info) == 1


@pytest.mark.parametrize(
    ("library", "is_loaded"),
    [("/usr/lib/libcuda.so.580.65", True), ("/usr/lib/libnvidia-ml.so.1", False)],
)
def test_only_the_drivers_libcuda_computes_on_a_gpu(
    tmp_path: Path,
    library: str,
    is_loaded: bool,  # noqa: FBT001
) -> None:
    """NVML, which every measurement loads, is no sign of it."""
    maps = tmp_path / "maps"
    maps.write_text(f"7f00-7f01 r-xp 00000000 08:01 1 {library}\n")
    assert cuda_is_loaded(maps) is is_loaded
