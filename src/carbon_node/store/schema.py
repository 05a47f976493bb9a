"""Tables of the results database, and how older ones are brought up to date.

`tasks` is narrow, so that totals over 100,000 rows stay quick; `published` holds what was sent,
`sources` which samples a task was completed with, and `streams` whose they were.
`history` is for people with the sqlite3 shell. `PRAGMA user_version` counts the migrations that a
database has seen.
"""

import sqlite3

from carbon_node.errors import StoreError

_FIRST = """
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    problem_id INTEGER NOT NULL,
    iteration_id INTEGER NOT NULL,
    writer TEXT NOT NULL,
    edition INTEGER NOT NULL,
    digest TEXT NOT NULL,
    state INTEGER NOT NULL,
    is_superseded INTEGER NOT NULL,
    ignored_digest TEXT NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    model TEXT NOT NULL,
    hardware TEXT NOT NULL,
    place TEXT NOT NULL,
    outcome TEXT,
    reason TEXT,
    mode TEXT,
    place_code TEXT,
    energy_kwh REAL,
    device_energy_kwh REAL,
    intensity_g_per_kwh REAL,
    carbon_g REAL,
    carbon_low_g REAL,
    carbon_high_g REAL,
    revision INTEGER,
    stage_seconds TEXT,
    UNIQUE (problem_id, iteration_id, writer, edition)
);
CREATE INDEX tasks_by_time ON tasks (accepted_at_ms);
CREATE INDEX tasks_unanswered ON tasks (id) WHERE state = 0;
CREATE TABLE published (
    id INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    carbon_footprint REAL,
    energy_consumption REAL,
    carbon_intensity REAL,
    extra_data BLOB NOT NULL
);
CREATE VIEW history AS
SELECT
    problem_id, iteration_id, writer, edition,
    strftime('%Y-%m-%dT%H:%M:%fZ', accepted_at_ms / 1000.0, 'unixepoch') AS accepted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at_ms / 1000.0, 'unixepoch') AS finished_at,
    CASE state
        WHEN 0 THEN 'accepted' WHEN 1 THEN 'saved' WHEN 2 THEN 'published' ELSE 'acknowledged'
    END AS state,
    is_superseded, model, hardware, place, place_code, outcome, reason, mode,
    energy_kwh, device_energy_kwh, intensity_g_per_kwh, carbon_g, carbon_low_g, carbon_high_g,
    revision, stage_seconds, CAST(extra_data AS TEXT) AS extra_data
FROM tasks LEFT JOIN published USING (id);
"""

_SECOND = """
ALTER TABLE tasks ADD COLUMN detail TEXT;
ALTER TABLE tasks ADD COLUMN place_name TEXT;
ALTER TABLE tasks ADD COLUMN tracker_failure TEXT;
ALTER TABLE tasks ADD COLUMN agrees INTEGER;
UPDATE tasks SET
    detail = coalesce(json_extract(found.extra, '$.not_computed.detail'), ''),
    place_name = coalesce(json_extract(found.extra, '$.place.name'), ''),
    tracker_failure = coalesce(json_extract(found.extra, '$.tracker.failure'), ''),
    agrees = json_extract(found.extra, '$.tracker.agrees')
FROM (
    SELECT
        tasks.id AS id,
        CASE WHEN json_valid(CAST(extra_data AS TEXT)) THEN CAST(extra_data AS TEXT) END AS extra
    FROM tasks LEFT JOIN published USING (id)
) AS found
WHERE found.id = tasks.id AND outcome IS NOT NULL;
DROP VIEW history;
CREATE VIEW history AS
SELECT
    problem_id, iteration_id, writer, edition,
    strftime('%Y-%m-%dT%H:%M:%fZ', accepted_at_ms / 1000.0, 'unixepoch') AS accepted_at,
    strftime('%Y-%m-%dT%H:%M:%fZ', finished_at_ms / 1000.0, 'unixepoch') AS finished_at,
    CASE state
        WHEN 0 THEN 'accepted' WHEN 1 THEN 'saved' WHEN 2 THEN 'published' ELSE 'acknowledged'
    END AS state,
    is_superseded, model, hardware, place, place_code, outcome, reason, mode,
    energy_kwh, device_energy_kwh, intensity_g_per_kwh, carbon_g, carbon_low_g, carbon_high_g,
    revision, stage_seconds, detail, place_name, tracker_failure, agrees,
    CAST(extra_data AS TEXT) AS extra_data
FROM tasks LEFT JOIN published USING (id);
"""
# What older rows lack is in the extra_data that was published for them.

_THIRD = """
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    user_writer TEXT NOT NULL,
    writer TEXT NOT NULL,
    first INTEGER,
    last INTEGER NOT NULL,
    UNIQUE (writer, user_writer)
);
CREATE TABLE sources (
    id INTEGER PRIMARY KEY REFERENCES tasks (id) ON DELETE CASCADE,
    model_stream INTEGER NOT NULL,
    model_sequence INTEGER NOT NULL,
    hardware_stream INTEGER NOT NULL,
    hardware_sequence INTEGER NOT NULL
);
"""
# Of older rows nobody knows which samples they were made of.

_FOURTH = """
ALTER TABLE tasks ADD COLUMN is_ended INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET is_ended = 1 WHERE id <= (SELECT max(id) FROM tasks) - 480;
CREATE INDEX tasks_left_with_readers ON tasks (id) WHERE outcome IS NOT NULL AND NOT is_ended;
"""
# The release before kept 480 outputs at most, and did not note which.

MIGRATIONS: tuple[str, ...] = (_FIRST, _SECOND, _THIRD, _FOURTH)
"""Scripts by the version that they start from; a released one never changes."""

VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: tuple[str, ...] = MIGRATIONS) -> None:
    """Bring a database to this version, each step in a transaction of its own.

    Raises:
        StoreError: the database is of a newer release.
        sqlite3.Error: it cannot be read or written.
    """
    for version in range(version_of(connection, len(migrations)), len(migrations)):
        step = f"{migrations[version]}\nPRAGMA user_version = {version + 1};"
        connection.executescript(f"BEGIN IMMEDIATE;\n{step}\nCOMMIT;")


def version_of(connection: sqlite3.Connection, newest: int = VERSION) -> int:
    """Return how many migrations a database has seen.

    Raises:
        StoreError: more than this release knows.
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > newest:
        raise StoreError(
            f"the results database has schema {version} and this release knows up to {newest}; "
            "use the newer carbon-node, or move the database away"
        )
    return version
