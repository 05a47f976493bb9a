"""Requests: what is granted, what is refused by which code; only a good set changes anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from carbon_node.secret_keys import names_secret
from carbon_node.settings import (
    Configuration,
    ConfigurationService,
    NodeQuestions,
    Reply,
    Settings,
    load,
)
from carbon_node.settings.catalogue import catalogue
from carbon_node.settings.requests import Code
from carbon_node.settings.validation import settings_of

pytestmark = pytest.mark.anyio


def configuration(**options: object) -> Configuration:
    """Return what a node starts with."""
    return load(options, {"CARBON_NODE_LIVE_KEY": "planted-key"}).configuration


async def answered(
    current: Configuration, text: str, node: NodeQuestions
) -> tuple[Configuration, Reply]:
    """Return what a request leaves of the configuration, and the reply to it."""
    service = ConfigurationService(current, node, lambda _: None)
    answer = await service.answer(text)
    return service.current, answer


async def reply(current: Configuration, request: object, node: NodeQuestions) -> dict[str, Any]:
    """Return the reply to a request, an object or a raw text."""
    text = request if isinstance(request, str) else json.dumps(request)
    _, answer = await answered(current, text, node)
    body: dict[str, Any] = json.loads(answer.text)
    assert answer.success is body["success"]
    assert body["revision"] == current.revision
    return body


@pytest.mark.parametrize("text", ["", "  \n", "{}", '{"get": "all"}'])
async def test_an_empty_request_gets_the_whole_configuration(
    text: str, node: NodeQuestions
) -> None:
    """Every setting is in the answer, the secret hidden."""
    body = await reply(configuration(pue=1.2), text, node)
    assert list(catalogue()) == list(body["configuration"])
    assert body["configuration"]["pue"] == 1.2
    assert body["configuration"]["live_key"] == "***"
    assert "planted-key" not in str(body)


@pytest.mark.parametrize(
    "request_",
    [
        {"set": {"pue": {"hf_token": "planted-Value-0123"}}},
        {"set": {"pue": "https://me:planted-Value-0123@host/"}},
        {"set": {"tracker.mode": "x" * 60 + " token=planted-Value-0123"}},
        {"set": {"token=planted-Value-0123": 1}},
        {"password=planted-Value-0123": 1},
    ],
)
async def test_no_refusal_repeats_a_secret(request_: object, node: NodeQuestions) -> None:
    """What cannot be used is quoted without the secrets that are recognised in it."""
    body = await reply(configuration(), request_, node)
    assert body["success"] is False
    assert "planted" not in str(body)
    assert "[reda" in str(body)


def test_a_setting_is_secret_by_type_and_by_name() -> None:
    """A setting whose key names a secret is hidden wherever values are shown, and no other is.

    Where a secret's file lies is none.
    """
    for entry in catalogue().values():
        is_named_secret = names_secret(entry.key) and entry.kind is not Path
        assert (entry.kind is SecretStr) == entry.is_secret == is_named_secret, entry.key
    assert catalogue()["live_key"].is_secret


async def test_get_tells_the_named_settings_only(node: NodeQuestions) -> None:
    """Names are answered in the order asked for."""
    body = await reply(configuration(), {"get": ["tracker.mode", "pue"]}, node)
    assert body["configuration"] == {"tracker.mode": "auto", "pue": 1.58}


async def test_set_changes_all_values_at_once(node: NodeQuestions) -> None:
    """A set gives a configuration of the next revision whose values name the request."""
    current = configuration()
    text = '{"set": {"pue": 1, "tracker.window_s": 0.2, "intensity_g_per_kwh": 56}}'
    changed, answer = await answered(current, text, node)
    assert (changed.settings.pue, changed.settings.tracker.window_s) == (1.0, 0.2)
    assert (current.revision, changed.revision) == (0, 1)
    assert str(changed.origins["pue"]) == "request of revision 1"
    assert json.loads(answer.text)["configuration"]["intensity_g_per_kwh"] == 56.0
    assert current.settings.pue == 1.58


async def test_a_set_to_the_present_values_changes_nothing(node: NodeQuestions) -> None:
    """Only real changes increase the revision."""
    current = configuration()
    changed, answer = await answered(current, '{"set": {"pue": 1.58}, "revision": 0}', node)
    assert changed is current
    assert answer.success


async def test_reset_returns_to_the_values_at_start(node: NodeQuestions) -> None:
    """Reset settings have the value and the origin that the operator configured."""
    start = configuration(pue=1.2)
    changed, _ = await answered(start, '{"set": {"pue": 1.3, "place": "FR"}}', node)
    one, _ = await answered(changed, '{"reset": ["pue"], "revision": 1}', node)
    assert (one.settings.pue, one.settings.place, one.revision) == (1.2, "FR", 2)
    assert str(one.origins["pue"]) == "option --pue"
    everything, _ = await answered(one, '{"reset": "all"}', node)
    assert start.settings == everything.settings
    assert (await answered(everything, '{"reset": "all"}', node))[0] is everything


async def test_an_optional_setting_can_be_unset(node: NodeQuestions) -> None:
    """Null removes an explicit intensity, and no other setting accepts it."""
    current = configuration(intensity_g_per_kwh=56.0)
    changed, _ = await answered(current, '{"set": {"intensity_g_per_kwh": null}}', node)
    assert changed.settings.intensity_g_per_kwh is None
    body = await reply(current, {"set": {"pue": None}}, node)
    assert body["error"]["code"] == "invalid_value"


async def test_describe_tells_type_range_and_whether_it_can_be_set(node: NodeQuestions) -> None:
    """A description is JSON schema and says whether the setting can change."""
    body = (await reply(configuration(), {"describe": "all"}, node))["description"]
    assert list(catalogue()) == list(body)
    assert {"minimum": 1, "maximum": 5, "changeable": True}.items() <= body["pue"].items()
    assert body["domain"]["changeable"] is False
    assert body["domain"]["fixed"] == "the DDS participant lives in it"
    assert body["tracker.mode"]["enum"] == ["auto", "declared", "measured", "formula"]
    assert "planted-key" not in str(body)


async def test_status_and_results_are_the_nodes(node: NodeQuestions) -> None:
    """Status and results are passed on as the node reports them."""
    current = configuration()
    assert (await reply(current, {"status": True}, node))["status"] == {"node": "IDLE"}
    assert (await reply(current, {"results": {"last": 1}}, node))["results"] == [{"problem_id": 2}]
    task = {"problem_id": 1, "iteration_id": 1}
    assert (await reply(current, {"results": task}, node))["results"] == [{"problem_id": 1}]


async def test_a_node_that_cannot_tell_is_an_answer(node: NodeQuestions) -> None:
    """An error of the store is answered as unavailable."""
    node.is_readable = False  # type: ignore[attr-defined]
    error = (await reply(configuration(), {"results": {"last": 1}}, node))["error"]
    assert (error["code"], error["message"]) == ("unavailable", "the disk is gone")


REFUSED = [
    (Code.NOT_JSON, "nonsense"),
    (Code.NOT_JSON, '{"set": {"pue": NaN}}'),
    (Code.NOT_JSON, '{"set": {"pue": -Infinity}}'),
    (Code.NOT_JSON, "[" * 65 + "]" * 65),
    (Code.NOT_JSON, '{"a":' * 1000 + "1" + "}" * 1000),
    (Code.NOT_JSON, '{"set": {"pue": ' + "1" * 5000 + "}}"),
    (Code.TOO_LARGE, '{"get": ["' + "x" * 5_000_000 + '"]}'),
    (Code.TOO_LARGE, " " * 5_000_000),
    (Code.TOO_LARGE, " " * 65_537),
    (Code.DUPLICATE_KEY, '{"set": {"pue": 1.2, "pue": 1.3}}'),
    (Code.DUPLICATE_KEY, '{"get": "all", "get": ["pue"]}'),
    (Code.INVALID_REQUEST, "[]"),
    (Code.INVALID_REQUEST, "3"),
    (Code.INVALID_REQUEST, '{"gte": "all"}'),
    (Code.INVALID_REQUEST, '{"get": "all", "status": true}'),
    (Code.INVALID_REQUEST, '{"revision": 0}'),
    (Code.INVALID_REQUEST, '{"get": "all", "revision": 0}'),
    (Code.INVALID_REQUEST, '{"set": {"pue": 1.2}, "revision": true}'),
    (Code.INVALID_REQUEST, '{"set": {"pue": 1.2}, "revision": -1}'),
    (Code.INVALID_REQUEST, '{"set": {"pue": 1.2}, "revision": "0"}'),
    (Code.INVALID_REQUEST, '{"set": [["pue", 1.2]]}'),
    (Code.INVALID_REQUEST, '{"get": "pue"}'),
    (Code.INVALID_REQUEST, '{"get": [1]}'),
    (Code.INVALID_REQUEST, '{"get": null}'),
    (Code.INVALID_REQUEST, '{"reset": {}}'),
    (Code.INVALID_REQUEST, '{"status": false}'),
    (Code.INVALID_REQUEST, '{"results": {"last": 0}}'),
    (Code.INVALID_REQUEST, '{"results": {"last": 101}}'),
    (Code.INVALID_REQUEST, '{"results": {"last": true}}'),
    (Code.INVALID_REQUEST, '{"results": {"last": 1, "first": 1}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": 1}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": 1, "iteration_id": 4294967296}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": 4294967296, "iteration_id": 1}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": -1, "iteration_id": 1}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": 1, "iteration_id": -1}}'),
    (Code.INVALID_REQUEST, '{"results": {"problem_id": 1, "iteration_id": 1, "last": 1}}'),
    (Code.INVALID_REQUEST, '{"results": {"last": -1}}'),
    (Code.INVALID_REQUEST, '{"set": {"pue": 1.2}, "revision": 1.0}'),
    (Code.INVALID_REQUEST, '{"set": {"pue": 1.2}, "revision": ' + "9" * 30 + "}"),
    (Code.UNKNOWN_KEY, '{"get": ["peu"]}'),
    (Code.UNKNOWN_KEY, '{"get": ["tracker"]}'),
    (Code.UNKNOWN_KEY, '{"describe": [""]}'),
    (Code.UNKNOWN_KEY, '{"reset": ["pue", "nothing"]}'),
    (Code.UNKNOWN_KEY, '{"set": {"tracker": {"window_s": 0.2}}}'),
    (Code.INVALID_VALUE, '{"set": {"pue": "1.2"}}'),
    (Code.INVALID_VALUE, '{"set": {"pue": true}}'),
    (Code.INVALID_VALUE, '{"set": {"pue": 0.99}}'),
    (Code.INVALID_VALUE, '{"set": {"pue": 1e999}}'),
    (Code.INVALID_VALUE, '{"set": {"output_gap_ms": 60000}}'),
    (Code.INVALID_VALUE, '{"set": {"output_gap_ms": 1000.5}}'),
    (Code.INVALID_VALUE, '{"set": {"tracker.window_s": 11}}'),
    (Code.INVALID_VALUE, '{"set": {"tracker.deadline_s": 0.5}}'),
    (Code.INVALID_VALUE, '{"set": {"tracker.workers": 9}}'),
    (Code.INVALID_VALUE, '{"set": {"tracker.workers": 2.5}}'),
    (Code.INVALID_VALUE, '{"set": {"tracker.workers": ' + "9" * 4000 + "}}"),
    (Code.INVALID_VALUE, '{"set": {"tracker.mode": ["auto"]}}'),
    (Code.INVALID_VALUE, '{"set": {"place": "a\\u0000b"}}'),
    (Code.INVALID_VALUE, '{"set": {"place": "\\ud800"}}'),
    (Code.INVALID_VALUE, json.dumps({"set": {"place": "x" * 60_000}})),
    (Code.NOT_CHANGEABLE, '{"set": {"domain": 3}}'),
    (Code.NOT_CHANGEABLE, '{"set": {"live_key": "x"}}'),
    (Code.REVISION_CONFLICT, '{"set": {"pue": 1.2}, "revision": 1}'),
    (Code.REVISION_CONFLICT, '{"reset": "all", "revision": 1}'),
    (Code.NOT_FOUND, '{"results": {"problem_id": 9, "iteration_id": 9}}'),
    (Code.NOT_FOUND, '{"results": {"problem_id": 0, "iteration_id": 0}}'),
    (Code.NOT_FOUND, '{"results": {"problem_id": 4294967295, "iteration_id": 4294967295}}'),
]


@pytest.mark.parametrize(
    ("code", "text"), REFUSED, ids=[f"{code}-{text[:40]}" for code, text in REFUSED]
)
async def test_what_cannot_be_granted_is_answered_by_a_code(
    code: Code, text: str, node: NodeQuestions
) -> None:
    """Each bad request changes nothing, and its answer says why and what to do, in few words."""
    current = configuration()
    changed, answer = await answered(current, text, node)
    assert changed is current
    error = json.loads(answer.text)["error"]
    assert code == error["code"]
    assert error["hint"]
    assert len(answer.text) < 1000
    assert answer.text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        *('{"results": {"last": 1}}', '{"results": {"last": 100}}', " " * 65_536),
        *('{"set": {"pue": 1.2}, "revision": 0}', '{"set": {"pue": 1.2}, "revision": null}'),
    ],
)
async def test_what_is_just_allowed_is_granted(text: str, node: NodeQuestions) -> None:
    """The bounds themselves are within."""
    _, answer = await answered(configuration(), text, node)
    assert answer.success


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ('"' + "x" * 10_000 + '"', "'" + "x" * 30),
        ("1" * 40, "1" * 40),
        ("1" + "0" * 78, "a number of 260 bits"),
        ("[" + "1," * 5_000 + "1]", "[1, 1, 1,"),
    ],
)
async def test_a_refused_value_is_quoted_in_short(
    value: str, quoted: str, node: NodeQuestions
) -> None:
    """Enough of it to recognise it, on one line, whatever its size."""
    _, answer = await answered(configuration(), f'{{"set": {{"place": {value}}}}}', node)
    message = json.loads(answer.text)["error"]["message"]
    assert message.startswith(f"place cannot be {quoted}")
    assert len(message) <= len("place cannot be ") + 80


async def test_a_set_with_one_bad_value_changes_nothing(node: NodeQuestions) -> None:
    """If one key is refused, none is set."""
    current = configuration()
    for bad in ('"pue": 9', '"domain": 3', '"peu": 1'):
        changed, _ = await answered(current, f'{{"set": {{"place": "FR", {bad}}}}}', node)
        assert changed is current


async def test_near_names_are_suggested(node: NodeQuestions) -> None:
    """A misspelt name is answered with the nearest known one."""
    current = configuration()
    assert (await reply(current, {"get": ["peu"]}, node))["error"]["hint"] == "did you mean pue?"
    assert (await reply(current, {"gte": "all"}, node))["error"]["hint"] == "did you mean get?"


async def test_read_only_access_refuses_changes_only(node: NodeQuestions) -> None:
    """With read-only access, questions are answered and changes are refused."""
    current = configuration(configuration_access="read-only")
    assert (await reply(current, {"get": "all"}, node))["success"]
    for request in ({"set": {"pue": 1.2}}, {"reset": "all"}):
        assert (await reply(current, request, node))["error"]["code"] == "access_denied"


async def test_without_access_everything_is_refused(node: NodeQuestions) -> None:
    """With access off, even an empty request is refused, without any value."""
    current = configuration(configuration_access="off")
    for request in ("", "nonsense", {"get": "all"}, {"set": {"pue": 1.2}}, {"status": True}):
        body = await reply(current, request, node)
        assert body["error"]["code"] == "access_denied"
        assert "configuration" not in body


def test_only_these_settings_can_be_set_by_request() -> None:
    """Peers may set a closed list, in which nothing opens a file or socket or loosens a guard."""
    assert {
        "hardware",
        "hardware_preset",
        "latency_unit",
        "pue",
        "place",
        "intensity_g_per_kwh",
        "output_units",
        "output_gap_ms",
        "log_level",
        "tracker.mode",
        "tracker.window_s",
        "tracker.deadline_s",
        "tracker.workers",
    } == {key for key, entry in catalogue().items() if not entry.fixed}


async def test_a_peer_may_set_less_than_the_operator(node: NodeQuestions) -> None:
    """What the operator may set and a peer may not is refused with the bounds for peers."""
    current = configuration(output_gap_ms=60_000.0)
    assert current.settings.output_gap_ms == 60_000
    error = (await reply(current, {"set": {"output_gap_ms": 5000}}, node))["error"]
    assert error == {
        "code": "invalid_value",
        "message": "output_gap_ms cannot be set to 5000 by request",
        "hint": "give a number from 0 to 1000 ms; other values are for whoever configures the node",
    }
    changed, _ = await answered(current, '{"set": {"output_gap_ms": 1000}}', node)
    assert changed.settings.output_gap_ms == 1000
    reset, _ = await answered(changed, '{"reset": ["output_gap_ms"]}', node)
    assert reset.settings.output_gap_ms == 60_000


def test_bounds_for_peers_lie_within_those_for_the_operator() -> None:
    """A peer can do nothing that the operator cannot; the default is within reach of both."""
    bounded = [entry for entry in catalogue().values() if entry.by_request is not None]
    assert len(bounded) == 4
    for entry in bounded:
        for value in (*(entry.by_request or ()), entry.default):
            number = int(value) if entry.kind is int else value
            assert isinstance(settings_of({entry.key: number}), Settings)
            assert not entry.refuses_by_request(number)


def test_settings_are_frozen() -> None:
    """Settings are immutable."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().pue = 1.2


@pytest.mark.parametrize("request_id", [0, 17, -3, "a-7", "x" * 200])
@pytest.mark.parametrize(
    "request_", [{}, {"get": ["pue"]}, {"set": {"pue": 1.3}}, {"set": {"peu": 1}}, {"status": True}]
)
async def test_the_reply_has_the_id_of_its_request(
    request_: dict[str, Any], request_id: object, node: NodeQuestions
) -> None:
    """Whether it is granted or refused."""
    _, answer = await answered(
        configuration(), json.dumps({**request_, "request_id": request_id}), node
    )
    assert json.loads(answer.text)["request_id"] == request_id
    _, without = await answered(configuration(), json.dumps(request_), node)
    assert "request_id" not in json.loads(without.text)
    assert answer.success is without.success


@pytest.mark.parametrize("request_id", [True, 1.5, [1], {"a": 1}, "x" * 201, 10**30])
async def test_an_id_that_cannot_be_repeated_is_refused(
    request_id: object, node: NodeQuestions
) -> None:
    """The caller would wait for it."""
    body = await reply(configuration(), {"get": ["pue"], "request_id": request_id}, node)
    assert body["error"]["code"] == Code.INVALID_REQUEST
    assert "request_id" not in body
