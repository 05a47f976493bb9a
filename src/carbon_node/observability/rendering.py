"""One log event as one bounded record: JSON for machines, or a line for people.

The bound is what a pipe takes in one piece (PIPE_BUF): records of processes that share a log never
mix, and a record is written whole or not at all.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from carbon_node.observability.cleaning import Event, clean
from carbon_node.observability.redaction import Secrets

RECORD_LIMIT_BYTES = 4096
"""Longest record with its line end; equals Linux's PIPE_BUF."""

TASK_ANSWERED = "task answered"
"""Event of the one canonical line per task.

Told in its sentence: `task_id`, `outcome`, `carbon_g`, `energy_kwh` and `stage_s`, the seconds of
each stage; those that are not known are left out.
"""

Renderer: TypeAlias = Callable[[Event], str]

# Characters per text; the next while the record is too long.
_TEXT_LIMITS = (2000, 500, 120, 30)
# Fields that every record has, shown first.
_FIRST = ("timestamp", "level", "event", "logger")
# Fields of several lines.
_BLOCKS = ("exception", "stack")
# Fields that the task's sentence tells.
_TOLD = ("task_id", "outcome", "carbon_g", "energy_kwh", "stage_s")
_COLORS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "1;31"}


def bounded_text(event: Event, render: Renderer, secrets: Secrets) -> str:
    """Return the event as text of at most `RECORD_LIMIT_BYTES` with its line end.

    Args:
        event: what was logged; values may be anything, of any size.
        render: how the cleaned event becomes text.
        secrets: values that must not appear.
    """
    head = {key: event[key] for key in _FIRST if key in event}
    cleaned = clean(head | dict(event), secrets)
    for limit in _TEXT_LIMITS:
        text = render(cleaned.cut(limit)) + "\n"
        if len(text.encode()) <= RECORD_LIMIT_BYTES:
            return text
    return render(clean(head | {"cut": True}, secrets).cut(_TEXT_LIMITS[-1])) + "\n"


def json_text(event: Event) -> str:
    """Return the event as one line of JSON."""
    return json.dumps(event, ensure_ascii=False)


def human_text(event: Event, *, has_color: bool) -> str:
    """Return the event as a line for people; a traceback follows on lines of its own.

    Args:
        event: a cleaned event.
        has_color: whether the level is marked with terminal colours.
    """
    level = str(event.get("level", "info"))
    color = _COLORS.get(level, "0")
    mark = f"\x1b[{color}m{level:<8}\x1b[0m" if has_color else f"{level:<8}"
    fields = [f"{_word(key)}={_word(value)}" for key, value in _own_fields(event).items()]
    head = " ".join([_clock(str(event.get("timestamp", ""))), mark, _title(event), *fields])
    blocks = [line for key in _BLOCKS for line in str(event.get(key, "")).splitlines()]
    return "\n".join([head, *map(_printable, blocks)])


def _own_fields(event: Event) -> Event:
    hidden = _FIRST + _BLOCKS + (_TOLD if event.get("event") == TASK_ANSWERED else ())
    return {key: value for key, value in event.items() if key not in hidden}


def _clock(timestamp: str) -> str:
    """Return local wall time: a terminal is watched here and now."""
    try:
        return f"{datetime.fromisoformat(timestamp).astimezone():%H:%M:%S}"
    except ValueError:
        return timestamp


def _title(event: Event) -> str:
    if event.get("event") == TASK_ANSWERED:
        return _task_sentence(event)
    return _printable(str(event.get("event", "")).rstrip())


def _task_sentence(event: Event) -> str:
    parts = [
        f"task {event.get('task_id')} {event.get('outcome')}",
        _quantity(event.get("carbon_g"), "gCO2e"),
        _quantity(event.get("energy_kwh"), "kWh"),
        _stages(event.get("stage_s")),
    ]
    return _printable(", ".join(part for part in parts if part))


def _quantity(number: object, unit: str) -> str:
    return f"{number:.4g} {unit}" if isinstance(number, int | float) else ""


def _stages(stage_s: object) -> str:
    if not isinstance(stage_s, Mapping):
        return ""
    return ", ".join(f"{name} {_quantity(took_s, 's')}" for name, took_s in stage_s.items())


def _word(value: object) -> str:
    if not isinstance(value, str):
        return _printable(json.dumps(value, ensure_ascii=False))
    is_plain = value.isprintable() and value and not set(value) & set(" \"'=")
    return value if is_plain else repr(value)


def _printable(text: str) -> str:
    """Escape control characters: text from the wire must not steer a terminal or fake a line."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
