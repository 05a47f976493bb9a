"""By which names a task means this host."""

import socket
from pathlib import Path

from carbon_node.hardware.here import names_of_this_host, nvidia_models, processor_model


def test_a_host_is_named_by_its_own_name_and_its_processor() -> None:
    """Both are on every host."""
    names = names_of_this_host()
    assert socket.gethostname() in names
    assert all(names)


def test_gpus_are_named_as_their_driver_names_them(tmp_path: Path) -> None:
    """Two of one kind are one name."""
    for number in range(2):
        folder = tmp_path / f"0000:0{number}:00.0"
        folder.mkdir()
        (folder / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 7\n")
    assert nvidia_models(tmp_path) == ("NVIDIA H200",)


def test_a_host_without_a_driver_or_a_list_has_no_such_names(tmp_path: Path) -> None:
    """Nothing is guessed."""
    assert nvidia_models(tmp_path / "none") == ()
    assert processor_model(tmp_path / "none") == ""
