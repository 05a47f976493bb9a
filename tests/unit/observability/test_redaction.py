"""Secrets never get past the redactor, whatever they are wrapped in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon_node.observability.redaction import (
    HIDDEN,
    SECRETS_KEPT,
    SHORTEST_SECRET,
    Secrets,
    is_secret_key,
)

TOKEN = "hf_PlantedToken0123456789"  # noqa: S105  # planted to be looked for
SECRET_TEXTS = st.text(min_size=SHORTEST_SECRET, max_size=40).filter(
    lambda text: text not in HIDDEN
)


@given(SECRET_TEXTS, st.text(), st.text())
def test_a_registered_secret_never_stays(secret: str, before: str, after: str) -> None:
    """A registered value is hidden wherever it stands, as it is, in JSON and in a repr."""
    secrets = Secrets()
    secrets.register(secret)
    forms = (secret, json.dumps({"x": before + secret + after}), repr(before + secret + after))
    for form in forms:
        redacted = secrets.redact(form)
        assert HIDDEN in redacted
        assert form not in redacted


@pytest.mark.parametrize(
    "text",
    [
        f'{{"hf_token": "{TOKEN}", "goal": "x"}}',
        f'{{\\"hf_token\\": \\"{TOKEN}\\", \\"goal\\": \\"x\\"}}',
        f"{{'hf_token': '{TOKEN}'}}",
        f'{{"hf_token": ["{TOKEN}", "{TOKEN}"]}}',
        f'{{"hf_token": "{TOKEN}',
        f'{{"api_key" : "a\\"{TOKEN}"}}',
        f"HF_TOKEN={TOKEN}",
        f"password: {TOKEN}",
        f"Authorization: Bearer {TOKEN}",
    ],
)
def test_a_value_under_a_secret_name_is_hidden(text: str) -> None:
    """An unregistered secret is known by the name before it, in every common notation."""
    redacted = Secrets().redact(text)
    assert TOKEN not in redacted
    assert HIDDEN in redacted


@pytest.mark.parametrize(
    "text",
    ["max_tokens=512", "16 tokens: fast", '{"model": "token-classifier"}', "the token", "a=b"],
)
def test_text_without_secrets_stays(text: str) -> None:
    """What only resembles a secret's name is left alone."""
    assert Secrets().redact(text) == text


def test_long_text_is_redacted_in_linear_time() -> None:
    """Hostile text of some hundred kilobytes costs no quadratic search."""
    for text in ("-" * 400_000, "token: " * 60_000, "token" + "\\" * 400_000, 'token:"' * 60_000):
        assert Secrets().redact(text)  # a quadratic search would meet the test's time limit


def test_short_values_are_not_registered() -> None:
    """Hiding a value of three characters would garble every line."""
    secrets = Secrets()
    secrets.register("abc")
    assert secrets.redact("abcdef") == "abcdef"


def test_the_oldest_secret_is_forgotten_first() -> None:
    """Memory stays bounded when every task brings a token of its own."""
    secrets = Secrets()
    for number in range(SECRETS_KEPT + 1):
        secrets.register(f"secret-{number:04}")
    assert secrets.redact("secret-0000") == "secret-0000"
    assert secrets.redact("secret-0001") == HIDDEN
    assert secrets.redact(f"secret-{SECRETS_KEPT:04}") == HIDDEN


@pytest.mark.parametrize("key", ["hf_token", "HF_TOKEN", "api_key", "apiKey", "db.password"])
def test_secret_keys_are_recognised(key: str) -> None:
    """Names that end in a word for a secret are secret, in any case."""
    assert is_secret_key(key)


@pytest.mark.parametrize("key", ["model", "tokens", "max_tokens", "tokenizer", "task_id"])
def test_other_keys_are_not_secret(key: str) -> None:
    """Names that only contain such a word are shown."""
    assert not is_secret_key(key)
