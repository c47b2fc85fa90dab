"""The statements of LangGraph's SQLite layout, as `langgraph-checkpoint-sqlite` 3.1 has them."""

from __future__ import annotations

import json
from typing import Any

TABLES = ("checkpoints", "writes")

CREATE = """
CREATE TABLE IF NOT EXISTS checkpoints (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL,
    parent_checkpoint_id TEXT,
    type TEXT,
    checkpoint BLOB,
    metadata BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);
CREATE TABLE IF NOT EXISTS writes (
    thread_id TEXT NOT NULL,
    checkpoint_ns TEXT NOT NULL DEFAULT '',
    checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    task_path TEXT NOT NULL DEFAULT '',
    idx INTEGER NOT NULL,
    channel TEXT NOT NULL,
    type TEXT,
    value BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);
"""

# One step of an index for each thread: DISTINCT would read every key of the tables.
_NEXT = """(
    SELECT min(thread_id) FROM (
        SELECT min(thread_id) AS thread_id FROM checkpoints WHERE {after}
        UNION ALL
        SELECT min(thread_id) FROM writes WHERE {after}
    )
)"""

THREADS = f"""
WITH RECURSIVE given(start, count) AS (SELECT ?, ?), found(thread_id, nth) AS (
    SELECT
        CASE WHEN given.start IS NULL
        THEN {_NEXT.format(after="true")}
        ELSE {_NEXT.format(after="thread_id > given.start")} END,
        1
    FROM given
    UNION ALL
    SELECT {_NEXT.format(after="thread_id > found.thread_id")}, nth + 1
    FROM found, given WHERE found.thread_id IS NOT NULL AND nth < given.count
)
SELECT thread_id FROM found WHERE thread_id IS NOT NULL
"""

STORE_CHECKPOINT = """
INSERT OR REPLACE INTO checkpoints (
    thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
) VALUES (?, ?, ?, ?, ?, ?, ?)
"""

STORE_WRITE = """
INSERT OR REPLACE INTO writes (
    thread_id, checkpoint_ns, checkpoint_id, task_id, idx, task_path, channel, type, value
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def dumps_metadata(metadata: dict[str, Any]) -> bytes:
    """Metadata as the saver writes it."""
    return json.dumps(metadata, ensure_ascii=False).encode("utf-8", "ignore")
