"""Measurements on a real NVIDIA GPU; scripts/check-gpu runs them and keeps a report."""

from pathlib import Path

import pytest
from tests.gpu.measuring import WINDOW_S, EnergyCounter, load_by_others, measure, metered_w

from carbon_node.errors import TrackerError
from carbon_node.estimation.measurement import Measurement
from carbon_node.hardware import shipped_catalogue
from carbon_node.tracking import FailureName
from carbon_node.tracking.devices import nvidia_gpus

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not nvidia_gpus(), reason="no NVIDIA GPU is at hand"),
]


def measured(work_dir: Path, devices: tuple[str, ...] | None = None) -> Measurement:
    """Measure the model; it has to work."""
    outcome = measure(work_dir, devices)
    assert isinstance(outcome, Measurement), outcome
    return outcome


def test_the_measured_power_is_what_the_driver_counts(tmp_path: Path) -> None:
    """NVML's readings during the window, and its energy counter over the same seconds."""
    counter = EnergyCounter()
    with counter.counting():
        measurement = measured(tmp_path, ("0",))
    assert "nvml" in measurement.meters
    assert measurement.accelerators == 1
    if "rapl" not in measurement.meters:
        counted_w = counter.highest_mean_w(WINDOW_S)
        assert metered_w(measurement) == pytest.approx(counted_w, rel=0.08)


def test_the_gpu_is_known_and_draws_no_more_than_its_rating(tmp_path: Path) -> None:
    """NVML's name is in the catalogue, and the load within what is known of it."""
    gpu = nvidia_gpus()[0]
    hardware = shipped_catalogue().get(gpu.name)
    assert hardware is not None, gpu.name
    measurement = measured(tmp_path, (gpu.uuid,))
    if "rapl" not in measurement.meters:
        assert metered_w(measurement) <= 1.05 * hardware.rated_w


def test_work_of_others_is_said(tmp_path: Path) -> None:
    """And makes an inference more expensive."""
    alone = measured(tmp_path, ("0",))
    with load_by_others():
        crowded = measured(tmp_path, ("0",))
    assert any("GPU" in line or nvidia_gpus()[0].name in line for line in crowded.others)
    assert crowded.inferences < alone.inferences


def test_only_chosen_gpus_are_visible_and_charged(tmp_path: Path) -> None:
    """One of them is named; without any the model finds no GPU."""
    one = measured(tmp_path, ("0",))
    assert [name for name in one.components if name.startswith("gpu:")] == [
        f"gpu:{nvidia_gpus()[0].name}"
    ]
    none = measure(tmp_path, ())
    assert isinstance(none, TrackerError)
    assert none.failure == FailureName.MODEL_FAILED


def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """By its number."""
    outcome = measure(tmp_path, ("99",))
    assert isinstance(outcome, TrackerError)
    assert outcome.failure == FailureName.UNKNOWN_DEVICE
