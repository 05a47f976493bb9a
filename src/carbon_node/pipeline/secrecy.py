"""Takes the secrets that a task carries out of its inputs before anything is made of them.

A REST client's `hf_token` travels in the user input, and a peer that fails with it may quote it in
the error that it passes on. Whatever the node writes, keeps or publishes comes from the inputs that
this module leaves.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from carbon_node.pipeline.ports import SecretKeeper
from carbon_node.pipeline.task import TaskInputs
from carbon_node.tasks.digest import is_secret
from carbon_node.tasks.digest import without_secrets as without_secret_entries
from carbon_node.wire import extra_data
from carbon_node.wire.contract import Arrival
from carbon_node.wire.samples import HWResource, MLModel, UserInput

HIDDEN = "[redacted]"

SHORTEST_SECRET_CHARS = 8
"""Shorter values are no credentials, and hiding them would garble what they happen to occur in."""

SECRETS_PER_TASK = 8
"""Secrets that are looked for in a task; a client that sends more hides only its own."""

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource)


def cleaned(inputs: TaskInputs, keeper: SecretKeeper) -> tuple[TaskInputs, tuple[str, ...]]:
    """Take the secrets out of a task's inputs, wherever they occur.

    Args:
        inputs: as they came.
        keeper: told of each secret.

    Returns:
        The inputs without secrets, and the secrets.
    """
    extra = inputs.extra
    contents = (extra.user_input, extra.ml_model, extra.hw_resource)
    secrets = _told(keeper, *(each.content for each in contents))
    if not secrets:
        return inputs, ()
    without = replace(
        inputs,
        user_input=_without(inputs.user_input, secrets),
        ml_model=_without(inputs.ml_model, secrets),
        hw_resource=_without(inputs.hw_resource, secrets),
    )
    return without, secrets


def without_secrets(arrival: Arrival, known: tuple[str, ...], keeper: SecretKeeper) -> Arrival:
    """Take the secrets out of a sample that came later than the others of its task.

    Args:
        arrival: as it came.
        known: secrets of the task.
        keeper: told of each secret of this sample.
    """
    match arrival.sample:
        case UserInput() as user:
            return replace(arrival, sample=_cleaned(user, known, keeper))
        case MLModel() as model:
            return replace(arrival, sample=_cleaned(model, known, keeper))
        case HWResource() as hardware:
            return replace(arrival, sample=_cleaned(hardware, known, keeper))
        case _:
            return arrival


def _cleaned(sample: SampleT, known: tuple[str, ...], keeper: SecretKeeper) -> SampleT:
    told: tuple[str, ...] = _told(keeper, extra_data.read(sample.extra_data).content)
    return _without(sample, (*known, *told))


def _told(keeper: SecretKeeper, *contents: Mapping[str, object]) -> tuple[str, ...]:
    found = [secret for content in contents for secret in _found(content)]
    secrets = tuple(dict.fromkeys(found))[:SECRETS_PER_TASK]
    for secret in secrets:
        keeper.register(secret)
    return secrets


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


def _without(sample: SampleT, secrets: tuple[str, ...]) -> SampleT:
    """Return a sample whose texts and extra_data name none of the secrets."""
    if not secrets:
        return sample
    changed: dict[str, Any] = {
        field.name: _hidden_within(getattr(sample, field.name), secrets)
        for field in fields(sample)
        if field.name not in ("task_id", "extra_data")
    }
    octets = without_secret_entries(sample.extra_data)
    changed["extra_data"] = _hidden_within_json(octets, secrets)
    return replace(sample, **changed)


def _hidden_within_json(octets: bytes, secrets: tuple[str, ...]) -> bytes:
    content = extra_data.read(octets).content
    try:
        clean = _hidden_within(content, secrets)
    except RecursionError:
        return b""
    return octets if clean == content else json.dumps(clean).encode()


def _hidden_within(value: object, secrets: tuple[str, ...]) -> object:
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


def _hidden(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text
