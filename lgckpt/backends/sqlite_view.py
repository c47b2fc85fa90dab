"""A thread as retention sees it while it decides what to keep."""

from __future__ import annotations

import sqlite3

from lgckpt.backends.sqlite_rows import read_row
from lgckpt.errors import CorruptCheckpointError
from lgckpt.rows import CheckpointKey, CheckpointRow, Entry


class View:
    """A thread as `decide` sees it, within the write transaction."""

    def __init__(self, connection: sqlite3.Connection, tid: int, thread_id: str) -> None:
        self._connection = connection
        self._tid = tid
        self.thread_id = thread_id

    async def entries(self) -> list[Entry]:
        """See `ThreadView.entries`."""
        rows = self._connection.execute(
            "SELECT checkpoint_ns, checkpoint_id, parent_id, run_id, flags"
            " FROM lgckpt_checkpoints WHERE tid = ?",
            (self._tid,),
        )
        entries = [Entry(*row) for row in rows]
        for entry in entries:
            check_entry(self.thread_id, entry)
        return entries

    async def row(self, checkpoint_ns: str, checkpoint_id: str) -> CheckpointRow | None:
        """See `ThreadView.row`."""
        key = CheckpointKey(self.thread_id, checkpoint_ns, checkpoint_id)
        return read_row(self._connection, self._tid, key)

    async def has_writes(self, checkpoint_ns: str, checkpoint_id: str, channel: str) -> bool:
        """See `ThreadView.has_writes`."""
        found = self._connection.execute(
            "SELECT 1 FROM lgckpt_writes WHERE tid = ? AND checkpoint_ns = ?"
            " AND checkpoint_id = ? AND channel = ? LIMIT 1",
            (self._tid, checkpoint_ns, checkpoint_id, channel),
        )
        return found.fetchone() is not None


def check_entry(thread_id: str, entry: Entry) -> None:
    """Refuse a row with a cell of another type: a damaged file gives any type in any column.

    Raises:
        CorruptCheckpointError: There is one.
    """
    texts = (entry.checkpoint_ns, entry.checkpoint_id, entry.parent_id or "", entry.run_id or "")
    if not isinstance(entry.flags, int) or not all(isinstance(text, str) for text in texts):
        raise CorruptCheckpointError(
            "a cell of its row has no value of its type",
            thread_id=thread_id,
            checkpoint_ns=str(entry.checkpoint_ns),
            checkpoint_id=str(entry.checkpoint_id),
        )
