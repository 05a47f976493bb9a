"""What settings make of the node's place in its domain, of hardware, devices and intensity."""

from pathlib import Path

import pytest

from carbon_node.daemon import parts
from carbon_node.hardware import shipped_catalogue
from carbon_node.settings import Configuration, load
from carbon_node.wire.contract import Topic


def configuration(tmp_path: Path, text: str = "", **environ: str) -> Configuration:
    """Load a configuration file."""
    file = tmp_path / "carbon-node.toml"
    file.write_text(text)
    return load({}, environ, config=file).configuration


def test_the_node_takes_the_sides_that_the_pipeline_leaves_it() -> None:
    """Its name, what it reads and what it writes: all else is written by someone else."""
    role = parts.node_role(started_ns=1)
    assert role.participant_name == "CARBON_FOOTPRINT_NODE"
    assert set(role.reads) == {
        *(Topic.USER_INPUT, Topic.ML_MODEL, Topic.HW_RESOURCE),
        *(Topic.CONTROL, Topic.REQUEST),
    }
    assert set(role.writes) == {Topic.FOOTPRINT, Topic.BASELINE, Topic.STATUS, Topic.RESPONSE}
    assert {*parts.NODE_TOPICS, Topic.STATUS} == {*role.reads, *role.writes}


def test_the_operators_pue_beats_the_presets_but_not_the_entrys(tmp_path: Path) -> None:
    """A phone of the preset has 1.0 until the operator says what holds for all hardware."""
    text = '[hardware."A17Pro"]\npue = 1.1\n'
    shipped = parts.hardware_map(configuration(tmp_path)).known("Snapdragon8gen3").pue
    assert shipped is not None
    assert shipped.interval.value == 1.0
    own = parts.hardware_map(configuration(tmp_path, f"pue = 1.3\n{text}"))
    assert own.known("Snapdragon8gen3").pue is None
    named = own.known("A17Pro").pue
    assert named is not None
    assert named.interval.value == 1.1


def test_the_catalogue_is_read_for_the_first_name_and_not_at_the_start(tmp_path: Path) -> None:
    """Its 6,000 names cost a node nothing until a task names hardware."""
    shipped_catalogue.cache_clear()
    started = configuration(tmp_path, '[hardware."rack 7"]\npower_w = 900\n')
    parts.tracker_config(started.settings)
    names = parts.hardware_map(started)
    assert vars(shipped_catalogue()) == {}
    assert names.known("NVIDIA H200").known_as == "NVIDIA H200 SXM"
    assert vars(shipped_catalogue()) != {}


def test_the_preset_can_be_left_out(tmp_path: Path) -> None:
    """Then only the catalogue and the operator's entries are known."""
    names = parts.hardware_map(configuration(tmp_path, 'hardware_preset = "off"'))
    assert names.known("H100_x4").known_as == ""
    assert names.known("NVIDIA H200").known_as == "NVIDIA H200 SXM"


@pytest.mark.parametrize(
    ("text", "visible", "devices"),
    [
        ("", None, None),
        ("", "2,3", ("2", "3")),
        ("", "", ()),
        ('[tracker]\ndevices = ["all"]', "2", None),
        ('[tracker]\ndevices = ["none"]', "2", ()),
    ],
)
def test_devices_are_those_of_the_setting_or_of_cuda(
    tmp_path: Path, text: str, visible: str | None, devices: tuple[str, ...] | None
) -> None:
    """None stands for all, an empty tuple for none."""
    environ = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    settings = configuration(tmp_path, text, **environ).settings
    assert parts.tracker_config(settings).devices == devices


def test_the_frameworks_intensity_is_named_as_such(tmp_path: Path) -> None:
    """And the operator's as the operator's."""
    framework = {"SUSTAINML_GRID_CI": "250"}
    found = parts.intensity_config(configuration(tmp_path, **framework))
    assert (found.g_per_kwh, found.stated_by) == (250, "set by the framework in SUSTAINML_GRID_CI")
    assert found.origin == "env"
    own = parts.intensity_config(configuration(tmp_path, "intensity_g_per_kwh = 56", **framework))
    assert (own.g_per_kwh, own.stated_by) == (56, "set by the operator")
    assert own.origin == "setting"
