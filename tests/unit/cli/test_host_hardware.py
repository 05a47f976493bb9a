"""What doctor says of this host's hardware."""

from pathlib import Path

import pytest

from carbon_node.cli import host_hardware
from carbon_node.settings import load
from carbon_node.tracking import Unmetered
from carbon_node.tracking import devices as tracking_devices
from carbon_node.tracking.devices import Gpu

GPUS = (
    Gpu(0, "GPU-00000000", "NVIDIA H200"),
    Gpu(1, "GPU-00000001", "NVIDIA A100", "it is cut into MIG slices"),
)


@pytest.fixture(autouse=True)
def gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two GPUs, one of them without a meter of its own."""
    monkeypatch.setattr(tracking_devices, "nvidia_gpus", lambda: GPUS)
    monkeypatch.setattr(tracking_devices, "amd_gpus", lambda _: [])


def test_charged_and_excluded_gpus_are_named() -> None:
    """As a measurement would choose them."""
    found = host_hardware.devices(("all",), Unmetered.EXCLUDE)
    assert found.is_usable
    assert "charged for: 0 NVIDIA H200" in found.detail
    assert "excluded: NVIDIA A100 (GPU-00000001): it is cut into MIG slices" in found.detail


@pytest.mark.parametrize(
    ("chosen", "unmetered"), [(("all",), Unmetered.REFUSE), (("7",), Unmetered.EXCLUDE)]
)
def test_a_choice_that_cannot_be_measured_breaks_the_mode(
    chosen: tuple[str, ...], unmetered: Unmetered
) -> None:
    """With the setting that fixes it."""
    found = host_hardware.devices(chosen, unmetered)
    assert (found.is_usable, found.breaks) == (False, ("measured",))
    assert "tracker.devices" in found.fix


def test_every_finding_says_something() -> None:
    """Of devices, processor, names and the hardware map."""
    settings = load({}, {}, system_file=Path("/none")).settings
    found = list(host_hardware.findings(settings))
    assert [each.name for each in found] == [
        *("devices", "amd", "cpu_rating", "names", "hardware_map"),
    ]
    assert all(each.detail for each in found)
    assert all(each.is_usable or each.fix for each in found)
