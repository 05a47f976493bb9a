"""Editions as rows of the database, and back."""

import json
import math
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from carbon_node.store.editions import Edition, State
from carbon_node.tasks.answer import FINDINGS, Answer, Outcome
from carbon_node.tasks.key import Summary, TaskKey
from carbon_node.tasks.lineage import SampleId, Use
from carbon_node.wire import bounded_json, samples

Values: TypeAlias = tuple[int | float | str | bytes | None, ...]

_IDENTITY = (
    "problem_id",
    "iteration_id",
    "writer",
    "edition",
    "digest",
    "accepted_at_ms",
    "model",
    "hardware",
    "place",
)
_PROGRESS = ("state", "is_superseded", "ignored_digest", "finished_at_ms", "is_ended")
_PUBLISHED = ("carbon_footprint", "energy_consumption", "carbon_intensity", "extra_data")
_TASK = (*_IDENTITY, *_PROGRESS, *FINDINGS)

SELECT_EDITIONS = (
    f"SELECT {', '.join((*_TASK, *_PUBLISHED))} FROM tasks LEFT JOIN published USING (id) "  # noqa: S608 - constants
)
"""Head of every query whose rows `edition_of` reads."""

UPSERT_TASK = (
    f"INSERT INTO tasks ({', '.join(_TASK)}) VALUES ({', '.join('?' * len(_TASK))}) "  # noqa: S608 - constants
    "ON CONFLICT (problem_id, iteration_id, writer, edition) DO UPDATE SET "
    f"{', '.join(f'{name} = excluded.{name}' for name in (*_PROGRESS, *FINDINGS))} RETURNING id"
)
"""Takes `task_values`; what identifies an edition is never written again."""

UPDATE_PROGRESS = (
    f"UPDATE tasks SET {', '.join(f'{name} = ?' for name in _PROGRESS)} "  # noqa: S608 - constants
    "WHERE problem_id = ? AND iteration_id = ? AND writer = ? AND edition = ?"
)
"""Takes `progress_values`; for an edition that is there, with its answer."""

INSERT_PUBLISHED = "INSERT OR IGNORE INTO published VALUES (?, ?, ?, ?, ?)"
"""Takes the id and `published_values`; what was published is never written again."""

UPSERT_STREAM = (
    "INSERT INTO streams (user_writer, writer, first, last) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (writer, user_writer) DO UPDATE SET last = max(last, excluded.last), "
    "first = min(coalesce(first, excluded.first), coalesce(excluded.first, first)) RETURNING id"
)
"""Takes `stream_values`, and yields the id."""

INSERT_SOURCES = "INSERT OR IGNORE INTO sources VALUES (?, ?, ?, ?, ?)"
"""Takes the task's id, and stream and sequence number of model and hardware; what completed an
edition is never written again."""

SELECT_USES = """
SELECT user_writer, streams.writer AS writer,
    CASE streams.id WHEN model_stream THEN model_sequence ELSE hardware_sequence END AS sequence
FROM streams
JOIN tasks ON problem_id = ? AND iteration_id = ? AND tasks.writer = user_writer
JOIN sources ON sources.id = tasks.id AND streams.id IN (model_stream, hardware_stream)
WHERE streams.writer IN (?, ?)
"""
"""Takes a task id and the writers of two samples, and yields the rows that `use_of` reads."""


def task_values(edition: Edition) -> Values:
    """Return the values for `UPSERT_TASK`."""
    identity = (
        *edition.key.task_id,
        edition.key.writer,
        edition.number,
        edition.digest,
        edition.accepted_at_ms,
        edition.summary.model,
        edition.summary.hardware,
        edition.summary.place,
    )
    return (*identity, *_progress(edition), *_answer_values(edition.answer))


def progress_values(edition: Edition) -> Values:
    """Return the values for `UPDATE_PROGRESS`."""
    return (*_progress(edition), *edition.key.task_id, edition.key.writer, edition.number)


def published_values(footprint: samples.CO2Footprint) -> Values:
    """Return the values behind the id for `INSERT_PUBLISHED`."""
    return (
        footprint.carbon_footprint,
        footprint.energy_consumption,
        footprint.carbon_intensity,
        footprint.extra_data,
    )


def stream_values(user_writer: str, sample: SampleId, *, is_certain: bool) -> Values:
    """Return the values for `UPSERT_STREAM`."""
    number = sample.sequence_number
    return (user_writer, sample.writer, number if is_certain else None, number)


def use_of(row: sqlite3.Row) -> Use:
    """Return the use in a row of `SELECT_USES`."""
    return Use(row["user_writer"], SampleId(row["writer"], row["sequence"]))


def edition_of(row: sqlite3.Row) -> Edition:
    """Return the edition in a row of `SELECT_EDITIONS`."""
    task_id = samples.TaskId(row["problem_id"], row["iteration_id"])
    return Edition(
        key=TaskKey(task_id, row["writer"]),
        number=row["edition"],
        digest=row["digest"],
        summary=Summary(row["model"], row["hardware"], row["place"]),
        accepted_at_ms=row["accepted_at_ms"],
        state=State(row["state"]),
        answer=None if row["outcome"] is None else _answer_of(row, task_id),
        finished_at_ms=row["finished_at_ms"],
        is_superseded=bool(row["is_superseded"]),
        ignored_digest=row["ignored_digest"],
        is_ended=bool(row["is_ended"]),
    )


def _progress(edition: Edition) -> Values:
    return (
        edition.state,
        edition.is_superseded,
        edition.ignored_digest,
        edition.finished_at_ms,
        edition.is_ended,
    )


def _answer_values(answer: Answer | None) -> Values:
    if answer is None:
        return (None,) * len(FINDINGS)
    found = (getattr(answer, name) for name in FINDINGS)
    return tuple(json.dumps(dict(each)) if isinstance(each, Mapping) else each for each in found)


def _answer_of(row: sqlite3.Row, task_id: samples.TaskId) -> Answer:
    found = {name: row[name] for name in FINDINGS}
    for name, read in _READ.items():
        found[name] = read(found[name])
    return Answer(footprint=_footprint_of(row, task_id), **found)


def _truth(value: int | None) -> bool | None:
    return None if value is None else bool(value)


_READ: Mapping[str, Callable[[Any], object]] = {
    "outcome": Outcome,
    "stage_seconds": bounded_json.loads,
    "agrees": _truth,
}
"""How the columns are read whose values are neither text nor numbers."""


def _footprint_of(row: sqlite3.Row, task_id: samples.TaskId) -> samples.CO2Footprint:
    return samples.CO2Footprint(
        carbon_footprint=_double(row["carbon_footprint"]),
        energy_consumption=_double(row["energy_consumption"]),
        carbon_intensity=_double(row["carbon_intensity"]),
        extra_data=row["extra_data"],
        task_id=task_id,
    )


def _double(value: float | None) -> float:
    """Undo that SQLite keeps NaN as NULL."""
    return math.nan if value is None else value
