"""The hardware map, devices and the framework's intensity as settings."""

import json
from pathlib import Path

import pytest

from carbon_node.errors import ConfigError
from carbon_node.estimation import LatencyUnit
from carbon_node.settings import ConfigurationService, Loaded, NodeQuestions, Source, load
from carbon_node.settings.hardware import entries_of


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Loaded:
    """Load a configuration file."""
    file = tmp_path / "carbon-node.toml"
    file.write_text(text)
    return load({}, environ or {}, config=file)


def test_an_entry_of_the_map_is_a_table_of_its_own(tmp_path: Path) -> None:
    """Its name may have dots and blanks; what follows it is not part of it."""
    settings = loaded(
        tmp_path,
        '[hardware."Box 9.1"]\nsame_as = "NVIDIA L4"\npower_w = [20, 40, 72]\n'
        "[tracker]\nworkers = 3\n",
    ).settings
    (entry,) = entries_of(settings.hardware)
    assert (entry.name, entry.same_as) == ("Box 9.1", "NVIDIA L4")
    assert entry.power_w is not None
    assert entry.power_w.value == 40
    assert settings.tracker.workers == 3


def test_all_that_an_entry_says_reaches_the_map(tmp_path: Path) -> None:
    """And what it leaves out is left to the catalogue."""
    text = (
        '[hardware."X9"]\ncount = 4\nlatency_unit = "h"\nmeasured_on = "localhost"\npue = 1.1\n'
        '[hardware."X8"]\nsame_as = "NVIDIA L4"\n'
    )
    full, least = entries_of(loaded(tmp_path, text).settings.hardware)
    assert (full.name, full.same_as, full.count, full.power_w) == ("X9", "", 4, None)
    assert full.latency_unit is LatencyUnit.H
    assert (full.measured_on, full.pue) == ("localhost", 1.1)
    assert (least.count, least.latency_unit, least.measured_on, least.pue) == (None, None, "", None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[hardware."X9"]\npower_w = [3, 2, 1]', 'hardware."X9" (settings): power_w is impossible'),
        ('[hardware."X9"]\npower_w = [3, 2]', "give one, or low, value and high"),
        ('[hardware."X9"]\npower_w = -3', "power_w"),
        ('[hardware."X9"]\npower_w = "300 W"', "power_w"),
        ('[hardware."X9"]\nsame_as = "NVIDIA H100 SXN"', "similar: NVIDIA H100 SXM"),
        ('[hardware."*"]\ncount = 2', 'hardware."*" (settings): this pattern catches everything'),
        ('[hardware."X9"]\ncuont = 2', "cuont"),
        ('[hardware."X9"]\ncount = 0', "count"),
        ('[hardware."X9"]\nlatency_unit = "min"', "latency_unit"),
        ('[hardware."\\u001b[31m\\n"]\ncount = 0', "count"),
        ("hardware = 4", "hardware"),
    ],
)
def test_an_entry_that_cannot_be_meant_keeps_the_node_from_starting(
    tmp_path: Path, text: str, why: str
) -> None:
    """One printable line names the entry, what is wrong, and the file."""
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    message = str(raised.value)
    assert why in message
    assert "carbon-node.toml" in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("power_w = 0", "hardware.'X 9': power_w cannot be 0: input should be greater than 0"),
        ("cuont = 2", "hardware.'X 9': cuont is no key of it"),
        ('same_as = "A100"', 'hardware."X 9" (settings): same_as: hardware'),
    ],
)
def test_the_line_of_a_wrong_entry_is_named(tmp_path: Path, entry: str, why: str) -> None:
    """Among many entries nobody has to search."""
    text = f"pue = 1.2\n[hardware.\"X8\"]\ncount = 1\n  [ hardware . 'X 9' ] # mine\n{entry}\n"
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    assert why in str(raised.value)
    assert "carbon-node.toml, line 4)" in str(raised.value)


@pytest.mark.anyio
async def test_the_map_can_be_set_by_request_whole_or_not_at_all(node: NodeQuestions) -> None:
    """A refused map changes nothing and says why."""
    service = ConfigurationService(load({}, {}).configuration, node, lambda _: None)
    good = {"set": {"hardware": {"H100_x4": {"power_w": [900, 1000, 1400]}}}}
    assert (await service.answer(json.dumps(good))).success
    before = service.current
    bad = {"set": {"hardware": {"H100_x4": {"same_as": "H100 SXN"}}}}
    answer = await service.answer(json.dumps(bad))
    assert not answer.success
    assert json.loads(answer.text)["error"]["code"] == "invalid_value"
    assert "same_as" in json.loads(answer.text)["error"]["message"]
    assert service.current is before


@pytest.mark.parametrize(
    ("text", "expected"),
    [("250.5", 250.5), ("3000", 3000.0), ("0.01", 0.01), ("0", None), ("", None), (" 0.0 ", None)],
)
def test_the_frameworks_intensity_counts_above_zero(text: str, expected: float | None) -> None:
    """0 is how the framework says none."""
    configuration = load({}, {"SUSTAINML_GRID_CI": text}).configuration
    assert configuration.settings.intensity_g_per_kwh == expected
    is_framework = configuration.origins["intensity_g_per_kwh"].source is Source.FRAMEWORK
    assert is_framework == (expected is not None)


@pytest.mark.parametrize("text", ["250,5", "nan", "inf", "-1", "3000.1", "x" * 10_000])
def test_a_framework_intensity_that_is_none_is_a_warning(text: str) -> None:
    """The node starts without it."""
    found = load({}, {"SUSTAINML_GRID_CI": text, "SUSTAINML_DOMAIN_ID": "3"})
    assert found.settings.intensity_g_per_kwh is None
    (warning,) = found.warnings
    assert warning.startswith("SUSTAINML_GRID_CI is ")
    assert len(warning) < 200


def test_the_nodes_own_intensity_wins_over_the_frameworks(tmp_path: Path) -> None:
    """In a file as in the environment."""
    framework = {"SUSTAINML_GRID_CI": "250"}
    own = loaded(tmp_path, "intensity_g_per_kwh = 56", framework)
    assert own.settings.intensity_g_per_kwh == 56
    named = load({}, {**framework, "CARBON_NODE_INTENSITY_G_PER_KWH": "57"})
    assert named.settings.intensity_g_per_kwh == 57


@pytest.mark.parametrize(
    ("visible", "devices"),
    [
        ("3", ("3",)),
        ("0,2", ("0", "2")),
        ("GPU-5f3c1a", ("GPU-5f3c1a",)),
        ("", ("none",)),
        ("-1", ("none",)),
        ("1,-1,2", ("1",)),
        ("garbage", ("all",)),
    ],
)
def test_what_cuda_may_see_is_what_is_charged(visible: str, devices: tuple[str, ...]) -> None:
    """As CUDA reads the variable; what names no device is a warning."""
    found = load({}, {"CUDA_VISIBLE_DEVICES": visible, "SUSTAINML_DOMAIN_ID": "3"})
    assert found.settings.tracker.devices == devices
    assert bool(found.warnings) == (devices == ("all",))


def test_libraries_of_the_gpu_driver_reach_the_measuring_process(tmp_path: Path) -> None:
    """LD_LIBRARY_PATH is used as far as it is absolute, and a setting wins."""
    environ = {"LD_LIBRARY_PATH": "/usr/local/nvidia/lib64::relative", "HOME": "/root"}
    found = load({}, environ, system_file=tmp_path / "none")
    assert found.settings.tracker.library_path == (Path("/usr/local/nvidia/lib64"),)
    own = loaded(tmp_path, '[tracker]\nlibrary_path = ["/opt/cuda"]', environ)
    assert own.settings.tracker.library_path == (Path("/opt/cuda"),)


def test_the_nodes_own_devices_win(tmp_path: Path) -> None:
    """A setting is more than what is visible by chance."""
    own = loaded(tmp_path, '[tracker]\ndevices = ["1"]', {"CUDA_VISIBLE_DEVICES": "0,1"})
    assert own.settings.tracker.devices == ("1",)
