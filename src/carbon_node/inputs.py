"""A task's inputs without their secrets: their digest, and JSON that may be kept.

The digest answers one question: are these the inputs that were answered before? It covers every
field of the three samples except the task id (the key) and secrets. JSON in `extra_data` counts by
its meaning, so neither the order of keys nor white space changes the digest; anything else counts
byte by byte. `raw_model` enters by its SHA-256.
"""

import hashlib
import json
import re
from dataclasses import fields
from itertools import pairwise
from typing import TypeAlias

from carbon_node.transport import wire

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Input: TypeAlias = wire.UserInput | wire.MLModel | wire.HWResource

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


def digest(
    user_input: wire.UserInput,
    ml_model: wire.MLModel,
    hw_resource: wire.HWResource,
    raw_model_sha256: str = "",
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
    """
    user, model, hardware = _content(user_input), _content(ml_model), _content(hw_resource)
    if raw_model_sha256:
        model["raw_model"] = {"sha256": raw_model_sha256}
    inputs = [user, model, hardware]
    canonical = json.dumps(inputs, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def without_secrets(extra_data: bytes) -> bytes:
    """Return extra_data without the entries whose keys name secrets, at any depth.

    Bytes without such entries, and bytes that are not JSON, come back as they are.
    """
    try:
        value: Json = json.loads(extra_data)
        kept = _kept(value)
        return extra_data if kept == value else json.dumps(kept).encode()
    except (ValueError, RecursionError):
        return extra_data


def is_secret(key: str) -> bool:
    """Whether a key's words say that its value is secret: `hf_token`, `apiKey`, `Authorization`."""
    words = [word.lower() for word in _WORDS.findall(key)]
    return not _SECRET_WORDS.isdisjoint(words) or not _SECRET_PAIRS.isdisjoint(pairwise(words))


def _content(sample: Input) -> dict[str, object]:
    return {
        field.name: _digestible(field.name, getattr(sample, field.name))
        for field in fields(_wire_type(sample))
        if field.name != "task_id"
    }


def _wire_type(sample: Input) -> type[Input]:
    """Return the type that names what travels; a sample may carry more than that here."""
    match sample:
        case wire.UserInput():
            return wire.UserInput
        case wire.MLModel():
            return wire.MLModel
        case wire.HWResource():
            return wire.HWResource


def _digestible(name: str, value: object) -> object:
    match value:
        case bytes() if name == "extra_data" and (meaning := _meaning(value)):
            return meaning
        case bytes() | memoryview():
            return {"sha256": hashlib.sha256(value).hexdigest()}
        case _:
            return value


def _meaning(extra_data: bytes) -> str | None:
    """Return canonical JSON without secrets, or None for what no parser here can read."""
    try:
        return json.dumps(_kept(json.loads(extra_data)), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None


def _kept(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _kept(entry) for key, entry in value.items() if not is_secret(key)}
    if isinstance(value, list):
        return [_kept(entry) for entry in value]
    return value
