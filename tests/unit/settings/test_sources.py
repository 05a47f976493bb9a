"""What each source says by itself: environment, supervisor, files, options."""

import os
from pathlib import Path

import pytest

from carbon_node.settings import Supervision, sources, supervision

OWN = str(os.getpid())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, Supervision()),
        ({"NOTIFY_SOCKET": "@x"}, Supervision("@x")),
        ({"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "30000000"}, Supervision("/x", 30_000_000)),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": OWN}, Supervision("", 5)),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}, Supervision()),
        ({"WATCHDOG_USEC": "5", "WATCHDOG_PID": "self"}, Supervision()),
        ({"WATCHDOG_USEC": "0"}, Supervision()),
        ({"WATCHDOG_USEC": "-3"}, Supervision()),
        ({"WATCHDOG_USEC": "soon"}, Supervision()),
        ({"WATCHDOG_USEC": "9" * 5000}, Supervision()),
    ],
)
def test_what_makes_no_sense_counts_as_not_asked(
    environ: dict[str, str], expected: Supervision
) -> None:
    """Only a positive interval meant for this process counts as a watchdog."""
    assert supervision(environ) == expected


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("RERUN_ON_CHANGE", text, True) for text in ("true", "Yes", "ON", "1", " true ")),
        *(("RERUN_ON_CHANGE", text, False) for text in ("false", "No", "OFF", "0")),
        *(("RERUN_ON_CHANGE", text, text) for text in ("2", "t", "maybe")),
        *(("DOMAIN", "7", 7), ("DOMAIN", " 07 ", 7), ("DOMAIN", "-7", -7)),
        *(("DOMAIN", text, text) for text in ("1_0", "0x7", "7.0", "٣", "seven")),
        *(("PUE", "1.5", 1.5), ("PUE", "2", 2.0), ("PUE", "1e0", 1.0)),
        *(("PUE", text, text) for text in ("1_0.5", "1,5")),
        ("PLACE", " France ", "France"),
        ("TRACKER__MODEL_ROOTS", "/a:/b:", ["/a", "/b"]),
        ("HARDWARE", '{"X9": {"count": 2}}', {"X9": {"count": 2}}),
        ("HARDWARE", "X9", "X9"),
        ("NOBODYS", "7", "7"),
    ],
)
def test_text_of_the_environment_gets_the_type_of_its_setting(
    name: str, text: str, value: object
) -> None:
    """What cannot be one stays text, for an error that quotes it."""
    key = name.lower().replace("__", ".")
    layer = sources.from_environment({f"CARBON_NODE_{name}": text, name: "7", "CARBON_NODE_X": ""})
    assert layer.values == {key: value}
    assert type(layer.values[key]) is type(value)
    assert str(layer.origins[key]) == f"environment CARBON_NODE_{name}"


@pytest.mark.parametrize(
    ("environ", "below"),
    [
        ({"XDG_CONFIG_HOME": "{}/x", "HOME": "{}/h"}, "x"),
        ({"HOME": "{}/h"}, "h/.config"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "{}/h"}, "h/.config"),
        ({"XDG_CONFIG_HOME": "", "HOME": "{}/h"}, "h/.config"),
        ({"HOME": "relative"}, None),
        ({}, None),
    ],
)
def test_the_users_file_is_where_users_keep_theirs(
    environ: dict[str, str], below: str | None, tmp_path: Path
) -> None:
    """After that of the machine, and each only if it is there."""
    environ = {name: text.format(tmp_path) for name, text in environ.items()}
    system, expected = tmp_path / "system.toml", []
    for folder in ("x", "h/.config"):
        file = tmp_path / folder / "carbon-node" / "carbon-node.toml"
        file.parent.mkdir(parents=True)
        assert file not in sources.standard_files(environ, system)
        file.touch()
        expected += [file] if folder == below else []
    assert sources.standard_files(environ, system) == tuple(expected)
    system.touch()
    assert sources.standard_files(environ, system) == (system, *expected)


def test_a_file_without_access_is_reported_only_if_it_is_the_machines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may have no access to its user's home, and has no file there then."""

    def refuse(path: Path) -> bool:
        raise PermissionError(path)

    monkeypatch.setattr(Path, "exists", refuse)
    system = tmp_path / "system.toml"
    assert sources.standard_files({"HOME": str(tmp_path)}, system) == (system,)


def test_options_are_named_as_they_are_typed() -> None:
    """Those that were not given say nothing; paths are meant from where they are typed."""
    layer = sources.from_options(
        {"tracker.window_s": "0.2", "pue": None, "domain": 0, "state_dir": Path("here")}
    )
    assert layer.values == {"tracker.window_s": 0.2, "domain": 0, "state_dir": Path.cwd() / "here"}
    assert {key: str(origin) for key, origin in layer.origins.items()} == {
        "tracker.window_s": "option --tracker-window-s",
        "domain": "option --domain",
        "state_dir": "option --state-dir",
    }
    assert all(origin.has_last_word for origin in layer.origins.values())


def test_a_long_text_is_quoted_in_short() -> None:
    """The start is enough to recognise it."""
    long = "x" * 1_000
    for warnings in (
        sources.from_pipeline({"SUSTAINML_DOMAIN_ID": long}).warnings,
        sources.visible_devices({"CUDA_VISIBLE_DEVICES": long}).warnings,
        sources.grid_intensity({"SUSTAINML_GRID_CI": long}).warnings,
    ):
        assert len(warnings) == 1
        assert f"is '{'x' * 40}'" in warnings[0]
