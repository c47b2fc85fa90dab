"""What a SQLite database says of itself, and its file made no larger than what is in it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from lgckpt.backends import sqlite_schema
from lgckpt.backends.sqlite_connections import Connections
from lgckpt.errors import StorageError

_PRAGMAS = ("journal_mode", "synchronous", "page_size", "page_count", "freelist_count")


class Facts:
    """The verbs of `SqliteStorage` that tell of the database itself."""

    _connections: Connections

    def facts(self, thorough: bool = False) -> Mapping[str, str]:
        """See `lgckpt.storage.SyncStorage.facts`; a file that is not there is not made."""
        name = self._connections.name
        found = {"backend": "sqlite", "sqlite_version": sqlite3.sqlite_version}
        found["schema_known"] = str(sqlite_schema.SCHEMA)
        if self._connections.is_file and not name.startswith("file:") and not os.path.exists(name):
            return {**found, "schema": "0", "exists": "no"}
        with self._looking() as connection:
            found["schema"] = str(sqlite_schema.check(connection))
            for pragma in _PRAGMAS:
                found[pragma] = str(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
            found["synchronous"] = self._connections.synchronous
            if thorough:
                check = connection.execute("PRAGMA quick_check(10)").fetchall()
                found["quick_check"] = "; ".join(str(row[0]) for row in check)
        return found

    @contextmanager
    def _looking(self) -> Iterator[sqlite3.Connection]:
        """A connection that changes nothing: one more on a file, or the only one there is."""
        name = self._connections.name
        if not self._connections.is_file:
            with self._connections.read() as connection:
                yield connection
            return
        uri = name if name.startswith("file:") else f"file:{quote(str(Path(name)))}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
                yield connection
        except sqlite3.Error as exc:
            raise StorageError(f"SQLite database {name}: {exc}") from exc

    def shrink(self) -> int:
        """Rewrite the file without what is free in it; gives how many bytes it lost.

        Raises:
            StorageError: The disk has no room for a second copy, or others keep it busy.
        """
        with self._connections.outside() as connection:
            before = _size(connection)
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return before - _size(connection)


def _size(connection: sqlite3.Connection) -> int:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages) * int(size)
