"""A result as JSON: the one shape in which peers, programs and people get it."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import get_type_hints

from carbon_node.json_value import Json
from carbon_node.store.editions import Edition
from carbon_node.tasks.answer import FINDINGS, Answer, Outcome
from carbon_node.wire import bounded_json

_KINDS = {
    str: "text",
    Outcome: "text",
    int: "integer",
    float | None: "number",
    bool | None: "boolean",
    Mapping[str, float]: "json",
}
_HINTS = get_type_hints(Answer)

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "problem_id": "integer",
        "iteration_id": "integer",
        "writer": "text",
        "edition": "integer",
        "accepted_at": "time",
        "finished_at": "time",
        "state": "text",
        "is_superseded": "boolean",
        "model": "text",
        "hardware": "text",
        "place": "text",
        **{name: _KINDS[_HINTS[name]] for name in FINDINGS},
        "published": "json",
        "extra_data": "json",
    }
)
"""Names of the values of `as_json` in their order, and what each is."""

_PUBLISHED = ("carbon_footprint", "energy_consumption", "carbon_intensity")


def as_json(edition: Edition) -> dict[str, Json]:
    """Return an edition as JSON values by the names of `COLUMNS`; what does not exist is None."""
    values: dict[str, Json] = dict.fromkeys(COLUMNS)
    values |= {
        **edition.key.task_id._asdict(),
        "writer": edition.key.writer,
        "edition": edition.number,
        "accepted_at": _iso(edition.accepted_at_ms),
        "finished_at": None if edition.finished_at_ms is None else _iso(edition.finished_at_ms),
        "state": edition.state.name.lower(),
        "is_superseded": edition.is_superseded,
        "model": edition.summary.model,
        "hardware": edition.summary.hardware,
        "place": edition.summary.place,
    }
    return values if edition.answer is None else values | _answer_values(edition.answer)


def as_text(edition: Edition) -> str:
    """Return `as_json` as text, in ASCII, which holds whatever a peer's JSON may spell."""
    return json.dumps(as_json(edition), separators=(",", ":"), allow_nan=False)


def _answer_values(answer: Answer) -> dict[str, Json]:
    footprint = answer.footprint
    return {
        **{name: _value(getattr(answer, name)) for name in FINDINGS},
        "published": {name: _value(getattr(footprint, name)) for name in _PUBLISHED},
        "extra_data": _json_or_text(footprint.extra_data),
    }


def _value(value: object) -> Json:
    """Return a value that JSON knows."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return dict(value)
        case bool() | int() | str() | None:
            return value
        case _:
            raise TypeError(f"{value!r} has no place in JSON")


def _json_or_text(extra_data: bytes) -> Json:
    try:
        value: Json = bounded_json.loads(extra_data, parse_constant=lambda _: None)
    except ValueError:
        return extra_data.decode(errors="replace")
    return value


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
