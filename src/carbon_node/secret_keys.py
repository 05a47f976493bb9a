"""Which keys name secrets: the one rule, for what is kept, logged, shown and published.

A key is read by its words (`hf_token`, `apiKey` and `X-Api-Key` have two or three) and by its end
(`HFTOKEN`, `authtoken`). Two things keep ordinary entries out: a plural `tokens` beside a word that
counts (`max_new_tokens`, `tokens_per_second`) counts tokens of text, and a number is no secret
unless it stands for a password. A key with a secret's word is taken even if it means no harm
(`password_free`, `eos_token`): nothing that the node computes with has such a name.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

_KEYS_REMEMBERED = 1024
"""Keys whose secrecy is remembered: peers send the same few again and again."""

_LONGEST_REMEMBERED_CHARS = 64
"""Longer keys are looked at each time: they come from peers, and would stay in memory."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

_PASSWORDS = frozenset(("passcode", "passphrase", "passwd", "password", "passwords", "pwd"))
"""Words of secrets that may be numbers."""

_WORDS = _PASSWORDS | frozenset(
    (
        *("apikey", "apikeys", "auth", "authorization", "bearer", "cookie", "cookies"),
        *("credential", "credentials", "jwt", "oauth", "sas", "secret", "secrets", "token"),
    )
)
"""Words that make a key secret wherever they stand in it."""

_PAIRS = frozenset(
    (first, last)
    for last, firsts in (
        # holders of keys; `primary_key`, `public_key` and `sort_key` are none
        ("key", "access account api auth client encryption private secret service session shared"),
        ("key", "live signing ssh storage subscription"),
        ("key", "anthropic aws azure cohere gcp gemini github gitlab google groq hf huggingface"),
        ("key", "mistral openai replicate slack stripe wandb"),
        ("keys", "access api private secret"),
        ("id", "sess session"),
        ("pass", "admin db http mail my proxy root smtp user"),
        ("signature", "amz goog hmac request url"),
        ("string", "connection"),
    )
    for first in firsts.split()
)
"""Neighbouring words that make a key secret."""

_WHOLE = frozenset(("pass", "sig", "signature"))
"""Keys that are secret by themselves; `forward_pass` and `input_signature` are not."""

_ENDS = tuple(
    sorted(
        {first + last for first, last in _PAIRS if last != "pass"}
        | (_WORDS - {"auth", "bearer", "oauth", "sas"})
    )
)
"""What the letters and digits of a secret key may end with, whatever is between them."""

_TOKENS = "tokens"

_COUNTING = frozenset(
    (
        *("added", "avg", "average", "batch", "budget", "cached", "completion", "context", "count"),
        *("decoded", "forced", "generated", "input", "limit", "length", "max", "maximum", "mean"),
        *("min", "minimum", "n", "new", "num", "number", "of", "output", "per", "processed"),
        *("prompt", "reasoning", "rate", "special", "speed", "stop", "suppress", "total", "vocab"),
    )
)
"""Words beside which `tokens` are pieces of text."""

SIGNS = (
    *("auth", "bearer", "cookie", "credential", "jwt", "key", "pass", "pwd", "sas", "secret"),
    *("sess", "sig", "string", "token"),
)
"""Texts of which every secret key contains one, in small letters."""


def names_secret(key: str) -> bool:
    """Whether a key says that its value is secret: `hf_token`, `apiKey`, `Authorization`."""
    return _names_secret(key) if len(key) > _LONGEST_REMEMBERED_CHARS else _remembered(key)


def secret_entries(entries: Mapping[str, object]) -> frozenset[str]:
    """Return the keys of a mapping whose values are secret."""
    if any(len(key) > _LONGEST_REMEMBERED_CHARS for key in entries):
        return frozenset(key for key, value in entries.items() if is_secret(key, value))
    # Most mappings have no such key, and each log record has a mapping.
    named = [key for key in entries if _remembered(key)]
    return frozenset(key for key in named if is_secret(key, entries[key]))


def is_secret(key: str, value: object) -> bool:
    """Whether the value that stands under a key is secret.

    Args:
        key: any text.
        value: what JSON can hold; a number is secret only where a password may be one.
    """
    if not names_secret(key):
        return False
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    words = [word for reading in _readings(key) for word in _words(reading)]
    return not is_number or not _PASSWORDS.isdisjoint(words)


def _names_secret(key: str) -> bool:
    return any(_are_of_secret(_words(reading)) for reading in _readings(key))


def _are_of_secret(words: list[str]) -> bool:
    if not _WORDS.isdisjoint(words) or not _PAIRS.isdisjoint(pairwise(words)):
        return True
    letters = "".join(words)
    if _TOKENS in words or letters.endswith(_TOKENS):
        return _COUNTING.isdisjoint(words)
    return letters in _WHOLE or letters.endswith(_ENDS)


_remembered = lru_cache(_KEYS_REMEMBERED)(_names_secret)


def _readings(key: str) -> tuple[str, ...]:
    # Letters that only look different, such as full-width ones, count as what they look like, too.
    return (key,) if key.isascii() else (key, unicodedata.normalize("NFKC", key))


def _words(key: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(key)]
