"""The statements of LangGraph's Postgres layout, as `langgraph-checkpoint-postgres` 3.2 has them.

The position of a migration is its number, which `checkpoint_migrations` records.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from lgckpt.errors import ConfigurationError, MissingError

LOCK = 0x6C67636B70740001
"""Advisory lock under which the tables are made."""

MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS checkpoint_migrations (v INTEGER PRIMARY KEY)",
    """CREATE TABLE IF NOT EXISTS checkpoints (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        parent_checkpoint_id TEXT,
        type TEXT,
        checkpoint JSONB NOT NULL,
        metadata JSONB NOT NULL DEFAULT '{}',
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
    )""",
    """CREATE TABLE IF NOT EXISTS checkpoint_blobs (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        channel TEXT NOT NULL,
        version TEXT NOT NULL,
        type TEXT NOT NULL,
        blob BYTEA,
        PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
    )""",
    """CREATE TABLE IF NOT EXISTS checkpoint_writes (
        thread_id TEXT NOT NULL,
        checkpoint_ns TEXT NOT NULL DEFAULT '',
        checkpoint_id TEXT NOT NULL,
        task_id TEXT NOT NULL,
        idx INTEGER NOT NULL,
        channel TEXT NOT NULL,
        type TEXT,
        blob BYTEA NOT NULL,
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
    )""",
    "ALTER TABLE checkpoint_blobs ALTER COLUMN blob DROP NOT NULL",
    "SELECT 1",
    "CREATE INDEX IF NOT EXISTS checkpoints_thread_id_idx ON checkpoints (thread_id)",
    "CREATE INDEX IF NOT EXISTS checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id)",
    "CREATE INDEX IF NOT EXISTS checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id)",
    "ALTER TABLE checkpoint_writes ADD COLUMN IF NOT EXISTS task_path TEXT NOT NULL DEFAULT ''",
)

_ALL_TABLES = 3
"""The migration that makes the last of the tables."""

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")

COLUMNS = """
SELECT attrelid = to_regclass('checkpoints') AS of_checkpoints,
    attrelid = to_regclass('checkpoint_blobs') AS of_blobs, attname AS name
FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid IN (
    to_regclass('checkpoints'), to_regclass('checkpoint_blobs'), to_regclass('checkpoint_writes')
)
"""

# One step of an index for each thread: DISTINCT would read every key of the tables.
_NEXT = """LEAST(
    (SELECT min(thread_id) FROM checkpoints WHERE {after}),
    (SELECT min(thread_id) FROM checkpoint_writes WHERE {after})
)"""


def threads(first: bool) -> str:
    """The statement for a page of threads: `$1` how many, `$2` the last one before it."""
    start = _NEXT.format(after="true" if first else "thread_id > $2")
    step = _NEXT.format(after="thread_id > found.id")
    return f"""
    WITH RECURSIVE found(id, nth) AS (
        SELECT {start}, 1
        UNION ALL
        SELECT {step}, nth + 1 FROM found WHERE id IS NOT NULL AND nth < $1::int
    )
    SELECT id FROM found WHERE id IS NOT NULL ORDER BY nth
    """


# In code point order, which is that of no database but by its leave.
_PLACE = 'checkpoint_ns COLLATE "C", checkpoint_id COLLATE "C"'


def places(first: bool) -> str:
    """The statement for a page of a thread's checkpoints."""
    after = "" if first else f"AND ({_PLACE}) > ($3, $4)"
    return f"""
    SELECT checkpoint_ns, checkpoint_id FROM checkpoints WHERE thread_id = $1 {after}
    ORDER BY {_PLACE} LIMIT $2
    """


def counts(first: bool) -> str:
    """The statement for a page of the places of a thread's pending writes."""
    after = "" if first else f"AND ({_PLACE}) > ($3, $4)"
    return f"""
    SELECT checkpoint_ns, checkpoint_id, count(*) FROM checkpoint_writes
    WHERE thread_id = $1 {after}
    GROUP BY checkpoint_ns, checkpoint_id ORDER BY {_PLACE} LIMIT $2
    """


CHECKPOINTS = """
SELECT checkpoint_id, parent_checkpoint_id, checkpoint::text, metadata::text
FROM checkpoints WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id = ANY($3)
"""

BLOBS = """
SELECT channel, version, type, blob FROM checkpoint_blobs
WHERE thread_id = $1 AND checkpoint_ns = $2
AND (channel, version) IN (SELECT * FROM unnest($3::text[], $4::text[]))
"""


def writes(task_path: bool) -> str:
    """The statement for the pending writes of some checkpoints."""
    path = "task_path" if task_path else "''"
    return f"""
    SELECT checkpoint_id, task_id, idx, {path} AS task_path, channel, type, blob
    FROM checkpoint_writes
    WHERE thread_id = $1 AND checkpoint_ns = $2 AND checkpoint_id = ANY($3)
    ORDER BY checkpoint_id, task_id, idx
    """


STORE_BLOBS = """
WITH given AS MATERIALIZED (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[])
        AS one(ns, channel, version, type, blob)
), stored AS (
    INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
    SELECT $1, ns, channel, version, type, blob FROM given
    ON CONFLICT (thread_id, checkpoint_ns, channel, version) DO NOTHING
)
SELECT given.ns, given.channel, given.version FROM given JOIN checkpoint_blobs there
ON there.thread_id = $1 AND there.checkpoint_ns = given.ns
    AND there.channel = given.channel AND there.version = given.version
WHERE there.type <> given.type OR there.blob IS DISTINCT FROM given.blob
"""

STORE_CHECKPOINTS = """
INSERT INTO checkpoints (
    thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, checkpoint, metadata
)
SELECT $1, ns, id, parent, checkpoint::jsonb, metadata::jsonb
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS one(ns, id, parent, checkpoint, metadata)
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET
    parent_checkpoint_id = EXCLUDED.parent_checkpoint_id,
    checkpoint = EXCLUDED.checkpoint,
    metadata = EXCLUDED.metadata
"""

STORE_WRITES = """
INSERT INTO checkpoint_writes (
    thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, blob
)
SELECT $1, one.*
FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::text[], $9::bytea[]
) AS one
ON CONFLICT (thread_id, checkpoint_ns, checkpoint_id, task_id, idx) DO UPDATE SET
    task_path = EXCLUDED.task_path,
    channel = EXCLUDED.channel,
    type = EXCLUDED.type,
    blob = EXCLUDED.blob
"""


async def create(connection: Any) -> None:
    """Make the tables, or bring those of an older release up to date, as its `setup` does."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        await connection.execute(MIGRATIONS[0])
        done = await connection.fetchval("SELECT max(v) FROM checkpoint_migrations")
        for number in range(0 if done is None else done + 1, len(MIGRATIONS)):
            await connection.execute(MIGRATIONS[number])
            await connection.execute("INSERT INTO checkpoint_migrations (v) VALUES ($1)", number)


class Shape(NamedTuple):
    """What of the tables is there.

    Attributes:
        task_path: Whether pending writes have a path.
        absent: The tables that the migrations done so far did not make.
    """

    task_path: bool
    absent: tuple[str, ...]

    def readable(self, statement: str) -> str:
        """A statement that reads an absent table, which finds nothing there."""
        for table in self.absent:
            nothing = f"FROM ({_NOTHING[table]} WHERE false) AS {table}"
            statement = re.sub(rf"\bFROM {table}\b", nothing, statement)
        return statement


_NOTHING = {
    "checkpoints": (
        "SELECT NULL::text AS thread_id, NULL::text AS checkpoint_ns, NULL::text AS checkpoint_id,"
        " NULL::text AS parent_checkpoint_id, NULL::jsonb AS checkpoint, NULL::jsonb AS metadata"
    ),
    "checkpoint_blobs": (
        "SELECT NULL::text AS thread_id, NULL::text AS checkpoint_ns, NULL::text AS channel,"
        " NULL::text AS version, NULL::text AS type, NULL::bytea AS blob"
    ),
    "checkpoint_writes": (
        "SELECT NULL::text AS thread_id, NULL::text AS checkpoint_ns, NULL::text AS checkpoint_id,"
        " NULL::text AS task_id, NULL::int AS idx, NULL::text AS channel, NULL::text AS type,"
        " NULL::bytea AS blob"
    ),
}


async def look(connection: Any, name: str) -> Shape:
    """Look at the tables that are there.

    Raises:
        MissingError: They are not there, and no migration made any of them.
        ConfigurationError: They are those of another saver.
    """
    found: dict[str, set[str]] = {table: set() for table in TABLES}
    for row in await connection.fetch(COLUMNS):
        table = TABLES[0 if row["of_checkpoints"] else 1 if row["of_blobs"] else 2]
        found[table].add(row["name"])
    absent = tuple(table for table, columns in found.items() if not columns)
    if absent and not await _stopped_early(connection):
        raise MissingError(
            f"{name}: has no table {absent[0]!r} of LangGraph's PostgresSaver in its search path"
        )
    needed = {"checkpoints": "checkpoint_id", "checkpoint_blobs": "version"}
    if any(found[table] and column not in found[table] for table, column in needed.items()):
        raise ConfigurationError(
            f"{name}: its tables are those of ShallowPostgresSaver, which keeps no history; "
            "only those of PostgresSaver can be read and written"
        )
    return Shape("task_path" in found["checkpoint_writes"], absent)


async def _stopped_early(connection: Any) -> bool:
    """Whether LangGraph's migrations were begun, and not all tables made yet."""
    if await connection.fetchval("SELECT to_regclass('checkpoint_migrations')") is None:
        return False
    done = await connection.fetchval("SELECT max(v) FROM checkpoint_migrations")
    return done is None or done < _ALL_TABLES
