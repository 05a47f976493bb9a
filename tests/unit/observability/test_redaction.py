"""Registered secrets never get past the redactor, whatever they are wrapped in."""

import json
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from carbon_node.observability.redaction import (
    SECRETS_KEPT,
    SECRETS_KEPT_CHARS,
    SHORTEST_SECRET,
    Secrets,
)
from carbon_node.secret_texts import HIDDEN

SECRET_TEXTS = st.text(min_size=SHORTEST_SECRET, max_size=40).filter(
    lambda text: text not in HIDDEN
)


def redact(secrets: Secrets, text: str) -> str:
    """One text, redacted."""
    (redacted,) = secrets.redact([text])
    return redacted


@settings(deadline=None)
@given(SECRET_TEXTS, st.text(), st.text())
def test_a_registered_secret_never_stays(secret: str, before: str, after: str) -> None:
    """A registered value is hidden wherever it stands, as it is, in JSON and in a repr."""
    secrets = Secrets()
    secrets.register(secret)
    forms = (secret, json.dumps({"x": before + secret + after}), repr(before + secret + after))
    for form in forms:
        redacted = redact(secrets, form)
        assert HIDDEN in redacted
        assert form not in redacted


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=8, max_size=20).filter(str.isalnum))
def test_a_registered_secret_is_hidden_in_a_url(secret: str) -> None:
    """Percent-encoding hides no secret, however often it is applied."""
    secrets = Secrets()
    secrets.register(secret)
    once = "".join(f"%{octet:02x}" for octet in secret.encode())
    for form in (quote(secret), quote_plus(secret), once, quote(once)):
        redacted = redact(secrets, f"https://host/x?y={form}")
        assert HIDDEN in redacted
        assert form not in redacted


def test_short_values_are_not_registered() -> None:
    """Hiding a value of three characters would garble every line."""
    secrets = Secrets()
    secrets.register("abc")
    assert redact(secrets, "abcdef") == "abcdef"


def test_the_oldest_secret_is_forgotten_first() -> None:
    """Memory stays bounded when every task brings a token of its own."""
    secrets = Secrets()
    for number in range(SECRETS_KEPT + 1):
        secrets.register(f"secret-{number:04}")
    assert redact(secrets, "secret-0000") == "secret-0000"
    assert redact(secrets, "secret-0001") == HIDDEN
    assert redact(secrets, f"secret-{SECRETS_KEPT:04}") == HIDDEN


def test_large_secrets_are_bounded_by_their_size() -> None:
    """Secrets of a megabyte together push out the oldest, and the newest is hidden."""
    secrets = Secrets()
    texts = [str(number) * (SECRETS_KEPT_CHARS // 4) for number in range(6)]
    for text in texts:
        secrets.register(text)
    assert redact(secrets, texts[0][:10_000]) == texts[0][:10_000]
    assert redact(secrets, texts[-1]) == HIDDEN


def test_a_secret_that_is_used_again_is_kept() -> None:
    """The token that every task brings is not pushed out by others."""
    secrets = Secrets()
    for number in range(SECRETS_KEPT * 2):
        secrets.register("the-users-token")
        secrets.register(f"secret-{number:04}")
    assert redact(secrets, "the-users-token") == HIDDEN
