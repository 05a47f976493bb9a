"""The settings as JSON schema: whole for files and editors, one by one for requests."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from carbon_node.json_value import Json
from carbon_node.settings.catalogue import catalogue
from carbon_node.settings.model import Settings


def schema() -> dict[str, Any]:
    """Return the JSON schema of a configuration file."""
    whole = Settings.model_json_schema()
    sections = [whole, *whole["$defs"].values()]
    for section in sections:
        for member in section["properties"].values():
            # pydantic's titles only repeat the names
            member.pop("title", None)
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


@cache
def _properties() -> Mapping[str, dict[str, Json]]:
    # Kept, because making the schema takes longer than the rest of a request together.
    whole = schema()
    return MappingProxyType({key: _property(whole, key) for key in catalogue()})


def _property(whole: dict[str, Any], key: str) -> dict[str, Json]:
    *sections, name = key.split(".")
    table = whole
    for section in sections:
        table = whole["$defs"][table["properties"][section]["$ref"].rpartition("/")[2]]
    found: dict[str, Json] = table["properties"][name]
    return found
