"""Turn plain values by dotted name into valid settings, or say what is wrong with them."""

import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from carbon_node.secret_texts import redacted
from carbon_node.settings.catalogue import HIDDEN, Entry, catalogue, near_match, nested
from carbon_node.settings.model import Settings
from carbon_node.wire import bounded_json

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})

_LONG_NUMBER_BITS = 256
"""Size above which a whole number is described instead; Python refuses to print huge ones."""

_SHOWN_CHARS = 80
"""Characters of a refused value that are quoted."""

_READ_CHARS = 10_000
"""Characters of a refused text that are searched for secrets; the middle of a longer one is left
out."""


@dataclass(frozen=True, slots=True)
class UnknownKey:
    """A name that no setting has.

    Args:
        key: the name.
    """

    key: str

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"unknown setting {quoted(self.key)}"

    @property
    def hint(self) -> str:
        """What to do next."""
        meant = near_match(self.key, catalogue())
        return f"did you mean {meant}?" if meant else "carbon-node settings show lists all"


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value that a setting cannot have.

    Args:
        entry: the setting.
        value: what was given.
        why: what exactly is wrong; empty if the value alone says it.
    """

    entry: Entry
    value: object
    why: str = ""

    @property
    def key(self) -> str:
        """Name of the setting."""
        return self.entry.key

    @property
    def message(self) -> str:
        """What is wrong, without the value if it is a secret."""
        if self.why:
            return self.why
        return f"{self.key} cannot be {HIDDEN if self.entry.is_secret else quoted(self.value)}"

    @property
    def hint(self) -> str:
        """What to do next."""
        if self.why:
            return "carbon-node settings schema has what an entry may say"
        unit = f" {self.entry.unit}" if self.entry.unit else ""
        return f"give {self.entry.allowed}{unit}"


@dataclass(frozen=True, slots=True)
class BeyondRequests:
    """A value that a peer may not set, though the operator may.

    Args:
        entry: the setting.
        value: what was given.
    """

    entry: Entry
    value: object

    @property
    def message(self) -> str:
        """What is wrong."""
        return f"{self.entry.key} cannot be set to {quoted(self.value)} by request"

    @property
    def hint(self) -> str:
        """What to do next."""
        allowed = f"{self.entry.allowed_by_request} {self.entry.unit}".rstrip()
        return f"give {allowed}; other values are for whoever configures the node"


Problem = UnknownKey | InvalidValue


def quoted(value: object) -> str:
    """Return an untrusted value as short printable text on one line, without secrets."""
    if isinstance(value, int) and value.bit_length() > _LONG_NUMBER_BITS:
        return f"a number of {value.bit_length()} bits"
    # Looked for in more than is shown: half of a secret is not recognised.
    text, shown = _repr(value, _READ_CHARS), _repr(value, _SHOWN_CHARS)
    clean = redacted(text)
    return shown if clean == text else clean[:_SHOWN_CHARS]


def _repr(value: object, longest_chars: int) -> str:
    short = reprlib.Repr()
    short.maxstring = short.maxother = longest_chars
    return short.repr(value)


def settings_of(values: Mapping[str, object]) -> Settings | tuple[Problem, ...]:
    """Return valid settings with these values and defaults for the rest, or every problem.

    Args:
        values: value by dotted name, as JSON, TOML or another `Settings` has it.
    """
    unknown = tuple(UnknownKey(key) for key in values if key not in catalogue())
    known = {key: value for key, value in values.items() if key in catalogue()}
    try:
        settings = Settings.model_validate(nested(known))
    except ValidationError as error:
        return unknown + tuple(_problems(error, known))
    return unknown or settings


def typed(entry: Entry, text: str) -> object:
    """Return the value that text from the environment or an option stands for, else the text.

    Lists are separated by colons, as in PATH. `settings_of` decides whether the value is allowed.
    """
    text = text.strip()
    if entry.kind is tuple:
        return [part for part in text.split(":") if part]
    if entry.kind is dict:
        return _table(text)
    if entry.kind is bool:
        return True if text.lower() in _YES else False if text.lower() in _NO else text
    return _number(entry.kind, text)


def _table(text: str) -> object:
    try:
        return bounded_json.loads(text)
    except ValueError:
        return text


def _number(kind: type, text: str) -> object:
    # Python also reads underscores and digits of other scripts, which nobody means as numbers.
    if kind not in (int, float) or not text.isascii() or "_" in text:
        return text
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        return text


def _problems(error: ValidationError, values: Mapping[str, object]) -> Iterator[Problem]:
    # pydantic reports list items and union members one by one; people need one problem per setting.
    first: dict[str, ErrorDetails] = {}
    for problem in error.errors(include_url=False):
        first.setdefault(_key_of(problem["loc"]), problem)
    for key, problem in first.items():
        yield InvalidValue(catalogue()[key], values[key], _why(key, problem))


def _why(key: str, problem: ErrorDetails) -> str:
    """Say where in a table the problem is; other settings are their own place."""
    if catalogue()[key].kind is not dict:
        return ""
    words = problem["msg"].removeprefix("Value error, ")
    name, *member = [str(part) for part in problem["loc"][len(key.split(".")) :]] or [""]
    if not name:
        return words if problem["type"] == "value_error" else f"{key}: {words}"
    if problem["type"] == "extra_forbidden":
        words = "is no key of it"
    else:
        words = f"cannot be {quoted(problem['input'])}: {words[:1].lower()}{words[1:]}"
    return ": ".join((f"{key}.{quoted(name)}", " ".join((*member[:1], words))))


def _key_of(location: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in location]
    return next(
        key for end in range(len(parts), 0, -1) if (key := ".".join(parts[:end])) in catalogue()
    )
