"""Takes the secrets that a task carries out of its inputs before anything is made of them.

A REST client's `hf_token` travels in the user input, and a peer that fails with it may quote it in
the error that it passes on. Whatever the node writes, keeps or publishes comes from the inputs that
this module leaves.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, TypeVar

from carbon_node.inputs import is_secret, without_secrets
from carbon_node.pipeline import extra_data
from carbon_node.pipeline.ports import SecretKeeper
from carbon_node.pipeline.task import TaskInputs
from carbon_node.transport.wire import HWResource, MLModel, UserInput

HIDDEN = "[redacted]"

SHORTEST_SECRET_CHARS = 8
"""Shorter values are no credentials, and hiding them would garble what they happen to occur in."""

SECRETS_PER_TASK = 8
"""Secrets that are looked for in a task; a client that sends more hides only its own."""

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource)


def cleaned(inputs: TaskInputs, keeper: SecretKeeper) -> TaskInputs:
    """Return the inputs without their secrets, wherever those occur.

    Args:
        inputs: as they came.
        keeper: told of each secret.
    """
    secrets = list(_secrets_of(inputs))[:SECRETS_PER_TASK]
    if not secrets:
        return inputs
    for secret in secrets:
        keeper.register(secret)
    user = inputs.user_input
    return TaskInputs(
        inputs.identity,
        _without(replace(user, extra_data=without_secrets(user.extra_data)), secrets),
        _without(inputs.ml_model, secrets),
        _without(inputs.hw_resource, secrets),
    )


def _secrets_of(inputs: TaskInputs) -> Iterator[str]:
    for sample in (inputs.user_input, inputs.ml_model, inputs.hw_resource):
        if sample.extra_data:
            yield from _found(extra_data.read(sample.extra_data).content)


def _found(content: object) -> Iterator[str]:
    """Find secrets without recursion: what a peer sends may be nested nearly without end."""
    left = [content]
    while left:
        match left.pop():
            case dict() as entries:
                texts = {key: value for key, value in entries.items() if isinstance(value, str)}
                yield from (value for key, value in texts.items() if _is_credential(key, value))
                left.extend(entries.values())
            case list() as values:
                left.extend(values)
            case _:
                pass


def _is_credential(key: str, value: str) -> bool:
    return is_secret(key) and len(value) >= SHORTEST_SECRET_CHARS


def _without(sample: SampleT, secrets: list[str]) -> SampleT:
    """Return a sample whose texts and extra_data name none of the secrets."""
    changed: dict[str, Any] = {
        field.name: _hidden_within(getattr(sample, field.name), secrets)
        for field in fields(sample)
        if field.name not in ("task_id", "extra_data")
    }
    changed["extra_data"] = _hidden_within_json(sample.extra_data, secrets)
    return replace(sample, **changed)


def _hidden_within_json(octets: bytes, secrets: list[str]) -> bytes:
    content = extra_data.read(octets).content
    try:
        clean = _hidden_within(content, secrets)
    except RecursionError:
        return b""
    return octets if clean == content else json.dumps(clean).encode()


def _hidden_within(value: object, secrets: list[str]) -> object:
    match value:
        case str():
            return _hidden(value, secrets)
        case tuple():
            return tuple(_hidden_within(entry, secrets) for entry in value)
        case list():
            return [_hidden_within(entry, secrets) for entry in value]
        case dict():
            return {key: _hidden_within(entry, secrets) for key, entry in value.items()}
        case _:
            return value


def _hidden(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
