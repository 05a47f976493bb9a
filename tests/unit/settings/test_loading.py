"""Loading: what wins over what, where each value came from, and errors that say all in one line."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from carbon_node.errors import ConfigError
from carbon_node.settings import Loaded, Settings, load

DOMAIN_IS_SET = {"CARBON_NODE_DOMAIN": "0"}


def loaded(
    tmp_path: Path, environ: Mapping[str, str] | None = None, /, **options: object
) -> Loaded:
    """Load without the files and variables of the machine that runs the test."""
    environ = {"HOME": str(tmp_path), **(environ or {})}
    return load(options, environ, system_file=tmp_path / "system.toml")


def error_of(tmp_path: Path, environ: Mapping[str, str] | None = None, /, **options: object) -> str:
    """Return the message of a load that fails."""
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, environ, **options)
    return str(raised.value)


def persist(tmp_path: Path, content: object) -> dict[str, str]:
    """Write a file of persisted changes, and return an environment that enables it."""
    (tmp_path / "configuration.json").write_text(json.dumps(content))
    return {
        "CARBON_NODE_STATE_DIR": str(tmp_path),
        "CARBON_NODE_PERSIST_CONFIGURATION": "true",
        **DOMAIN_IS_SET,
    }


def test_without_sources_the_defaults_hold(tmp_path: Path) -> None:
    """A node without any configuration runs with the documented defaults."""
    found = loaded(tmp_path, DOMAIN_IS_SET)
    expected = Settings(state_dir=tmp_path / ".local/state/carbon-node")
    assert expected == found.settings
    assert found.warnings == ()
    assert {"default"} == {
        str(origin)
        for key, origin in found.configuration.origins.items()
        if key not in ("state_dir", "domain")
    }


def test_a_stop_fits_into_what_containers_grant() -> None:
    """They kill 10 s after SIGTERM, and answers of the last tasks still have to leave."""
    assert 1 <= Settings().stop_budget_s <= 8


def test_the_defaults_are_those_of_a_pipeline_with_orchestrator() -> None:
    """Seconds, its own units, the baseline left to it, nobody may end the node from afar."""
    defaults = Settings()
    assert (defaults.latency_unit.value, defaults.baseline.value) == ("s", "auto")
    assert defaults.output_units.value == "g_kwh"
    assert not defaults.allow_remote_terminate


def test_each_source_wins_over_those_below_it(tmp_path: Path) -> None:
    """Machine file, user file, persisted change, environment and option win in this order."""
    user_file = tmp_path / ".config/carbon-node/carbon-node.toml"
    user_file.parent.mkdir(parents=True)
    keys = ["pue", "output_gap_ms", "tracker.window_s", "tracker.deadline_s", "tracker.workers"]

    def toml(value: int, count: int) -> str:
        lines = [f"{key} = {value}" for key in keys[-count:]]
        return "\n".join(lines)

    (tmp_path / "system.toml").write_text(toml(2, 5))
    user_file.write_text(toml(3, 4))
    environ = persist(tmp_path, {"revision": 9, "changes": dict.fromkeys(keys[-3:], 4)})
    environ |= {"CARBON_NODE_TRACKER__DEADLINE_S": "5", "CARBON_NODE_TRACKER__WORKERS": "5"}
    found = load(
        {"tracker.workers": 6},
        environ | {"HOME": str(tmp_path)},
        system_file=tmp_path / "system.toml",
    )

    settings, tracker = found.settings, found.settings.tracker
    values = [
        settings.pue,
        settings.output_gap_ms,
        tracker.window_s,
        tracker.deadline_s,
        tracker.workers,
    ]
    assert values == [2, 3, 4, 5, 6]
    assert [
        f"file {tmp_path / 'system.toml'}",
        f"file {user_file}",
        f"persisted {tmp_path / 'configuration.json'}",
        "environment CARBON_NODE_TRACKER__DEADLINE_S",
        "option --tracker-workers",
    ] == [str(found.configuration.origins[key]) for key in keys]
    assert (tmp_path / "system.toml", user_file) == found.files


def test_a_named_file_takes_the_place_of_the_standard_ones(tmp_path: Path) -> None:
    """With `--config` the files at standard places are not read."""
    (tmp_path / "system.toml").write_text("this is not TOML")
    named = tmp_path / "named.toml"
    named.write_text("pue = 1.2")
    found = load({}, DOMAIN_IS_SET, config=named, system_file=tmp_path / "system.toml")
    assert found.settings.pue == 1.2
    assert (named,) == found.files


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "is not set"), ("", "is ''"), ("  ", "is '  '"), ("seven", "'seven'"), ("1_0", "1_0")],
)
def test_a_pipeline_domain_that_is_no_number_means_0_with_a_warning(
    tmp_path: Path, text: str | None, said: str
) -> None:
    """SUSTAINML_DOMAIN_ID unset, empty or not a number: domain 0, and a warning that says so."""
    found = loaded(tmp_path, {} if text is None else {"SUSTAINML_DOMAIN_ID": text})
    assert found.settings.domain == 0
    (warning,) = found.warnings
    assert said in warning
    assert "DDS domain 0" in warning


def test_the_pipeline_domain_is_used(tmp_path: Path) -> None:
    """SUSTAINML_DOMAIN_ID sets the domain, without a warning and over a file."""
    (tmp_path / "system.toml").write_text("domain = 4")
    found = loaded(tmp_path, {"SUSTAINML_DOMAIN_ID": " 7 "})
    assert (found.settings.domain, found.warnings) == (7, ())


@pytest.mark.parametrize("pipeline", ["7", "", "300"])
def test_an_explicit_domain_wins_over_the_pipeline(tmp_path: Path, pipeline: str) -> None:
    """CARBON_NODE_DOMAIN wins over SUSTAINML_DOMAIN_ID, the option over both, without a warning."""
    environ = {"SUSTAINML_DOMAIN_ID": pipeline, "CARBON_NODE_DOMAIN": "8"}
    assert loaded(tmp_path, environ).settings.domain == 8
    found = loaded(tmp_path, environ, domain=9)
    assert (found.settings.domain, found.warnings) == (9, ())


def test_a_pipeline_domain_out_of_range_is_an_error(tmp_path: Path) -> None:
    """A number that is no DDS domain is an error that names the variable and the range."""
    message = error_of(tmp_path, {"SUSTAINML_DOMAIN_ID": "300"})
    assert "domain cannot be 300 (environment SUSTAINML_DOMAIN_ID)" in message
    assert "from 0 to 232" in message


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    """An empty variable counts as unset, so the file's value applies."""
    (tmp_path / "system.toml").write_text("pue = 1.2")
    assert loaded(tmp_path, {"CARBON_NODE_PUE": ""}).settings.pue == 1.2


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"STATE_DIRECTORY": "/run/a:/run/b", "XDG_STATE_HOME": "/x", "HOME": "/h"}, "/run/a"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/carbon-node"),
        ({"XDG_STATE_HOME": "relative", "HOME": "/h"}, "/h/.local/state/carbon-node"),
        ({"HOME": ""}, "/var/lib/carbon-node"),
        ({}, "/var/lib/carbon-node"),
    ],
)
def test_the_state_lies_where_systemd_or_the_user_has_it(
    tmp_path: Path, environ: dict[str, str], expected: str
) -> None:
    """Without a setting the state directory is systemd's, the user's, or the machine's."""
    found = load({}, environ, system_file=tmp_path / "none.toml")
    assert Path(expected) == found.settings.state_dir


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"CARBON_NODE_PUE": "0.5"}, ["pue", "0.5", "environment CARBON_NODE_PUE", "from 1 to 5"]),
        ({"CARBON_NODE_PUE": "nan"}, ["pue", "nan", "a number from 1 to 5"]),
        ({"CARBON_NODE_DOMAIN": "3.5"}, ["domain", "'3.5'", "a whole number from 0 to 232"]),
        ({"CARBON_NODE_DOMAIN": "٣"}, ["domain", "a whole number"]),
        ({"CARBON_NODE_PEU": "1.2"}, ["CARBON_NODE_PEU", "did you mean pue?"]),
        ({"CARBON_NODE_TRACKER__MODUS": "auto"}, ["'tracker.modus'", "did you mean tracker.mode?"]),
        ({"CARBON_NODE_TRACKER": "auto"}, ["unknown setting 'tracker'"]),
        ({"CARBON_NODE_TRANSPORT": "ros"}, ["'ros'", "one of auto, fastdds, sustainml"]),
        ({"CARBON_NODE_RERUN_ON_CHANGE": "maybe"}, ["'maybe'", "true or false"]),
        ({"CARBON_NODE_STATE_DIR": "here"}, ["'here'", "an absolute path"]),
        ({"CARBON_NODE_TRACKER__MODEL_ROOTS": "/a:b"}, ["['/a', 'b']", "absolute paths"]),
        (
            {"CARBON_NODE_HTTP_LISTEN": "localhost:99999"},
            ["off, HOST:PORT or the absolute path of a Unix socket"],
        ),
        ({"CARBON_NODE_INTENSITY_G_PER_KWH": "0"}, ["above 0 to 3000 gCO2e/kWh"]),
        ({"CARBON_NODE_PLACE": "France\nand more"}, [r"'France\nand more'", "printable"]),
    ],
)
def test_an_error_says_what_where_from_and_what_is_allowed(
    tmp_path: Path, environ: dict[str, str], said: list[str]
) -> None:
    """A value or name that cannot be used is one line with all that is needed to fix it."""
    message = error_of(tmp_path, environ)
    assert "\n" not in message
    assert [words for words in said if words not in message] == []


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    """All problems are told at once, not one at each start."""
    (tmp_path / "system.toml").write_text("pue = 0\nfoo = 1\n[tracker]\nworkers = '2'")
    message = error_of(tmp_path, {"CARBON_NODE_DOMAIN": "x"})
    assert [
        key for key in ("pue", "'foo'", "tracker.workers", "domain") if key not in message
    ] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"pue = ", "is not TOML"),
        (b"pue = 1\npue = 2", "is not TOML"),
        (b"\xff", "is not UTF-8"),
        (b"pue = " + b"1" * 5000, "is not TOML"),
        (b"pue = 0x" + b"f" * 5000, "pue cannot be a number of 20000 bits"),
        (b"a = " + b"[" * 5000, "is nested deeper than 64 levels"),
        (b"a = " + b"[" * 64 + b"]" * 64, "is nested deeper than 64 levels"),
        (b"[a" + b".a" * 99 + b"]", "is nested deeper than 64 levels"),
        (b"pue = inf", "pue cannot be inf"),
        (b"pue = 2020-01-01", "pue cannot be datetime.date(2020, 1, 1)"),
        (b"pue = {a = 1}", "unknown setting 'pue.a'"),
        (b"tracker = 3", "unknown setting 'tracker'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """Whatever is wrong with a file, the error is one line that names it."""
    file = tmp_path / "system.toml"
    file.write_bytes(content)
    message = error_of(tmp_path)
    assert str(file) in message
    assert said in message
    assert "\n" not in message


def test_a_path_that_is_no_readable_file_is_named(tmp_path: Path) -> None:
    """A configuration file that is a directory, or missing, is an error in one line."""
    with pytest.raises(ConfigError, match=f"cannot read configuration file {tmp_path}: Is a dir"):
        load({}, {}, config=tmp_path)
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        load({}, {}, config=tmp_path / "none.toml")


def test_the_secret_is_never_shown(tmp_path: Path) -> None:
    """The live key appears in no representation and in no error about it."""
    found = loaded(tmp_path, {"CARBON_NODE_LIVE_KEY": "planted-key"})
    assert found.settings.live_key is not None
    assert found.settings.live_key.get_secret_value() == "planted-key"
    assert "planted-key" not in repr(found)
    (tmp_path / "system.toml").write_text("live_key = ['planted-key']")
    message = error_of(tmp_path)
    assert "live_key cannot be ***" in message
    assert "planted-key" not in message


@pytest.mark.parametrize("key", ["''", r"'a\nb'", "'ключ'"])
def test_a_key_that_no_header_can_carry_is_refused(tmp_path: Path, key: str) -> None:
    """A key that is empty or not visible ASCII is an error at start."""
    (tmp_path / "system.toml").write_text(f"live_key = {key}".replace("'", '"'))
    assert "live_key cannot be ***" in error_of(tmp_path)


def test_persisted_changes_need_the_operators_leave(tmp_path: Path) -> None:
    """Without `persist_configuration` a file of earlier changes is not used."""
    environ = persist(tmp_path, {"revision": 3, "changes": {"pue": 1.2}})
    assert loaded(tmp_path, environ).settings.pue == 1.2
    del environ["CARBON_NODE_PERSIST_CONFIGURATION"]
    found = loaded(tmp_path, environ)
    assert (found.settings.pue, found.configuration.revision) == (1.58, 0)


def test_persisted_changes_keep_their_revision_and_the_start_up_values(tmp_path: Path) -> None:
    """A restart continues the revision, and a reset still returns to the operator's values."""
    environ = persist(tmp_path, {"revision": 3, "changes": {"pue": 1.2}})
    configuration = loaded(tmp_path, environ).configuration
    assert configuration.revision == 3
    assert configuration.startup.pue == 1.58
    assert configuration.changes == {"pue": 1.2}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pue": 0.1}, "pue cannot be 0.1"),
        ({"peu": 1.2}, "unknown setting 'peu'"),
        ({"http_listen": "0.0.0.0:80"}, "must not open sockets"),
        ({"output_gap_ms": 60_000}, "output_gap_ms cannot be set to 60000 by request"),
        ({"tracker.workers": 4}, "option --tracker-workers has the last word"),
    ],
)
def test_a_persisted_change_that_cannot_be_used_is_left_out(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    """A bad persisted change is a warning; the others are used and the node starts."""
    environ = persist(tmp_path, {"revision": 3, "changes": {**changes, "place": "FR"}})
    found = load(
        {"tracker.workers": 3}, environ | {"HOME": "/h"}, system_file=tmp_path / "none.toml"
    )
    (warning,) = found.warnings
    assert said in warning
    assert found.settings.place == "FR"
    assert found.settings.tracker.workers == 3


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"revision": {}, "changes": {}}', "[" * 9999])
def test_damaged_persisted_changes_do_not_stop_the_node(tmp_path: Path, content: str) -> None:
    """A file of persisted changes that cannot be read is a warning, and the node starts."""
    environ = persist(tmp_path, {})
    (tmp_path / "configuration.json").write_text(content)
    found = loaded(tmp_path, environ)
    (warning,) = found.warnings
    assert str(tmp_path / "configuration.json") in warning
    assert found.configuration.revision == 0


def test_a_path_option_is_relative_to_where_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--state-dir state` is relative to the current directory."""
    monkeypatch.chdir(tmp_path)
    assert tmp_path / "state" == loaded(tmp_path, state_dir=Path("state")).settings.state_dir


@pytest.mark.parametrize(
    "address",
    ["off", "127.0.0.1:0", "[::1]:9415", "carbon_node:65535", "/run/node.sock", "unix:/run/a.sock"],
)
def test_the_local_interface_listens_at_host_and_port_or_socket(
    tmp_path: Path, address: str
) -> None:
    """Every form of address that the interface supports can be set."""
    assert address == loaded(tmp_path, http_listen=address).settings.http_listen


@pytest.mark.parametrize(
    "address", ["", "on", "9415", ":9415", "host:", "host:x", "::1:9415", "run/a", "/" + "x" * 107]
)
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    """Anything else is an error that names the forms."""
    assert "the absolute path of a Unix socket" in error_of(tmp_path, http_listen=address)
