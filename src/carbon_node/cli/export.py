"""Editions as rows for people and other programs: JSON, CSV, Parquet."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TextIO

from carbon_node.errors import ConfigError
from carbon_node.json_value import Json
from carbon_node.store.editions import Edition
from carbon_node.store.history import Totals
from carbon_node.store.result import COLUMNS, as_json

PARQUET_MISSING = "Parquet needs pyarrow; install it with: pip install 'carbon-node[parquet]'"

_ROWS_PER_GROUP = 10_000
"""Rows of a Parquet file that are in memory at once."""


def write_json(editions: Iterable[Edition], totals: Totals, file: TextIO) -> None:
    """Write one JSON object with `results` and `totals`, a row at a time."""
    file.write('{"results": [')
    for number, edition in enumerate(editions):
        file.write(",\n " if number else "\n ")
        file.write(json.dumps(as_json(edition), ensure_ascii=False))
    file.write(f'\n], "totals": {json.dumps(asdict(totals))}}}\n')


def write_csv(editions: Iterable[Edition], file: TextIO) -> None:
    """Write a table with a line of names; nested values are JSON text."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_flat(as_json(edition)).values() for edition in editions)


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


def _groups(editions: Iterable[Edition]) -> Iterator[list[dict[str, object]]]:
    rows = map(_typed, editions)
    while group := list(islice(rows, _ROWS_PER_GROUP)):
        yield group


def _typed(edition: Edition) -> dict[str, object]:
    times = {"accepted_at": edition.accepted_at_ms, "finished_at": edition.finished_at_ms}
    return {**_flat(as_json(edition)), **times}


def _flat(row: dict[str, Json]) -> dict[str, object]:
    return {
        name: json.dumps(value, ensure_ascii=False)
        if COLUMNS[name] == "json" and value is not None
        else value
        for name, value in row.items()
    }
