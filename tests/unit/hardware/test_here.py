"""By which names a task means this host."""

import socket
from pathlib import Path

import pytest

from carbon_node.hardware import here
from carbon_node.hardware.here import names_of_this_host, nvidia_models, processor_model


def test_a_host_is_named_by_its_own_name() -> None:
    """And by nothing that is empty."""
    names = names_of_this_host()
    assert socket.gethostname() in names
    assert all(names)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("AMD EPYC 9654 96-Core Processor", {"AMD EPYC 9654 96-Core Processor", "AMD EPYC 9654"}),
        ("Intel(R) Xeon(R) Processor", set()),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", set()),
    ],
)
def test_a_processors_family_is_no_name_of_this_host(
    model: str, names: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model is; a family that many machines have is not."""
    info = tmp_path / "cpuinfo"
    info.write_text(f"model name\t: {model}\n")
    monkeypatch.setattr(here, "CPU_INFO", info)
    assert set(names_of_this_host()) - {socket.gethostname()} == names


def test_gpus_are_named_as_their_driver_names_them(tmp_path: Path) -> None:
    """Two of one kind are one name."""
    for number in range(2):
        folder = tmp_path / f"0000:0{number}:00.0"
        folder.mkdir()
        (folder / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 7\n")
        (folder / "power").write_text("Model: other\n")
    assert nvidia_models(tmp_path) == ("NVIDIA H200",)


def test_a_processor_is_the_first_that_the_kernel_lists(tmp_path: Path) -> None:
    """A value may hold a colon; keys that only begin alike are others."""
    info = tmp_path / "cpuinfo"
    info.write_text("model\t: 17\nmodel name\t: A: 1\nmodel name\t: B\n")
    assert processor_model(info) == "A: 1"


def test_a_host_without_a_driver_or_a_list_has_no_such_names(tmp_path: Path) -> None:
    """Nothing is guessed."""
    assert nvidia_models(tmp_path / "none") == ()
    assert processor_model(tmp_path / "none") == ""
