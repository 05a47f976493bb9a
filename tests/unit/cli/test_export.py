"""Rows for other programs."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.store.samples import answer, summary, task

from carbon_node.cli.export import write_csv, write_json, write_parquet
from carbon_node.errors import ConfigError
from carbon_node.store.editions import Edition, State
from carbon_node.store.history import Totals
from carbon_node.store.result import COLUMNS, as_json

KEY = task(3, 2)
ANSWERED = Edition(
    KEY,
    1,
    "d",
    summary('model "x", y', "A100\nB", "España"),
    1_777_636_800_123,
    State.ACKNOWLEDGED,
    answer(KEY),
    1_777_636_801_000,
)
UNANSWERED = Edition(KEY, 2, "e", summary(), 1_777_636_900_000)
TOTALS = Totals(1, 1, 1, 1, 0.01, 2.0)


def test_row_says_all_there_is_with_units_and_zones() -> None:
    """A row is one flat object; what does not exist is null."""
    row = as_json(ANSWERED)
    assert list(row) == list(COLUMNS) == list(as_json(UNANSWERED))
    assert row["accepted_at"] == "2026-05-01T12:00:00.123+00:00"
    assert (row["problem_id"], row["iteration_id"], row["state"]) == (3, 2, "acknowledged")
    assert (row["carbon_g"], row["carbon_low_g"], row["carbon_high_g"]) == (2.0, 1.0, 3.0)
    assert row["published"] == {
        "carbon_footprint": 2.0,
        "energy_consumption": 0.01,
        "carbon_intensity": 200.0,
    }
    assert row["extra_data"] == {"num_outputs": 1, "model_restrains": ["resnet50"], "schema": 1}
    assert as_json(UNANSWERED)["carbon_g"] is None


def test_json_is_one_valid_object() -> None:
    """The JSON is valid even without rows, and with numbers that JSON does not know."""
    footprint = replace(answer(KEY).footprint, extra_data=b'{"a": NaN}', carbon_footprint=1e999)
    odd = replace(ANSWERED, answer=replace(answer(KEY), footprint=footprint, carbon_g=float("nan")))
    for rows in ([], [ANSWERED], [ANSWERED, UNANSWERED, odd]):
        file = io.StringIO()
        write_json(rows, TOTALS, file)
        content = json.loads(file.getvalue(), parse_constant=pytest.fail)
        assert [row["edition"] for row in content["results"]] == [row.number for row in rows]
        assert content["totals"]["carbon_g"] == 2.0


def test_csv_is_read_back() -> None:
    """Quotes, line breaks and nested values survive CSV."""
    file = io.StringIO()
    write_csv([ANSWERED, UNANSWERED], file)
    first, second = csv.DictReader(io.StringIO(file.getvalue()))
    assert (first["model"], first["hardware"]) == ('model "x", y', "A100\nB")
    assert json.loads(first["stage_seconds"]) == {"measure": 0.5, "publish": 0.001}
    assert (float(first["carbon_g"]), second["carbon_g"]) == (2.0, "")


def test_extra_data_that_is_not_json_is_text() -> None:
    """Extra data that is not JSON is exported as text."""
    footprint = replace(answer(KEY).footprint, extra_data=b"\xffbroken")
    row = as_json(replace(ANSWERED, answer=replace(answer(KEY), footprint=footprint)))
    assert row["extra_data"] == "\ufffdbroken"


def test_parquet_is_read_back_with_types(tmp_path: Path) -> None:
    """In Parquet, times are timestamps in UTC and missing numbers are null."""
    parquet: Any = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    write_parquet([ANSWERED, UNANSWERED], tmp_path / "history.parquet")
    first, second = parquet.read_table(tmp_path / "history.parquet").to_pylist()
    assert first["accepted_at"].isoformat() == "2026-05-01T12:00:00.123000+00:00"
    assert (first["carbon_g"], second["carbon_g"], second["outcome"]) == (2.0, None, None)
    assert json.loads(first["extra_data"])["num_outputs"] == 1


def test_parquet_without_pyarrow_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without pyarrow the message names the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"pip install 'carbon-node\[parquet\]'"):
        write_parquet([], tmp_path / "history.parquet")


def test_parquet_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    """A file that cannot be written is named."""
    pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_parquet([ANSWERED], tmp_path / "no" / "history.parquet")
