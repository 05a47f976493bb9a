"""Which keys name secrets."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbon_node.secret_keys import SIGNS, is_secret, names_secret, secret_entries

PARTS = st.sampled_from(
    [
        *("token", "secret", "password", "passwd", "passphrase", "credential", "credentials"),
        *("authorization", "bearer", "apikey", "api", "access", "private", "key", "keys", "hf"),
        *("user", "tokens", "max", "per", "Auth", "_", "-", ".", "\u017fecret", "\u212a", "1"),
        *("\u00e9", "model", "ToKeN", "PASSWORD"),
    ]
)


def earlier_rule_of_words(key: str) -> bool:
    """What was left out of the digest and of the history before there was one rule."""
    found = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", key)
    words = [word.lower() for word in found]
    single = (
        "token secret password passwd passphrase credential credentials authorization bearer apikey"
    )
    pairs = {("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key")}
    return not set(single.split()).isdisjoint(words) or not pairs.isdisjoint(pairwise(words))


def earlier_rule_of_ends(key: str) -> bool:
    """What was left out of the log before there was one rule."""
    names = r"(?:token|passw(?:or)?d|secret|api_?key|authorization|credentials?)\Z"
    return re.search(names, key, re.IGNORECASE) is not None


@settings(deadline=None)
@given(st.lists(PARTS, max_size=5).map("".join) | st.text(max_size=20))
@example("\u212abearer")
def test_every_key_that_an_earlier_rule_took_is_secret(key: str) -> None:
    """No key became visible when two rules became one."""
    if earlier_rule_of_words(key) or earlier_rule_of_ends(key):
        assert names_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        *("hf_token", "HF_TOKEN", "token", "apiKey", "api-key", "API_KEY", "clientSecret"),
        *("X-Authorization", "accessKey", "aws_secret_access_key", "bearer", "password"),
        *("access_key", "private_key", "x-api-key", "passphrase", "db.password", "HFTOKEN"),
        *("hftoken", "apitoken", "authtoken", "tokens", "access_tokens", "secretkey", "openai_key"),
        *("auth", "pwd", "pass", "jwt", "cookie", "Set-Cookie", "sessionid", "PHPSESSID", "sig"),
        *("signature", "X-Amz-Signature", "sas", "AccountKey", "ConnectionString", "smtp_pass"),
        *("\uff54\uff4f\uff4b\uff45\uff4e", "x" * 100 + "_token", "password_free", "eos_token"),
    ],
)
def test_keys_of_secrets_are_known(key: str) -> None:
    """Whatever case, punctuation or script a client likes."""
    assert names_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        *(
            "num_outputs",
            "model",
            "task_id",
            "goal",
            "keyboard",
            "key",
            "primary_key",
            "public_key",
        ),
        *(
            "max_tokens",
            "max_new_tokens",
            "num_tokens",
            "tokens_per_second",
            "tokenizer",
            "n_tokens",
        ),
        *(
            "author",
            "authors",
            "forward_pass",
            "input_signature",
            "compass",
            "design",
            "string",
            "",
        ),
        *("model_restrains", "power_w", "latency_h", "energy_Wh", "error", "session", "passes"),
    ],
)
def test_other_keys_are_kept(key: str) -> None:
    """A key that merely resembles a secret's still counts."""
    assert not names_secret(key)


@settings(deadline=None)
@given(st.lists(PARTS, max_size=5).map("".join) | st.text(max_size=20))
def test_every_secret_key_contains_a_sign(key: str) -> None:
    """Whoever looks for signs first misses no key in plain letters."""
    if key.isascii() and names_secret(key):
        assert any(sign in re.sub("[^a-z]", "", key.lower()) for sign in SIGNS)


@pytest.mark.parametrize("value", ["abc", ["a"], {"a": 1}, None, True, "5"])
def test_what_stands_under_a_secret_key_is_secret(value: object) -> None:
    """Texts, lists, mappings and literals are."""
    assert is_secret("hf_token", value)


def test_a_number_is_secret_only_where_a_password_may_be_one() -> None:
    """A count of tokens is shown, a numeric password is not."""
    entries = {"token_count": 5, "tokens": 3.5, "password": 1234, "pwd": 1, "model": "m"}
    assert secret_entries(entries) == {"password", "pwd"}
