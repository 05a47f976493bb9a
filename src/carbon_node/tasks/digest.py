"""A task's inputs without their secrets: their digest, and JSON that may be kept.

The digest answers one question: are these the inputs that were answered before? It covers every
field of the three samples except the task id (the key) and secrets. JSON in `extra_data` counts by
its meaning, so neither the order of keys nor white space changes the digest; anything else counts
byte by byte. `raw_model` enters by its SHA-256.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import TypeAlias

from carbon_node.wire.samples import HWResource, MLModel, UserInput

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Input: TypeAlias = UserInput | MLModel | HWResource
Contents: TypeAlias = "Mapping[type[Input], Mapping[str, object]]"
"""JSON objects in the extra_data of a task's samples, by the wire type of the sample."""

_KEYS_REMEMBERED = 512
"""Keys whose secrecy is remembered: peers send the same few again and again."""

_LONGEST_REMEMBERED_CHARS = 64
"""Longer keys are looked at anew: they come from peers, and would stay in memory."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_SECRET_WORDS = frozenset(
    (
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "credential",
        "credentials",
        "authorization",
        "bearer",
        "apikey",
    )
)
_SECRET_PAIRS = frozenset(
    (("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"))
)

_SIGNS_OF_SECRETS = (
    *(word.encode() for word in sorted(_SECRET_WORDS)),
    *(word.encode() for word in sorted({last for _, last in _SECRET_PAIRS})),
    b"\\u",  # an escape, which may spell any letter
    b"\0",  # JSON in UTF-16 or UTF-32
)
"""Octets of which one at least occurs where a secret's key does, in small letters."""

_DIGESTED: Mapping[type[Input], tuple[str, ...]] = MappingProxyType(
    {
        wire_type: tuple(
            field.name for field in fields(wire_type) if field.name not in ("task_id", "extra_data")
        )
        for wire_type in (UserInput, MLModel, HWResource)
    }
)
"""Fields that count for the digest, beside extra_data."""


def digest(
    user_input: UserInput,
    ml_model: MLModel,
    hw_resource: HWResource,
    raw_model_sha256: str = "",
    contents: Contents = MappingProxyType({}),
) -> str:
    """Return the digest of a task's inputs, 64 hexadecimal digits.

    Pure and stable: the same inputs give the same digest in every process and release. Takes about
    0.1 ms, and 1 ms for each MB of raw_model or 30 ms for each MB of extra_data beyond that: call
    it off the loop for large samples.

    Args:
        user_input: what the user asks for.
        ml_model: the chosen model.
        hw_resource: the chosen hardware.
        raw_model_sha256: of a raw_model that was taken out of the sample; empty if it was not.
        contents: what is in the extra_data of samples, where that was parsed already.
    """
    samples = (user_input, ml_model, hw_resource)
    user, model, hardware = (_content(sample, contents) for sample in samples)
    if raw_model_sha256:
        model["raw_model"] = {"sha256": raw_model_sha256}
    inputs = [user, model, hardware]
    canonical = _CANONICAL.encode(inputs)
    return hashlib.sha256(canonical.encode()).hexdigest()


def without_secrets(extra_data: bytes) -> bytes:
    """Return extra_data without the entries whose keys name secrets, at any depth.

    Bytes without such entries, and bytes that are not JSON, come back as they are.
    """
    if not _may_hold_secrets(extra_data):
        return extra_data
    try:
        value: Json = json.loads(extra_data)
        return json.dumps(_kept(value)).encode() if _has_secrets(value) else extra_data
    except (ValueError, RecursionError):
        return extra_data


def is_secret(key: str) -> bool:
    """Whether a key's words say that its value is secret: `hf_token`, `apiKey`, `Authorization`."""
    return _names_a_secret(key) if len(key) > _LONGEST_REMEMBERED_CHARS else _is_secret(key)


@lru_cache(_KEYS_REMEMBERED)
def _is_secret(key: str) -> bool:
    return _names_a_secret(key)


def _names_a_secret(key: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(key)]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def _content(sample: Input, contents: Contents) -> dict[str, object]:
    wire_type = _wire_type(sample)
    content = {name: _digestible(getattr(sample, name)) for name in _DIGESTED[wire_type]}
    if wire_type in contents:
        meaning: str | None = _CANONICAL.encode(_kept(contents[wire_type]))
    else:
        meaning = _meaning(sample.extra_data)
    content["extra_data"] = meaning or _digestible(sample.extra_data)
    return content


def _wire_type(sample: Input) -> type[Input]:
    """Return the type that names what travels; a sample may carry more than that here."""
    match sample:
        case UserInput():
            return UserInput
        case MLModel():
            return MLModel
        case HWResource():
            return HWResource


def _digestible(value: object) -> object:
    match value:
        case bytes() | memoryview():
            return {"sha256": hashlib.sha256(value).hexdigest()}
        case _:
            return value


def _meaning(extra_data: bytes) -> str | None:
    """Return canonical JSON without secrets, or None for what no parser here can read."""
    try:
        return _CANONICAL.encode(_kept(json.loads(extra_data)))
    except (ValueError, RecursionError):
        return None


def _may_hold_secrets(extra_data: bytes) -> bool:
    """Whether a word of a secret's key occurs, or may be hidden behind an escape or an encoding."""
    octets = extra_data.lower()
    return any(sign in octets for sign in _SIGNS_OF_SECRETS)


def _has_secrets(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(is_secret, value)) or any(map(_has_secrets, value.values()))
    return isinstance(value, list) and any(map(_has_secrets, value))


def _kept(value: object) -> object:
    if isinstance(value, dict):
        return {key: _kept(entry) for key, entry in value.items() if not is_secret(key)}
    if isinstance(value, list):
        return [_kept(entry) for entry in value]
    return value
