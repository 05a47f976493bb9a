"""Properties of settings and of their service, over whatever anyone may write or send."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.quiet_node import QuietNode

from carbon_node.settings import Change, ConfigurationService, Settings, load
from carbon_node.settings.catalogue import catalogue, description, flat, nested, shown

pytestmark = pytest.mark.anyio

PATIENT = examples(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""Slow machines must not fail these properties, which say nothing about time."""

PRINTABLE = st.text(
    st.characters(max_codepoint=0x24F, exclude_categories=("C", "Z"), exclude_characters=":"),
    min_size=1,
    max_size=20,
)
PATHS = PRINTABLE.map(lambda name: Path("/") / name.strip("/."))
DEVICES = st.sampled_from(["all", "none", "0", "7", "GPU-5f3c", "MIG-11/3/0"])
HARDWARE_NAMES = st.sampled_from(["H100_x4", "Edge box 9.1", "Rack[12]*"])
HARDWARE = st.fixed_dictionaries(
    {},
    optional={
        "same_as": st.just("NVIDIA H200"),
        "count": st.integers(1, 9),
        "power_w": st.just(300.0) | st.just([100.0, 200.0, 300.0]),
        "latency_unit": st.sampled_from(["s", "us"]),
        "pue": st.floats(1, 5),
    },
)


def values_of(key: str) -> st.SearchStrategy[object]:
    """Return the values that a setting allows, as its description says."""
    known: dict[str, Any] = description(key)
    if "anyOf" in known:
        known = known["anyOf"][0]
    if "enum" in known:
        return st.sampled_from(known["enum"])
    if key == "tracker.devices":
        return st.lists(DEVICES, min_size=1, max_size=3).map(tuple)
    return _values_of_type(key, known)


def values_for_peers(key: str) -> st.SearchStrategy[object]:
    """Return the values of a setting that a request may set."""
    entry = catalogue()[key]
    if entry.by_request is None:
        return values_of(key)
    least, most = entry.by_request
    return st.integers(int(least), int(most)) if entry.kind is int else st.floats(least, most)


def _values_of_type(key: str, known: dict[str, Any]) -> st.SearchStrategy[object]:
    match known["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(known["minimum"], known["maximum"])
        case "number":
            low = known.get("minimum", known.get("exclusiveMinimum"))
            return st.floats(low, known["maximum"], exclude_min="exclusiveMinimum" in known)
        case "object":
            return st.dictionaries(HARDWARE_NAMES, HARDWARE, max_size=2)
        case "array":
            return st.lists(PATHS, max_size=3).map(tuple)
        case _:
            return texts_of(key)


def texts_of(key: str) -> st.SearchStrategy[object]:
    """Return the texts that a setting allows."""
    match key:
        case "state_dir" | "http_token_file":
            return PATHS
        case "http_listen":
            return st.sampled_from(
                ["off", "127.0.0.1:0", "[::1]:65535", "unix:/run/a b.sock", "/run/a"]
            )
        case "live_key":
            return st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
        case _:
            return PRINTABLE


VALUES = st.fixed_dictionaries({}, optional={key: values_of(key) for key in catalogue()})


def as_toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{as_toml(key)} = {as_toml(part)}" for key, part in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(as_toml(part) for part in value) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def as_variable(value: object) -> str:
    """Return a value as the environment holds it."""
    if isinstance(value, dict):
        return json.dumps(value)
    return ":".join(map(str, value)) if isinstance(value, tuple) else str(value)


@PATIENT
@given(VALUES)
def test_settings_survive_a_file(values: Mapping[str, object]) -> None:
    """Whatever settings are written to a file are loaded from it."""
    expected = Settings.model_validate(nested(values))
    with TemporaryDirectory() as folder:
        file = Path(folder, "carbon-node.toml")
        file.write_text("\n".join(f"{key} = {as_toml(value)}" for key, value in values.items()))
        found = load({}, {}, config=file).configuration
    assert expected == found.startup
    assert {f"file {file}"} >= {str(found.origins[key]) for key in values}


@PATIENT
@given(VALUES)
def test_settings_survive_the_environment(values: Mapping[str, object]) -> None:
    """Whatever settings are put into the environment are loaded from it."""
    environ = {
        "CARBON_NODE_" + key.upper().replace(".", "__"): as_variable(value)
        for key, value in values.items()
    }
    expected = Settings.model_validate(nested(values))
    assert expected == load({}, environ, system_file=Path("/none")).configuration.startup


def service() -> ConfigurationService:
    """Return a service of a node with defaults."""
    configuration = load({}, {}, system_file=Path("/none")).configuration
    return ConfigurationService(configuration, QuietNode(), lambda _: None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)
KEYS = st.sampled_from([*catalogue(), "peu", "tracker", ""])
CHANGEABLE = [key for key, entry in catalogue().items() if not entry.fixed]
GOOD_VALUES = st.one_of([st.tuples(st.just(key), values_for_peers(key)) for key in CHANGEABLE])
GOOD_SETS = st.lists(GOOD_VALUES, max_size=4).map(dict)
REQUESTS = st.one_of(
    st.fixed_dictionaries({"set": GOOD_SETS}),
    st.fixed_dictionaries({"set": GOOD_SETS}, optional={"revision": st.integers(0, 3)}),
    st.builds(
        lambda good, bad: {"set": {**good, **bad}},
        GOOD_SETS,
        st.dictionaries(KEYS, JSON, min_size=1, max_size=2),
    ),
    st.fixed_dictionaries({"reset": st.just("all") | st.lists(KEYS, max_size=4)}),
    st.fixed_dictionaries({"get": st.just("all") | st.lists(KEYS, max_size=4)}),
    st.dictionaries(
        st.sampled_from(["get", "set", "reset", "describe", "status", "results", "revision"]),
        JSON,
        max_size=3,
    ),
)


@PATIENT
@given(st.text(st.characters(exclude_categories=())) | JSON.map(json.dumps))
async def test_any_text_gets_a_reply(text: str) -> None:
    """Whatever a peer sends, the answer is a JSON object with success and revision, in ASCII."""
    answer = await service().answer(text)
    reply = json.loads(answer.text)
    assert reply["success"] is answer.success
    assert reply["revision"] == 0
    assert answer.text.isascii()


@PATIENT
@given(st.lists(REQUESTS, max_size=4))
async def test_the_revision_counts_real_changes(requests: list[object]) -> None:
    """After any requests the revision is the number of those that changed a value."""
    served = service()
    changes = 0
    for request in requests:
        before = served.current
        await served.answer(json.dumps(request))
        changes += before.settings != served.current.settings
        assert changes == served.current.revision


@PATIENT
@given(st.lists(REQUESTS, max_size=4))
async def test_a_set_applies_whole_or_not_at_all(requests: list[dict[str, Any]]) -> None:
    """A granted set puts all its values in force, a refused one none."""
    served = service()
    for request in requests:
        before = served.current
        granted = (await served.answer(json.dumps(request))).success
        if not granted:
            assert served.current is before
        elif "set" in request:
            values = flat(served.current.settings)
            asked = request["set"]
            assert {key: shown(values[key]) for key in asked} == _as_json(asked)


def _shown(settings: Settings) -> dict[str, object]:
    return {key: shown(value) for key, value in flat(settings).items()}


def _as_json(values: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(json.dumps(values))


@PATIENT
@given(st.lists(REQUESTS, max_size=4))
async def test_what_is_told_leads_from_the_start_to_the_present(requests: list[object]) -> None:
    """Applying the reported changes gives the values in force."""
    told: list[Change] = []
    configuration = load({}, {}, system_file=Path("/none")).configuration
    served = ConfigurationService(configuration, QuietNode(), told.extend)
    followed = _shown(configuration.settings)
    for request in requests:
        await served.answer(json.dumps(request))
    for change in told:
        assert followed[change.key] == change.old
        followed[change.key] = change.new
    assert _shown(served.current.settings) == followed
