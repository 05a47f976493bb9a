"""Takes the secrets that a task carries out of its inputs before anything is made of them.

A REST client's `hf_token` travels in the user input, and a peer that fails with it may quote it in
the error that it passes on. This is the one place that cleans inputs: the digest, the log, the
store, the outputs and the measuring processes get what it leaves, and have no rule of their own.

An entry of extra_data under a secret key goes as a whole. Elsewhere a secret becomes `[redacted]`:
one that is known from an entry of any of the samples, and one that is recognised for its place or
shape. A raw model is left as it is: its bytes are neither shown nor kept.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias, TypeVar

from carbon_node.pipeline.ports import SecretKeeper
from carbon_node.pipeline.task import LARGE_BYTES, TaskInputs, size_bytes
from carbon_node.secret_keys import secret_entries
from carbon_node.secret_texts import (
    credentials_in,
    is_suspicious,
    redacted_all,
    secrets_in,
    spellings,
)
from carbon_node.tasks.digest import Input
from carbon_node.wire import bounded_json, extra_data
from carbon_node.wire.contract import Arrival
from carbon_node.wire.extra_data import ExtraData
from carbon_node.wire.samples import HWResource, MLModel, UserInput

SampleT = TypeVar("SampleT", UserInput, MLModel, HWResource)

_Container: TypeAlias = dict[Any, Any] | list[Any]
_LISTS = ("inputs", "outputs", "input_batch")
"""Fields of samples that are lists of texts."""

_NOT_UTF8 = b"\xff"


async def without_secrets(
    inputs: TaskInputs, keeper: SecretKeeper
) -> tuple[TaskInputs, tuple[str, ...]]:
    """Take the secrets out of a task's inputs, wherever they occur; see `cleaned`."""
    if inputs.size_bytes > LARGE_BYTES:
        return await asyncio.to_thread(cleaned, inputs, keeper)
    return cleaned(inputs, keeper)


async def later_without_secrets(
    arrival: Arrival, known: tuple[str, ...], keeper: SecretKeeper
) -> Arrival:
    """Take the secrets out of a sample that came later than the others of its task.

    Args:
        arrival: as it came.
        known: secrets of the task.
        keeper: registers each secret of this sample.
    """
    if isinstance(arrival.sample, Input) and size_bytes(arrival.sample) > LARGE_BYTES:
        return await asyncio.to_thread(_cleaned_arrival, arrival, known, keeper)
    return _cleaned_arrival(arrival, known, keeper)


def cleaned(inputs: TaskInputs, keeper: SecretKeeper) -> tuple[TaskInputs, tuple[str, ...]]:
    """Take the secrets out of a task's inputs, wherever they occur.

    Takes time linear in their size: some 100 ms for each MB of text.

    Args:
        inputs: as they came.
        keeper: registers each secret.

    Returns:
        The inputs without secrets, the same object if they have none; and the secrets.
    """
    extra = inputs.extra
    opened = (
        _opened(inputs.user_input, extra.user_input),
        _opened(inputs.ml_model, extra.ml_model),
        _opened(inputs.hw_resource, extra.hw_resource),
    )
    secrets = _hide(opened, (), keeper)
    if not any(each.has_changed for each in opened):
        return inputs, secrets
    user, model, hardware = opened
    return replace(
        inputs,
        user_input=_rebuilt(inputs.user_input, user),
        ml_model=_rebuilt(inputs.ml_model, model),
        hw_resource=_rebuilt(inputs.hw_resource, hardware),
    ), secrets


def _cleaned_arrival(arrival: Arrival, known: tuple[str, ...], keeper: SecretKeeper) -> Arrival:
    match arrival.sample:
        case UserInput() as user_input:
            return replace(arrival, sample=_cleaned(user_input, known, keeper))
        case MLModel() as ml_model:
            return replace(arrival, sample=_cleaned(ml_model, known, keeper))
        case HWResource() as hw_resource:
            return replace(arrival, sample=_cleaned(hw_resource, known, keeper))
        case _:
            return arrival


def _cleaned(sample: SampleT, known: tuple[str, ...], keeper: SecretKeeper) -> SampleT:
    opened = _opened(sample, extra_data.read(sample.extra_data))
    _hide((opened,), known, keeper)
    return _rebuilt(sample, opened)


class _Copy:
    """A copy of JSON values without what stands under secret keys; its texts can be replaced.

    Args:
        value: anything that JSON can hold.
    """

    def __init__(self, value: object) -> None:
        self._root: list[Any] = [None]
        # Container and key of each text.
        self._places: list[tuple[Any, Any]] = []
        self.secrets: list[str] = []
        """Texts that stood under secret keys."""
        self.has_changed = False
        """Whether it differs from what was copied."""
        self._copy([value])

    @property
    def value(self) -> Any:  # noqa: ANN401  # what JSON can be
        """The copy."""
        return self._root[0]

    @property
    def texts(self) -> list[str]:
        """All its texts."""
        return [container[key] for container, key in self._places]

    def replace(self, texts: Sequence[str]) -> None:
        """Put these in the places of its texts."""
        for (container, key), text in zip(self._places, texts, strict=True):
            self.has_changed |= container[key] != text
            container[key] = text

    def _copy(self, root: list[object]) -> None:
        # Without recursion: what a peer sends may be nested nearly without end.
        left: list[tuple[_Container, _Container]] = [(root, self._root)]
        while left:
            source, target = left.pop()
            for key, value in self._entries(source):
                target[key] = value
                match value:
                    case dict():
                        entries: dict[Any, Any] = {}
                        target[key] = entries
                        left.append((value, entries))
                    case list():
                        items: list[Any] = [None] * len(value)
                        target[key] = items
                        left.append((value, items))
                    case str():
                        self._places.append((target, key))
                    case _:
                        pass

    def _entries(self, source: _Container) -> Iterable[tuple[Any, object]]:
        if isinstance(source, list):
            return enumerate(source)
        hidden = secret_entries(source)
        if not hidden:
            return source.items()
        self.has_changed = True
        self.secrets += [text for key in sorted(hidden) for text in _texts_in(source[key])]
        return [(key, value) for key, value in source.items() if key not in hidden]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a sample holds that may have secrets.

    Args:
        names: names of its fields with text.
        fields: the values of these fields.
        extra: the content of its extra_data.
    """

    names: tuple[str, ...]
    fields: _Copy
    extra: _Copy

    @property
    def has_changed(self) -> bool:
        """Whether it differs from what the sample holds."""
        return self.fields.has_changed or self.extra.has_changed


def _opened(sample: UserInput | MLModel | HWResource, extra: ExtraData) -> _Opened:
    values = {each.name: getattr(sample, each.name) for each in fields(sample)}
    shown = {
        name: list(value) if name in _LISTS else value
        for name, value in values.items()
        if name in _LISTS or isinstance(value, str)
    }
    content = _content(sample.extra_data, extra)
    return _Opened(tuple(shown), _Copy(list(shown.values())), _Copy(content))


def _content(octets: bytes, extra: ExtraData) -> object:
    """Return the JSON in extra_data, else its text; None for what is too long to be looked at."""
    if len(octets) > extra_data.MAX_EXTRA_DATA_BYTES:
        return None
    if not extra.problem:
        return extra.content
    try:
        return bounded_json.loads(octets)
    except ValueError:
        return octets.decode(errors="surrogateescape")


def _hide(
    opened: Sequence[_Opened], known: tuple[str, ...], keeper: SecretKeeper
) -> tuple[str, ...]:
    """Take the secrets out of samples together, and return those that were in them."""
    copies = [copy for each in opened for copy in (each.fields, each.extra)]
    texts = [text for copy in copies for text in copy.texts]
    stood = [text for copy in copies for text in copy.secrets]
    credentials = [each for text in stood for each in credentials_in(text)]
    # Most tasks have no secret, and large ones are looked through once then.
    recognised = secrets_in(texts) if (has_more := is_suspicious(texts)) else ()
    secrets = tuple(dict.fromkeys((*credentials, *recognised)))
    for secret in secrets:
        keeper.register(secret)
    hidden = {form for secret in (*known, *secrets) for form in spellings(secret)}
    clean = redacted_all(texts, hidden) if hidden or has_more else texts
    if clean != texts:
        left = iter(clean)
        for copy in copies:
            copy.replace([next(left) for _ in copy.texts])
    return secrets


def _rebuilt(sample: SampleT, opened: _Opened) -> SampleT:
    changed: dict[str, Any] = {}
    if opened.fields.has_changed:
        changed = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in zip(opened.names, opened.fields.value, strict=True)
        }
    if opened.extra.has_changed:
        changed["extra_data"] = _octets(opened.extra.value)
    return replace(sample, **changed) if changed else sample


def _octets(content: object) -> bytes:
    if not isinstance(content, str):
        return json.dumps(content).encode()
    octets = content.encode(errors="surrogateescape")
    # The secret may have been all that made it unreadable, and the log has to say that it was.
    return octets if extra_data.read(octets).problem else octets + _NOT_UTF8


def _texts_in(value: object) -> Iterator[str]:
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case dict() as entries:
                left.extend(entries.values())
            case list() as values:
                left.extend(values)
            case _:
                pass
