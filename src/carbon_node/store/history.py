"""Questions to the results database that people and programs ask."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from carbon_node.errors import StoreError
from carbon_node.store.database import DATABASE_NAME, Database
from carbon_node.store.editions import Edition
from carbon_node.store.rows import SELECT_USES, use_of
from carbon_node.tasks.answer import Kept
from carbon_node.tasks.lineage import SampleId, Span, Use
from carbon_node.wire import bounded_json, samples


@dataclass(frozen=True, slots=True)
class Query:
    """Which editions are asked for; every condition that is given has to hold.

    Args:
        model: part of the model id, in upper or lower case.
        hardware: part of the hardware description.
        place: part of the place text or the whole of its code.
        since: accepted at this time or later; with time zone.
        until: accepted before this time; with time zone.
        task_id: this task id only, whichever orchestrator counted it.
        last: only so many, the newest ones.
        is_answered: only what has an answer.
        has_numbers: only answers that were computed and that no later answer supersedes.
    """

    model: str = ""
    hardware: str = ""
    place: str = ""
    since: datetime | None = None
    until: datetime | None = None
    task_id: samples.TaskId | None = None
    last: int | None = None
    is_answered: bool = False
    has_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over editions; energy and carbon count each task once, by its newest answer.

    Args:
        results: answers, each edition counted.
        tasks: tasks with an answer.
        computed: tasks whose answer carries numbers.
        unanswered: tasks that were accepted and have no answer to these inputs.
        energy_kwh: facility energy in kilowatt-hours.
        carbon_g: footprint in gCO2e.
    """

    results: int
    tasks: int
    computed: int
    unanswered: int
    energy_kwh: float
    carbon_g: float


def open_history(state_dir: Path) -> Database:
    """Open the results of a state directory for reading, also while a node writes there.

    Raises:
        StoreError: there are none, or they cannot be read.
    """
    path = state_dir / DATABASE_NAME
    if not path.is_file():
        raise StoreError(
            f"no results in {state_dir}: no node has answered a task with this state_dir yet"
        )
    return Database.open_read_only(path)


def editions(database: Database, query: Query) -> Iterator[Edition]:
    """Yield the editions that a query asks for, oldest first."""
    conditions, values = conditions_of(query)
    if query.last is None:
        return database.select(f"{conditions} ORDER BY id", values)
    newest = database.select(f"{conditions} ORDER BY id DESC LIMIT ?", (*values, query.last))
    return iter(list(newest)[::-1])


def left_with_readers(database: Database) -> tuple[Kept, ...]:
    """Return the answers whose instances have not ended with the readers, oldest first.

    Those that were saved count too: a crash may have come between publishing and its mark.
    """
    found = database.select("WHERE outcome IS NOT NULL AND NOT is_ended ORDER BY id")
    return tuple(
        Kept(edition.key, edition.number, edition.answer)
        for edition in found
        if edition.answer is not None
    )


def writers(database: Database) -> frozenset[str]:
    """Return the GUIDs of all writers of user inputs that are kept; some 20 ms for 100,000 rows."""
    (found,) = database.value("SELECT json_group_array(DISTINCT writer) FROM tasks")
    return frozenset(bounded_json.loads(found))


def past(database: Database) -> tuple[Span, ...]:
    """Return which samples of each writer each session used; some 10 ms for 10,000 of them."""
    rows = database.rows("SELECT user_writer, writer, first, last FROM streams")
    return tuple(Span(*row) for row in rows)


def uses(
    database: Database, task_id: samples.TaskId, ml_model: SampleId, hw_resource: SampleId
) -> tuple[Use, ...]:
    """Return what the writers of two samples gave to tasks of an id."""
    values = (*task_id, ml_model.writer, hw_resource.writer)
    return tuple(map(use_of, database.rows(SELECT_USES, values)))


def totals(database: Database, query: Query) -> Totals:
    """Return the sums over all editions that a query asks for; its `last` is left aside."""
    conditions, values = conditions_of(query)
    return Totals(*database.value(_TOTALS + conditions, values))


_TOTALS = """
SELECT
    count(outcome),
    count(CASE WHEN NOT is_superseded THEN outcome END),
    count(CASE WHEN NOT is_superseded THEN carbon_g END),
    count(CASE WHEN outcome IS NULL AND NOT is_superseded THEN 1 END),
    total(CASE WHEN NOT is_superseded THEN energy_kwh END),
    total(CASE WHEN NOT is_superseded THEN carbon_g END)
FROM tasks
"""


def conditions_of(query: Query) -> tuple[str, list[object]]:
    """Return the WHERE clause of a query, made of constants only, and its values."""
    texts = (("model", query.model), ("hardware", query.hardware))
    conditions: dict[str, tuple[object, ...]] = {
        f"{column} LIKE ? ESCAPE '\\'": (_containing(text),) for column, text in texts if text
    }
    if query.place:
        conditions["(place LIKE ? ESCAPE '\\' OR place_code = ? COLLATE NOCASE)"] = (
            _containing(query.place),
            query.place,
        )
    if query.since is not None:
        conditions["accepted_at_ms >= ?"] = (_milliseconds(query.since),)
    if query.until is not None:
        conditions["accepted_at_ms < ?"] = (_milliseconds(query.until),)
    if query.task_id is not None:
        conditions["problem_id = ? AND iteration_id = ?"] = query.task_id
    if query.is_answered:
        conditions["outcome IS NOT NULL"] = ()
    if query.has_numbers:
        conditions["carbon_g IS NOT NULL AND NOT is_superseded"] = ()
    clause = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return clause, [value for values in conditions.values() for value in values]


def _containing(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
