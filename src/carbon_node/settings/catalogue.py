"""Everything known about each setting, by its dotted name, derived from the model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from carbon_node.json_value import Json
from carbon_node.settings.model import Settings

HIDDEN = "***"
"""Shown in place of a secret that is set."""

# Without the exponent or ".0" that other forms give to some bounds.
_EXACT = ".12g"


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting.

    Args:
        key: dotted name, e.g. "tracker.window_s".
        kind: type of its value, None aside: bool, int, float, str, Path, tuple or SecretStr.
        default: value without any source.
        description: one sentence.
        unit: unit of a number, empty without one.
        noun: kind of its values in words, e.g. "a number".
        range: which of them are allowed, e.g. "from 1 to 5"; empty if the noun says it all.
        fixed: why it cannot change while the node runs; empty if it can change.
        by_request: least and most that a peer may set; None where that is all that is allowed.
    """

    key: str
    kind: type
    default: object
    description: str
    unit: str
    noun: str
    range: str
    fixed: str
    by_request: tuple[float, float] | None

    @property
    def allowed(self) -> str:
        """Its values in words."""
        return f"{self.noun} {self.range}".rstrip()

    @property
    def allowed_by_request(self) -> str:
        """The values that a peer may set, in words."""
        if self.by_request is None:
            return self.allowed
        least, most = self.by_request
        return f"{self.noun} from {least:{_EXACT}} to {most:{_EXACT}}"

    def refuses_by_request(self, value: object) -> bool:
        """Whether a value is beyond what a peer may set; the operator may be allowed more."""
        if self.by_request is None or not isinstance(value, int | float):
            return False
        least, most = self.by_request
        return not least <= value <= most

    @property
    def is_secret(self) -> bool:
        """Whether its value must not be shown."""
        return self.kind is SecretStr


@cache
def catalogue() -> Mapping[str, Entry]:
    """Return all settings by their dotted names, in the order of the model."""
    return MappingProxyType({entry.key: entry for entry in _entries(Settings, "")})


def schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file."""
    whole = Settings.model_json_schema()
    parts = whole["$defs"]
    choices = {f"#/$defs/{name}": parts.pop(name) for name in [*parts] if "enum" in parts[name]}
    for section in (whole, *parts.values()):
        for member in section["properties"].values():
            # pydantic's titles only repeat the names
            member.pop("title", None)
            if choice := choices.get(member.get("$ref", "")):
                # inline, because requests describe settings one by one
                del member["$ref"]
                member |= {"enum": choice["enum"], "type": choice["type"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "title": "Settings of a carbon node",
    }


def description(key: str) -> dict[str, Json]:
    """Return what one setting is: its JSON schema, its values in words, and whether it can be set.

    Args:
        key: dotted name of a setting.
    """
    entry = catalogue()[key]
    return {**_properties()[key], "allowed": entry.allowed, "changeable": not entry.fixed}


def near_match(name: str, names: Mapping[str, object]) -> str:
    """Return the known name that is closest to an unknown one; empty if none is close."""
    found = get_close_matches(name[:100], names, n=1)
    return found[0] if found else ""


def flat(settings: Settings) -> dict[str, object]:
    """Return the values of settings by their dotted names; secrets still wrapped."""
    return dict(_flat(settings, ""))


def nested(values: Mapping[str, object]) -> dict[str, Any]:
    """Return values by dotted names as the nested tables of a file."""
    tables: dict[str, Any] = {}
    for key, value in values.items():
        *sections, name = key.split(".")
        table = tables
        for section in sections:
            table = table.setdefault(section, {})
        table[name] = value
    return tables


def shown(value: object) -> Json:
    """Return a setting's value as JSON for people and peers, a secret hidden."""
    match value:
        case SecretStr():
            return HIDDEN
        case tuple():
            return [shown(part) for part in value]
        case dict():
            return {name: shown(part) for name, part in value.items()}
        case BaseModel():
            return {name: shown(part) for name, part in value if part is not None}
        case Path():
            return str(value)
        case StrEnum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"no setting holds a {type(value).__name__}")


def _flat(model: BaseModel, prefix: str) -> Iterator[tuple[str, object]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _entries(model: type[BaseModel], prefix: str) -> Iterator[Entry]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _entries(field.annotation, f"{prefix}{name}.")
        else:
            yield _entry(prefix + name, field)


def _entry(key: str, field: FieldInfo) -> Entry:
    kind, choices = _kind(field.annotation)
    about = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Entry(
        key=key,
        kind=kind,
        default=field.default,
        description=field.description or "",
        unit=str(about.get("unit", "")),
        noun=str(about.get("allowed") or _noun(kind, choices)),
        range=", ".join(choices) or _range(field),
        fixed=str(about.get("fixed", "")),
        by_request=_pair(about.get("by_request")),
    )


def _pair(bounds: object) -> tuple[float, float] | None:
    match bounds:
        case [float() | int() as least, float() | int() as most]:
            return float(least), float(most)
        case _:
            return None


def _kind(annotation: object) -> tuple[type, tuple[str, ...]]:
    parts = get_args(annotation)
    if NoneType in parts:
        return _kind(next(part for part in parts if part is not NoneType))
    origin = get_origin(annotation)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return str, tuple(annotation)
    if origin is Literal:
        return str, parts
    if origin is Annotated:
        return _kind(parts[0])
    plain = annotation if origin is None else origin
    assert isinstance(plain, type)  # noqa: S101 (the model holds no other annotation)
    return plain, ()


def _noun(kind: type, choices: tuple[str, ...]) -> str:
    if choices:
        return "one of"
    nouns = {bool: "true or false", int: "a whole number", float: "a number"}
    return nouns.get(kind, "text")


def _range(field: FieldInfo) -> str:
    words = []
    for bound in field.metadata:
        match bound:
            case annotated_types.Ge(ge=value):
                words.append(f"from {value:{_EXACT}}")
            case annotated_types.Gt(gt=value):
                words.append(f"above {value:{_EXACT}}")
            case annotated_types.Le(le=value):
                words.append(f"to {value:{_EXACT}}")
            case _:
                pass
    return " ".join(words)


@cache
def _properties() -> Mapping[str, dict[str, Json]]:
    # Cached: building the schema takes longer than the rest of a request.
    whole = schema()
    return MappingProxyType({key: _property(whole, key) for key in catalogue()})


def _property(whole: dict[str, Any], key: str) -> dict[str, Json]:
    *sections, name = key.split(".")
    table = whole
    for section in sections:
        table = whole["$defs"][table["properties"][section]["$ref"].rpartition("/")[2]]
    found: dict[str, Json] = table["properties"][name]
    return found
