"""Editions as rows for people and other programs: JSON, CSV, Parquet."""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TextIO

from carbon_node.errors import ConfigError
from carbon_node.store.editions import Edition
from carbon_node.store.history import Totals
from carbon_node.tasks.answer import Answer
from carbon_node.tasks.digest import Json

PARQUET_MISSING = "Parquet needs pyarrow; install it with: pip install 'carbon-node[parquet]'"

COLUMNS: dict[str, str] = {
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
    "place_code": "text",
    "outcome": "text",
    "reason": "text",
    "mode": "text",
    "energy_kwh": "number",
    "device_energy_kwh": "number",
    "intensity_g_per_kwh": "number",
    "carbon_g": "number",
    "carbon_low_g": "number",
    "carbon_high_g": "number",
    "revision": "integer",
    "stage_seconds": "json",
    "published": "json",
    "extra_data": "json",
}
"""Names of the values of `row_of` in their order, and what each is."""

_ROWS_PER_GROUP = 10_000
"""Rows of a Parquet file that are in memory at once."""


def row_of(edition: Edition) -> dict[str, Json]:
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


def write_json(editions: Iterable[Edition], totals: Totals, file: TextIO) -> None:
    """Write one JSON object with `results` and `totals`, a row at a time."""
    file.write('{"results": [')
    for number, edition in enumerate(editions):
        file.write(",\n " if number else "\n ")
        file.write(json.dumps(row_of(edition), ensure_ascii=False))
    file.write(f'\n], "totals": {json.dumps(asdict(totals))}}}\n')


def write_csv(editions: Iterable[Edition], file: TextIO) -> None:
    """Write a table with a line of names; nested values are JSON text."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_flat(row_of(edition)).values() for edition in editions)


def write_parquet(editions: Iterable[Edition], path: Path) -> None:
    """Write a Parquet file; times are timestamps in UTC, nested values JSON text.

    Raises:
        ConfigError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise ConfigError(PARQUET_MISSING) from error
    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "time": pa.timestamp("ms", tz="UTC"),
        "text": pa.string(),
        "json": pa.string(),
    }
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    try:
        with pq.ParquetWriter(path, schema) as writer:
            for group in _groups(editions):
                writer.write_table(pa.Table.from_pylist(group, schema=schema))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error


def _answer_values(answer: Answer) -> dict[str, Json]:
    numbers = {
        name: _finite(getattr(answer, name)) for name, kind in COLUMNS.items() if kind == "number"
    }
    footprint = answer.footprint
    published = ("carbon_footprint", "energy_consumption", "carbon_intensity")
    return {
        **numbers,
        "outcome": answer.outcome.value,
        "reason": answer.reason,
        "mode": answer.mode,
        "place_code": answer.place_code,
        "revision": answer.revision,
        "stage_seconds": dict(answer.stage_seconds),
        "published": {name: _finite(getattr(footprint, name)) for name in published},
        "extra_data": _json_or_text(footprint.extra_data),
    }


def _groups(editions: Iterable[Edition]) -> Iterator[list[dict[str, object]]]:
    rows = map(_typed, editions)
    while group := list(islice(rows, _ROWS_PER_GROUP)):
        yield group


def _typed(edition: Edition) -> dict[str, object]:
    times = {"accepted_at": edition.accepted_at_ms, "finished_at": edition.finished_at_ms}
    return {**_flat(row_of(edition)), **times}


def _flat(row: dict[str, Json]) -> dict[str, object]:
    return {
        name: json.dumps(value, ensure_ascii=False)
        if COLUMNS[name] == "json" and value is not None
        else value
        for name, value in row.items()
    }


def _finite(value: float | None) -> float | None:
    """Return a number that JSON knows."""
    return None if value is None or not math.isfinite(value) else value


def _json_or_text(extra_data: bytes) -> Json:
    try:
        value: Json = json.loads(extra_data, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return extra_data.decode(errors="replace")
    return value


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
