"""Any event becomes one bounded record, for machines and for people."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.observability.cleaning import READ_LIMIT
from carbon_node.observability.redaction import Secrets
from carbon_node.observability.rendering import (
    RECORD_LIMIT_BYTES,
    TASK_ANSWERED,
    bounded_text,
    human_text,
    json_text,
)
from carbon_node.secret_texts import HIDDEN

TOKEN = "hf_PlantedToken0123456789"  # noqa: S105  # planted to be looked for
HEAD = {"timestamp": "2026-03-01T10:00:00.000Z", "level": "info", "event": "x", "logger": "l"}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=300)
    | st.binary(max_size=300)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
EVENTS = st.dictionaries(st.text(max_size=20), VALUES, max_size=8).map(lambda more: more | HEAD)


def plain(event: dict[str, Any], secrets: Secrets | None = None) -> str:
    """The event as people see it without colours."""
    return bounded_text(
        event, lambda clean: human_text(clean, has_color=False), secrets or Secrets()
    )


@given(EVENTS)
def test_every_event_is_one_line_of_json(event: dict[str, Any]) -> None:
    """Whatever was logged, a machine reads one bounded line of strict JSON with the usual head."""
    text = bounded_text(event, json_text, Secrets())
    assert len(text.encode()) <= RECORD_LIMIT_BYTES
    assert text.endswith("\n")
    assert "\n" not in text[:-1]
    content = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert list(content)[:4] == ["timestamp", "level", "event", "logger"]


@given(EVENTS)
def test_every_event_is_one_line_for_people(event: dict[str, Any]) -> None:
    """No value from the wire breaks the line, steers the terminal or exceeds the bound."""
    text = plain({key: value for key, value in event.items() if key not in ("exception", "stack")})
    assert len(text.encode()) <= RECORD_LIMIT_BYTES
    assert text[:-1].isprintable()


@pytest.mark.parametrize("size", [1_000, 100_000, 5_000_000])
def test_a_long_text_is_cut(size: int) -> None:
    """A text of any size leaves the line within its bound, and its beginning readable."""
    content = json.loads(bounded_text(HEAD | {"model": "m" * size}, json_text, Secrets()))
    assert content["model"].startswith("m" * 900)


def test_many_fields_are_cut() -> None:
    """An event with a thousand fields, or with many long ones, is bounded and keeps its head."""
    for count, value in ((1000, "y" * 1000), (30, "ü" * 500), (32, ["z" * 100] * 32)):
        event = HEAD | {f"field_{number}": value for number in range(count)}
        text = bounded_text(event, json_text, Secrets())
        assert len(text.encode()) <= RECORD_LIMIT_BYTES
        assert json.loads(text)["event"] == "x"


def test_a_traceback_keeps_its_end() -> None:
    """Of a long traceback the last lines stay: they say what happened."""
    event = HEAD | {"exception": "frame\n" * 2000 + "ValueError: the reason"}
    content = json.loads(bounded_text(event, json_text, Secrets()))
    assert content["exception"].endswith("ValueError: the reason")


def test_a_mapping_that_contains_itself_is_shown() -> None:
    """A reference cycle ends at the depth limit."""
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    assert json.loads(bounded_text(HEAD | {"cycle": cycle}, json_text, Secrets()))


def test_a_value_without_repr_is_shown_by_its_type() -> None:
    """A value whose repr raises costs no line."""

    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    content = json.loads(bounded_text(HEAD | {"value": Broken()}, json_text, Secrets()))
    assert content["value"] == "<Broken>"


@pytest.mark.parametrize(
    "value",
    [
        {"hf_token": TOKEN},
        {"user_input": {"extra_data": {"HF_TOKEN": [TOKEN]}}},
        {"extra_data": f'{{"hf_token": "{TOKEN}"}}'},
        [{"hf_token": TOKEN}],
        ValueError(f"bad hf_token='{TOKEN}'"),
        "x" * 1990 + f'"hf_token": "{TOKEN}"',
        {"tokens": {"deep": [{"value": [TOKEN]}]}},
        f"%7B%22hf%5Ftoken%22%3A%22{TOKEN}%22%7D",
        f"hf_tok\\u0065n={TOKEN}",
        f"https://user:{TOKEN}@host/",
        TOKEN,
    ],
)
def test_a_secret_name_hides_its_value_at_any_depth(value: object) -> None:
    """A token is found by its name in nested values, in JSON text and across the cut."""
    for text in (
        bounded_text(HEAD | {"v": value}, json_text, Secrets()),
        plain(HEAD | {"v": value}),
    ):
        assert TOKEN[:12] not in text


def test_a_registered_secret_is_hidden_in_event_key_and_traceback() -> None:
    """A token is found by its value wherever it stands."""
    secrets = Secrets()
    secrets.register(TOKEN)
    event = HEAD | {"event": f"got {TOKEN}", TOKEN: 1, "exception": f"KeyError: '{TOKEN}'"}
    for text in (bounded_text(event, json_text, secrets), plain(event, secrets)):
        assert TOKEN not in text
        assert text.count(HIDDEN) == 3


@pytest.mark.parametrize("key", ["event", "exception"])
def test_no_cut_shows_a_part_of_a_secret(key: str) -> None:
    """A secret that lies across the end of what is looked at is not shown in part."""
    secrets = Secrets()
    long_secret = "".join(chr(65 + n % 26) + str(n) for n in range(600))
    secrets.register(long_secret)
    text = (long_secret + " ") * (READ_LIMIT // len(long_secret) + 2)
    for shown in (
        bounded_text(HEAD | {key: text}, json_text, secrets),
        plain(HEAD | {key: text}, secrets),
    ):
        assert "A0B1C2" not in shown
        assert f"{long_secret[-20:]}" not in shown


@pytest.mark.parametrize("character", ['"', "\\", "\n", "\u2028", "\x1e", "\udfff", "é", "%"])
def test_a_secret_with_any_character_is_hidden_in_a_record_that_stays_one_line(
    character: str,
) -> None:
    """No escape of JSON or of the terminal's text hides a secret, or breaks the line."""
    secrets = Secrets()
    secret = f"open{character}sesame{character}now"
    secrets.register(secret)
    event = HEAD | {
        "event": f"got {secret}",
        "v": [secret, {"k": repr(secret)}, json.dumps(secret)],
    }
    for text in (bounded_text(event, json_text, secrets), plain(event, secrets)):
        assert "sesame" not in text
        assert len(text.splitlines()) == 1


def test_the_canonical_line_reads_as_a_sentence() -> None:
    """People get a task's outcome, carbon, energy and seconds first, its other fields after."""
    event = HEAD | {
        "event": TASK_ANSWERED,
        "task_id": "3.1",
        "outcome": "estimated",
        "carbon_g": 0.0123456,
        "energy_kwh": 2.6e-5,
        "stage_s": {"intensity": 0.001, "tracker": 0.52},
        "model": "resnet-50",
        "hardware": "NVIDIA A100",
    }
    told = "task 3.1 estimated, 0.01235 gCO2e, 2.6e-05 kWh, intensity 0.001 s, tracker 0.52 s"
    assert plain(event).endswith(f"info     {told} model=resnet-50 hardware='NVIDIA A100'\n")


def test_the_canonical_line_of_a_failed_task_leaves_out_what_it_has_not() -> None:
    """A task without numbers gets a sentence without numbers."""
    event = HEAD | {"event": TASK_ANSWERED, "task_id": "3.1", "outcome": "failed", "reason": "r"}
    assert plain(event).endswith("info     task 3.1 failed reason=r\n")


def test_levels_are_coloured_on_a_terminal_only() -> None:
    """Colours mark the level where a terminal shows them."""
    event = HEAD | {"level": "error"}
    assert "\x1b[31merror" in human_text(event, has_color=True)
    assert "\x1b" not in human_text(event, has_color=False)
