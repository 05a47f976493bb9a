"""Secrets are found in any text, and ordinary text stays as it is."""

import json
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbon_node.secret_texts import HIDDEN, NAMES_LIMIT, redacted, redacted_all, secrets_in

SECRET = "planted-Value-0123"  # noqa: S105  # planted to be looked for
TOKEN = "hf_PlantedToken0123456789"  # noqa: S105  # planted to be looked for
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1g"

MIB = 2**20
HOSTILE = {
    "words": "lorem ipsum dolor sit amet ",
    "dashes": "-",
    "names": "token: ",
    "quotes": 'token:"',
    "unclosed": "token:[",
    "escapes": "\\",
    "percent": "%41",
    "twice encoded": "%2541",
    "JSON escapes": "\\u0041",
    "web tokens": "eyJ-",
    "shapes": "sk-",
    "schemes": "://",
    "signs": "authauth",
    "keys": "-----BEGIN PRIVATE KEY",
    "pairs": "token_a=b ",
    "bearers": "Bearer ",
    "brackets": "token={[",
}


@pytest.mark.parametrize(
    "text",
    [
        '{{"hf_token": "{}", "goal": "x"}}',
        '{{\\"hf_token\\": \\"{}\\", \\"goal\\": \\"x\\"}}',
        "{{'hf_token': '{}'}}",
        '{{"hf_token": ["{}", "{}"]}}',
        '{{"tokens": [["a"], {{"x": ["}}", "{}"]}}], "goal": 1',
        '{{"hf_token": "{}',
        '{{"api_key" : "a\\"{}"}}',
        "HF_TOKEN={}",
        "hftoken={}",
        "password: {}",
        "password => {}",
        "token: access_token: {}",
        "Authorization: Bearer {}",
        '"Authorization": "Basic {}"',
        "the peer sent Bearer {}",
        "Cookie: theme=dark; sid={}",
        "see https://user:{}@host/path?a=b",
        "see https://{}@host",
        "https://host/api?token={}&x=1",
        "https://host/api?x=1&key={}",
        "https://host/api?X-Amz-Signature={}",
        "%7B%22hf_token%22%3A%22{}%22%7D",
        "x hf%5Ftoken%3D{}",
        "x hf%255Ftoken%253D{}",
        "hf_tok\\u0065n={}",
    ],
)
def test_a_secret_is_hidden_for_its_name_or_place(text: str) -> None:
    """Every common notation, whole or broken off, encoded or not; and the value is remembered."""
    quoting = text.format(SECRET, SECRET)
    assert SECRET not in redacted(quoting)
    assert HIDDEN in redacted(quoting)
    assert any(SECRET in secret for secret in secrets_in([quoting]))


@pytest.mark.parametrize(
    "token",
    [
        TOKEN,
        JWT,
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "github_pat_11ABCDEFG0abcdefghijkl_0123456789",
        "glpat-0123456789abcdefghij",
        "sk-proj-0123456789abcdefghij",
        "sk-ant-api03-0123456789abcdefghij",
        "xoxb-123456789012-abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_a_well_known_token_is_hidden_for_its_shape(token: str) -> None:
    """A token without any name before it is known by its beginning, also within a URL."""
    for text in (token, f"cannot load {token}, try again", f"('{token}',)", f"a/{token}/b"):
        assert token not in redacted(text)
        assert secrets_in([text]) == (token,)


@pytest.mark.parametrize(
    "text",
    [
        *("max_tokens=512", "16 tokens: fast", '{"model": "token-classifier"}', "the token", "a=b"),
        *("tokens_per_second: 123456789", "auth: none", "token_count=5", "use_auth_token=True"),
        *("risk-adjusted-disk-based-scheduling-of-0", "sk-learn-pipeline-for-classification"),
        *("Basic understanding", "Bearer authentication failed", "https://host:8080/a@b?c=d"),
        *("http://[::1]:80/x", "{'model': 'x'}", "100%", "C:\\users", "key: value", ""),
        *("meta-llama/Llama-3.1-8B", "resnet-50", "France, Europe", "eyJ", "hf_internal"),
    ],
)
def test_text_without_secrets_stays(text: str) -> None:
    """What only resembles a secret's name or shape is left alone."""
    assert redacted(text) == text
    assert secrets_in([text]) == ()


def test_prose_after_a_name_is_hidden_and_not_remembered() -> None:
    """A bare word after a name may be no secret: it is not hidden everywhere else for that."""
    assert redacted("Authorization: required") == f"Authorization: {HIDDEN}"
    assert secrets_in(["Authorization: required"]) == ()


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from([*HOSTILE.values(), '"', "a", "=", " "])).map("".join))
@example("TOKEN:BEARER :")
def test_redacting_again_changes_nothing(text: str) -> None:
    """What was redacted has no secrets any more."""
    once = redacted(text)
    assert redacted(once) == once


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=6), st.integers(0, 6))
def test_texts_together_are_redacted_like_texts_alone(texts: list[str], position: int) -> None:
    """A text with a secret changes nothing of its neighbours, whatever they are."""
    mixed = [*texts[:position], f'"hf_token": "{SECRET}', *texts[position:]]
    assert redacted_all(mixed) == [redacted(text) for text in mixed]


@settings(deadline=None)
@given(st.recursive(st.just(SECRET) | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_json_in_a_text_loses_all_that_stands_under_a_secret_key(value: object) -> None:
    """Lists in lists end where they end, and what follows stays."""
    text = json.dumps({"credentials": value, "goal": "stays"})
    assert SECRET not in redacted(text)
    assert '"goal": "stays"}' in redacted(text)


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear_in_the_length(name: str) -> None:
    """Four times the text takes about four times as long, and not sixteen times."""
    short, long = (HOSTILE[name] * (size // len(HOSTILE[name])) for size in (MIB // 8, MIB // 2))
    spent_s = [min(_processor_s(text) for _ in range(3)) for text in (short, long)]
    assert spent_s[1] < 10 * spent_s[0] + 0.05


def _processor_s(text: str) -> float:
    since_s = time.process_time()
    redacted("token" + text)
    secrets_in(["token" + text])
    return time.process_time() - since_s


def test_known_values_are_hidden_without_a_bound_on_their_number() -> None:
    """Ten thousand secrets are hidden; a text too long to be searched for all is hidden whole."""
    known = [f"secret-{number:05}" for number in range(10_000)]
    text = " ".join(known[:100])
    assert redacted_all([text, "short"], known) == [" ".join([HIDDEN] * 100), "short"]
    assert redacted_all(["long " * 100_000, "short"], known) == [HIDDEN, "short"]


def test_the_rest_of_a_text_with_very_many_names_is_hidden() -> None:
    """A text that repeats a name for ever costs bounded work and shows no secret."""
    text = "token_count=1 " * (NAMES_LIMIT + 10) + f"password={SECRET}"
    assert redacted(text).endswith(HIDDEN)
    assert SECRET not in redacted(text)
